#!/bin/sh
# The blog as a person meets it: options, messages, an article that outlives kill -9, the way back to release 1.
set -eu
: "${top_builddir:?}" # make check gives it

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

if ! command -v curl >/dev/null; then
    echo "SKIP: curl is missing (apt-get install curl)"
    exit 77
fi
work=$(mktemp -d)
worker=
trap '[ -z "$worker" ] || kill -9 "$worker" 2>/dev/null; rm -rf "$work"' EXIT

# start RELEASE: runs it on a free port; sets worker and url.
start() {
    mkfifo "$work/said"
    "$top_builddir/baton-blog-$1" --data "$work/data" --listen 127.0.0.1:0 --linger 10ms 2>"$work/said" &
    worker=$!
    exec 3<"$work/said"
    rm "$work/said"
    read -r line <&3
    case $line in
    "baton-blog-$1: listening on 127.0.0.1:"*) url=http://${line##* } ;;
    *) fail "$1 says: $line" ;;
    esac
}

# stop SIGNAL: ends the worker; sets status.
stop() {
    kill "-$1" "$worker"
    status=0
    wait "$worker" 2>/dev/null || status=$?
    worker=
    exec 3<&-
}

# ask STATUS TEXT CURL-ARGUMENT...: the answer has this status and contains this text.
ask() {
    code=$1 text=$2
    shift 2
    answer=$(curl -sS -i --max-time 20 "$@") || fail "curl $*"
    case $answer in
    "HTTP/1.1 $code "*"$text"*) ;;
    *) fail "no $code with '$text' from $*: $answer" ;;
    esac
}

# refuses STATUS TEXT ARGUMENT...: the program ends with this status and says this.
refuses() {
    code=$1 text=$2
    shift 2
    status=0
    "$top_builddir/baton-blog-v2" "$@" >"$work/out" 2>&1 </dev/null || status=$?
    [ "$status" = "$code" ] || fail "exit $status for $*"
    grep -q -e "$text" "$work/out" || fail "no '$text' for $*: $(cat "$work/out")"
}

refuses 0 'usage: baton-blog-v2 --data DIR' --help
refuses 2 'baton-blog-v2: --data is missing'
refuses 2 'usage: ' --data "$work/data" --nonsense
refuses 2 'there are no arguments without --' --data "$work/data" nonsense
refuses 2 '--linger 5: give a time like 500ms or 2s' --data "$work/data" --linger 5
refuses 1 'cannot open /dev/null/blog.db: Not a directory' --data /dev/null --listen 127.0.0.1:0
refuses 1 'nothing to listen on: start it under baton, or give --listen' --data "$work/data"
refuses 1 '--listen here: give PORT, IPV4:PORT or' --data "$work/data" --listen here
refuses 1 'cannot listen on 192.0.2.1:1: Cannot assign requested address' --data "$work/data" --listen 192.0.2.1:1

start v1
ask 201 '"id":"one"' -d '{"id":"one","title":"First","body":"written by release 1"}' "$url/articles"
ask 200 'X-Blog-Version: 1' "$url/articles/one"
stop TERM
[ "$status" = 0 ] || fail "v1 ends with $status after SIGTERM"

start v2
ask 200 'X-Baton-Generation: 0' "$url/articles/one"
ask 201 '"id":"two"' -d '{"id":"two","title":"Second","body":"written by release 2"}' "$url/articles"
ask 400 '"error":"comment not reviewed"' -d '{"body":"  "}' "$url/articles/two/comments"
ask 201 '"reviewed":true' -d '{"body":"good"}' "$url/articles/two/comments"
head -c 2000000 /dev/zero >"$work/large"
ask 413 '"error":"payload too large"' -H 'Expect:' --data-binary "@$work/large" "$url/articles"
ask 413 '"error":"payload too large"' --data-binary "@$work/large" "$url/articles"
ask 413 '"error":"payload too large"' -H 'Expect:' -H 'Transfer-Encoding: chunked' \
    --data-binary "@$work/large" "$url/articles"
stop KILL

start v1
ask 200 'written by release 2' "$url/articles/two"
ask 200 '"body":"good"' "$url/articles/two/comments"
ask 200 '<a href="/read/two">Second</a>' "$url/"
stop INT
[ "$status" = 0 ] || fail "v1 ends with $status after SIGINT"
