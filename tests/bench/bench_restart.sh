# Beside it, what a restart without baton loses: the same load client must see it, or its zeros prove nothing.
# shellcheck shell=sh disable=SC2154

restarts=5

bench_restart() {
    title "WITHOUT baton: the blog is stopped and started again $restarts times, short connections" \
        "failures are expected here: nobody answers who comes while it is not there"
    start_bare "$work/data-restart"
    begin_load --short 8 "http://127.0.0.1:$bare_port/healthz"
    for _ in $(seq "$restarts"); do
        stop_bare
        run_bare
        sleep 0.3
    done
    end_load
    stop_bare
    printf '%s requests, %s failures, %s races, longest gap %.1f ms\n' "$(account requests)" \
        "$(account failures)" "$(account races)" "$(account longest_gap.ms)"
    account failures_by_class | tr -d '{}"' | tr , '\n' | grep -v ':0$' | sed 's/^/    /'
    figure restart.requests "$(account requests)"
    figure restart.failures "$(account failures)"
    [ "$(account failures)" -gt 0 ] || fail "the load client saw nothing where requests must have failed"
}
