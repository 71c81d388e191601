# Latency at a fixed rate, while nothing happens and with an upgrade per second, in turns.
# shellcheck shell=sh disable=SC2154

rounds=5
round_turn_s=3 # of which there are three in a round

bench_latency() {
    start_blog latency 2
    "$tools/load" --json --short 16 --seconds 3 "$url/healthz" >"$work/load.json" || true
    count_losses "while the saturation was measured"
    rate=$(awk -v n="$(account successes)" -v s="$(account seconds)" 'BEGIN { printf "%d", 0.3 * n / s }')
    latency_load
    stop_baton
    latency_table
    count_losses "in the latency run"
}

# One run; in each round nothing happens, nothing happens again (what the machine does by itself), then there
# is an upgrade per second. Each turn is a phase.
latency_load() {
    begin_load --rate "$rate,requests=1" --phases warmup "$url/healthz"
    sleep 1
    for round in $(seq "$rounds"); do
        for turn in quiet again upgrades; do
            mark "$turn$round"
            for _ in $(seq "$round_turn_s"); do
                [ "$turn" != upgrades ] || signal_upgrade
                sleep 1
            done
        done
        wait_settled blog "$generation"
    done
    end_load
}

latency_table() {
    title "latency in ms of $rate requests per second (30 % of the saturation just measured), GET /healthz" \
        "medians of $rounds turns of $round_turn_s s; each request has a connection of its own, and its time" \
        "counts from when it was to begin" \
        "to quiet: p99.9 of a turn by that of the quiet one of its round (budget 1.2), median"
    printf '%-28s %8s %8s %8s %8s %10s\n' "" p50 p99 p99.9 max 'to quiet'
    latency_row quiet "nothing happens"
    latency_row again "nothing happens, again"
    latency_row upgrades "an upgrade per second"
    printf 'the load client itself was at most %s ms late; %s requests waited for a connection\n' \
        "$(account rates.0.late_max_ms)" "$(account rates.0.delayed)"
    figure latency.rate_per_s "$rate"
}

# latency_row TURN TEXT
latency_row() {
    for quantile in p50 p99 p99_9 max; do
        latency_of "$1" "$quantile" >"$work/$1.$quantile"
        figure "latency.$1.${quantile}_ms" "$(median <"$work/$1.$quantile")"
    done
    to_quiet=$(paste "$work/$1.p99_9" "$work/quiet.p99_9" | awk '{ print $1 / $2 }' | median)
    figure "latency.$1.p99_9_to_quiet" "$to_quiet"
    printf '%-28s %8.2f %8.2f %8.2f %8.2f %10.2f\n' "$2" "$(median <"$work/$1.p50")" \
        "$(median <"$work/$1.p99")" "$(median <"$work/$1.p99_9")" "$(maximum <"$work/$1.max")" "$to_quiet"
}

# latency_of TURN QUANTILE: in each round.
latency_of() {
    for round in $(seq "$rounds"); do
        account "phases.phase=$1$round.modes.mode=rate.latency_ms.$2"
    done
}
