# What the parts of the bench share, on top of tests/e2e/lib.sh: releases of the blog, a load with marks,
# figures and their tables.
# shellcheck shell=sh disable=SC2034,SC2154 # variables of tests/e2e/lib.sh; some are for the parts only

tools=$top_builddir/tests/bench

# --- figures -----------------------------------------------------------------------------------------

# title TEXT LINE...: what is measured, and what the columns mean.
title() {
    printf '\n%s\n' "$1"
    shift
    [ $# = 0 ] || printf '    %s\n' "$@"
}

# figure KEY VALUE: also goes to the file that JSON= names.
figure() { printf '%s %s\n' "$1" "$2" >>"$work/figures"; }

figures_json() {
    awk 'BEGIN { printf "{\"schema\": 1" } { printf ",\n \"%s\": %s", $1, $2 } END { print "}" }' \
        "$work/figures"
}

# median, maximum, minimum <NUMBERS, one in a line
median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
maximum() { sort -n | tail -n 1; }
minimum() { sort -n | head -n 1; }

# calculate EXPRESSION: by awk, two digits behind the point.
calculate() { awk "BEGIN { printf \"%.2f\", $1 }"; }

# ratio A B: "-" when there is nothing to compare with.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.3f", a / b; else print "null" }'; }

# --- the blog ----------------------------------------------------------------------------------------

# start_blog NAME WORKERS: baton with the blog as its only service, all it needs in the directory NAME.
# Generation 1 is release 1 and serves at $url.
start_blog() {
    home=$work/$1 workers=$2
    free_port port
    mkdir -p "$home/data" "$home/releases/v1" "$home/releases/v2"
    cp "$top_builddir/baton-blog-v1" "$home/releases/v1/baton-blog"
    cp "$top_builddir/baton-blog-v2" "$home/releases/v2/baton-blog"
    use_release 1
    cat >"$home/blog.ini" <<INI
[baton]
state_dir = $home/state
log = $home.log

[listener web]
address = 127.0.0.1:$port

[service blog]
command = $home/current/baton-blog --data $home/data
listen = web
workers = $workers
ready = native
verify = http:/healthz
output = $home/worker.log
INI
    start_baton "$home/blog.ini"
    generation=1
    wait_settled blog 1
    url=http://127.0.0.1:$port
}

use_release() {
    release=$1
    ln -s "releases/v$1" "$home/current.new"
    mv -T "$home/current.new" "$home/current"
}

# signal_upgrade [MARK]: the other release, by SIGUSR2, which the load client is told about as MARK.
signal_upgrade() {
    use_release $((3 - release))
    generation=$((generation + 1))
    [ $# = 0 ] || mark "$1"
    kill -s USR2 "$keeper" || fail "baton is not running"
}

# --- the blog without baton ----------------------------------------------------------------------------

# start_bare DATA: blog v1 with a socket of its own, on $bare_port; $bare is its pid. In a session of its own,
# as under baton: schedulers share the processors between sessions (autogroup).
start_bare() {
    free_port bare_port
    mkdir -p "$1"
    bare_data=$1
    run_bare
}

run_bare() {
    setsid "$top_builddir/baton-blog-v1" --data "$bare_data" --listen "127.0.0.1:$bare_port" \
        >>"$work/bare.log" 2>&1 </dev/null &
    bare=$!
    wait_for "$patience_s" "$helpers/httpget" "http://127.0.0.1:$bare_port/healthz" >/dev/null 2>&1
}

stop_bare() {
    kill -s TERM "$bare"
    wait_for "$patience_s" ended "$bare"
    wait "$bare" || true
    bare=
}

# --- load --------------------------------------------------------------------------------------------

# begin_load ARGUMENT...: as start_load, but failures are for the bench to report; mark NAME works.
begin_load() { start_load --mark-fd 8 --version-header X-Baton-Generation "$@"; }
mark() { echo "$1" >&8; }

# end_load [wait]: its account is in load.json. With `wait` the load ends by itself, after its --seconds.
end_load() {
    [ $# = 1 ] || kill -s TERM "$load" || fail "the load has ended by itself"
    wait_for "$patience_s" ended "$load"
    load_exit=0
    wait "$load" || load_exit=$?
    load=
    [ "$load_exit" -le 1 ] || fail "the load client ended with $load_exit: $(cat "$work/load.out")"
}

# account PATH: from load.json; 0 when there is nothing at PATH (no request ended in that phase).
account() { "$helpers/jsonget" "$1" <"$work/load.json" || echo 0; }

# count_losses WHERE: what was lost is counted for the verdict, told at once, and the account is kept.
count_losses() {
    failures=$(account failures) races=$(account races)
    [ $((failures + races)) != 0 ] || return 0
    lost=$((lost + failures + races))
    printf 'LOST: %s failures, %s races %s\n' "$failures" "$races" "$1"
    account 'examples.*' | sed 's/^/    /'
    cp "$work/load.json" "$work/lost-$lost.json"
}

# --- processes ---------------------------------------------------------------------------------------

# memory_kib PID: proportional set size, or - where only root may look.
memory_kib() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup" 2>/dev/null | grep . || echo -; }

# switches PID: how often it was put on a processor, so far.
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"; }

# descriptor_count PID: or - where only root may look.
descriptor_count() {
    if can_see_descriptors; then
        find "/proc/$1/fd" -mindepth 1 | wc -l
    else
        echo -
    fi
}
