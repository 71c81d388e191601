#!/bin/sh
# The one-line form: baton run --listen ADDRESS -- COMMAND serves, is upgraded by verb and by signal, ends with
# Ctrl-C; a first generation that fails and an address in use end it with exit status 1 and the reason.
. "${top_srcdir:?}/tests/e2e/lib.sh"

mkdir data
free_port port
url=http://127.0.0.1:$port/healthz
serve_blog() {
    start_baton --listen "127.0.0.1:$port" --state-dir "$work/state" "$@" -- \
        "$top_builddir/baton-blog-v1" --data "$work/data"
}
# answered_by N: generation N answers.
answered_by() {
    fetch "$url"
    expect_header X-Baton-Generation "$1"
}

say "start: the pid of baton run stays, and what it says names the generation"
serve_blog
wait_settled baton-blog-v1 1
expect_equal "pid of the instance" "$keeper" "$(status pid)"
expect_equal "name of the instance" baton-blog-v1 "$(status name)"
has baton.out "generation 1 serves" || fail "baton does not say that generation 1 serves"
answered_by 1

say "upgrade by verb, and by signal"
expect_exit 0 "$baton" upgrade --wait
expect_said "upgraded 1 -> 2"
answered_by 2
remember_descriptors # with a previous release, which is kept for a rollback
kill -USR2 "$keeper"
wait_settled baton-blog-v1 3
answered_by 3
expect_exit 0 "$baton" upgrade baton-blog-v1 --wait
wait_settled baton-blog-v1 4
answered_by 4
same_descriptors

say "a second instance of the name is refused"
expect_exit 4 "$baton" run --listen "127.0.0.1:$port" --state-dir "$work/state" -- \
    "$top_builddir/baton-blog-v1" --data "$work/data"
expect_said "baton-blog-v1"
expect_said "pid $keeper"
expect_lines 1
answered_by 4

say "Ctrl-C: the signal goes to the whole group of the terminal, everything ends, exit status 0"
kill -s INT -- "-$keeper"
end_of_baton
expect_equal "exit status after Ctrl-C" 0 "$keeper_exit"
has baton.out "baton has ended" || fail "baton does not say that it has ended"
nothing_left || fail "left over after Ctrl-C: $(left_over)"

say "the next start goes on counting: no generation number is used twice"
free_port port
url=http://127.0.0.1:$port/healthz
serve_blog --name other
wait_for "$patience_s" settled baton-blog-v1 1
stop_baton
serve_blog
wait_for "$patience_s" settled baton-blog-v1 5
answered_by 5
stop_baton INT

say "an address in use: who has it, and exit status 1"
free_port taken --listen
: "${taken:?}"
expect_exit 1 "$baton" run --listen "127.0.0.1:$taken" --state-dir "$work/state" -- \
    "$top_builddir/baton-blog-v1" --data "$work/data"
expect_said "cannot listen on 127.0.0.1:$taken"
expect_said "used by freeport (pid $occupant"

say "a first generation that fails: the reason, and exit status 1"
make_script broken 'echo "cannot open the template directory" >&2' 'exit 7'
expect_exit 1 "$baton" run --listen "127.0.0.1:$port" --state-dir "$work/state" -- ./broken
expect_said "generation 1 exited with status 7"
expect_said "cannot open the template directory"
expect_exit 1 "$baton" run --listen "127.0.0.1:$port" --state-dir "$work/state" --ready-timeout 100ms --name mute -- \
    sleep 1000
expect_said "generation 1 was not ready after 100"

say "a command that cannot be started: refused before anything begins"
expect_exit 1 "$baton" run --listen "127.0.0.1:$port" --state-dir "$work/state" -- ./not-there
expect_said "not-there"
expect_said "No such file or directory"

passed
