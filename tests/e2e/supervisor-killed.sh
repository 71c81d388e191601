#!/bin/sh
# A supervisor that is killed 50 times under load, or stopped, costs nothing: no request fails, the same
# generations go on with the same processes, upgrades between the kills succeed, no descriptor is left behind.
. "${top_srcdir:?}/tests/e2e/lib.sh"
supervisors_may_die=yes

mkdir data
free_port port
url=http://127.0.0.1:$port
cat >blog.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[service blog]
command = $top_builddir/baton-blog-v1 --data $work/data
listen = web
workers = 2
ready = native
output = $work/blog.log
INI

# shellcheck disable=SC2317 # wait_for calls it
replaced() {
    new=$(supervisor_pid) && [ -n "$new" ] && [ "$new" != "$1" ]
}
# strike SIGNAL: the supervisor gets it; returns when another one answers.
strike() {
    old=$(supervisor_pid)
    kill -s "$1" "$old"
}
# struck SIGNAL: and the generation goes on, with the same processes.
struck() {
    strike "$1"
    wait_for "$patience_s" replaced "$old"
    wait_settled blog "$generation"
    expect_equal "pids of the workers of generation $generation" "$workers" "$(worker_pids blog)"
    gone "$old" || fail "the old supervisor, pid $old, is still there"
}
upgraded() {
    generation=$((generation + 1))
    wait_settled blog "$generation"
    workers=$(worker_pids blog)
}

start_baton blog.ini
wait_settled blog 1
expect_exit 0 "$baton" upgrade --wait
generation=1
upgraded
remember_descriptors
start_load --keepalive 4 --short 2 --slow-response 2 --rate 100 "$url/articles" "$url/healthz" "$url/"

say "25 times in steady state"
kills=0
while [ "$kills" -lt 25 ]; do
    struck KILL
    kills=$((kills + 1))
done
expect_equal "restarts of the supervisor" 25 "$(status supervisor_restarts)"
same_descriptors

say "25 times with an upgrade after each, asked for by verb or, while no supervisor is there, by signal"
while [ "$kills" -lt 50 ]; do
    if [ $((kills % 2)) = 0 ]; then
        struck KILL
        expect_exit 0 "$baton" upgrade --wait
    else
        strike KILL
        kill -USR2 "$keeper"
    fi
    upgraded
    kills=$((kills + 1))
done
same_descriptors

say "stopped: it is replaced as well"
struck STOP
expect_exit 0 "$baton" upgrade --wait
upgraded
same_descriptors

stop_load
expect_equal "restarts of the supervisor" 51 "$(status supervisor_restarts)"
expect_equal "safe mode" false "$(status safe_mode)"
passed
