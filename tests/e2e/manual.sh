#!/bin/sh
# The manual pages are right mdoc, and baton.ini(5) has every key that the program knows.
set -eu
: "${top_srcdir:?}" "${top_builddir:?}"
command -v mandoc >/dev/null || { echo "SKIP: mandoc is not installed"; exit 77; }

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pages="$top_srcdir/supervisor/baton.1 $top_builddir/supervisor/baton.ini.5"
# shellcheck disable=SC2086 # a list of words
mandoc -T lint $pages 2>/dev/null >"$work/lint" || true
# Which other pages this machine has says nothing about ours.
! grep -v 'referenced manual not found' "$work/lint" >&2 || fail "mandoc has found mistakes"

keys=$("$top_builddir/baton" check --explain --listen unix:/tmp/a --listen '[::]:80' -- true |
    sed -n 's/^;\{0,1\}\([a-z_0-9]*\) =.*/\1/p' | sort -u)
[ "$(echo "$keys" | wc -l)" -gt 20 ] || fail "no keys are explained"
for key in $keys; do
    grep -qx "\.It Cm $key" "$top_builddir/supervisor/baton.ini.5" || fail "$key is not in baton.ini(5)"
done
for verb in $("$top_builddir/baton" --help | sed -n 's/^  baton \([a-z]*\) .*/\1/p'); do
    grep -q "^\.It Cm $verb" "$top_srcdir/supervisor/baton.1" || fail "$verb is not in baton(1)"
done
