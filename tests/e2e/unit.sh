#!/bin/sh
# The unit file names the programs where make install puts them, and systemd finds no mistake in it.
set -eu
: "${top_builddir:?}" # make check gives it

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
MAKEFLAGS='' make -s -C "$top_builddir" install DESTDIR="$work" >"$work/install.log" 2>&1 ||
    { cat "$work/install.log" >&2; fail "make install"; }
unit=$(find "$work" -name baton.service)
programs=$(sed -n 's/^Exec[A-Za-z]*=-\{0,1\}\(\/[^ ]*\).*/\1/p' "$unit" | sort -u)
[ "$(grep -c '^Exec' "$unit")" = 3 ] || fail "not three Exec lines in $unit"
[ "$(echo "$programs" | wc -l)" = 2 ] || fail "not two programs with absolute paths in $unit"
for program in $programs; do
    [ -x "$work$program" ] || fail "$program is not installed"
done
for program in baton-keeper baton-supervisor; do
    [ -x "$(dirname "$(find "$work" -name baton-sweep)")/$program" ] || fail "$program is not beside baton-sweep"
done
command -v systemd-analyze >/dev/null || { echo "SKIP: systemd-analyze is not installed"; exit 77; }
mkdir "$work/verify" # with programs that are there
sed "s|=\(-\{0,1\}\)/|=\1$work/|" "$unit" >"$work/verify/baton.service"
systemd-analyze verify --man=no "$work/verify/baton.service" 2>"$work/verify.log" || true
! grep -F "$work/verify/baton.service" "$work/verify.log" >&2 || fail "systemd-analyze has found mistakes"
