#!/bin/sh
# A service whose first generation fails is tried again, under the same number, while the others serve; systemd is
# told READY=1 when each has served or failed once; when all have failed, baton ends with 1 and says why of each.
# shellcheck disable=SC2317 # wait_for calls the functions
. "${top_srcdir:?}/tests/e2e/lib.sh"

worker=$helpers/worker_native
free_port good && free_port bad && free_port late
: "${good:?}" "${bad:?}" "${late:?}"
# write_service NAME PORT COMMAND: shop.ini gets it, too.
write_service() {
    printf '[listener %s]\naddress = 127.0.0.1:%s\n[service %s]\ncommand = %s\nlisten = %s\nready = native\n' \
        "$1" "$2" "$1" "$3" "$1" >>shop.ini
}
new_file() { printf '[baton]\nstate_dir = %s\nlog = %s\n' "$work/state" "$work/baton.log" >shop.ini; }

# notified LINE: systemd was told so.
notified() { grep -qxF -e "$1" notified.log; }
start_notified() {
    rm -f notify notified.log
    "$helpers/notifylog" "$work/notify" >notified.log 2>&1 &
    reservations="$reservations $!"
    wait_for "$patience_s" test -s notified.log
    export NOTIFY_SOCKET="$work/notify"
    start_baton shop.ini
    unset NOTIFY_SOCKET
}
service_is() { [ "$(service_status "$1" state)" = "$2" ]; }
# starts NAME: the generation of each start that was tried, one in a line.
starts() {
    "$baton" events "$1" --limit 1000 --json | "$helpers/jsonget" 'events.type=started.generation' || true
}
tried() { [ "$(starts "$1" | wc -l)" -ge "$2" ]; }

say "one fails, one serves, one is not ready: READY=1 is for when that one is, too"
touch broken
new_file
write_service good "$good" "$worker --label good"
write_service bad "$bad" "$worker --fail-when $work/broken"
write_service late "$late" "$worker --ready-when $work/open"
start_notified
wait_for "$patience_s" service_is bad failed
wait_settled good 1
fetch "http://127.0.0.1:$good/"
expect_header X-Label good
expect_equal "state of the third" starting "$(service_status late state)"
! notified READY=1 || fail "READY=1 was said before each service had served or failed"
touch open
wait_settled late 1
wait_for "$patience_s" notified READY=1
expect_exit 0 "$baton" status bad
expect_said "failed"
expect_said "exited with status 1"
expect_said "next: baton history bad --last | baton events bad"

say "it is tried again, under the same number; then it serves"
wait_for "$patience_s" tried bad 3
expect_equal "numbers that were used" 1 "$(starts bad | sort -u)"
expect_exit 0 "$baton" history bad
expect_said "nothing serves"
rm broken
wait_settled bad 1
{ settled good 1 && settled late 1; } || fail "the others were touched"
expect_equal "times that READY=1 was said" 1 "$(grep -cx READY=1 notified.log)"
stop_baton
wait_for "$patience_s" notified STOPPING=1

say "an upgrade of a failed service: exit code 1 when it fails again, 0 when it serves"
touch broken
start_notified
wait_for "$patience_s" service_is bad failed
wait_for "$patience_s" service_is good serving
wait_for "$patience_s" notified READY=1
expect_exit 1 "$baton" upgrade bad --wait --replace # it may just be tried again
expect_said "bad: generation 3 exited with status 1"
expect_exit 4 "$baton" rollback bad
expect_said "nothing serves"
expect_exit 4 "$baton" scale bad 2
expect_said "nothing serves"
rm broken
expect_exit 0 "$baton" upgrade bad --wait --replace
wait_for "$patience_s" settled bad 4
stop_baton

say "a program that is not there yet: the others serve, and it is started when it appears"
new_file
write_service good "$good" "$worker --label good"
write_service bad "$bad" "$work/app --label app"
start_notified
wait_for "$patience_s" service_is bad failed
wait_for "$patience_s" service_is good serving
wait_for "$patience_s" notified READY=1
expect_exit 0 "$baton" status bad
expect_said "$work/app"
expect_said "No such file or directory"
cp "$worker" app.new
mv app.new app
wait_for "$patience_s" service_is bad serving
fetch "http://127.0.0.1:$bad/"
expect_header X-Label app
expect_header X-Generation 5
stop_baton

say "all fail: exit status 1, the reason of each, and systemd is not told that baton is ready"
touch broken
new_file
write_service one "$good" "$worker --fail-when $work/broken"
write_service two "$bad" "$worker --exit-after-ready 9"
: >baton.out
start_notified
end_of_baton
expect_equal "exit status of baton" 1 "$keeper_exit"
has baton.out "one: generation 1 exited with status 1" || fail "the reason of the first is missing"
has baton.out "two: generation 1 exited with status 9" || fail "the reason of the second is missing"
! notified READY=1 || fail "systemd was told READY=1"

passed
