#!/bin/sh
# Not one request is lost over 20 upgrades by SIGUSR2 (100 with BATON_TEST_FULL=1) in each mode of the load:
# short connections, keep-alive, slow responses, slow uploads, a fixed rate; the blog changes between two
# releases, and nothing is kept of the generations that are gone.
. "${top_srcdir:?}/tests/e2e/lib.sh"

upgrades=20
[ "${BATON_TEST_FULL:-}" != 1 ] || upgrades=100

mkdir data releases
for version in 1 2; do
    mkdir "releases/v$version"
    ln -s "$top_builddir/baton-blog-v$version" "releases/v$version/baton-blog"
done
release() { ln -sfn "releases/v$1" current; }

free_port port
url=http://127.0.0.1:$port
cat >blog.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[service blog]
command = $work/current/baton-blog --data $work/data
listen = web
workers = 2
ready = native
verify = http:/healthz
output = $work/blog.log
INI

release 1
start_baton blog.ini
wait_settled blog 1
# After the first upgrade, because the release before is kept.
release 2
expect_exit 0 "$baton" upgrade --wait
generation=2
remember_descriptors

# answers HEADER VALUE: requests of the last load that were answered with this header.
answers() { "$helpers/jsonget" <load.json "versions.header=$1&value=$2.successes" || echo 0; }

# upgrade_under MODE ARGUMENT...: while that load runs, release after release.
upgrade_under() {
    say "$upgrades upgrades under load: $1"
    start_load "$@" --version-header X-Blog-Version --version-header X-Baton-Generation
    end=$((generation + upgrades))
    while [ "$generation" -lt "$end" ]; do
        generation=$((generation + 1))
        release $((2 - generation % 2))
        kill -USR2 "$keeper"
        wait_settled blog "$generation"
    done
    stop_load
    for version in 1 2; do
        [ "$(answers X-Blog-Version "$version")" -gt 0 ] || fail "release $version answered nothing"
    done
    [ "$(answers X-Baton-Generation "$generation")" -gt 0 ] || fail "the last generation answered nothing"
}

pages="$url/articles $url/healthz $url/"
# shellcheck disable=SC2086 # a list of words
{
    upgrade_under --short 4 $pages
    upgrade_under --keepalive 8 $pages
    upgrade_under --slow-response 8 $pages
    upgrade_under --slow-upload 8 --post "$url/articles" \
        '{"id": "{run}-{n}", "title": "Written under load", "body": "Article {n}."}' \
        --verify-acknowledged '/articles/{run}-{n}' --contains 'Written under load'
    upgrade_under --rate 200 $pages
}

same_descriptors
passed
