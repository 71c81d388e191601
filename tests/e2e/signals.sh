#!/bin/sh
# Each signal to the main process does what is documented: USR2 upgrades (during a rollout: remembered once), HUP
# rolls out what changed, USR1 reopens the log, WINCH drains, TTIN and TTOU scale, QUIT, TERM and INT stop.
# shellcheck disable=SC2317 # wait_for calls the functions
. "${top_srcdir:?}/tests/e2e/lib.sh"

worker=$helpers/worker_native
free_port web && free_port gate && free_port stay
: "${web:?}" "${gate:?}" "${stay:?}"
touch open # generations of gate are ready while it is there
echo SPOON=1 >web.env
make_script run-gate "exec $worker --ready-when $work/open"
# write_config DRAIN-TIMEOUT-OF-WEB
write_config() {
    cat >shop.ini <<INI
[baton]
state_dir = $work/state
log = $work/baton.log
[listener web]
address = 127.0.0.1:$web
[service web]
command = $worker
listen = web
ready = native
environment_file = $work/web.env
drain_timeout = $1
stop_timeout = 100ms
[listener gate]
address = 127.0.0.1:$gate
[service gate]
command = $work/run-gate
listen = gate
ready = native
[listener stay]
address = 127.0.0.1:$stay
[service stay]
command = $worker --ignore-drain
listen = stay
ready = native
drain_timeout = 1h
max_old = 16
INI
}

# events TYPE [SERVICE]: how many there are of this type.
events() {
    "$baton" events ${2:+"$2"} --limit 1000 --json 2>/dev/null | "$helpers/jsonget" 'events.*.type' >types ||
        return 1
    grep -cx "$1" types || true
}
# happened COUNT TYPE [SERVICE]: there are so many. said TEXT: an event says so.
happened() { [ "$(events "$2" "${3:-}")" = "$1" ]; }
said() { "$baton" events --limit 1000 --json 2>/dev/null | grep -Fq -e "$1"; }
# old_ones SERVICE COUNT: so many generations of it drain.
old_ones() { [ "$(service_status "$1" generations.role=retired.generation | wc -l)" = "$2" ]; }
workers_of() { [ "$(worker_pids "$1" | wc -l)" = "$2" ]; }
remembered() { [ "$(service_status gate rollout.upgrade_remembered)" = true ]; }
# signal NAME: and the keeper has taken it. It hands them on in this order.
taken() { [ "$(sed -n 's/^ShdPnd:\t*//p' "/proc/$keeper/status" | tr -d 0)" = "" ]; }
signal() {
    kill -s "$1" "$keeper"
    wait_for "$patience_s" taken
}

write_config 1h
start_baton shop.ini
for service in web gate stay; do
    wait_settled "$service" 1
done

say "USR2 upgrades every service"
signal USR2
wait_settled web 2
wait_settled gate 2
wait_for "$patience_s" old_ones stay 1

say "WINCH drains old generations"
signal WINCH
wait_settled stay 2

say "USR2 during a rollout is remembered once, shown in status, and starts afterwards: exactly one more"
rm open
signal USR2
wait_for "$patience_s" happened 3 started gate
for times in 1 2 3; do
    signal USR2
    wait_for "$patience_s" happened "$times" remembered gate
done
remembered || fail "status --json does not show the upgrade that is remembered"
expect_exit 0 "$baton" status gate
expect_said "another upgrade was asked for and starts when this one has ended"
touch open
wait_settled gate 4
expect_equal "generations of gate that were started" 4 "$(events started gate)"
! remembered || fail "an upgrade is remembered still"

say "TTIN and TTOU: one worker more, one less, and never none"
signal TTIN
wait_for "$patience_s" workers_of web 2
wait_for "$patience_s" workers_of gate 2
signal TTOU
wait_for "$patience_s" workers_of web 1
signal TTOU
wait_for "$patience_s" said "refused: a number of workers is from 1 to 64"
expect_equal "workers wanted" 1 "$(service_status web workers_wanted)"
workers_of web 1 || fail "there is not one worker of web"

say "HUP: nothing changed, and it says so"
signal WINCH # old generations of stay
wait_for "$patience_s" old_ones stay 0
before=$(events started)
signal HUP
wait_for "$patience_s" said "reloaded: nothing changed"
expect_equal "generations that were started" "$before" "$(events started)"

say "HUP: a changed environment file, executable, definition: only that service is upgraded"
last=$(service_status web generations.0.generation)
echo SPOON=2 >web.env
signal HUP
wait_settled web $((last + 1))
tr '\0' '\n' <"/proc/$(worker_pids web)/environ" | grep -qx SPOON=2 || fail "the new environment is not used"
expect_equal "generations that were started" $((before + 1)) "$(events started)"
make_script run-gate "exec $worker --label changed --ready-when $work/open"
signal HUP
wait_settled gate 5
fetch "http://127.0.0.1:$gate/"
expect_header X-Label changed
expect_equal "generations that were started" $((before + 2)) "$(events started)"
write_config 100ms
signal HUP
wait_settled web $((last + 2))
expect_equal "generations that were started" $((before + 3)) "$(events started)"

say "HUP: a mistake in the file changes nothing, and is told"
echo "nonsense = 1" >>shop.ini
signal HUP
wait_for "$patience_s" said "nonsense: unknown key"
wait_for "$patience_s" happened 5 reload
expect_equal "generations that were started" $((before + 3)) "$(events started)"
write_config 100ms

say "USR1: the log that was moved away is left, a new one is written"
mv baton.log moved.log
signal USR1
wait_for "$patience_s" test -e baton.log
cp moved.log moved.before
signal TTIN
wait_for "$patience_s" has baton.log event=scaled
cmp moved.log moved.before || fail "the log that was moved away has grown"

# request MILLISECONDS: a request to web that takes so long has arrived; $request is the pid of its client.
active() { [ "$(service_status web 'generations.*.workers.*.active' | sort -rn | head -n 1)" = 1 ]; }
request() {
    "$helpers/httpget" "http://127.0.0.1:$web/?ms=$1" >answer 2>&1 &
    request=$!
    wait_for "$patience_s" active
}
# end_of_request: $request_exit is the exit status of the client.
end_of_request() {
    wait_for "$patience_s" ended "$request"
    request_exit=0
    wait "$request" || request_exit=$?
}
restart() {
    [ -z "$keeper" ] || stop_baton
    start_baton shop.ini
    wait_for "$patience_s" rested web
    wait_for "$patience_s" rested gate
    wait_for "$patience_s" rested stay
}
rested() { [ "$(service_status "$1" rollout.state)" = steady ]; }
stopping() { [ "$(status stopping)" = true ]; }

say "TERM: a request that takes longer than drain_timeout is cut, and counted"
expect_exit 0 "$baton" stop --fast # stay does not drain
end_of_baton
sed -i 's/ --ignore-drain//' shop.ini
restart
request 600000
stop_baton TERM
end_of_request
expect_equal "exit status of the client whose request was cut" 1 "$request_exit"
grep -Fq '"cut":1' "$work/state/shop/events.jsonl" || fail "the connection that was cut is not counted"

say "INT: the same"
restart
stop_baton INT

say "QUIT: a request that takes longer than drain_timeout is answered"
restart
request 3000
stop_baton QUIT
end_of_request
expect_equal "exit status of the client" 0 "$request_exit"
grep -q '^HTTP/1.1 200 ' answer || fail "the slow request was not answered"

say "a second TERM: nothing is waited for, though drain_timeout is an hour"
write_config 1h
restart
request 600000
signal TERM
wait_for "$patience_s" stopping
gone "$request" && fail "the first TERM has cut the request"
signal TERM
end_of_baton
expect_equal "exit status of baton" 0 "$keeper_exit"
end_of_request
expect_equal "exit status of the client whose request was cut" 1 "$request_exit"

say "WINCH with a terminal: only the size of its window has changed"
write_config 1h
script -qefc "exec '$baton' run '$work/shop.ini'" /dev/null >terminal.out 2>&1 </dev/null &
terminal=$!
for service in web gate stay; do
    wait_for "$patience_s" rested "$service"
done
keeper=$(status pid)
expect_exit 0 "$baton" upgrade stay
wait_for "$patience_s" old_ones stay 1
drained=$(events gone)
signal WINCH
before=$(events scaled)
signal TTIN
wait_for "$patience_s" happened $((before + 3)) scaled
expect_equal "generations that have ended" "$drained" "$(events gone)"
old_ones stay 1 || fail "the old generation of stay was drained"
expect_exit 0 "$baton" stop --fast
wait_for "$patience_s" ended "$terminal"
wait "$terminal" || fail "baton in a terminal ended with exit status $?"
keeper=

passed
