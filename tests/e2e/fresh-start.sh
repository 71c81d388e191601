#!/bin/sh
# Program, working directory, arguments and environment file are looked up anew for every generation, and for no
# respawn: a moved release link counts from the next upgrade on, and a release that is gone takes nothing along.
. "${top_srcdir:?}/tests/e2e/lib.sh"

free_port port
free_port other
: "${port:?}" "${other:?}"
url=http://127.0.0.1:$port/
mkdir releases dumps bin
# release N: a program whose directory, arguments and text are of that release.
release() {
    mkdir "releases/$1"
    cp "$helpers/worker_native" "releases/$1/serve"
    make_script "releases/$1/script" "exec '$helpers/worker_passive' --label \"script$1 \$(cat \"\$1\")\""
    make_script "releases/$1/searched" "exec '$helpers/worker_passive' --label searched$1"
    echo "text$1" >"releases/$1/text.conf"
    ln -sfn "releases/$1" current
}
release 41
cat >variables <<'ENV'
# what the release is told
COLOUR=blue
NAME="two words"
ENV
cat >fresh.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[listener other]
address = 127.0.0.1:$other
[service linked]
command = $work/current/serve --env-dump $work/dumps/now
listen = web
ready = native
directory = $work/current
environment_file = $work/variables
environment = NAME=loses KEPT=yes
output = $work/linked.log
[service plain]
command = current/script current/text.conf
listen = other
ready = notify
output = $work/plain.log
INI

# What the latest process of `linked` was started with.
expect_fact() { grep -Fqx -e "$1" dumps/now || fail "not \"$1\" but: $(grep -e "^${1%%=*}" dumps/now)"; }
expect_program() {
    pid=$(service_status linked 'generations.*.workers.*.pid')
    expect_fact "pid $pid"
    expect_equal "program of pid $pid" "$work/releases/$1/serve$2" "$(readlink "/proc/$pid/exe")"
}
# shellcheck disable=SC2317 # wait_for calls it
respawned() {
    now=$(service_status "$1" 'generations.*.workers.*.state' 'generations.*.workers.*.pid' | tr '\n' ' ')
    case $now in "serving $2 ") return 1 ;; "serving "*) ;; *) return 1 ;; esac
}
# kill_worker SERVICE N: and wait until another process of generation N serves.
kill_worker() {
    killed=$(worker_pids "$1")
    kill -9 "$killed"
    wait_for "$patience_s" respawned "$1" "$killed"
    wait_settled "$1" "$2"
}
# refused TEXT: the upgrade of `linked` is given up with exit status 3 and this text; the same process serves.
refused() {
    before=$(worker_pids linked)
    expect_exit 3 "$baton" upgrade linked --wait
    expect_said "$1"
    expect_equal "process that serves" "$before" "$(worker_pids linked)"
    fetch "$url"
}

start_baton fresh.ini
wait_settled linked 1
wait_settled plain 1
say "the first release"
expect_program 41 ""
expect_fact "cwd $work/releases/41"
expect_fact "arg 0 $work/current/serve"
expect_fact "env COLOUR=blue"
expect_fact "env NAME=two words"
expect_fact "env KEPT=yes"
fetch "http://127.0.0.1:$other/"
expect_header X-Label "script41 text41"

say "the link moves, the file changes: a respawn is still of the old release"
release 42
sed -i 's/blue/green/' variables
kill_worker linked 1
expect_program 41 ""
expect_fact "cwd $work/releases/41"
expect_fact "env COLOUR=blue"
kill_worker plain 1
fetch "http://127.0.0.1:$other/"
expect_header X-Label "script41 text41"

say "an upgrade is of the new one, and the old one can go"
expect_exit 0 "$baton" upgrade --wait
wait_settled linked 2
wait_settled plain 2
rm -r releases/41
expect_program 42 ""
expect_fact "cwd $work/releases/42"
expect_fact "env COLOUR=green"
fetch "http://127.0.0.1:$other/"
expect_header X-Label "script42 text42"

say "a program that is replaced or removed: the respawn is the one that was started, the upgrade the new one"
cp "$helpers/worker_native" releases/42/new
mv releases/42/new releases/42/serve
kill_worker linked 2
expect_program 42 " (deleted)"
expect_exit 0 "$baton" upgrade linked --wait
wait_settled linked 3
expect_program 42 ""

say "an environment file that is missing or wrong: exit status 3, file and line"
mv variables kept
refused "environment file $work/variables: No such file or directory"
printf '%s\n' COLOUR=red '' 'not a variable' >variables
refused "environment file $work/variables:3:"
mv kept variables

say "a release link that leads nowhere, a program that is not there, is no program, may not be executed"
ln -sfn releases/43 current
refused "working directory $work/current: No such file or directory"
mkdir releases/43
refused "cannot execute $work/current/serve: No such file or directory"
echo "no program" >releases/43/serve
refused "$work/current/serve is not executable (mode 0644): chmod +x it"
printf '#!/nowhere/sh\n' >releases/43/serve
chmod +x releases/43/serve
refused "/nowhere/sh"
ln -sfn releases/42 current
expect_exit 0 "$baton" upgrade linked --wait

stop_baton

say "a name without a slash is found in PATH, baton's or the section's, anew for every generation"
mkdir bin2
cp releases/42/searched bin2/serve-searched
cat >path.ini <<INI
[baton]
state_dir = $work/state
[listener web]
address = 127.0.0.1:$port
[service searched]
command = serve-searched
listen = web
ready = notify
environment = PATH=$work/bin:$work/bin2:$PATH
output = $work/searched.log
INI
start_baton path.ini
wait_settled searched 1
fetch "$url"
expect_header X-Label searched42
make_script bin/serve-searched "exec '$helpers/worker_passive' --label earlier"
expect_exit 0 "$baton" upgrade --wait
fetch "$url"
expect_header X-Label earlier
rm bin/serve-searched bin2/serve-searched
expect_exit 3 "$baton" upgrade --wait
expect_said 'command "serve-searched" not found in PATH'
fetch "$url"
expect_header X-Label earlier
passed
