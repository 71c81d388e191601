#!/bin/sh
# libbaton shows the functions of baton.h and nothing else, shared and static; a native worker links
# with what make install installed, and static with musl, and each serves under a supervisor.
set -eu
: "${top_srcdir:?}" "${top_builddir:?}" "${CC:?}" # make check gives them

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
worker=$top_srcdir/tests/workers/native.c
play=$top_builddir/tests/e2e/play_supervisor

MAKEFLAGS='' make -s -C "$top_builddir" install DESTDIR="$root" >"$work/install.log" 2>&1 ||
    { cat "$work/install.log" >&2; fail "make install"; }
header=$(find "$root" -name baton.h)
archive=$(find "$root" -name libbaton.a)
libdir=$(dirname "$archive")
grep -o '^[a-z].*[ *]baton_[a-z_]*(' "$header" | sed 's/.*[ *]\(baton_.*\)(/\1/' | sort >"$work/declared"
[ -s "$work/declared" ] || fail "no functions found in $header"

# only_declared WHAT: the symbols on stdin, as nm prints them, are those of the header.
only_declared() {
    awk 'NF == 3 { print $3 }' | sort | diff "$work/declared" - >"$work/diff" ||
        { cat "$work/diff" >&2; fail "$1: not the functions of baton.h"; }
}
nm -g --defined-only "$archive" | only_declared libbaton.a
if [ -e "$libdir/libbaton.so" ]; then # not with --disable-shared
    nm -D --defined-only "$libdir/libbaton.so" | only_declared libbaton.so
fi

# pkg-config as a person would call it; the two ALLOW are for a prefix of /usr.
flags=$(PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH=$libdir/pkgconfig \
    PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --cflags --libs baton) ||
    fail "pkg-config does not know baton"
# shellcheck disable=SC2086 # lists of words
$CC ${SANITIZE:-} -o "$work/shared" "$worker" $flags || fail "a worker does not build with: $flags"
LD_LIBRARY_PATH=$libdir "$play" "$work/shared" || fail "the worker with the shared library"
# shellcheck disable=SC2086
$CC ${SANITIZE:-} -I"$(dirname "$header")" -o "$work/static" "$worker" "$archive" || fail "no link with libbaton.a"
"$play" "$work/static" || fail "the worker with libbaton.a"

if ! command -v musl-gcc >/dev/null; then
    echo "SKIP: musl-gcc is missing (apt-get install musl-tools)"
    exit 77
fi
set --
for file in $LIBBATON_SOURCES; do
    case $file in *.c) set -- "$@" "$top_srcdir/$file" ;; esac
done
musl-gcc -static -std=c11 -D_GNU_SOURCE -DBATON_VERSION='"musl"' -I"$top_srcdir" -I"$top_srcdir/proto" \
    -Wall -Werror -o "$work/musl" "$worker" "$@" || fail "no static build with musl"
"$play" "$work/musl" || fail "the worker with musl"
