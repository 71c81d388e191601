#!/bin/sh
# A supervisor that hangs or is stopped is replaced, and one that dies again and again comes back in safe mode: it
# serves, refuses changes with a sentence, and not one request is lost meanwhile.
. "${top_srcdir:?}/tests/e2e/lib.sh"

grep -q '^#define BATON_FAULTS 1' "$top_builddir/config.h" || skip "fault points are not compiled in (--enable-faults)"
supervisors_may_die=yes

mkdir data
free_port port
url=http://127.0.0.1:$port
export BATON_FAULT_FILE="$work/fault"

# start HOW POINT: the blog, whose supervisor does that when it passes the point with a byte in the file.
start() {
    : >fault
    export BATON_FAULT_HOW="$1" BATON_FAULT="$2"
    start_baton --name blog --listen "127.0.0.1:$port" --ready native --state-dir "$work/state" -- \
        "$top_builddir/baton-blog-v2" --data "$work/data"
    wait_for "$patience_s" serves
}
# shellcheck disable=SC2317 # wait_for calls these
{
    serves() { [ "$(status services.0.state services.0.rollout.state | tr '\n' ' ')" = "serving steady " ]; }
    replaced() { now=$(supervisor_pid) && [ -n "$now" ] && [ "$now" != "$before" ]; }
    safe() { [ "$(status safe_mode)" = true ]; }
}

for how in hang stop; do
    start "$how" rollout-event
    before=$(supervisor_pid)
    start_load --short 1 --keepalive 2 "$url/articles"
    printf x >fault
    say "the supervisor will $how in the middle of an upgrade"
    "$baton" upgrade >upgrade.out 2>&1 </dev/null || true # its connection may end with the supervisor
    wait_for "$patience_s" replaced
    wait_for "$patience_s" serves
    expect_equal "what is left of the fault" 0 "$(wc -c <fault)"
    stop_load
    stop_baton
done

say "the supervisor dies before HELLO, again and again"
start kill before-hello
before=$(worker_pids "$(status services.0.name)")
start_load --short 1 --keepalive 2 "$url/articles"
printf xxx >fault
kill -9 "$(supervisor_pid)"
wait_for "$patience_s" safe
expect_equal "workers" "$before" "$(worker_pids "$(status services.0.name)")"
expect_exit 4 "$baton" upgrade --wait
expect_said "safe mode"
expect_exit 0 "$baton" status
stop_load
passed
