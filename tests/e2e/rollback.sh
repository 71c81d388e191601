#!/bin/sh
# Rollback starts the previous release as a new generation, as it was: a binary that was replaced on disk or is
# gone, a script, through a symbolic link that moved on, with its old environment; what has changed is refused and
# named, never something else started. It ends a running rollout, and loses no request.
. "${top_srcdir:?}/tests/e2e/lib.sh"
supervisors_may_die=yes

mkdir data
free_port port
url=http://127.0.0.1:$port
native="exec $helpers/worker_native"
attempts=0 stable=0 # the last number that was used, and the generation that serves

# begin COMMAND...: baton, with a service of this command; $section has more lines of its section.
section=""
begin() {
    cat >site.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[service site]
command = $*
listen = web
ready = native
output = $work/site.log
$section
INI
    start_baton site.ini
    attempts=$((attempts + 1))
    stable=$attempts
    wait_settled site "$stable"
}

# release NAME TEXT: `current` leads to it; its script answers with the TEXT.
release() {
    mkdir -p "releases/$1"
    make_script "releases/$1/site" "$native --label '$2'"
    ln -sfn "releases/$1" current
}

# goes VERB LABEL: the next generation serves, and its answers say LABEL in the header $header.
header=X-Label
goes() {
    attempts=$((attempts + 1))
    stable=$attempts
    expect_exit 0 "$baton" "$1" --wait
    settled site "$stable" || fail "generation $stable is not settled: $settled_now"
    answers "$2"
}
answers() {
    fetch "$url/"
    expect_header "$header" "$1"
    expect_equal "generations that have processes" "$stable" "$(generations_alive)"
}

# refused TEXT: by rollback, in one sentence; nothing has changed, and no number was used.
refused() {
    label=$(sed -n "s/^$header: \([^$(printf '\r')]*\).*/\1/p" out)
    expect_exit 4 "$baton" rollback --wait
    expect_lines 1
    expect_said "refused: "
    expect_said "$1"
    settled site "$stable" || fail "generation $stable is not settled: $settled_now"
    answers "$label"
}

say "--- a binary: replaced on disk, overwritten in place, gone"
header=X-Blog-Version
mkdir -p bin releases/1 releases/2
cp "$top_builddir/baton-blog-v1" bin/blog
begin "$work/bin/blog" --data "$work/data"
answers 1
refused "no earlier release is known"
start_load --keepalive 4 --short 2 --slow-response 2 --rate 50 "$url/articles" "$url/healthz"
cp "$top_builddir/baton-blog-v2" bin/blog.new && mv bin/blog.new bin/blog
goes upgrade 2
remember_descriptors
goes rollback 1
goes rollback 2
goes rollback 1
rm bin/blog
goes rollback 2
same_descriptors
expect_exit 3 "$baton" upgrade --wait # it is looked for anew
expect_said "No such file or directory"
attempts=$((attempts + 1))
answers 2
goes rollback 1 # an attempt that failed is not a release to go back to
stop_load
stop_baton

say "--- through a link that moved on, also when the directory is gone"
cp "$top_builddir/baton-blog-v1" releases/1/blog
cp "$top_builddir/baton-blog-v2" releases/2/blog
ln -sfn releases/1 current
begin "$work/current/blog" --data "$work/data"
refused "no earlier release is known" # it is not kept over a stop
ln -sfn releases/2 current
goes upgrade 2
goes rollback 1
goes rollback 2
rm -r releases/1
goes rollback 1
say "    and by a supervisor that was not there before"
old=$(supervisor_pid)
kill -9 "$old"
# shellcheck disable=SC2317 # wait_for calls it
replaced() { new=$(supervisor_pid) && [ "$new" != "$old" ]; }
wait_for "$patience_s" replaced
goes rollback 2
goes rollback 1
cat "$top_builddir/baton-blog-v1" >releases/2/blog # no process runs it, so this is possible
refused "$work/releases/2/blog was overwritten in place since"
stop_baton

say "--- a script, with its environment"
header=X-Label
rm -r releases
release one one
section="environment_file = $work/site.env"
echo "NAME=old" >site.env
# shellcheck disable=SC2016 # the script expands it
make_script current/site "$native --label \"one \$NAME\""
begin "$work/current/site"
answers "one old"
start_load --keepalive 4 --short 2 "$url/"
release two two
echo "NAME=new" >site.env
goes upgrade two
goes rollback "one old"
goes rollback two
say "    that was changed, or is gone"
cp releases/one/site one.saved
make_script releases/one/site "$native --label 'another one'"
refused "$work/releases/one/site was replaced since (size "
echo "exit 1" >>releases/one/site
refused "$work/releases/one/site was replaced since (size "
rm releases/one/site
refused "$work/releases/one/site is gone"
rm -r releases/one
refused "$work/releases/one/site is gone"
say "    and a file that is an argument"
stop_load
stop_baton
release one one
release two two
ln -sfn releases/one current
section=""
begin /bin/sh "$work/current/site"
answers one
ln -sfn releases/two current
goes upgrade two
goes rollback one
goes rollback two
echo "# changed" >>releases/one/site
refused "$work/releases/one/site was modified since (size "

say "--- during a rollout: it is ended"
release hangs hangs
make_script current/site "$native --hang-before-ready"
for verb in rollback "rollback --wait"; do
    attempts=$((attempts + 1))
    "$baton" upgrade --wait >upgrade.out 2>&1 &
    upgrade=$!
    # shellcheck disable=SC2317 # wait_for calls it
    is_starting() { [ "$(service_status site rollout.candidate)" = "$attempts" ]; }
    wait_for "$patience_s" is_starting
    # shellcheck disable=SC2086 # two words
    expect_exit 0 "$baton" $verb
    upgrade_exit=0
    wait "$upgrade" || upgrade_exit=$?
    expect_equal "exit status of the upgrade that was ended" 3 "$upgrade_exit"
    has upgrade.out "ROLLED BACK: generation $attempts was rolled back as uid $(id -u)" ||
        fail "the upgrade does not say who ended it: $(cat upgrade.out)"
    wait_for "$patience_s" settled site "$stable"
    answers two
done
passed
