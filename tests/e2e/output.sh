#!/bin/sh
# What workers write goes to baton's stderr, to a file or to the journal, and never through baton: nobody waits for a
# supervisor that is gone; the last words of a candidate that failed are told, with nothing in them that a terminal
# obeys.
# shellcheck disable=SC2016 # scripts expand it
. "${top_srcdir:?}/tests/e2e/lib.sh"
supervisors_may_die=yes

free_port port
: "${port:?}"
# A worker that does what it is told through a FIFO: writes a line, or very many.
mkfifo orders
make_script obey 'echo "generation $BATON_GENERATION speaks"' 'while read -r order what <&3; do' \
    '    case $order in' '    say) echo "$what" ;;' '    err) echo "$what" >&2 ;;' \
    '    flood) seq -f "%06g: a line of the flood, which is long enough to fill any pipe" 100000; touch flooded ;;' \
    '    esac' 'done 3<>orders'
order() { timeout "$patience_s" sh -c 'echo "$*" >orders' order "$@" || fail "nobody takes the order: $*"; }
# serve OUTPUT: baton with that worker.
serve() {
    number=$((number + 1))
    cat >output.ini <<INI
[baton]
state_dir = $work/state/$number
[service obedient]
command = ./obey
ready = alive:50ms
output = $1
INI
    start_baton output.ini
    wait_settled obedient 1
}
number=0
# shellcheck disable=SC2317 # wait_for calls it
replaced() { new=$(supervisor_pid) && [ -n "$new" ] && [ "$new" != "$1" ]; }
# flood FILE: while the keeper is stopped and the supervisor dead the worker writes 7 MB, all of them to FILE.
flood() {
    dead=$(supervisor_pid)
    kill -STOP "$keeper"
    kill -9 "$dead"
    order flood
    wait_for "$patience_s" test -e flooded
    kill -CONT "$keeper"
    expect_equal "lines of the flood" 100000 "$(grep -c 'a line of the flood' "$1")"
    : >"$1" # nobody wants to see them when the test fails
    wait_for "$patience_s" replaced "$dead"
    wait_settled obedient 1
    rm flooded
}

say "output = stderr is baton's own"
serve stderr
order say "to stdout"
order err "to stderr"
wait_for "$patience_s" has baton.out "to stderr"
has baton.out "to stdout" || fail "stdout of the worker is missing"
flood baton.out
stop_baton

say "output = FILE: behind what is there, also after the file was copied and truncated"
echo "from before" >obedient.log
serve "$work/obedient.log"
order say "the first line"
wait_for "$patience_s" has obedient.log "the first line"
printf 'from before\ngeneration 1 speaks\nthe first line\n' | cmp - obedient.log || fail "not appended"
cp obedient.log obedient.log.1
: >obedient.log
order say "after the rotation"
wait_for "$patience_s" has obedient.log "after the rotation"
echo "after the rotation" | cmp - obedient.log || fail "the file has more than was written since"
expect_exit 0 "$baton" upgrade --wait
wait_settled obedient 2
has obedient.log "generation 2 speaks" || fail "generation 2 writes somewhere else"
has obedient.log "after the rotation" || fail "generation 2 did not append"
stop_baton
serve "$work/obedient.log"
flood obedient.log

say "the last words of a candidate: in the sentence, harmless"
make_script obey 'echo "earlier"' 'printf "cannot \033[31mopen\033[0m \007the \377door\r\n\tsays generation %s\n" 2 >&2' \
    'exit 6'
expect_exit 3 "$baton" upgrade --wait
expect_said "generation 2 exited with status 6"
expect_said "cannot "
expect_said "says generation 2"
if LC_ALL=C grep -q '[^ -~]' out; then
    fail "there is more than printable ASCII: $(LC_ALL=C grep '[^ -~]' out | od -c | head -n 20)"
fi
for command in events history "status --json"; do
    # shellcheck disable=SC2086 # words
    expect_exit 0 "$baton" $command
    if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" out; then
        fail "control characters in: baton $command"
    fi
done
stop_baton

say "a file that cannot be opened"
expect_exit 1 "$baton" run --state-dir "$work/state" --output "$work/nowhere/log" --ready alive:1ms -- sleep 1000
expect_said "$work/nowhere/log"
expect_said "No such file or directory"

if ! unshare -m true 2>/dev/null; then
    say "no mount namespace here: output = journal is not tried"
    passed
fi
say "output = journal: a stream of the service's own"
make_script obey 'echo "to the journal"' 'exec sleep 1000'
mkdir journal
"$helpers/unixcat" "$work/journal/stdout" >journal.log &
journal=$!
wait_for "$patience_s" test -S journal/stdout
make_script with_journal "mount -t tmpfs none /run" "mkdir -p /run/systemd/journal" \
    "mount --bind '$work/journal' /run/systemd/journal" "exec '$baton' \"\$@\""
make_script unshared "exec unshare -m '$work/with_journal' \"\$@\""
real=$baton
baton=$work/unshared
serve journal
baton=$real
wait_for "$patience_s" has journal.log "to the journal"
has journal.log "baton/obedient#1" || fail "the stream does not say whose it is: $(cat journal.log)"
expect_exit 0 "$baton" upgrade --wait
wait_for "$patience_s" has journal.log "baton/obedient#2"
stop_baton
kill "$journal"
wait "$journal" 2>/dev/null || true

say "without a journal it is baton's stderr, and baton says so"
rm -r journal
mkdir journal
baton=$work/unshared
serve journal
baton=$real
has baton.out "there is no journal on this machine: its output goes to baton's stderr" || fail "baton does not say so"
wait_for "$patience_s" has baton.out "to the journal"
passed
