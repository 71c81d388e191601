# What every e2e test stands on; POSIX sh and the tools of a bare Debian. A test begins with
#
#     #!/bin/sh
#     # What this test claims, in a sentence.
#     . "${top_srcdir:?}/tests/e2e/lib.sh"
#
# and ends with `passed`. It runs in a private directory ($work, the current one), which is removed when it
# passed; nothing is shared with a test that runs beside it. When it ends, in whatever way, every process it
# started ends; a process, a listening socket or a sanitizer's report that is left over fails it.
#
# Nothing here or in a test waits for time to pass: wait_for asks for a condition, again and again.
# shellcheck shell=sh disable=SC2034,SC2119,SC2120 # only tests read some variables, and give some arguments
set -eu
: "${top_srcdir:?}" "${top_builddir:?}" # make check gives them

baton=$top_builddir/baton
helpers=$top_builddir/tests/workers
patience_s=60 # how long anything may take: much more than it does, sanitizers on a busy machine included

work=$(mktemp -d "${TMPDIR:-/tmp}/baton-e2e.XXXXXX")
work=$(cd "$work" && pwd -P)
cd "$work"
export E2E_TEST_ID="${work##*.}-$$" BATON_RUNTIME_DIR="$work/run" XDG_STATE_HOME="$work/state" HOME="$work"
unset BATON_CONTROL NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES JOURNAL_STREAM
umask 022
chmod 711 "$work" # workers with a user of their own pass through

keeper="" load="" reservations="" ports="" supervisor=""
supervisors_may_die=no verdict=none

# --- verdicts ----------------------------------------------------------------------------------------

say() { printf '== %s\n' "$*"; }

# fail TEXT: the end of the test; the log and what the last command said are shown.
fail() {
    verdict=failed
    printf 'FAIL: %s\n' "$*"
    for file in out baton.out load.out "$work"/*.log; do
        [ -s "$file" ] || continue
        printf -- '--- %s, its end:\n' "${file##*/}"
        tail -n 40 "$file"
    done
    exit 1
}

# skip REASON: this machine cannot tell.
skip() {
    printf 'SKIP: %s\n' "$*"
    exit 77
}

# passed: the last line of every test. Ends baton, when it still runs, and looks for what is left over.
passed() {
    [ -z "$load" ] || fail "the load was not ended by the test"
    [ -z "$keeper" ] || stop_baton
    nothing_left || fail "left over: $(left_over)"
    no_report || fail "a sanitizer reported: $(reports)"
    verdict=passed
    exit 0
}

# expect_exit STATUS COMMAND...: what it says, on both channels, is in the file `out`.
expect_exit() {
    wanted_exit=$1
    shift
    got_exit=0
    "$@" >"$work/out" 2>&1 </dev/null || got_exit=$?
    [ "$got_exit" = "$wanted_exit" ] || fail "exit status $got_exit, not $wanted_exit: $*"
}

# expect_said TEXT: the last expect_exit said it; expect_lines N: in so many lines.
expect_said() { grep -Fq -e "$1" "$work/out" || fail "not said: $1"; }
expect_lines() { [ "$(wc -l <"$work/out")" = "$1" ] || fail "not said in $1 lines"; }

# expect_equal WHAT WANTED GOT
expect_equal() { [ "$2" = "$3" ] || fail "$1: $3, not $2"; }

# --- waiting -----------------------------------------------------------------------------------------

# until_true SECONDS COMMAND...: false when the time is over. The only place that pauses.
until_true() {
    until_s=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$until_s" ] || return 1
        sleep 0.05
    done
}

# wait_for SECONDS COMMAND...: until the command succeeds; else the test fails.
wait_for() {
    until_true "$@" && return
    waited_s=$1
    shift
    fail "not within $waited_s s: $*"
}

not() { ! "$@"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
# has FILE TEXT
has() { grep -Fq -e "$2" "$1" 2>/dev/null; }

# --- ports and files -----------------------------------------------------------------------------------

# free_port NAME [--listen]: sets the variable NAME to a TCP port that no other test and no client can get,
# and on which baton may listen. With --listen it is in use, by the process $occupant.
free_port() {
    "$helpers/freeport" ${2:+"$2"} >"$work/port" &
    occupant=$!
    reservations="$reservations $!"
    wait_for "$patience_s" test -s "$work/port"
    read -r "$1" <"$work/port"
    eval "ports=\"\$ports \$$1\""
    rm "$work/port"
}

# make_script FILE LINE...: an executable sh script.
make_script() {
    script=$1
    shift
    { echo '#!/bin/sh' && printf '%s\n' "$@"; } >"$script.new"
    chmod +x "$script.new"
    mv "$script.new" "$script"
}

# fetch [-u UNIX-PATH] URL: into the file `out`; expect_header NAME VALUE, in it.
fetch() { expect_exit 0 "$helpers/httpget" "$@"; }
expect_header() {
    grep -iq "^$1: $2$(printf '\r')*\$" "$work/out" || fail "no header $1: $2"
}

# --- baton -------------------------------------------------------------------------------------------

# start_baton ARGUMENT...: baton run, in the background; $keeper is its pid, what it says is in baton.out.
# In a process group of its own, so that what a terminal's Ctrl-C does can be done to it. (setsid executes
# baton directly: a background job of a script is no group leader.)
start_baton() {
    setsid "$baton" run "$@" </dev/null >>"$work/baton.out" 2>&1 &
    keeper=$!
    supervisor=
}

# stop_baton [SIGNAL]: TERM unless another is named; its exit status must be 0.
stop_baton() {
    same_supervisor || fail "the supervisor that was started, pid $supervisor, is not there any more"
    kill -s "${1:-TERM}" "$keeper" || fail "baton is not running"
    end_of_baton
    expect_equal "exit status of baton" 0 "$keeper_exit"
}

# end_of_baton: waits for it; $keeper_exit is its exit status.
end_of_baton() {
    wait_for "$patience_s" ended "$keeper"
    keeper_exit=0
    wait "$keeper" || keeper_exit=$?
    keeper=
}

# A child that is not waited for yet is there as a zombie: it is a zombie that we wait for.
ended() {
    process_state=$(sed -n 's/^.*) \(.\) .*/\1/p' "/proc/$1/stat" 2>/dev/null) || true
    [ -z "$process_state" ] || [ "$process_state" = Z ]
}

# status PATH...: what `baton status --json` says there, as jsonget prints it. service_status SERVICE PATH...
status() { "$baton" status --json 2>/dev/null </dev/null | "$helpers/jsonget" "$@"; }
service_status() {
    of_service=$1
    shift
    for at in "$@"; do
        status "services.name=$of_service.$at" || return 1
    done
}

# settled SERVICE N: generation N is stable and serves, no rollout runs, no other generation is left.
settled() {
    "$baton" status --json >"$work/settled.json" 2>/dev/null </dev/null || return 1
    settled_now=$("$helpers/jsonget" <"$work/settled.json" "services.name=$1.state" \
        "services.name=$1.rollout.state" "services.name=$1.generations.*.generation" \
        "services.name=$1.generations.*.role" "services.name=$1.generations.*.state" | tr '\n' ' ') || return 1
    [ "$settled_now" = "serving steady $2 stable serving " ]
}

# wait_settled SERVICE N; the first time it also remembers which supervisor serves.
wait_settled() {
    wait_for "$patience_s" settled "$1" "$2"
    [ -n "$supervisor" ] || supervisor=$(supervisor_pid)
}

supervisor_pid() { status supervisor_pid; }

# Unless the test kills supervisors ($supervisors_may_die), the first one is still there: one that had died
# would have been replaced, and nobody would have noticed.
same_supervisor() {
    [ "$supervisors_may_die" = yes ] || [ -z "$supervisor" ] || kill -0 "$supervisor" 2>/dev/null
}

# worker_pids SERVICE: those of all its generations, one in a line.
worker_pids() { service_status "$1" 'generations.*.workers.*.pid'; }

# generations_alive: the numbers of the generations that have a process, whatever baton says of them.
generations_alive() {
    for pid in $(our_processes); do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^BATON_GENERATION=//p'
    done | sort -nu
}

# --- descriptors -------------------------------------------------------------------------------------

# The keeper and the supervisor are not dumpable: only root may look at their descriptors.
can_see_descriptors() { [ "$(id -u)" = 0 ]; }

# descriptors PID: what it has open, counted by kind, without the numbers of sockets, pipes and the like.
descriptors() {
    find "/proc/$1/fd" -mindepth 1 -printf '%l\n' | sed 's/:\[[0-9]*\]$//; s/ (deleted)$//' | sort | uniq -c
}

# list_descriptors: of keeper and supervisor, into the file `descriptors.now`; false when one has just ended.
list_descriptors() {
    { echo keeper && descriptors "$keeper" && echo supervisor && descriptors "$1"; } >"$work/descriptors.now" 2>&1
}

# The connection that asked for the supervisor's pid, for instance, is still being closed: what counts is a list
# that is the same five times in a row.
descriptors_at_rest() {
    list_descriptors "$1" || return 1
    if cmp -s "$work/descriptors.now" "$work/descriptors.before"; then
        times_seen=$((times_seen + 1))
    else
        times_seen=1
        cp "$work/descriptors.now" "$work/descriptors.before"
    fi
    [ "$times_seen" = 5 ]
}
descriptors_match() { list_descriptors "$1" && cmp -s "$work/descriptors.now" "$work/descriptors.before"; }

# remember_descriptors: of keeper and supervisor; same_descriptors: they are as they were.
remember_descriptors() {
    can_see_descriptors || { say "not root: descriptors of keeper and supervisor are not compared" && return; }
    times_seen=0
    wait_for "$patience_s" descriptors_at_rest "$(supervisor_pid)"
}
same_descriptors() {
    can_see_descriptors || return 0
    until_true 20 descriptors_match "$(supervisor_pid)" && return
    diff "$work/descriptors.before" "$work/descriptors.now" || true
    fail "the descriptors of keeper and supervisor are not those from before"
}

# --- load --------------------------------------------------------------------------------------------

# start_load ARGUMENT...: tests/bench/load, in the background; returns when each of its modes had an answer.
start_load() {
    rm -f "$work/load.ready" && mkfifo "$work/load.ready"
    "$top_builddir/tests/bench/load" --json --races-fail --ready-fd 9 "$@" \
        >"$work/load.json" 2>"$work/load.out" 9<>"$work/load.ready" </dev/null &
    load=$!
    timeout "$patience_s" head -n 1 "$work/load.ready" >"$work/ready" || true
    [ -s "$work/ready" ] || fail "the load did not start"
}

# stop_load: not one request may have failed, and no idle connection may have been closed under a request.
# What the load client found is in load.json.
stop_load() {
    kill -TERM "$load" || fail "the load has ended by itself"
    wait_for "$patience_s" ended "$load"
    load_exit=0
    wait "$load" || load_exit=$?
    load=
    "$helpers/jsonget" <"$work/load.json" requests failures races failures_by_class examples \
        >"$work/load.out" 2>&1 || fail "the load client gave no account"
    { read -r requests && read -r failures && read -r races; } <"$work/load.out"
    say "load: $requests requests, $failures failures, $races races"
    expect_equal "exit status, failures, races of the load" "0 0 0" "$load_exit $failures $races"
    [ "$requests" -gt 0 ] || fail "there was no load"
}

# --- what is left over -------------------------------------------------------------------------------

# Every process inherits E2E_TEST_ID (a BATON_ variable would not reach a worker); those that look for it must
# not have it. As another user than root the keeper and the supervisor are not seen this way: $keeper is waited
# for, and its supervisor ends with it.
our_processes() {
    (
        mark=$E2E_TEST_ID
        unset E2E_TEST_ID
        grep -lsz "^E2E_TEST_ID=$mark\$" /proc/[0-9]*/environ | tr -dc '0-9\n' | while read -r pid; do
            case " $reservations " in *" $pid "*) ;; *) echo "$pid" ;; esac
        done
    )
}

# Everything on the test's ports but connections that are over (TIME_WAIT, 06), and UNIX sockets below $work.
our_sockets() {
    for port in $ports; do
        hex=$(printf '%04X' "$port")
        cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex" '
            $4 != "06" && ($2 ~ port "$" || $3 ~ port "$") { print "socket", $2, $3, "in state", $4 }'
    done
    grep -F "$work/" /proc/net/unix || true
}

left_over() {
    for pid in $(our_processes); do
        echo "process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null))"
    done
    our_sockets
}

is_clean() { [ -z "$(left_over)" ]; }
nothing_left() {
    kill_reservations
    until_true 20 is_clean
}

kill_reservations() {
    for pid in $reservations; do
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    reservations=
}

# Sanitizers write to the standard error of who made the mistake: one of our files.
reports() {
    find "$work" -maxdepth 2 -type f \( -name '*.out' -o -name '*.log' -o -name out \) -exec \
        grep -hE 'ERROR: (Address|Leak)Sanitizer|runtime error:|Assertion .* failed' {} + || true
}
no_report() { [ -z "$(reports)" ]; }

# However the test ends: no process stays. Those that must be killed have failed it already.
finish() {
    result=$?
    trap - EXIT
    trap '' TERM INT HUP
    for pid in $load $keeper; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    [ -z "$keeper" ] || until_true 10 ended "$keeper" || true
    kill_reservations
    for pid in $keeper $(our_processes); do
        kill -9 "$pid" 2>/dev/null || true
    done
    case $result/$verdict in
    0/passed | */failed | 77/*) ;;
    0/*)
        echo "FAIL: the test does not end with: passed"
        result=1
        ;;
    *) echo "FAIL: a command ended with status $result" ;;
    esac
    cd /
    if [ "$result" = 0 ] || [ "$result" = 77 ]; then
        rm -rf "$work"
    else
        printf 'what is left of it: %s\n' "$work"
    fi
    exit "$result"
}
trap finish EXIT
trap 'fail "interrupted, or out of time"' TERM INT HUP
