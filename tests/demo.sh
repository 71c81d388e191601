#!/bin/bash
# The main job, shown: the blog is upgraded five times under load, a broken build comes back by itself, the
# supervisor is killed - and not one request is lost. Called by ./bootstrap demo.
#
# usage: tests/demo.sh BUILD_DIRECTORY [--exit]
set -eu

build=$(cd "${1:?the build directory}" && pwd)
stay=yes
[ "${2:-}" != --exit ] || stay=no

steady_s=3
home=$(mktemp -d "${TMPDIR:-/tmp}/baton-demo.XXXXXX")
export BATON_RUNTIME_DIR=$home/run
baton=$build/baton
keeper="" load=""

say() { printf '\n==> %s\n' "$*"; }
die() {
    printf 'demo: %s\n' "$*" >&2
    [ ! -s "$home/baton.log" ] || tail -n 15 "$home/baton.log" >&2
    exit 1
}

# Everything this script started ends with it, unless the service is to stay.
finish() {
    status=$?
    trap - EXIT
    for pid in $load; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    if [ "$status" != 0 ] || [ "$stay" = no ]; then
        if [ -n "$keeper" ]; then
            kill -TERM "$keeper" 2>/dev/null
            wait "$keeper" 2>/dev/null
        fi
        rm -rf "$home"
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
    limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$limit" ] || die "$what: not after the time it may take"
        read -rt 0.05 <>"$home/pause" || true
    done
}

free_port() {
    port=8080
    while (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
}

status_json() { "$baton" status --json | tr -d ' \n'; }

# Generation N serves, and no other process of the blog is left.
settled() {
    case $(status_json) in
    *'"state":"steady"'*"\"generations\":[{\"generation\":$1,\"role\":\"stable\""*'"state":"serving"'*) ;;
    *) return 1 ;;
    esac
    [ "$(status_json | grep -o '"role":' | wc -l)" = 1 ]
}

supervisor_pid() { status_json | sed 's/.*"supervisor_pid":\([0-9]*\).*/\1/'; }

mkdir -p "$home/releases" "$home/data" "$home/run" "$home/state"
mkfifo "$home/pause" "$home/marks" "$home/ready"
for version in 1 2; do
    mkdir "$home/releases/v$version"
    cp "$build/baton-blog-v$version" "$home/releases/v$version/baton-blog"
done
mkdir "$home/releases/v3"
printf '#!/bin/sh\necho "baton-blog: cannot open the template directory" >&2\nexit 1\n' >"$home/releases/v3/baton-blog"
chmod +x "$home/releases/v3/baton-blog"
release() { ln -sfn "releases/$1" "$home/current"; }

free_port
[ "$port" = 8080 ] || say "port 8080 is taken: using $port"
cat >"$home/blog.ini" <<INI
[baton]
state_dir = $home/state
log = $home/baton.log

[listener web]
address = 127.0.0.1:$port

[service blog]
command = $home/current/baton-blog --data $home/data
listen = web
workers = 2
ready = native
verify = http:/healthz
output = $home/blog.log
INI

say "starting blog v1 on http://127.0.0.1:$port"
release v1
"$baton" run "$home/blog.ini" </dev/null >"$home/console.log" 2>&1 &
keeper=$!
wait_for 20 "blog v1" settled 1 2>/dev/null
"$baton" status

say "filling it through HTTP, then the load: short, keep-alive and slow connections, a fixed rate, posts"
"$build/tests/bench/load" --keepalive 4 --requests 200 \
    --post "http://127.0.0.1:$port/articles" '{"title": "Article {n}", "body": "A text about {n}."}' >"$home/fill.txt" ||
    die "filling failed: $(cat "$home/fill.txt")"
exec 8<>"$home/marks" 9<>"$home/ready"
"$build/tests/bench/load" --short 2 --keepalive 4 --slow-response 2 --slow-upload 2 --rate 150 \
    --version-header X-Blog-Version --version-header X-Baton-Generation \
    --phases steady,during --mark-fd 8 --ready-fd 9 --races-fail \
    "http://127.0.0.1:$port/articles" "http://127.0.0.1:$port/healthz" "http://127.0.0.1:$port/" \
    --post "http://127.0.0.1:$port/articles" '{"id": "{run}-{n}", "title": "Written under load", "body": "Article {n}."}' \
    --verify-acknowledged '/articles/{run}-{n}' --contains 'Written under load' >"$home/load.txt" 8<"$home/marks" &
load=$!
read -rt 20 <&9 || die "the load did not start: $(cat "$home/load.txt")"
read -rt "$steady_s" <>"$home/pause" || true
echo during >&8

generation=1
for version in 2 1 2 1 2; do
    generation=$((generation + 1))
    release "v$version"
    say "upgrade $((generation - 1)) of 5: to blog v$version, by SIGUSR2"
    kill -USR2 "$keeper"
    wait_for 60 "generation $generation" settled "$generation"
    "$baton" history --last
done

say "a broken build: it must come back by itself"
release v3
result=0
"$baton" upgrade --wait || result=$?
[ "$result" = 3 ] || die "a broken build ended with exit status $result, not 3"
release v2

say "kill -9 of the supervisor, five times"
for _ in 1 2 3 4 5; do
    before=$(supervisor_pid)
    kill -9 "$before"
    restarted() { now=$(supervisor_pid 2>/dev/null) && [ -n "$now" ] && [ "$now" != "$before" ]; }
    wait_for 20 "a new supervisor" restarted 2>/dev/null
    wait_for 20 "generation $generation" settled "$generation"
    echo "supervisor $before killed; $now serves on with the same generation $generation"
done

say "the load, in numbers"
kill -TERM "$load"
result=0
wait "$load" || result=$?
load=
cat "$home/load.txt"
[ "$result" = 0 ] || die "requests failed"
say "5 upgrades, 1 automatic return, 5 killed supervisors: 0 requests failed"
[ "$stay" = yes ] || exit 0

cat <<TEXT

The blog goes on running (in $home). Try, in this shell:

    export BATON_RUNTIME_DIR=$BATON_RUNTIME_DIR
    $baton status
    $baton upgrade --wait
    $baton rollback --wait

and end it with: $baton stop
TEXT
