#!/bin/sh
# Every verb does what it says, for people and as JSON, and ends with the exit code of the design: 0 done,
# 1 failure, 2 usage, 3 rolled back, 4 refused; the instance is found, named, or told to be one of several.
# shellcheck disable=SC2317 # wait_for calls the functions
. "${top_srcdir:?}/tests/e2e/lib.sh"

# However slow the machine: nobody's idle connection is closed under a request.
worker="$helpers/worker_native --linger-ms 10000"
free_port web && free_port gate && free_port stay
: "${web:?}" "${gate:?}" "${stay:?}"
touch open # generations of gate are ready while it is there
cat >shop.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$web
[service web]
command = $worker --label web
listen = web
ready = native
workers = 2

[listener gate]
address = 127.0.0.1:$gate
[service gate]
command = $worker --label gate --ready-when $work/open
listen = gate
ready = native

[listener stay]
address = 127.0.0.1:$stay
[service stay]
command = $worker --label stay --ignore-drain
listen = stay
ready = native
drain_timeout = 1h
max_old = 1
INI
cat >other.ini <<INI
[baton]
state_dir = $work/state
[service other]
command = sleep 1000
ready = alive:10ms
INI

# json PATH...: what the JSON that was said last has there. expect_json WANTED PATH.
json() { "$helpers/jsonget" "$@" <out || fail "not in the JSON: $*"; }
expect_json() { expect_equal "$2" "$1" "$(json "$2")"; }
waits_for_ready() { [ "$(service_status gate rollout.state)" = starting ]; }

say "no baton runs: exit code 1, and what to do"
for verb in status upgrade rollback drain "scale 2" reload stop events history; do
    # shellcheck disable=SC2086 # a verb and its argument
    expect_exit 1 "$baton" $verb
    expect_said "no running baton found; start one with: baton run"
    expect_lines 1
done
expect_exit 1 "$baton" status --name shop
expect_said "no running baton is named shop, nor any other"
expect_exit 1 env BATON_CONTROL="$work/gone.sock" "$baton" status
expect_exit 2 env BATON_CONTROL=gone.sock "$baton" status
expect_said "it must be the absolute path of a control socket"

start_baton shop.ini
for service in web gate stay; do
    wait_settled "$service" 1
done

say "what cannot be meant: exit code 2"
expect_exit 2 "$baton" upgrad
expect_said "did you mean baton upgrade?"
for verb in status upgrade rollback drain events history "scale nobody 2"; do
    case $verb in *" "*) set -- ;; *) set -- nobody ;; esac
    # shellcheck disable=SC2086 # a verb and its arguments
    case $verb in
    events | history) ;; # of a service that a reload removed there are events still
    *)
        expect_exit 2 "$baton" $verb "$@"
        expect_said 'there is no service "nobody"'
        ;;
    esac
done
for workers in many 0 65 -1 1.5 ""; do
    expect_exit 2 "$baton" scale web "$workers"
done
expect_exit 2 "$baton" scale
expect_said "the number of workers is missing"
expect_exit 2 "$baton" scale 2
expect_said "name the service: there are several"
expect_exit 2 "$baton" rollback
expect_said "name the service: there are several"
for option in "--limit 0" "--limit 1001" "--limit x" "--after -1" "--after"; do
    # shellcheck disable=SC2086 # an option and its value
    expect_exit 2 "$baton" events $option
done
expect_exit 2 "$baton" upgrade web gate
expect_exit 2 "$baton" upgrade --frobnicate

say "status, for people and as JSON"
expect_exit 0 "$baton" status
for text in "baton shop: pid $keeper" "127.0.0.1:$web" "GENERATION" "serving, stable"; do
    expect_said "$text"
done
expect_exit 0 "$baton" status gate
expect_said "127.0.0.1:$gate"
! has out "127.0.0.1:$web" || fail "status of one service tells of another"
expect_exit 0 "$baton" status --json
expect_json 1 version
expect_json shop name
expect_json "$keeper" pid
expect_json 3 'services.#'
expect_json 2 'services.name=web.workers_wanted'
expect_exit 0 "$baton" status web --json
expect_json 1 'services.#'
expect_exit 0 "$baton" check shop.ini
expect_said "web: 2 workers on 127.0.0.1:$web, ready = native: ok"

say "two instances: they are named, and chosen by --name or BATON_CONTROL"
shop=$keeper
start_baton other.ini
other=$keeper
keeper=$shop
other_serves() { "$baton" status --name other --json 2>/dev/null | "$helpers/jsonget" services.0.state >state.other &&
    has state.other serving; }
wait_for "$patience_s" other_serves
expect_exit 2 "$baton" status
expect_said "several batons are running: other, shop. Choose one with --name"
expect_exit 1 "$baton" status --name nobody
expect_said "no running baton is named nobody; running: other, shop"
expect_exit 0 "$baton" status --name other
expect_said "baton other: pid $other"
expect_exit 0 env BATON_CONTROL="$work/run/shop/control.sock" "$baton" status
expect_said "baton shop: pid $shop"
expect_exit 0 env BATON_CONTROL="$work/run/shop/control.sock" "$baton" status --name other
expect_said "baton other: pid $other"
expect_exit 4 "$baton" run other.ini
expect_said "another baton named other is running (pid $other)"
expect_exit 0 "$baton" stop --name other
expect_said "baton other has stopped"
wait_for "$patience_s" ended "$other"
wait "$other" || fail "baton other ended with exit status $?"
expect_exit 0 "$baton" status
expect_said "baton shop: pid $shop"

say "upgrade one service: it begins, is waited for, and the others are left alone"
expect_exit 0 "$baton" upgrade web
expect_said "web: generation 2 is starting"
expect_said "follow with: baton status web"
wait_settled web 2
expect_exit 0 "$baton" upgrade web --wait
expect_said "web: upgraded 2 -> 3 in "
expect_said "0 connections cut"
settled web 3 || fail "upgrade --wait ended before the old generation was gone"
settled gate 1 || fail "an upgrade of web touched gate"

say "a second upgrade while one runs is refused with 4, or replaces it: then the first ends with 3"
rm open
"$baton" upgrade gate --wait >first.log 2>&1 </dev/null &
first=$!
wait_for "$patience_s" waits_for_ready
expect_exit 4 "$baton" upgrade gate
expect_said "gate: refused: a rollout to generation 2 is running (starting, asked for by uid $(id -u))"
expect_said "baton upgrade --replace | baton rollback"
expect_lines 1
expect_exit 4 "$baton" upgrade gate --wait
expect_exit 4 "$baton" scale gate 2
expect_said "gate: refused: a rollout is running"
expect_exit 0 "$baton" status
expect_said "generation 2 starting for"
"$baton" upgrade gate --wait --replace >second.log 2>&1 </dev/null &
second=$!
wait_for "$patience_s" ended "$first"
first_exit=0
wait "$first" || first_exit=$?
expect_equal "exit status of the upgrade that was replaced" 3 "$first_exit"
has first.log "gate: replaced: generation 2 was replaced by another upgrade" || fail "not said that it was replaced"
touch open
wait_for "$patience_s" ended "$second"
wait "$second" || fail "the upgrade that replaced another ended with exit status $?"
has second.log "gate: upgraded 1 -> 3" || fail "the second upgrade does not say what it did"
wait_settled gate 3

say "rollback: of a running rollout, and in steady state"
rm open
"$baton" upgrade gate --wait >first.log 2>&1 </dev/null &
first=$!
wait_for "$patience_s" waits_for_ready
expect_exit 0 "$baton" rollback gate --wait
expect_said "generation 4 was rolled back"
wait_for "$patience_s" ended "$first"
first_exit=0
wait "$first" || first_exit=$?
expect_equal "exit status of the upgrade that was rolled back" 3 "$first_exit"
touch open
expect_exit 0 "$baton" rollback gate --wait
expect_said "gate: went back to the release of generation 1: 3 -> 5"
expect_exit 4 "$baton" rollback stay
expect_said "refused: no earlier release is known"

say "an old generation that does not end: max_old refuses the next upgrade, drain ends it"
expect_exit 0 "$baton" drain
expect_said "no old generation is draining"
expect_exit 0 "$baton" upgrade stay
# old_drains N: generation N of stay was told to drain, and does not.
old_drains() { [ "$(service_status stay generations.role=retired.generation)" = "$1" ]; }
wait_for "$patience_s" old_drains 1
expect_exit 4 "$baton" upgrade stay --wait
expect_said "stay: refused: 1 old generation is still draining (max_old = 1). Wait, or: baton drain stay"
expect_exit 4 "$baton" rollback stay
expect_said "max_old"
expect_exit 0 "$baton" drain web
expect_said "no old generation is draining"
expect_exit 0 "$baton" drain stay
expect_said "1 old generation is stopped now"
wait_settled stay 2


say "several services at once: each is upgraded, and the worst result is everybody's"
expect_exit 0 "$baton" upgrade stay # its old generation will be in the way
wait_for "$patience_s" old_drains 2
expect_exit 4 "$baton" upgrade --wait
expect_said "web: upgraded 3 -> 4"
expect_said "gate: upgraded 5 -> 6"
expect_said "stay: refused: 1 old generation"
expect_exit 0 "$baton" drain
wait_settled stay 3
expect_exit 0 "$baton" upgrade
expect_said "web: generation 5 is starting"
expect_said "gate: generation 7 is starting"
expect_said "stay: generation 4 is starting"
expect_said "follow with: baton status | baton events --follow"
wait_for "$patience_s" old_drains 3
expect_exit 0 "$baton" drain
wait_settled web 5
wait_settled gate 7

say "scale: more workers and fewer, not one request is lost"
# serve N: so many workers of web serve, and there are no others.
serve() {
    service_status web 'generations.*.workers.*.state' >workers.now || return 1
    [ "$(wc -l <workers.now)" = "$1" ] && [ "$(grep -c '^serving$' workers.now)" = "$1" ]
}
start_load --short 2 --keepalive 4 --rate 100 "http://127.0.0.1:$web/" "http://127.0.0.1:$web/?ms=20"
wanted=2
for workers in 5 1 64 3 2; do
    expect_exit 0 "$baton" scale web "$workers"
    expect_said "web: $wanted -> $workers workers"
    wait_for "$patience_s" serve "$workers"
    wanted=$workers
done
expect_exit 0 "$baton" scale web 3
expect_exit 0 "$baton" upgrade web --wait
wait_for "$patience_s" serve 3
wait_settled web 6
stop_load

say "reload: what changed, and that nothing did"
expect_exit 0 "$baton" reload
expect_said "web: nothing changed"
expect_exit 0 "$baton" reload --wait
expect_said "stay: nothing changed"
sed 's/--label web/--label new/' shop.ini >changed.ini
cp changed.ini shop.ini
expect_exit 0 "$baton" reload --wait
expect_said "web: upgraded 6 -> 7"
fetch "http://127.0.0.1:$web/"
expect_header X-Label new
echo "[service web]" >>shop.ini
expect_exit 2 "$baton" reload
expect_said "$work/shop.ini:$(wc -l <shop.ini): [service web]"
expect_said "1 error, nothing was changed"
cp changed.ini shop.ini

say "events and history, for people and as JSON"
expect_exit 0 "$baton" history gate
expect_said "replaced: generation 2 was replaced by another upgrade"
expect_said "ROLLED BACK: generation 4 was rolled back as uid $(id -u) asked"
expect_exit 0 "$baton" history gate --json
expect_json 1 version
"$helpers/jsonget" <out 'events.*.type' 'events.*.generation' | tr '\n' ' ' >types
expect_equal "history of gate" \
    "committed reverted committed reverted rolled-back committed committed 1 2 3 4 5 6 7 " "$(cat types)"
expect_exit 0 "$baton" history gate --last
expect_said "generation 7 serves"
expect_exit 0 "$baton" history --limit 1 --json
expect_json 1 'events.#'
expect_json web events.0.service
expect_exit 0 "$baton" events stay --limit 3 --json
expect_json 3 'events.#'
expect_json stay events.2.service
last=$("$baton" events --limit 1 --json | "$helpers/jsonget" events.0.id)
expect_exit 0 "$baton" events --after "$last"
expect_lines 0
"$baton" events --follow --json --after "$last" >follow.out 2>follow.log </dev/null &
follow=$!
expect_exit 0 "$baton" upgrade web --wait
wait_for "$patience_s" has follow.out '"type":"gone"'
for type in started ready committed gone; do
    [ "$(grep -c "\"type\":\"$type\"" follow.out)" = 1 ] || fail "$type was not told once by events --follow"
done

say "stop: refused are upgrades from then on; it returns when everything has ended"
"$baton" stop >stop.out 2>&1 </dev/null &
stop=$!
stays() { [ "$(status stopping)" = true ] && [ "$(service_status web state)" = stopped ]; }
wait_for "$patience_s" stays # stay does not drain
for verb in upgrade "rollback web" "scale web 2" reload; do
    # shellcheck disable=SC2086 # a verb and its arguments
    expect_exit 4 "$baton" $verb
    expect_said "refused: baton is being stopped"
done
kill -0 "$keeper" || fail "baton has ended before its workers"
expect_exit 0 "$baton" stop --fast
expect_said "baton shop has stopped"
end_of_baton
expect_equal "exit status of baton" 0 "$keeper_exit"
for pid in "$stop" "$follow"; do
    wait_for "$patience_s" ended "$pid"
    wait "$pid" || fail "stop or events --follow ended with exit status $?"
done
has stop.out "baton shop has stopped" || fail "the first stop does not say that baton has stopped"
has follow.log "baton shop has ended" || fail "events --follow does not say that baton has ended"

passed
