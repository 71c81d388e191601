#!/bin/sh
# The speed of the main job, in figures: `make bench` prints them and asserts none, but one: that the load
# client saw no request fail and no connection closed under a request (else exit status 1), except where it
# must see some.
#
#   make bench [UPGRADES=50] [MODE="short keepalive slow-response slow-upload"] [PARTS="…"] [JSON=FILE]
#
# PARTS are upgrades, latency, share, path, restart and status; all of them take two to three minutes on two
# processors. What depends on the machine is to be read as a ratio within one run.
# shellcheck disable=SC1090,SC1091,SC2034,SC2154 # what is sourced is checked on its own
set -eu
all_modes="short keepalive slow-response slow-upload"
all_parts="upgrades latency share path restart status"
upgrades=${UPGRADES:-50}
modes=${MODE:-$all_modes}
parts=${PARTS:-$all_parts}
json=${JSON:-}

# check_words NAME VALUE ALLOWED
check_words() {
    for word in $2; do
        case " $3 " in *" $word "*) continue ;; esac
        echo "bench: $1: \"$word\" is none of: $3" >&2
        exit 2
    done
}
check_words MODE "$modes" "$all_modes"
check_words PARTS "$parts" "$all_parts"
case $upgrades in
*[!0-9]* | "" | 0*)
    echo "bench: UPGRADES: \"$upgrades\" is not a number from 1" >&2
    exit 2
    ;;
esac
case $json in "" | /*) ;; *) json=$PWD/$json ;; esac

. "${top_srcdir:?}/tests/e2e/lib.sh"
bench=$top_srcdir/tests/bench
. "$bench/lib.sh"
for part in $parts; do
    . "$bench/bench_$part.sh"
done

lost=0 # failures and races where there must be none
mkfifo "$work/marks"
exec 8<>"$work/marks"
printf 'baton bench: %s processors, Linux %s, load average %s\n' \
    "$(nproc)" "$(uname -r)" "$(cut -d ' ' -f 1 /proc/loadavg)"
begin_s=$(date +%s)
for part in $parts; do
    "bench_$part"
done

printf '\n%s s. ' "$(($(date +%s) - begin_s))"
[ -z "$json" ] || figures_json >"$json"
if [ "$lost" != 0 ]; then
    echo "LOST: $lost requests."
    verdict=failed
    exit 1
fi
echo "No request was lost under baton."
passed
