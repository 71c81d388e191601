# The data path: the same program under baton and bare, measured in turns.
# shellcheck shell=sh disable=SC2154

pairs=3
pair_turn_s=2

bench_path() {
    start_blog path 1
    start_bare "$work/data-bare"
    title "requests per second of one worker, under baton and bare; GET /healthz" \
        "$pairs turns of $pair_turn_s s each; ratio: of the medians (budget 0.99); smallest and largest: of the single pairs"
    printf '%-12s %10s %10s %14s %20s\n' "" baton bare ratio "smallest, largest"
    path_row short --short 16
    path_row keepalive --keepalive 16
    stop_bare
    stop_baton
}

# path_row MODE ARGUMENT...
path_row() {
    mode=$1
    shift
    : >"$work/turns"
    for _ in $(seq "$pairs"); do
        path_turn "$url" "$@"
        under=$per_s
        path_turn "http://127.0.0.1:$bare_port" "$@"
        echo "$under $per_s" >>"$work/turns"
    done
    under=$(cut -d ' ' -f 1 "$work/turns" | median) alone=$(cut -d ' ' -f 2 "$work/turns" | median)
    awk '{ print $1 / $2 }' "$work/turns" >"$work/ratios"
    printf '%-12s %10.0f %10.0f %14s %20s\n' "$mode" "$under" "$alone" "$(ratio "$under" "$alone")" \
        "$(printf '%.3f, %.3f' "$(minimum <"$work/ratios")" "$(maximum <"$work/ratios")")"
    figure "path.$mode.ratio" "$(ratio "$under" "$alone")"
}

# path_turn URL ARGUMENT...: sets per_s.
path_turn() {
    where=$1
    shift
    "$tools/load" --json "$@" --seconds "$pair_turn_s" "$where/healthz" >"$work/load.json" || true
    count_losses "on the data path ($where)"
    per_s=$(calculate "$(account successes) / $(account seconds)")
}
