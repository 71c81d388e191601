#!/bin/sh
# A worker gets its listeners, its channel and its notify socket, and nothing else of baton's: no descriptor, no
# variable, no signal mask; session, umask, limits, directory and user are those of its section.
. "${top_srcdir:?}/tests/e2e/lib.sh"

mkdir data dumps directory
chmod 777 dumps # workers with a user of their own write there
cp "$helpers/worker_passive" "$helpers/worker_native" "$helpers/notify" .
free_port first
free_port second
free_port third
free_port other
: "${first:?}" "${second:?}" "${third:?}" "${other:?}"

# dump NAME: what that worker was started with. A file is complete when it is there.
dump() { dumped=$work/dumps/$1; }
# expect_fact LINE / expect_no_fact PATTERN: in the dump. facts PATTERN: those lines.
facts() { grep -E -e "$1" "$dumped" || true; }
expect_fact() { grep -Fqx -e "$1" "$dumped" || fail "${dumped##*/} lacks \"$1\", has: $(facts "^${1%%[ =]*} ")"; }
expect_no_fact() { [ -z "$(facts "$1")" ] || fail "${dumped##*/} has: $(facts "$1")"; }
variable() { sed -n "s/^env $1=//p" "$dumped"; }
fact() { sed -n "s/^$1 //p" "$dumped"; }

# expect_listener FD PORT: the descriptor is the socket that listens there, and stays open over exec.
expect_listener() {
    inode=$(awk -v port=":$(printf %04X "$2")" '$4 == "0A" && $2 ~ port "$" { print $10 }' sockets)
    expect_fact "fd $1 socket:[$inode]"
    expect_fact "flags $1 0"
}
# expect_descriptors LAST: 0 to LAST and no other; standard input is /dev/null, the last one is the channel.
expect_descriptors() {
    expect_equal "descriptors of ${dumped##*/}" "$(seq -s ' ' 0 "$1")" \
        "$(facts '^fd ' | cut -d ' ' -f 2 | tr '\n' ' ' | sed 's/ $//')"
    expect_fact "fd 0 /dev/null"
    expect_fact "flags $1 0"
    expect_equal "BATON_CHANNEL of ${dumped##*/}" "$1" "$(variable BATON_CHANNEL)"
}
# expect_identity SERVICE GENERATION WORKER: and these are the only variables of their kind.
expect_identity() {
    expect_equal "variables BATON_* of ${dumped##*/}" \
        "BATON_CHANNEL=$(variable BATON_CHANNEL) BATON_GENERATION=$2 BATON_SERVICE=$1 BATON_WORKER=$3 " \
        "$(facts '^env BATON_' | sed 's/^env //' | sort | tr '\n' ' ')"
}
# expect_listen_variables COUNT NAMES
expect_listen_variables() {
    expect_equal "variables LISTEN_* of ${dumped##*/}" \
        "LISTEN_FDNAMES=$2 LISTEN_FDS=$1 LISTEN_PID=$(fact pid) " \
        "$(facts '^env LISTEN_' | sed 's/^env //' | sort | tr '\n' ' ')"
}

cat >workers.ini <<INI
[baton]
state_dir = $work/state
[listener first]
address = 127.0.0.1:$first
[listener second]
address = 127.0.0.1:$second
[listener third]
address = 127.0.0.1:$third
[listener other]
address = 127.0.0.1:$other

[service several]
command = sh -c 'exec ./worker_passive --as-child --env-dump dumps/several.\$BATON_WORKER'
listen = third first second
ready = notify
workers = 2
output = $work/several.log
environment = GREETING="good day" HOME=/elsewhere

[service native]
command = $work/worker_native --env-dump $work/dumps/native
listen = other
ready = native
directory = $work/directory
umask = 0027
limit_nofile = 300
output = $work/native.log

[service silent]
command = ./worker_passive --env-dump dumps/silent --ready-when $work/ready --notify STATUS=marker
ready = notify
output = $work/silent.log
INI

# Whatever baton itself was given must not reach the workers.
make_script strangely "umask 077" "ulimit -S -n 777" "ulimit -H -n 2000" "trap '' HUP INT PIPE USR1" \
    "exec 3<&0 4<'$work/workers.ini' 7>'$work/seven' 9<'$work'" \
    'export LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=a:b WATCHDOG_PID=1 JOURNAL_STREAM=1:2 INVOCATION_ID=1' \
    'export BATON_SERVICE=strange BATON_GENERATION=99 BATON_SECRET=1 LISTEN_PIDFDID=5 MAINPID=1' \
    "export NOTIFY_SOCKET='$work/systemd' USER=starter LOGNAME=starter KEPT='as it is'" \
    "exec '$baton' \"\$@\""
real=$baton
baton=$work/strangely
start_baton workers.ini
baton=$real
wait_settled several 1
wait_settled native 1
wait_for "$patience_s" test -s dumps/silent

cat /proc/net/tcp >sockets # once: it is slow where many connections are
say "listeners: in the order of the section, by name, under the worker's own pid"
for worker in $(service_status several 'generations.*.workers.*.worker'); do
    dump "several.$worker"
    expect_listen_variables 3 third:first:second
    expect_listener 3 "$third"
    expect_listener 4 "$first"
    expect_listener 5 "$second"
    expect_descriptors 6
    expect_identity several 1 "$worker"
    expect_equal "pid" "$(fact pid)" \
        "$(service_status several "generations.*.workers.worker=$worker.pid")"
    notify_of="${notify_of:-}$(variable NOTIFY_SOCKET) "
done
expect_equal "workers" 2 "$(service_status several 'generations.*.workers.#')"

say "a native worker gets them over its channel, not at its start"
dump native
expect_no_fact '^env LISTEN_'
expect_descriptors 3
expect_identity native 1 "$(service_status native 'generations.*.workers.*.worker')"
fetch "http://127.0.0.1:$other/"

say "each has a notify socket of its own"
for name in native silent; do
    dump "$name"
    notify_of="$notify_of$(variable NOTIFY_SOCKET) "
done
expect_equal "different addresses in: $notify_of" 4 "$(printf '%s' "$notify_of" | tr ' ' '\n' | sort -u | grep -c .)"

say "nothing of baton's own start is left: variables, signals, descriptors, session"
for name in "several.$worker" native silent; do
    dump "$name"
    expect_no_fact '^env (WATCHDOG_|JOURNAL_STREAM|INVOCATION_ID|MAINPID|LISTEN_PIDFDID)'
    expect_fact "env KEPT=as it is"
    expect_fact "env USER=starter"
    expect_fact "SigBlk:	0000000000000000"
    expect_fact "SigIgn:	0000000000000000"
    expect_fact "pdeathsig 0"
    expect_fact "sid $(fact pid)"
    expect_fact "pgid $(fact pid)"
    expect_fact "fd 1 $work/${name%.*}.log"
    expect_fact "fd 2 $work/${name%.*}.log"
done
dump silent
expect_no_fact '^env LISTEN_'
expect_descriptors 3

say "what the section says, and what holds without a word of it"
dump "several.$worker"
expect_fact "umask 022"
expect_fact "nofile 777 2000"
expect_fact "cwd $work"
expect_fact "env GREETING=good day"
expect_fact "env HOME=/elsewhere"
expect_fact "uid $(id -u) $(id -u) $(id -u)"
dump native
expect_fact "umask 027"
expect_fact "nofile 300 2000"
expect_fact "cwd $work/directory"
expect_fact "env HOME=$HOME"

# The datagrams of one socket are read in order: when the worker's is known, the stranger's was seen before.
say "READY=1 of a process that does not belong to the worker is not believed"
dump silent
NOTIFY_SOCKET=$(variable NOTIFY_SOCKET) ./notify READY=1 STATUS=stranger READY=1 >stranger.out &
stranger=$!
wait_for "$patience_s" has stranger.out sent
touch ready
# shellcheck disable=SC2317 # wait_for calls it
told() { [ "$(service_status silent 'generations.*.workers.*.status')" = "$1" ]; }
wait_for "$patience_s" told marker
expect_equal "state after the stranger's READY=1" starting "$(service_status silent rollout.state)"
kill "$stranger"
wait "$stranger" 2>/dev/null || true

stop_baton

if [ "$(id -u)" != 0 ]; then
    say "not root: nothing is tried with another user, or in another root"
    passed
fi

# Accounts as an administrator makes them, but for baton and its workers only.
say "user and group: every number, the account's other groups, HOME, USER, LOGNAME, and READY=1 is heard"
if unshare -m true 2>/dev/null; then
    cp /etc/passwd /etc/group .
    echo "e2eworker:x:54321:54322::/home/of/worker:/bin/sh" >>passwd
    printf '%s\n' e2emain:x:54322: e2efirst:x:54323:e2eworker e2esecond:x:54324:e2eworker e2eother:x:54325: >>group
    make_script inside "mount --bind '$work/passwd' /etc/passwd" "mount --bind '$work/group' /etc/group" \
        "exec '$baton' \"\$@\""
    make_script with_accounts "exec unshare -m '$work/inside' \"\$@\""
    account="e2eworker" uid=54321 gid=54322 groups="54322 54323 54324" home=/home/of/worker
    other=e2eother other_gid=54325 other_groups="54323 54324 54325"
    baton=$work/with_accounts
else
    say "no mount namespace here: an account without other groups must do"
    account=games uid=$(id -u games) gid=$(id -g games) groups=$(id -G games) home=$(getent passwd games | cut -d: -f6)
    other=daemon other_gid=$(id -g nobody) other_groups=$other_gid
fi
cat >users.ini <<INI
[baton]
state_dir = $work/state
[listener first]
address = 127.0.0.1:$first
[service one]
command = ./worker_passive --env-dump dumps/one
listen = first
ready = notify
user = $account
output = $work/one.log
[service grouped]
command = ./worker_native --env-dump dumps/grouped
ready = native
user = $account
group = $other
output = $work/grouped.log
[service number]
command = ./worker_passive --as-child --env-dump dumps/number
ready = notify
user = $uid
environment = HOME=/elsewhere
output = $work/number.log
[service caged]
command = ./worker_passive --env-dump dumps/caged --chroot $work/data
ready = notify
output = $work/caged.log
INI
start_baton users.ini
baton=$real
for service in one grouped number caged; do
    wait_settled "$service" 1
done
# expect_user GID GROUPS: of the dump.
expect_user() {
    expect_fact "uid $uid $uid $uid"
    expect_fact "gid $1 $1 $1"
    expect_equal "groups in ${dumped##*/}" "$2" "$(fact groups | tr ' ' '\n' | sort -un | tr '\n' ' ' | sed 's/ $//')"
    expect_fact "env USER=$account"
    expect_fact "env LOGNAME=$account"
}
dump one
expect_user "$gid" "$groups"
expect_fact "env HOME=$home"
expect_listen_variables 1 first
expect_descriptors 4
dump grouped
expect_user "$other_gid" "$other_groups"
dump number
expect_user "$gid" "$groups"
expect_fact "env HOME=/elsewhere"
fetch "http://127.0.0.1:$first/"

say "a worker that changed its root is heard, and is asked to end"
dump caged
expect_fact "uid 0 0 0"
expect_equal "root of the worker" "$work/data" "$(readlink "/proc/$(fact pid)/root")"
stop_baton
passed
