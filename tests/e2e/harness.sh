#!/bin/sh
# The harness of the e2e tests fails a test that leaves a process or a listening socket behind, hides a
# sanitizer's report, expects the wrong status or text, waits in vain, or forgets to say that it passed.
# shellcheck disable=SC2016 # the inner tests expand it
. "${top_srcdir:?}/tests/e2e/lib.sh"

# inner STATUS LINE...: a test of these lines ends with the status.
inner() {
    inner_wanted=$1
    shift
    { echo '. "$top_srcdir/tests/e2e/lib.sh"' && printf '%s\n' "$@"; } >inner.sh
    expect_exit "$inner_wanted" env TMPDIR="$work" sh inner.sh
    expect_equal "directories left by a test that ended with $inner_wanted" \
        "$([ "$inner_wanted" = 1 ] && echo 1 || echo 0)" "$(find . -name 'baton-e2e.*' | wc -l)"
    rm -rf baton-e2e.*
}

inner 0 'free_port port' 'test "$port" -gt 0' 'expect_exit 3 sh -c "echo text; exit 3"' \
    'expect_said text' 'expect_lines 1' 'passed'
inner 77 'skip "no such thing here"'
expect_said "SKIP: no such thing here"

inner 1 'true'
expect_said "does not end with: passed"
inner 1 'sleep 1000 &' 'nothing_left() { is_clean; }' 'passed'
expect_said "left over: process"
expect_said "(sleep 1000"
inner 1 'free_port port --listen' 'nothing_left() { is_clean; }' 'passed'
expect_said "left over: socket"
inner 1 'echo "x.c:1: runtime error: overflow" >baton.out' 'passed'
expect_said "a sanitizer reported: x.c:1"
inner 1 'expect_exit 3 sh -c "exit 4"' 'passed'
expect_said "exit status 4, not 3"
inner 1 'expect_exit 0 echo this' 'expect_said that' 'passed'
expect_said "not said: that"
inner 1 'wait_for 0 false' 'passed'
expect_said "not within 0 s: false"
inner 1 'expect_exit 0 echo "{}"' '"$helpers/jsonget" a <out' 'passed'
inner 1 'start_load --short 1 http://127.0.0.1:1/' 'passed'
expect_said "the load did not start"

# Nobody is left of a test that was interrupted.
echo '. "$top_srcdir/tests/e2e/lib.sh"; sleep 1000 & echo $! >../pid; wait_for 60 false' >inner.sh
TMPDIR="$work" timeout -s TERM 60 sh inner.sh >inner.out 2>&1 &
interrupted=$!
wait_for "$patience_s" test -s pid
kill -TERM "$interrupted"
wait_for "$patience_s" ended "$(cat pid)"
wait "$interrupted" && fail "the interrupted test passed"
has inner.out "interrupted, or out of time" || fail "the interrupted test did not say so"
rm -rf baton-e2e.*

passed
