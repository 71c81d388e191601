# How long `baton status` takes with many services, and then with two generations of each.
# shellcheck shell=sh disable=SC2154

services=200
times=21

bench_status() {
    services_fit || return 0
    many_services >"$work/many.ini"
    title "baton status, ms from start to exit, $times times" \
        "budget: 50 ms with $services services x 2 generations"
    printf '%-36s %8s %8s %14s\n' "" median max --json_median
    start_baton "$work/many.ini"
    wait_for "$patience_s" all_serving 1
    status_row one_generation "$services services, 1 generation each"
    upgrade_all
    supervisor=$(supervisor_pid)
    printf 'keeper %s KiB, supervisor %s KiB PSS; %s and %s descriptors\n' "$(memory_kib "$keeper")" \
        "$(memory_kib "$supervisor")" "$(descriptor_count "$keeper")" "$(descriptor_count "$supervisor")"
    kill -s TERM "$keeper" # the held workers would use all of their drain_timeout
    wait_for "$patience_s" has "$work/many.log" event=stopping
    stop_baton # a second TERM ends them
}

# One signal for all. When that is too much for the supervisor the bench says so and goes on.
upgrade_all() {
    at_once_ns=$(date +%s%N)
    kill -s USR2 "$keeper" || fail "baton is not running"
    if until_true "$patience_s" all_serving 2; then
        at_once_s=$(calculate "($(date +%s%N) - $at_once_ns) / 1e9")
        status_row two_generations "$services services, 2 generations each"
        printf 'one SIGUSR2 upgraded all of them in %s s' "$at_once_s"
        figure status.upgrade_all_s "$at_once_s"
    else
        printf 'NOT REACHED in %s s after one SIGUSR2: 2 generations of each' "$patience_s"
    fi
    printf '; supervisors that died: %s\n' "$(status supervisor_restarts)"
}

# The keeper has about eight descriptors of each worker.
services_fit() {
    limit=$(awk '/^Max open files/ { print $5 }' /proc/self/limits)
    [ "$limit" -lt $((services * 20)) ] || return 0
    title "baton status with $services services: skipped, $limit descriptors are all a process may have"
    return 1
}

# The old generation goes on, drained but not gone, until it is stopped.
many_services() {
    printf '[baton]\nstate_dir = %s/state-many\nlog = %s/many.log\n' "$work" "$work"
    for n in $(seq "$services"); do
        cat <<INI
[listener l$n]
address = unix:$work/l$n.sock
[service s$n]
command = $tools/stamped --hold
listen = l$n
ready = native
drain_timeout = 10m
INI
    done
}

# all_serving N: every service has N generations, and no rollout runs.
all_serving() {
    "$baton" status --json >"$work/many.json" 2>/dev/null </dev/null || return 1
    [ "$("$helpers/jsonget" 'services.*.generations.#' <"$work/many.json" | sort | uniq -c | tr -s ' ')" = \
        " $services $1" ] &&
        [ "$("$helpers/jsonget" 'services.*.rollout.state' <"$work/many.json" | sort -u)" = steady ]
}

# status_row KEY TEXT
status_row() {
    "$tools/stopwatch" run "$times" "$baton" status >"$work/status.ms" || fail "baton status"
    "$tools/stopwatch" run "$times" "$baton" status --json >"$work/status_json.ms" || fail "baton status"
    printf '%-36s %8.1f %8.1f %14.1f\n' "$2" "$(median <"$work/status.ms")" "$(maximum <"$work/status.ms")" \
        "$(median <"$work/status_json.ms")"
    figure "status.$1_median_ms" "$(median <"$work/status.ms")"
    figure "status.$1_max_ms" "$(maximum <"$work/status.ms")"
}
