#!/bin/sh
# A candidate that is broken in any way costs nothing: no request fails, the old generation serves on, upgrade
# --wait ends with 3 and one sentence that names the reason, history and events keep it, no number is used twice.
. "${top_srcdir:?}/tests/e2e/lib.sh"

native="exec $helpers/worker_native"
free_port port
url=http://127.0.0.1:$port

# release NAME LINE...: `current` leads to it. With lines it is a script of these; else the test makes the file.
release() {
    mkdir -p "releases/$1"
    ln -sfn "releases/$1" current
    made=current/shop
    [ $# = 1 ] || { shift && make_script "$made" "$@"; }
}

# configure LINE...: of the section of the service.
configure() {
    cat >shop.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[service shop]
command = $work/current/shop
listen = web
output = $work/shop.log
INI
    printf '%s\n' "$@" >>shop.ini
}

attempts=1 stable=1

# rejected REASON [VERB]: what `current` or the configuration names now is not what serves afterwards.
rejected() {
    attempts=$((attempts + 1))
    say "generation $attempts: $1"
    expect_exit 3 "$baton" "${2:-upgrade}" --wait
    is_rejected "$1"
}

is_rejected() {
    expect_equal "sentences that say what happened" 1 "$(grep -c "ROLLED BACK" out)"
    tail -n 1 out >sentence
    has sentence "shop: ROLLED BACK: generation $attempts " || fail "no such sentence: $(cat sentence)"
    has sentence "$1" || fail "the reason is not '$1': $(cat sentence)"
    has sentence "Generation $stable serves." || fail "not said who serves: $(cat sentence)"
    settled shop "$stable" || fail "not settled when --wait ended: $settled_now"
    expect_equal "generations that have processes" "$stable" "$(generations_alive)"
    kept history
    kept events
}

# kept VERB: it tells of this attempt, as reverted, with the reason.
kept() {
    "$baton" "$1" --limit 1000 --json >list.json
    "$helpers/jsonget" "events.type=reverted&generation=$attempts.text" <list.json >kept ||
        fail "$1 does not tell of generation $attempts"
    expect_equal "times that $1 tells it" 1 "$(wc -l <kept)"
    while read -r line; do
        has sentence "${line#ROLLED BACK: }" || fail "$1 tells something else: $line"
    done <kept
}

# accepted VERB: a good one serves.
accepted() {
    attempts=$((attempts + 1)) stable=$((attempts))
    expect_exit 0 "$baton" "$1" --wait
    expect_said " -> $stable in "
    settled shop "$stable" || fail "not settled when --wait ended: $settled_now"
}

release good "$native --label good"
configure "ready = native" "verify = http:/healthz"
start_baton shop.ini
wait_settled shop 1
start_load --keepalive 4 --short 2 --slow-response 2 --version-header X-Label "$url/" "$url/healthz"

say "--- programs that cannot be executed"
release missing
rejected "cannot execute $work/current/shop: No such file or directory"
remember_descriptors
release text
echo "text" >"$made"
rejected "is not executable (mode 0644): chmod +x it"
chmod +x "$made"
rejected "is neither a program nor a script"
release interpreter
printf '#!/no/such/interpreter\n' >"$made" && chmod +x "$made"
rejected "its interpreter /no/such/interpreter: No such file or directory"
release dos
printf '#!/bin/sh\r\nexit 0\r\n' >"$made" && chmod +x "$made"
rejected "its first line ends in a carriage return"
release architecture # e_machine, at 18 in the ELF header: 2 is SPARC
cp /bin/true "$made" && printf '\002\000' | dd of="$made" bs=1 seek=18 conv=notrunc 2>dd.out
rejected "is a program for another architecture"
release cut
head -c 30 /bin/true >"$made" && chmod +x "$made"
rejected "a damaged ELF file"
release directory
mkdir "$made"
rejected "is a directory, not a program"

say "--- programs that end"
release exits "echo 'cannot open the template directory' >&2" "exit 7"
rejected "exited with status 7 after"
has sentence "cannot open the template directory" || fail "its last words are not told"
release exits_after_ready "$native --exit-after-ready 9"
rejected "exited with status 9 after"
release says_why "$native --bye 'the licence has expired'"
rejected "it said: the licence has expired"
release killed "$native --hang-before-ready"
attempts=$((attempts + 1))
"$baton" upgrade --wait >out 2>&1 &
upgrade=$!
# shellcheck disable=SC2317 # wait_for calls it
candidate_pid() { service_status shop "generations.generation=$attempts.workers.0.pid" >pid 2>/dev/null; }
wait_for "$patience_s" candidate_pid
kill -9 "$(cat pid)"
upgrade_exit=0
wait "$upgrade" || upgrade_exit=$?
expect_equal "exit status of upgrade" 3 "$upgrade_exit"
say "generation $attempts: was killed"
is_rejected "was killed by signal 9 (Killed) after"

say "--- programs that speak wrong, or badly"
release unhealthy "$native --unhealthy"
rejected "failed its verification: /healthz answered 500, not 2xx"
release garbage "$native --garbage"
rejected "broke the protocol: it sent an invalid message"

say "--- checks by a command; they pass for the generations before"
touch database
check="test -e $work/database"
release good "$native --label good"
configure "ready = exec:$check"
accepted reload
rm database
configure "ready = exec:$check" "ready_timeout = 2s"
rejected "was not ready after 2 s: test exited with status 1" reload
touch database
configure "verify = exec:$check"
accepted reload
rm database
rejected "failed its verification: test exited with status 1"

say "--- programs that hang"
configure "ready = native"
accepted reload
remember_descriptors
configure "ready = native" "ready_timeout = 2s" "stop_timeout = 500ms"
release hangs "$native --hang-before-ready"
rejected "was not ready after 2 s: it did not say READY over its channel (ready = native)" reload
release ignores_term "$native --hang-before-ready --ignore-term"
rejected "was not ready after 2 s"
configure "ready = native" "ready_timeout = 5s" # it must say READY, but not SERVING
release never_serves "$native --never-serving"
rejected "did not accept on its listeners within 5 s (no SERVING)" reload
release good

say "--- what is around the program"
configure "user = no-such-user"
rejected "there is no user no-such-user" reload
rejected "there is no user no-such-user" # it is what is wanted, so upgrade tries it again
configure "group = no-such-group"
rejected "there is no group no-such-group" reload
configure "directory = $work/nowhere"
rejected "working directory $work/nowhere: No such file or directory" reload
configure "environment_file = $work/nothing"
rejected "environment file $work/nothing: No such file or directory" reload
if [ "$(id -u)" = 0 ]; then
    configure "user = nobody"
    release locked "$native"
    chmod 700 releases/locked
    rejected "as user nobody: Permission denied" reload
else
    configure "user = root"
    rejected "only root can start it as user root" reload
fi
same_descriptors

say "--- not waited for: the end is in the status"
release exits
attempts=$((attempts + 1))
configure "ready = native"
expect_exit 0 "$baton" reload
expect_said "generation $attempts"
# shellcheck disable=SC2317 # wait_for calls it
is_over() { [ "$(service_status shop last.generation)" = "$attempts" ] && settled shop "$stable"; }
wait_for "$patience_s" is_over
expect_equal "result of the last rollout" 3 "$(service_status shop last.result)"
attempts=$((attempts + 1))
kill -USR2 "$keeper"
wait_for "$patience_s" is_over

say "--- and a good one afterwards; nobody else has answered a request"
release good
accepted upgrade
stop_load
expect_equal "requests that a good generation answered" "$("$helpers/jsonget" requests <load.json)" \
    "$("$helpers/jsonget" "versions.value=good.successes" <load.json)"

say "--- a check over HTTP, of a program that accepts from its start"
configure "ready = http:/healthz"
release good "exec $helpers/worker_passive --label good"
accepted reload
start_load --keepalive 4 --short 2 --slow-response 2 "$url/" # which an unhealthy one can answer as well
configure "ready = http:/healthz" "ready_timeout = 5s"
release unhealthy "exec $helpers/worker_passive --label unhealthy --unhealthy"
rejected "was not ready after 5 s: /healthz answered 500, not 2xx" reload
stop_load

say "--- every number was used once"
"$baton" history --limit 1000 --json | "$helpers/jsonget" 'events.*.generation' >told
seq "$attempts" | diff - told || fail "the history does not tell of 1 to $attempts"
passed
