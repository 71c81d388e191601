#!/bin/sh
# What is wrong with a configuration is told with file and line and exit code 2, and nothing is touched; run starts
# the keeper with what was checked, once per name.
set -eu
: "${top_builddir:?}" # make check gives it

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin
cp "$top_builddir/baton" bin/ # a keeper of our own stands beside it
PATH=$work/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export BATON_RUNTIME_DIR="$work/run"

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# expect CODE COMMAND...: stdout and stderr go to `out` and `err`.
expect() {
    wanted=$1
    shift
    code=0
    timeout 60 "$@" >out 2>err </dev/null || code=$?
    [ "$code" = "$wanted" ] || { cat out err >&2; fail "$*: exit code $code instead of $wanted"; }
}

# says FILE TEXT: a line of FILE is TEXT.
says() {
    grep -qxF -e "$2" "$1" || { cat "$1" >&2; fail "not said: $2"; }
}

# --- the command itself ---
expect 0 baton --help
grep -q 'baton check ' out || fail "no list of verbs"
expect 0 baton check --help
expect 0 baton run --listen 80 --help
grep -q '^  --ready-timeout  ' out || fail "run --help lists no options"
expect 0 baton --version
expect 2 baton
expect 2 baton chek
says err "baton: chek: unknown verb; did you mean baton check?"
expect 2 baton check --frobnicate
expect 2 baton check a.ini b.ini
expect 2 baton check -c a.ini -c b.ini
expect 2 baton check -c
expect 2 baton run node server.js
grep -q 'baton run -- node server.js' err || fail "no hint at --"
expect 2 baton run --listen 80 node
grep -q -e '-- COMMAND' err || fail "no hint at --"
expect 2 baton run --name 'a b' -- true

# --- a right configuration ---
mkdir conf.d
cat >shop.ini <<'INI'
[baton]
include = conf.d/*.ini
[listener web]
address = 127.0.0.1:8080
[service shop]
command = sh -c "echo a ; sleep 1"
listen = web
workers = 2
ready = http:/healthz
INI
printf '[service mail]\ncommand = true\n' >conf.d/mail.ini
expect 0 baton check shop.ini
says out "shop: 2 workers on 127.0.0.1:8080, ready = http:/healthz: ok"
says out "mail: 1 worker, ready = auto: ok"
[ ! -s err ] || fail "errors of a right file"
expect 0 baton check -c shop.ini --json
grep -q '"ok": true' out || fail "not ok in JSON"
expect 0 baton check --explain shop.ini
says out "workers = 2    ; $work/shop.ini:8"
cp out explained.ini
expect 0 baton check explained.ini
says out "shop: 2 workers on 127.0.0.1:8080, ready = http:/healthz: ok"
expect 0 baton check --listen 80 --workers 3 -- true
says out "true: 3 workers on 0.0.0.0:80, ready = auto: ok"

# --- wrong ones ---
printf '[service shop]\ncommand = true\nredy = auto\n[service mail]\ncommand = true\nworkers = 0\n' >conf.d/bad.ini
expect 2 baton check shop.ini
says err "$work/conf.d/bad.ini:1: [service shop] is already in $work/shop.ini on line 5"
says err "$work/conf.d/mail.ini:1: [service mail] is already in $work/conf.d/bad.ini on line 4"
says err "$work/conf.d/bad.ini:6: workers: \"0\": too small; allowed: a number from 1 to 64"
says err "3 errors, nothing was changed"
expect 2 baton check --json shop.ini
grep -q '"ok": false' out || fail "ok in JSON"
expect 2 baton run shop.ini
says err "3 errors, nothing was changed"
[ ! -e run ] || fail "a wrong configuration was started"
rm conf.d/bad.ini

expect 2 baton check gone.ini
says err "$work/gone.ini: cannot be read: No such file or directory"
expect 2 baton check conf.d
expect 2 baton check /dev/null
mkfifo fifo.ini # must not wait for a writer
expect 2 baton check fifo.ini
printf '[baton]\ninclude = deep/er.ini\n[service a]\ncommand = true\n' >include.ini
expect 2 baton check include.ini
says err "$work/include.ini:2: include: $work/deep/er.ini: no such file"

# --- what a start would need ---
cat >needs.ini <<'INI'
[service a]
command = there-is-no-such-program
user = there-is-no-such-user
environment_file = /there/is/none
verify = exec:/there/is/none
output = /there/is/none.log
INI
expect 2 baton check needs.ini
grep -q "^$work/needs.ini:1: \[service a\]: there is no user there-is-no-such-user\$" err || fail "user"
grep -q 'there-is-no-such-program' err || fail "program"
grep -q 'verify: .*/there/is/none' err || fail "verify"
says err "5 errors, nothing was changed"

# --- run ---
expect 1 baton run shop.ini
grep -q '^baton: baton-keeper is missing' err || fail "a missing keeper is not told"
cat >bin/baton-keeper <<'SH'
#!/bin/sh
# Says what it was started with, and whether a second one of the name may start.
for argument in "$@"; do echo "<$argument>"; done
echo "pid $$"
code=0
baton run -c "$SECOND" 2>&1 || code=$?
echo "second: $code"
SH
chmod +x bin/baton-keeper
printf '#!/bin/sh\n' >bin/baton-supervisor
chmod +x bin/baton-supervisor
export XDG_STATE_HOME="$work/state-home"
printf '[baton]\nstate_dir = %s/state\n' "$work" >named.ini
sed 1d shop.ini >>named.ini
export SECOND=named.ini
expect 0 sh -c 'echo "before $$"; exec baton run named.ini'
[ "$(sed -n 's/^before //p' out)" = "$(sed -n 's/^pid //p' out)" ] || fail "the pid did not stay"
printf '<%s>\n' -- "$work/bin/baton-supervisor" --name named --runtime-dir "$work/run/named" \
    --state-dir "$work/state/named" --config "$work/named.ini" >wanted
grep '^<' out | diff wanted - >&2 || fail "other arguments for the keeper"
says out "second: 4"
grep -q '^baton: another baton named named is running (pid [0-9]*)' out || fail "a second instance was not refused"
[ -d "$work/state/named" ] || fail "there is no state directory"
[ -d "$work/run/named" ] || fail "there is no runtime directory"
expect 0 baton run --name other named.ini # the first has ended, and another name is free
says out "<$work/run/other>"
expect 0 baton run --name=one --state-dir "$work/state" --ready alive:1s -- sh -c 'echo "a  b"' ''
printf '<%s>\n' --options --state-dir "$work/state" --ready alive:1s -- sh -c 'echo "a  b"' '' >wanted
sed -n '/^<--options>/,/^pid/p' out | grep '^<' | diff wanted - >&2 || fail "other options for the supervisor"

# --- started again after a crash: what was accepted goes on, whatever the file says now ---
cp named.ini crashed.ini
expect 0 baton run crashed.ini
printf 'nonsense\n' >>crashed.ini
expect 2 baton run crashed.ini
expect 2 sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=stately exec baton run crashed.ini'
expect 0 sh -c 'LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=x:state exec baton run crashed.ini'
says out "<$work/state/crashed>"
echo ok
