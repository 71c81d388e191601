# What baton itself adds to an upgrade: everything but the worker's own start.
# shellcheck shell=sh disable=SC2016,SC2154

bench_share() {
    share_run disk "$work/state-share"
    in_memory=$(mktemp -d /dev/shm/baton-bench.XXXXXX) || fail "there is no /dev/shm to write to"
    share_run memory "$in_memory"
    rm -rf "$in_memory"
    title "baton's own share of an upgrade, in ms ($upgrades upgrades of a worker that is ready at once)" \
        "a client asks for a connection every 0.2 ms: the first byte is known to within two of them" \
        "state_dir on disk, then in memory: what baton waits for the disk"
    printf '%-44s %7s %8s  %8s %8s\n' "" disk: max memory: max
    share_row to_main "SIGUSR2 -> main() of the new worker" '$1'
    share_row spawn "of that, posix_spawn() without baton needs" '$5'
    share_row to_listener "READY -> the listener is there" '$3'
    share_row to_first_byte "READY -> first byte of the new worker" '$4'
    share_row sum "signal -> exec and READY -> first byte" '$1 - $5 + $4'
    echo "(budget of the last line: 2 ms)"
}

# share_run NAME STATE_DIR: in share.NAME a line for each upgrade: what stopwatch says of it, then of a spawn.
share_run() {
    free_port port
    cat >"$work/share-$1.ini" <<INI
[baton]
state_dir = $2
log = $work/share-$1.log

[listener web]
address = 127.0.0.1:$port

[service stamped]
command = $tools/stamped
listen = web
ready = native
INI
    start_baton "$work/share-$1.ini"
    wait_settled stamped 1
    for generation in $(seq 2 $((upgrades + 1))); do
        upgrade_us=$("$tools/stopwatch" upgrade "$port" "$keeper") || fail "an upgrade was not measured"
        wait_settled stamped "$generation"
        spawn_us=$("$tools/stopwatch" spawn "$tools/stamped") || fail "a spawn was not measured"
        echo "$upgrade_us $spawn_us" >>"$work/share.$1"
    done
    stop_baton
}

# share_row KEY TEXT EXPRESSION: of the fields of share.disk and share.memory, which are microseconds.
share_row() {
    printf '%-44s' "$2"
    for where in disk memory; do
        awk "{ print ($3) / 1000 }" "$work/share.$where" >"$work/column"
        printf ' %7.2f %8.2f ' "$(median <"$work/column")" "$(maximum <"$work/column")"
        figure "share.$where.$1_median_ms" "$(median <"$work/column")"
        figure "share.$where.$1_max_ms" "$(maximum <"$work/column")"
    done
    echo
}
