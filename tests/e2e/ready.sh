#!/bin/sh
# Each way of being ready, and of being verified, lets a candidate through when it is so and not before; whoever is
# not ready gets no request, and is given up with a sentence that names what was missing.
# shellcheck disable=SC2016 # scripts expand it
. "${top_srcdir:?}/tests/e2e/lib.sh"

mkdir dumps
# What a generation is, is decided by the file `options` when it starts, so that no definition changes.
make_script native "exec '$helpers/worker_native' \$(cat '$work/options')"
make_script passive "exec '$helpers/worker_passive' \$(cat '$work/options')"
free_port port
: "${port:?}"
url=http://127.0.0.1:$port/

# serve COMMAND LINE...: baton with one service of that command and those lines; generation 1 has no options.
serve() {
    served=$work/$1
    number=$((number + 1))
    shift
    printf '%s\n' "[baton]" "state_dir = $work/state/$number" "[listener web]" "address = 127.0.0.1:$port" "[service web]" \
        "command = $served" "listen = web" "output = $work/web.log" "$@" >ready.ini
    start_baton ready.ini
}
number=0
# upgrade [OPTION...]: to a generation with these options.
upgrade() {
    echo "$*" >options
    generation=$((generation + 1))
    expect_exit 0 "$baton" upgrade --wait
    expect_said "upgraded"
    wait_settled web "$generation"
    answered "$generation"
}
# refused TEXT OPTION...: an upgrade to such a generation fails with that text, and the one before serves.
refused() {
    refused_text=$1
    shift
    echo "$*" >options
    generation=$((generation + 1))
    expect_exit 3 "$baton" upgrade --wait
    expect_said "$refused_text"
    wait_settled web "$(status 'services.name=web.generations.*.generation')"
    fetch "$url"
}
answered() {
    fetch "$url"
    expect_header X-Generation "$1"
}
started() {
    generation=1
    wait_settled web 1
    answered 1
}
# hold FILE OPTION...: an upgrade to a generation that becomes ready when FILE is there, told in upgrade.out.
hold() {
    held=$work/$1
    shift
    echo "$*" >options
    generation=$((generation + 1))
    "$baton" upgrade --wait >upgrade.out 2>&1 </dev/null &
    upgrade=$!
    wait_for "$patience_s" candidate_is "$generation"
}
# shellcheck disable=SC2317 # wait_for calls it
candidate_is() { [ "$(service_status web rollout.candidate rollout.state | tr '\n' ' ')" = "$1 starting " ]; }
# let_through: FILE appears; the upgrade succeeds.
let_through() {
    expect_equal "state before" starting "$(service_status web rollout.state)"
    touch "$held"
    wait "$upgrade" || fail "the upgrade failed: $(cat upgrade.out)"
    wait_settled web "$generation"
    answered "$generation"
}
# answers N: requests of the last load that generation N answered.
answers() { "$helpers/jsonget" <load.json "versions.header=X-Generation&value=$1.successes" || echo 0; }

say "ready = native, under load: a candidate that is not ready answers nothing"
: >options
serve native "ready = native" "ready_timeout = 2s"
started
start_load --short 2 --keepalive 2 --version-header X-Generation "$url"
refused "it did not say READY over its channel (ready = native)" --hang-before-ready
hold open --ready-when "$work/open"
let_through
stop_load
expect_equal "answers of the generation that was never ready" 0 "$(answers 2)"
[ "$(answers 3)" -gt 0 ] || fail "the generation that became ready answered nothing"
stop_baton

say "verify = http:, under load: on a private socket, before the first request"
: >options
serve native "ready = native" "ready_timeout = 20s" "verify = http:/healthz"
started
start_load --short 2 --keepalive 2 --version-header X-Generation "$url"
refused "failed its verification: /healthz answered 500, not 2xx" --unhealthy
upgrade --label verified
stop_load
expect_equal "answers of the generation that failed its verification" 0 "$(answers 2)"
[ "$(answers 3)" -gt 0 ] || fail "the verified generation answered nothing"
stop_baton

say "verify = exec:, under load: with exit status 0, in the worker's directory, with its names"
make_script verify 'env | grep -E "^(BATON|LISTEN|NOTIFY)_" | sort >"verified.$BATON_GENERATION"' \
    '[ ! -e refuse ] || { echo "the cache is cold" >&2; exit 9; }'
: >options
serve native "ready = native" "verify = exec:./verify"
started
printf 'BATON_GENERATION=1\nBATON_SERVICE=web\nBATON_WORKER=1\n' | cmp - verified.1 || fail "exec: got $(cat verified.1)"
start_load --short 2 --keepalive 2 --version-header X-Generation "$url"
touch refuse
refused "failed its verification: verify exited with status 9"
rm refuse
upgrade
stop_load
expect_equal "answers of the generation that failed its verification" 0 "$(answers 2)"
stop_baton

say "ready = notify"
: >options
serve passive "ready = notify" "ready_timeout = 2s"
started
upgrade --as-child
refused "it did not send READY=1 to NOTIFY_SOCKET (ready = notify)" --no-notify
stop_baton

say "ready = auto: READY over the channel"
: >options
serve native "ready_timeout = 2s"
started
upgrade --label again
refused "it said neither READY (libbaton) nor READY=1 (sd_notify)" --hang-before-ready
stop_baton

say "ready = auto: READY=1; a worker that says neither is told what to set"
: >options
serve passive "ready_timeout = 2s"
started
upgrade --label again
refused "set ready = http:/path, exec:COMMAND or alive:TIME" --no-notify
stop_baton

say "ready = http: asks on a socket that each worker has for itself"
echo "--no-notify" >options
make_script probed "exec '$helpers/worker_passive' --env-dump \"$work/dumps/\$BATON_GENERATION.\$BATON_WORKER\" \$(cat '$work/options')"
serve probed "ready = http:/healthz" "ready_timeout = 2s" "workers = 2"
started
# private_socket WORKER: what answers under the name probe is a listening socket on 127.0.0.1 with a port of its own.
cat /proc/net/tcp >sockets
private_socket() {
    grep -qx "env LISTEN_FDNAMES=web:probe" "dumps/1.$1" || fail "no probe for worker $1"
    inode=$(sed -n 's/^fd 4 socket:\[\(.*\)\]$/\1/p' "dumps/1.$1")
    address=$(awk -v inode="$inode" '$10 == inode && $4 == "0A" { print $2 }' sockets)
    case $address in
    "0100007F:$(printf %04X "$port")" | "") fail "the private socket of worker $1 is at: $address" ;;
    0100007F:*) echo "$address" ;;
    *) fail "the private socket of worker $1 is at: $address" ;;
    esac
}
expect_equal "private sockets of two workers" 2 "$( (private_socket 1 && private_socket 2) | sort -u | wc -l)"
upgrade --no-notify
refused "/healthz answered 500, not 2xx" --no-notify --unhealthy
stop_baton

say "ready = http: with another status"
echo "--no-notify --unhealthy" >options
serve passive "ready = http:/healthz=500" "ready_timeout = 2s"
started
refused "/healthz answered 200, not 500" --no-notify
stop_baton

say "ready = exec:, again and again until it exits with 0"
make_script ready_when '[ -e "open.$BATON_GENERATION" ] || { echo "not open yet"; exit 4; }'
echo "--no-notify" >options
touch open.1
serve passive "ready = exec:./ready_when" "ready_timeout = 20s"
started
hold open.2 --no-notify
let_through
stop_baton

say "ready = alive: it only has to live that long"
echo "--no-notify" >options
serve passive "ready = alive:1s"
started
upgrade --no-notify
refused "exited with status 5" --exit-at-start 5
stop_baton

passed
