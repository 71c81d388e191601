#!/bin/sh
# Listeners of every kind serve through upgrades, 300 of them in one service as well; an address that cannot be had is
# refused with who has it or what is missing, and a UNIX path is replaced, kept, refused and removed as it should be.
. "${top_srcdir:?}/tests/e2e/lib.sh"

for name in v4 v6 dual only udp; do
    free_port "$name"
done
: "${v4:?}" "${v6:?}" "${dual:?}" "${only:?}" "${udp:?}"
has_ipv6=no
! grep -q . /proc/net/if_inet6 2>/dev/null || has_ipv6=yes
mkdir paths

# answers GENERATION [-u PATH] URL / refuses URL
answers() {
    by=$1
    shift
    fetch "$@"
    expect_header X-Generation "$by"
}
refuses() { expect_exit 1 "$helpers/httpget" "$@"; }
# section KIND NAME LINE...: of the configuration.
section() {
    printf '[%s %s]\n' "$1" "$2"
    shift 2
    printf '%s\n' "$@"
}

# A socket that its owner, killed, has left behind.
stale_socket() {
    start_baton --name stale --listen "unix:$1" --ready alive:1ms --state-dir "$work/state" -- sleep 1000
    wait_settled sleep 1
    holder=$(worker_pids sleep)
    kill -9 "$keeper" "$holder"
    end_of_baton
    supervisor=
    wait_for "$patience_s" is_clean_of "$1"
    [ -S "$1" ] || fail "nothing was left at $1"
}
# shellcheck disable=SC2317 # wait_for calls it
is_clean_of() { ! grep -Fq "$1" /proc/net/unix; }
stale_socket "$work/paths/stale"

say "TCP, UNIX and UDP, in several services"
{
    printf "[baton]\nstate_dir = %s\n" "$work/state"
    section listener v4 "address = 127.0.0.1:$v4"
    section listener unix "address = unix:$work/paths/unix" "mode = 0640"
    section listener stale "address = unix:$work/paths/stale"
    section listener udp "address = udp:127.0.0.1:$udp"
    section service web "command = $helpers/worker_passive" "listen = v4 unix" "ready = notify" "output = $work/web.log"
    section service native "command = $helpers/worker_native" "listen = stale" "ready = native" \
        "output = $work/native.log"
    section service datagrams "command = sh -c '$helpers/inspect >udp.\$BATON_GENERATION; exec sleep 1000'" \
        "listen = udp" "ready = exec:test -s udp.now" "output = $work/udp.log"
} >kinds.ini
if [ "$has_ipv6" = yes ]; then
    {
        section listener v6 "address = [::1]:$v6"
        section listener dual "address = [::]:$dual"
        section listener only "address = [::]:$only" "v6only = yes"
        section service six "command = $helpers/worker_native" "listen = v6 dual only" "ready = native" \
            "output = $work/six.log"
    } >>kinds.ini
else
    say "this machine has no IPv6: not tried"
fi
echo "the check of ready" >udp.now
start_baton kinds.ini
wait_settled web 1
wait_settled native 1
wait_settled datagrams 1
# serve_all GENERATION
serve_all() {
    answers "$1" "http://127.0.0.1:$v4/"
    answers "$1" -u "$work/paths/unix" http://unix/
    answers "$1" -u "$work/paths/stale" http://unix/
    # The UDP socket, which is the same in every generation.
    wait_for "$patience_s" test -s "udp.$1"
    inode=$(awk -v port=":$(printf %04X "$udp")" '$2 ~ port "$" { print $10 }' /proc/net/udp)
    has "udp.$1" "fd 3 socket:[$inode]" || fail "generation $1 has no socket of port $udp: $(grep fd "udp.$1")"
    expect_equal "UDP sockets of port $udp" "${first_inode:=$inode}" "$inode"
    [ "$has_ipv6" = yes ] || return 0
    answers "$1" "http://[::1]:$v6/"
    refuses "http://127.0.0.1:$v6/"
    answers "$1" "http://[::1]:$dual/"
    answers "$1" "http://127.0.0.1:$dual/"
    answers "$1" "http://[::1]:$only/"
    refuses "http://127.0.0.1:$only/"
}
serve_all 1
expect_equal "mode of the UNIX path" 640 "$(stat -c %a paths/unix)"
expect_equal "mode of the other" 666 "$(stat -c %a paths/stale)"
inode_before=$(stat -c %i paths/unix)
expect_exit 0 "$baton" upgrade --wait
for service in web native datagrams; do
    wait_settled "$service" 2
done
serve_all 2
expect_equal "inode of the UNIX path after the upgrade" "$inode_before" "$(stat -c %i paths/unix)"

say "what another has, or what is no socket, is not taken"
refused() {
    refused_text=$1
    shift
    expect_exit 1 "$baton" run --name refused --state-dir "$work/state" --ready alive:1ms --listen "$@" -- sleep 1000
    expect_said "$refused_text"
}
echo text >paths/file
refused "cannot listen on 127.0.0.1:$v4: used by " "127.0.0.1:$v4" # keeper, supervisor and worker have it
refused "cannot listen on unix:$work/paths/unix: used by baton-superviso (pid $(supervisor_pid)" "unix:$work/paths/unix"
refused "cannot listen on unix:$work/paths/file: the path exists and is not a socket" "unix:$work/paths/file"
refused "cannot listen on unix:$work/nowhere/path: the directory does not exist" "unix:$work/nowhere/path"
refused "cannot listen on 192.0.2.1:$v4: this machine has no such address" "192.0.2.1:$v4"
expect_equal "the file" text "$(cat paths/file)"
answers 2 -u "$work/paths/unix" http://unix/
stop_baton
expect_equal "paths left after the stop" "file" "$(ls paths)"

say "300 listeners of one service, with fewer descriptors than that at baton's start"
mkdir many
# many COMMAND READY: a service of that.
many() {
    {
        printf "[baton]\nstate_dir = %s\n" "$work/state/$2"
        names=$(seq -f l%g -s ' ' 300)
        for name in $names; do
            section listener "$name" "address = unix:$work/many/$name"
        done
        section service many "command = $1" "listen = $names" "ready = $2" "limit_nofile = 1000" "output = $work/many.log"
    } >many.ini
    make_script limited "ulimit -S -n 200" "exec '$baton' \"\$@\""
    limited_baton=$baton
    baton=$work/limited
    start_baton many.ini
    baton=$limited_baton
    wait_settled many 1
    remember_descriptors
    start_load --short 1 --keepalive 1 "unix:$work/many/l1:/" "unix:$work/many/l150:/" "unix:$work/many/l300:/"
    for generation in 2 3 4; do
        expect_exit 0 "$baton" upgrade --wait
        wait_settled many "$generation"
    done
    for name in $names; do
        fetch -u "$work/many/$name" http://unix/
    done
    expect_header X-Generation 4
    stop_load
    stop_baton
    expect_equal "paths left after the stop" "" "$(ls many)"
}
many "$helpers/worker_native" native
many "$helpers/worker_passive" notify

[ "$(id -u)" = 0 ] || { say "not root: no other user is tried" && passed; }
say "the owner of a UNIX path"
start_baton --name owned --listen "unix:$work/paths/owned" --mode 0600 --socket-user nobody --socket-group daemon \
    --ready alive:1ms --state-dir "$work/state" -- sleep 1000
wait_settled sleep 1
expect_equal "owner and mode" "nobody daemon 600" "$(stat -c '%U %G %a' paths/owned)"
stop_baton

if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -le 81 ] || ! command -v setpriv >/dev/null; then
    say "whoever is not root may have port 81 here, or there is no setpriv: not tried"
    passed
fi
say "a port that only root may have, as somebody else"
mkdir nobody
chown nobody nobody
expect_exit 1 env HOME="$work/nobody" BATON_RUNTIME_DIR="$work/nobody" setpriv --reuid=nobody --clear-groups \
    --bounding-set=-all "$baton" run --listen 127.0.0.1:81 --state-dir "$work/nobody" --ready alive:1ms -- sleep 1000
expect_said "cannot listen on 127.0.0.1:81: permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE"
passed
