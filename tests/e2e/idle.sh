#!/bin/sh
# Keeper and supervisor sleep when there is nothing to do, and ten more upgrades leave nothing of themselves behind in
# either: no descriptor; events and generation numbers keep to their files, which do not grow without end.
. "${top_srcdir:?}/tests/e2e/lib.sh"

free_port port
: "${port:?}"
{
    printf '[baton]\nstate_dir = %s\n' "$work/state"
    for name in web other; do
        printf '[listener %s]\naddress = unix:%s\n' "$name" "$work/$name.sock"
        printf '[service %s]\ncommand = %s\nlisten = %s\n' "$name" "$helpers/worker_native" "$name"
        printf '%s\n' "ready = native" "workers = 2"
    done
    printf '[listener passive]\naddress = 127.0.0.1:%s\n' "$port"
    printf '[service passive]\ncommand = %s\nlisten = passive\nready = notify\n' "$helpers/worker_passive"
} >idle.ini

# sleeps PID: how often it has gone to sleep by itself: as often as it was woken.
# shellcheck disable=SC2317 # idle calls it
sleeps() { sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$1/status"; }
# Three seconds in which the keeper is never woken, and the supervisor at most by libev, which looks at the clock
# once in a minute. The time is what is measured here. Once is enough: who has a timer has none such interval.
# shellcheck disable=SC2317 # wait_for calls it
idle() {
    keeper_slept=$(sleeps "$keeper")
    supervisor_slept=$(sleeps "$supervisor")
    sleep 3
    keeper_woken=$(($(sleeps "$keeper") - keeper_slept))
    supervisor_woken=$(($(sleeps "$supervisor") - supervisor_slept))
    say "woken in 3 s: keeper $keeper_woken, supervisor $supervisor_woken"
    [ "$keeper_woken" = 0 ] && [ "$supervisor_woken" -le 1 ]
}
all_settled() {
    for service in web other passive; do
        wait_settled "$service" "$1"
    done
}
events_file=$work/state/idle/events.jsonl
size_of() { stat -c %s "$1"; }

start_baton idle.ini
all_settled 1
if [ -n "${SANITIZE:-}" ]; then
    say "with sanitizers, whose threads may wake a process: wakeups are not counted"
else
    say "nothing to do"
    wait_for "$patience_s" idle
fi

say "ten upgrades more than one"
expect_exit 0 "$baton" upgrade --wait
all_settled 2
remember_descriptors
numbers_bytes=$(size_of state/idle/generations.json)
generation=2
while [ "$generation" -lt 12 ]; do
    generation=$((generation + 1))
    expect_exit 0 "$baton" upgrade --wait
done
all_settled 12
same_descriptors
expect_equal "bytes of the generation numbers, three of which have a digit more" "$((numbers_bytes + 3))" \
    "$(size_of state/idle/generations.json)"
if [ -z "${SANITIZE:-}" ]; then
    say "nothing to do again"
    wait_for "$patience_s" idle
fi
stop_baton

# As after some weeks: at twice the 1,000 events that are kept the file is written anew.
say "the file of events is written anew when it has become too long"
last_event() { tail -n 1 "$events_file" | "$helpers/jsonget" id; }
template=$(tail -n 1 "$events_file" | sed 's/^{"id":[0-9]*,//')
awk -v first="$(last_event)" -v rest="$template" \
    'BEGIN { for (i = 1; i <= 1990; i++) printf "{\"id\":%d,%s\n", first + i, rest }' >>"$events_file"
newest=$(last_event)
start_baton idle.ini
wait_settled web 13
expect_exit 0 "$baton" upgrade --wait
all_settled 14
[ "$(wc -l <"$events_file")" -le 1100 ] || fail "the file has $(wc -l <"$events_file") events"
[ "$(last_event)" -gt "$newest" ] || fail "the numbers of events begin again: $(last_event), not above $newest"
"$baton" events --limit 1000 --json >events.json
expect_equal "events kept" 1000 "$("$helpers/jsonget" 'events.#' <events.json)"
stop_baton
passed
