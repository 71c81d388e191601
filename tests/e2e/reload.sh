#!/bin/sh
# A reload rolls out what changed in the files, under load and without a failed request: definitions, listeners,
# services, includes; what is wrong or busy is refused as a whole; what nobody reloaded is never applied.
# shellcheck disable=SC2317 # wait_for calls the functions
. "${top_srcdir:?}/tests/e2e/lib.sh"
supervisors_may_die=yes # once, and looked at

# However slow the machine: nobody's idle connection is closed under a request.
worker="$helpers/worker_native --linger-ms 10000"
free_port web && free_port more && free_port moved && free_port api
: "${web:?}" "${more:?}" "${moved:?}" "${api:?}"
touch open # generations of api are ready while it is there
mkdir conf.d

# write_web LABEL "LISTENER..." LINE...: shop.ini, with these listeners of the service web.
write_web() {
    label=$1 listeners=$2
    shift 2
    {
        printf '[baton]\nstate_dir = %s\nlog = %s\ninclude = conf.d/*.ini\n' "$work/state" "$work/baton.log"
        printf '[service web]\ncommand = %s --label %s --fail-when %s\n' "$worker" "$label" "$work/broken"
        printf 'listen = %s\nready = native\nworkers = 2\n' "$listeners"
        [ $# = 0 ] || printf '%s\n' "$@"
    } >shop.ini
}
# listener NAME PORT: the lines of it.
listener() { printf '[listener %s]\naddress = 127.0.0.1:%s\n' "$1" "$2"; }
# write_api LABEL "LISTENER...": conf.d/api.ini
write_api() {
    {
        printf '[service api]\ncommand = %s --label %s --ready-when %s\n' "$worker" "$1" "$work/open"
        printf 'listen = %s\nready = native\n' "$2"
        shift 2
        [ $# = 0 ] || printf '%s\n' "$@"
    } >conf.d/api.ini
}
# answers PORT LABEL GENERATION
answers() {
    fetch "http://127.0.0.1:$1/"
    expect_header X-Label "$2"
    expect_header X-Generation "$3"
}
refuses() { expect_exit 1 "$helpers/httpget" "http://127.0.0.1:$1/"; }
differs() { service_status "$1" wanted_differs; }

write_web one web "$(listener web "$web")"
write_api one api "$(listener api "$api")"
start_baton shop.ini
wait_settled web 1
wait_settled api 1
start_load --short 2 --keepalive 4 "http://127.0.0.1:$web/" "http://127.0.0.1:$web/?ms=20" \
    "http://127.0.0.1:$api/"

say "nothing changed; then a definition, in the file and in one that it includes"
expect_exit 0 "$baton" reload --wait
expect_said "web: nothing changed"
expect_said "api: nothing changed"
write_web two web "$(listener web "$web")"
expect_exit 0 "$baton" reload --wait
expect_said "web: upgraded 1 -> 2"
expect_said "api: nothing changed"
answers "$web" two 2
write_api two api "$(listener api "$api")"
expect_exit 0 "$baton" reload
expect_said "api: its definition changed: generation 2 is starting"
wait_settled api 2
answers "$api" two 2
settled web 2 || fail "the change of api touched web"

say "mistakes: exit code 2, file and line, nothing is changed"
write_web three web "$(listener web "$web")"
write_api three api "$(listener api "$api")" "nonsense = 1"
expect_exit 2 "$baton" reload --wait
expect_said "$work/conf.d/api.ini:$(wc -l <conf.d/api.ini): nonsense: unknown key"
expect_said "nothing was changed"
rm shop.ini
expect_exit 2 "$baton" reload
expect_said "$work/shop.ini: cannot be read: No such file or directory"
{ settled web 2 && settled api 2; } || fail "a refused reload has changed something"

say "what nobody reloaded is not applied: by no upgrade, and by no restart of the supervisor"
write_web three web "$(listener web "$web")"
write_api three api "$(listener api "$api")"
old_supervisor=$(supervisor_pid)
workers=$(worker_pids web)
replaced() { now=$(supervisor_pid) && [ -n "$now" ] && [ "$now" != "$old_supervisor" ]; }
kill -9 "$old_supervisor"
wait_for "$patience_s" replaced
wait_settled web 2
expect_equal "pids of the workers of web" "$workers" "$(worker_pids web)"
expect_exit 0 "$baton" upgrade --wait
answers "$web" two 3
answers "$api" two 3
expect_exit 0 "$baton" reload --wait
answers "$web" three 4
answers "$api" three 4

say "the changed service reverts: exit code 3; then what serves is not what is wanted"
touch broken
write_web four web "$(listener web "$web")"
expect_exit 3 "$baton" reload --wait
expect_said "web: ROLLED BACK: generation 5"
expect_said "exited with status 1"
expect_said "api: nothing changed"
expect_equal "wanted differs" true "$(differs web)"
expect_exit 0 "$baton" status web
expect_said "what serves is not what is wanted: baton upgrade web"
answers "$web" three 4
expect_exit 3 "$baton" upgrade web --wait
rm broken
write_web five web "$(listener web "$web")" # which nobody reloads
expect_exit 0 "$baton" upgrade web --wait
answers "$web" four 7
expect_equal "wanted differs" false "$(differs web)"
expect_exit 0 "$baton" reload --wait
answers "$web" five 8

say "a rollout of a changed service runs: the whole reload is refused with exit code 4"
rm open
expect_exit 0 "$baton" upgrade api
write_web six web "$(listener web "$web")"
write_api six api "$(listener api "$api")"
expect_exit 4 "$baton" reload --wait
expect_said "api: refused: its definition changed, but a rollout to generation 5 is running (starting)"
expect_said "nothing was changed"
rm conf.d/api.ini
expect_exit 4 "$baton" reload
expect_said "api: refused: it was removed, but a rollout to generation 5 is running"
settled web 8 || fail "a refused reload has changed the other service"
touch open
wait_settled api 5
answers "$api" three 5
write_api six api "$(listener api "$api")"
expect_exit 0 "$baton" reload --wait
answers "$web" six 9
answers "$api" six 6

say "a listener is added, and fails together with its service"
refuses "$more"
touch broken
write_web seven "web more" "$(listener web "$web")" "$(listener more "$more")"
expect_exit 3 "$baton" reload --wait
refuses "$more"
rm broken
expect_exit 0 "$baton" upgrade web --wait
answers "$more" seven 11
expect_exit 0 "$baton" status web
expect_said "127.0.0.1:$more"

say "its address changes; it gets another name"
write_web eight "web more" "$(listener web "$web")" "$(listener more "$moved")"
expect_exit 0 "$baton" reload --wait
answers "$moved" eight 12
refuses "$more"
write_web nine "site more" "$(listener site "$web")" "$(listener more "$moved")"
expect_exit 0 "$baton" reload --wait
answers "$web" nine 13
expect_equal "names of the listeners" "site more " "$(service_status web 'listeners.*.name' | tr '\n' ' ')"

say "an address that is in use: exit code 3, and who has it"
free_port taken --listen
: "${taken:?}"
write_web ten "site more" "$(listener site "$web")" "$(listener more "$taken")"
expect_exit 3 "$baton" reload --wait
expect_said "cannot listen on 127.0.0.1:$taken"
expect_said "used by freeport (pid $occupant"
answers "$moved" nine 13

say "a listener is removed; one moves to another service, nothing is refused meanwhile"
write_web ten site "$(listener site "$web")"
expect_exit 0 "$baton" reload --wait
answers "$web" ten 15
refuses "$moved"
write_web eleven "site more" "$(listener site "$web")" "$(listener more "$moved")"
expect_exit 0 "$baton" reload --wait
answers "$moved" eleven 16
stop_load
start_load --short 4 "http://127.0.0.1:$web/" "http://127.0.0.1:$moved/?ms=20" "http://127.0.0.1:$api/"
write_web twelve site "$(listener site "$web")" "$(listener more "$moved")"
write_api twelve "api more" "$(listener api "$api")"
expect_exit 0 "$baton" reload --wait
answers "$web" twelve 17
answers "$moved" twelve 7
answers "$api" twelve 7
stop_load

say "a service is removed, and added again: it goes on counting"
start_load --short 4 "http://127.0.0.1:$web/"
rm conf.d/api.ini
write_web twelve site "$(listener site "$web")"
expect_exit 0 "$baton" reload --wait
expect_said "api: removed: it is being stopped"
expect_said "web: nothing changed"
no_api() { ! service_status api state >state.api; }
wait_for "$patience_s" no_api
refuses "$api"
refuses "$moved"
write_api thirteen api "$(listener api "$api")"
expect_exit 0 "$baton" reload --wait
expect_said "api: generation 8 serves"
answers "$api" thirteen 8
settled web 17 || fail "adding a service touched another"
stop_load

passed
