#!/bin/sh
# Wherever the supervisor dies in a start or an upgrade - at each fault point of the code, the first five times
# that it is passed - not one request is lost and one generation serves in the end.
. "${top_srcdir:?}/tests/e2e/lib.sh"

grep -q '^#define BATON_FAULTS 1' "$top_builddir/config.h" || skip "fault points are not compiled in (--enable-faults)"

points=$(grep -rhoE 'fault_point\("[a-z-]+"\)' "$top_srcdir/supervisor" | sed 's/.*"\(.*\)".*/\1/' | sort -u)
[ -n "$points" ] || fail "no fault points in the code"
supervisors_may_die=yes

mkdir data
free_port port
url=http://127.0.0.1:$port

# configure COMMAND READY: one service of two workers.
configure() {
    cat >blog.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[service blog]
command = $1
listen = web
workers = 2
ready = $2
output = $work/blog.log
INI
}

# Steady, with one generation and both its workers.
# shellcheck disable=SC2317 # wait_for calls it
rests() {
    "$baton" status --json >"$work/rests.json" 2>/dev/null </dev/null || return 1
    rests_now=$("$helpers/jsonget" <"$work/rests.json" services.0.state services.0.rollout.state \
        'services.0.generations.*.role' 'services.0.generations.*.workers.*.state' | tr '\n' ' ') || return 1
    [ "$rests_now" = "serving steady stable serving serving " ]
}

killed=0
# walk TIMES: each point, the first times that it is passed.
walk() {
    for point in $points; do
        for n in $(seq "$1"); do
            die_at "$point:$n"
        done
    done
}

# die_at POINT:N: once in a whole life - start, upgrade under load, stop - the supervisor dies there. The point may be
# passed before the first generation serves: then it is the start that is tested.
die_at() {
    printf x >fault
    export BATON_FAULT="$1" BATON_FAULT_FILE="$work/fault"
    start_baton blog.ini
    wait_for "$patience_s" rests
    before=$(status 'services.0.generations.*.generation')
    start_load --short 1 --keepalive 2 "$url/"
    upgraded=0
    "$baton" upgrade --wait >upgrade.out 2>&1 </dev/null || upgraded=$?
    [ "$upgraded" = 0 ] || [ "$upgraded" = 3 ] || fail "$1: upgrade --wait: $upgraded: $(cat upgrade.out)"
    wait_for "$patience_s" rests
    after=$(status 'services.0.generations.*.generation')
    [ "$upgraded" != 0 ] || [ "$after" -gt "$before" ] || fail "$1: generation $before still serves"
    stop_load
    [ -s fault ] || killed=$((killed + 1))
    stop_baton
}

configure "$top_builddir/baton-blog-v2 --data $work/data" native
walk 5
configure "$helpers/worker_passive" notify
walk 2
configure "$helpers/worker_passive --no-notify" "alive:100ms"
walk 1
say "$killed supervisors died at $(echo "$points" | wc -w) points"
[ "$killed" -gt "$(echo "$points" | wc -w)" ] || fail "hardly a fault point was reached"
passed
