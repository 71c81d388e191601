#!/bin/sh
# A serving worker that crashes under load is started again while the others go on; a crash loop is paused more and
# more, is shown and ends by itself; a worker whose script was changed is not replaced by something else.
# shellcheck disable=SC2317 # wait_for calls the functions
. "${top_srcdir:?}/tests/e2e/lib.sh"

# However slow the machine: nobody's idle connection is closed under a request.
worker="$helpers/worker_native --linger-ms 10000"
# A worker that gets SIGSEGV dies of it, with the sanitizers too.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0"
free_port web && free_port loop
: "${web:?}" "${loop:?}"
url=http://127.0.0.1:$web/
make_script serve "exec $worker --label old"
make_script loop "exec $worker --exit-when $work/broken"
cat >shop.ini <<INI
[baton]
state_dir = $work/state
log = $work/baton.log
[listener web]
address = 127.0.0.1:$web
[service web]
command = $work/serve
listen = web
ready = native
workers = 2
[listener loop]
address = 127.0.0.1:$loop
[service loop]
command = $work/loop
listen = loop
ready = native
workers = 2
output = $work/loop.log
INI

# worker_is SERVICE N PATH: of worker N of the stable generation.
worker_is() { service_status "$1" "generations.role=stable.workers.worker=$2.$3"; }
# replaced SERVICE N OLD-PID: that worker serves again, as another process.
replaced() {
    [ "$(worker_is "$1" "$2" state)" = serving ] && [ "$(worker_is "$1" "$2" pid)" != "$3" ]
}
told() { "$baton" events "$1" --limit 1000 --json 2>/dev/null | grep -Fq -e "$2"; }
service_is() { [ "$(service_status "$1" state)" = "$2" ]; }
# restarted SERVICE COUNT: each of its two workers was started again so often, or more often.
restarted() {
    [ "$(worker_is "$1" 1 restarts)" -ge "$2" ] && [ "$(worker_is "$1" 2 restarts)" -ge "$2" ]
}
# tried COUNT: to start a worker of web from the script that was changed.
tried() { [ "$("$baton" events web --limit 1000 --json | grep -c "was not started: $work/serve was replaced")" -ge "$1" ]; }
# crash SIGNAL SAID: worker 1 of web gets it, is replaced, and an event says why; worker 2 is not touched.
crash() {
    old=$(worker_is web 1 pid)
    other=$(worker_is web 2 pid)
    kill -s "$1" "$old"
    wait_for "$patience_s" replaced web 1 "$old"
    wait_for "$patience_s" told web "generation 1: (worker 1) $2"
    expect_equal "pid of the other worker" "$other" "$(worker_is web 2 pid)"
    settled web 1 || fail "the generation is not the one from before"
}
# What a crash may cost: connections that the dead process had accepted.
stop_load_of_crashes() {
    kill -TERM "$load" || fail "the load has ended by itself"
    wait_for "$patience_s" ended "$load"
    wait "$load" || true
    load=
    "$helpers/jsonget" <load.json failures_by_class requests successes >load.out || fail "no account of the load"
    say "load: $(tr '\n' ' ' <load.out)"
    [ "$("$helpers/jsonget" <load.json successes)" -gt 0 ] || fail "the load had no success"
    for class in refused wrong_body malformed server_error unexpected_status connect_timeout answer_timeout; do
        [ "$("$helpers/jsonget" <load.json "failures_by_class.$class" || echo 0)" = 0 ] || fail "$class"
    done
}

start_baton shop.ini
wait_settled web 1
wait_settled loop 1

say "exit status 0 under load, after finishing what it had: nothing is lost"
start_load --short 2 --rate 100 "$url" "$url?ms=5"
crash TERM "exited with status 0"
stop_load

say "kill -9 and SIGSEGV under load: nobody is refused"
start_load --short 2 --rate 100 "$url" "$url?ms=5"
crash KILL "was killed by signal 9 (Killed)"
crash SEGV "was killed by signal 11 (Segmentation fault)"
stop_load_of_crashes

say "both workers crash in a loop: paused, shown, told; others serve, an upgrade is refused by its own failure"
touch broken
wait_for "$patience_s" service_is loop down
wait_for "$patience_s" restarted loop 3
expect_exit 0 "$baton" status loop
expect_said "down"
expect_said "0 of 2"
expect_said "backoff"
expect_said "next: baton history loop --last | baton events loop"
told loop "generation 1: (worker 2) exited with status 7" || fail "no event says why"
service_is web serving || fail "the crash loop of one service is felt by another"
expect_exit 3 "$baton" upgrade loop --wait
expect_said "exited with status 7"

say "what was wrong is gone: it serves again by itself; the same when another release is good"
rm broken
wait_for "$patience_s" service_is loop serving
wait_settled loop 1
wait_for "$patience_s" replaced loop 1 0
wait_for "$patience_s" replaced loop 2 0
touch broken
wait_for "$patience_s" service_is loop down
make_script loop "exec $worker --label good"
expect_exit 0 "$baton" upgrade loop --wait
expect_said "loop: upgraded 1 -> 3"
fetch "http://127.0.0.1:$loop/"
expect_header X-Label good

say "the script was changed: no worker is started from it, the others serve, and it is named"
mv serve old
make_script serve "exec $worker --label new"
dead=$(worker_is web 1 pid)
kill -9 "$dead"
wait_for "$patience_s" told web "generation 1: (worker 1) was not started: $work/serve was replaced"
expect_exit 0 "$baton" status web
expect_said "1 of 2"
expect_said "backoff"
start_load --short 2 --keepalive 2 --version-header X-Label "$url"
wait_for "$patience_s" tried 3
stop_load
expect_equal "labels that answered" old "$("$helpers/jsonget" <load.json 'versions.*.value')"

say "as it was: the worker is started"
mv old serve
wait_for "$patience_s" replaced web 1 "$dead"
settled web 1 || fail "the generation is not the one from before"

say "gone, and an upgrade to what is there now"
rm serve
kill -9 "$(worker_is web 2 pid)"
wait_for "$patience_s" told web "generation 1: (worker 2) was not started: $work/serve is gone"
expect_exit 3 "$baton" upgrade web --wait
expect_said "$work/serve"
expect_said "No such file or directory"
make_script serve "exec $worker --label new"
expect_exit 0 "$baton" upgrade web --wait
fetch "$url"
expect_header X-Label new
settled web 3 || fail "the upgrade is not complete"

passed
