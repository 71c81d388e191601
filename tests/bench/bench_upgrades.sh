# Upgrades under saturating load, and what keeper and supervisor need meanwhile.
# shellcheck shell=sh disable=SC2154

bench_upgrades() {
    make_article
    start_blog upgrades 2
    "$tools/load" --keepalive 4 --requests 300 --run fill --post "$url/articles" "$article" \
        >"$work/fill.out" 2>&1 || fail "the blog could not be filled: $(cat "$work/fill.out")"
    title "$upgrades upgrades by SIGUSR2 in each mode, saturating load, blog v1 <-> v2, 2 native workers" \
        "first answer: ms from the signal (when the load client hears of it) to the first complete answer of" \
        "the new generation; in the slow modes an answer takes tens of ms by itself"
    printf '%-14s %9s %9s %8s %6s  %13s %7s  %11s\n' \
        mode requests per_s failures races first_median max longest_gap
    footprint 'at the start' >"$work/footprint.txt"
    for mode in $modes; do
        upgrades_under "$mode"
        footprint "after $((generation - 1)) upgrades" >>"$work/footprint.txt"
    done
    title "PSS in KiB (budget: 3072 together), descriptors"
    printf '%-20s %7s %10s %9s  %10s %14s\n' "" keeper supervisor together keeper_fds supervisor_fds
    cat "$work/footprint.txt"
    idle_wakeups
    stop_baton
}

# An article of about 2 KB: the list of articles is long enough to be read slowly.
make_article() {
    text=$(printf '%02000d' 0 | sed 's/0000000000/ lost and found /g' | cut -c 1-2000)
    article="{\"id\": \"{run}-{n}\", \"title\": \"Article {n}\", \"body\": \"$text\"}"
}

upgrades_under() {
    case $1 in
    short) set -- short --short 32 "$url/healthz" "$url/articles/fill-1" ;;
    keepalive) set -- keepalive --keepalive 32 "$url/healthz" "$url/articles/fill-1" ;;
    slow-response) set -- slow-response --slow-response 64,chunk=1024,pause-ms=5 "$url/articles" ;;
    slow-upload) set -- slow-upload --slow-upload 64,chunk=256,pause-ms=5 --post "$url/articles" "$article" ;;
    esac
    mode=$1
    shift
    begin_load "$@"
    for _ in $(seq "$upgrades"); do
        signal_upgrade upgrade
        wait_settled blog "$generation"
    done
    end_load
    tell_upgrades "$mode"
    count_losses "in mode $mode"
}

tell_upgrades() {
    account marks.phase=upgrade.at_ms >"$work/signals"
    account 'versions.*.first_ms' | tail -n +2 >"$work/firsts"
    [ "$(wc -l <"$work/firsts")" = "$upgrades" ] ||
        fail "not every generation has answered: $(cat "$work/load.json")"
    paste "$work/signals" "$work/firsts" | awk '{ print $2 - $1 }' >"$work/first"
    printf '%-14s %9s %9.0f %8s %6s  %13.1f %7.1f  %8.1f ms\n' "$1" "$(account requests)" \
        "$(calculate "$(account successes) / $(account seconds)")" "$(account failures)" "$(account races)" \
        "$(median <"$work/first")" "$(maximum <"$work/first")" "$(account longest_gap.ms)"
    figure "upgrades.$1.upgrades" "$upgrades"
    figure "upgrades.$1.requests" "$(account requests)"
    figure "upgrades.$1.failures" "$(account failures)"
    figure "upgrades.$1.races" "$(account races)"
    figure "upgrades.$1.first_answer_median_ms" "$(median <"$work/first")"
    figure "upgrades.$1.first_answer_max_ms" "$(maximum <"$work/first")"
    figure "upgrades.$1.longest_gap_ms" "$(account longest_gap.ms)"
}

# footprint LABEL: a row of the table.
footprint() {
    of_keeper=$(memory_kib "$keeper") of_supervisor=$(memory_kib "$supervisor")
    together=-
    [ "$of_keeper" = - ] || together=$((of_keeper + of_supervisor))
    printf '%-20s %7s %10s %9s  %10s %14s\n' "$1" "$of_keeper" "$of_supervisor" "$together" \
        "$(descriptor_count "$keeper")" "$(descriptor_count "$supervisor")"
    [ "$together" = - ] || figure "pss_kib.$((generation - 1))_upgrades" "$together"
}

# Nobody asks anything for five seconds.
idle_wakeups() {
    idle_s=5
    sleep 1 # the workers' last report of their connections
    keeper_from=$(switches "$keeper") supervisor_from=$(switches "$supervisor")
    sleep "$idle_s"
    keeper_per_s=$(calculate "($(switches "$keeper") - $keeper_from) / $idle_s")
    supervisor_per_s=$(calculate "($(switches "$supervisor") - $supervisor_from) / $idle_s")
    printf 'idle for %s s: keeper %s, supervisor %s wakeups per second (budget: 0)\n' \
        "$idle_s" "$keeper_per_s" "$supervisor_per_s"
    figure idle.keeper_wakeups_per_s "$keeper_per_s"
    figure idle.supervisor_wakeups_per_s "$supervisor_per_s"
}
