#include "supervisor/process/spawn.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/guard.h"
#include "tests/unit/program.h"
#include "tests/unit/unit.h"

static char *inspect;           /* path of the program that tells what it was started with */
static char output[256 * 1024]; /* what it told */

/* argv or envp of literals; lives as long as the block it stands in. */
#define STRINGS(...) ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

static struct spawn_request request_for(const char *path)
{
    static const char *const argv[] = { "inspect", NULL }, *const envp[] = { NULL };

    return (struct spawn_request){
        .executable = -1,
        .path = path,
        .argv = (char *const *)argv,
        .envp = (char *const *)envp,
        .umask = 022,
        .stdout_fd = -1,
        .stderr_fd = -1,
        .helper = true,
    };
}

/* Wait for the child's word on its gate. */
static int await_result(struct spawn *spawn, struct spawn_failure *failure)
{
    struct pollfd gate = { .fd = spawn->gate, .events = POLLIN };

    while (poll(&gate, 1, -1) < 0)
        assert_int_equal(errno, EINTR);
    return spawn_result(spawn, failure);
}

static int await_exit(struct spawn *spawn)
{
    int status;

    assert_int_equal(waitpid(spawn->pid, &status, 0), spawn->pid);
    close(spawn->pidfd);
    return status;
}

/* Run a helper to its end; its stdout is left in `output`. */
static void run(struct spawn_request *request)
{
    struct spawn_failure failure;
    struct spawn spawn;
    int file = memfd_create("output", MFD_CLOEXEC);

    request->stdout_fd = file;
    assert_int_equal(spawn_start(request, &spawn), 0);
    if (await_result(&spawn, &failure) != SPAWN_EXECUTED)
        fail_msg("%s", spawn_failure_text(&failure, request));
    assert_int_equal(spawn.gate, -1);
    assert_int_equal(await_exit(&spawn), 0);
    ssize_t size = pread(file, output, sizeof output - 1, 0);
    assert_true(size > 0);
    output[size] = '\0';
    close(file);
}

/* The rest of the line that begins with `key` and a space. */
static const char *told(const char *key)
{
    static char value[4096];
    char start[256];

    snprintf(start, sizeof start, "\n%s ", key);
    const char *line = strncmp(output, start + 1, strlen(start + 1)) ? strstr(output, start) : output - 1;
    if (!line)
        return NULL;
    line += strlen(start);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\n"), line);
    return value;
}

static void assert_told(const char *key, const char *expected)
{
    const char *value = told(key);

    if (!value || strcmp(value, expected) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\" in\n%s", key, value ? value : "(nothing)", expected, output);
}

static void assert_inherited(int number, int source)
{
    char path[64], target[256] = "", key[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", source);
    assert_true(readlink(path, target, sizeof target - 1) > 0);
    snprintf(key, sizeof key, "fd %d", number);
    assert_told(key, target);
    snprintf(key, sizeof key, "flags %d", number);
    assert_told(key, "0");
}

static void a_child_inherits_what_the_request_lists_and_nothing_else(void **state)
{
    struct spawn_request request = request_for(inspect);
    int open_to_all[2], swapped[3];

    (void)state;
    assert_int_equal(pipe(open_to_all), 0); /* without close-on-exec */
    swapped[2] = eventfd(0, EFD_CLOEXEC); /* the targets 3, 4, 5 hit sources */
    swapped[1] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    swapped[0] = open("/", O_PATH | O_CLOEXEC);
    request.fds = (int[]){ swapped[0], swapped[1], open_to_all[0], swapped[2], swapped[1] };
    request.fd_count = 5;
    run(&request);
    for (int i = 0; i < 5; i++)
        assert_inherited(3 + i, request.fds[i]);
    assert_told("fd 0", "/dev/null");
    assert_told("fd 2", "/dev/null");
    assert_null(told("fd 8"));
    assert_null(strstr(output, "fd 9 "));
    assert_int_equal(fcntl(swapped[0], F_GETFD), FD_CLOEXEC);
    for (int i = 0; i < 3; i++)
        close(swapped[i]);
    close(open_to_all[0]);
    close(open_to_all[1]);
}

static void three_hundred_descriptors_arrive_in_order(void **state)
{
    struct spawn_request request = request_for(inspect);
    int fds[300];
    char name[16];

    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "number-%d", i);
        fds[299 - i] = memfd_create(name, MFD_CLOEXEC);
    }
    request.fds = fds;
    request.fd_count = 300;
    run(&request);
    for (int i = 0; i < 300; i++)
        assert_inherited(3 + i, fds[i]);
    assert_null(told("fd 303"));
    for (int i = 0; i < 300; i++)
        close(fds[i]);
}

static void signals_session_and_umask_are_fresh(void **state)
{
    struct spawn_request request = request_for(inspect);
    sigset_t some, before;

    (void)state;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &some, &before);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGRTMAX, SIG_IGN);
    request.umask = 027;
    run(&request);
    signal(SIGRTMAX, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_non_null(strstr(output, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(output, "SigIgn:\t0000000000000000"));
    assert_told("umask", "027");
    char pid[32];
    strcpy(pid, told("pid"));
    assert_told("sid", pid);
    assert_told("pgid", pid);
    assert_told("pdeathsig", "9");
}

static void arguments_environment_and_name_are_the_programs(void **state)
{
    struct spawn_request request = request_for(inspect);
    char *const *argv = STRINGS("a name", "", "two words");
    char *const *envp = STRINGS("A=1", "LISTEN_PID=", "B=LISTEN_PID=", "LISTEN_PID=7");

    (void)state;
    request.argv = argv;
    request.envp = envp;
    request.directory = "/";
    request.nofile_soft = 200;
    request.nofile_hard = 300;
    request.executable = open(inspect, O_PATH | O_CLOEXEC);
    run(&request);
    close(request.executable);
    assert_told("arg 0", "a name");
    assert_told("arg 1", "");
    assert_told("arg 2", "two words");
    assert_null(told("arg 3"));
    assert_non_null(strstr(output, "env A=1\nenv LISTEN_PID="));
    assert_non_null(strstr(output, "env B=LISTEN_PID=\nenv LISTEN_PID=7\n"));
    assert_int_equal(atoi(strstr(output, "env LISTEN_PID=") + 15), atoi(told("pid")));
    assert_string_equal(envp[1], "LISTEN_PID=");
    assert_told("comm", "inspect");
    assert_told("cwd", "/");
    assert_told("nofile", "200 300");
}

/* A private directory; the caller removes it. */
static char *make_directory(void)
{
    char *path = strdup("/tmp/baton-spawn-XXXXXX");

    assert_non_null(mkdtemp(path));
    return path;
}

static char *join(const char *directory, const char *name)
{
    char *path;

    assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t length, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[8 << 20];
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, bytes, sizeof bytes);

    assert_true(size > 0 && size < (ssize_t)sizeof bytes);
    write_file(to, bytes, (size_t)size, 0755);
    close(fd);
}

static void a_binary_runs_from_its_descriptor_after_its_file_was_replaced(void **state)
{
    char *directory = make_directory(), *path = join(directory, "server");
    struct spawn_request request = request_for(path);

    (void)state;
    copy_file(inspect, path);
    request.executable = open(path, O_PATH | O_CLOEXEC);
    assert_int_equal(unlink(path), 0);
    run(&request);
    write_file(path, "#!/bin/false\n", 13, 0755);
    run(&request);
    assert_told("arg 0", "inspect");
    close(request.executable);
    unlink(path);
    rmdir(directory);
    free(path);
    free(directory);
}

static void a_helper_becomes_the_user_before_it_enters_the_directory(void **state)
{
    gid_t groups[] = { 65533, 4711 };
    struct spawn_user user = {
        .change = true, .uid = 65534, .gid = 65533, .groups = groups, .group_count = 2
    };
    struct spawn_request request = request_for("/proc/self/exe");
    struct spawn_failure failure;
    struct spawn spawn;
    char *directory = make_directory(), *text;

    (void)state;
    if (geteuid() != 0)
        skip();
    request.executable = open(inspect, O_PATH | O_CLOEXEC);
    request.user = &user;
    request.directory = "/";
    run(&request);
    assert_told("uid", "65534 65534 65534");
    assert_told("gid", "65533 65533 65533");
    assert_true(!strcmp(told("groups"), "65533 4711") || !strcmp(told("groups"), "4711 65533"));
    assert_told("pdeathsig", "9");
    request.directory = directory; /* mode 0700, root's */
    assert_int_equal(spawn_start(&request, &spawn), 0);
    assert_int_equal(await_result(&spawn, &failure), SPAWN_FAILED);
    assert_int_equal(WEXITSTATUS(await_exit(&spawn)), SPAWN_EXIT_FAILED);
    assert_string_equal(failure.step, "chdir");
    assert_int_equal(failure.error, EACCES);
    text = spawn_failure_text(&failure, &request);
    assert_non_null(strstr(text, "as uid 65534: Permission denied"));
    free(text);
    close(request.executable);
    rmdir(directory);
    free(directory);
}

static void assert_failure(const struct spawn_request *request, const char *step, int error,
                           const char *words)
{
    struct spawn_failure failure = { 0 };
    struct spawn spawn;

    assert_int_equal(spawn_start(request, &spawn), 0);
    assert_int_equal(await_result(&spawn, &failure), SPAWN_FAILED);
    assert_int_equal(WEXITSTATUS(await_exit(&spawn)), SPAWN_EXIT_FAILED);
    assert_string_equal(failure.step, step);
    assert_int_equal(failure.error, error);
    char *text = spawn_failure_text(&failure, request);
    if (!text || !strstr(text, words) || !strstr(text, strerror(error)))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
    free(text);
}

static void each_way_exec_can_fail_is_named(void **state)
{
    Elf64_Ehdr foreign = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                                        EV_CURRENT },
                           .e_type = ET_EXEC,
                           .e_machine = EM_68K,
                           .e_version = EV_CURRENT };
    char *directory = make_directory(), *path = join(directory, "server");
    struct spawn_request request = request_for(path);

    (void)state;
    assert_failure(&request, "exec", ENOENT, path);
    write_file(path, "#!/bin/sh\n", 10, 0644);
    assert_failure(&request, "exec", EACCES, "not executable");
    write_file(path, "#!/no/such/interpreter\n", 23, 0755);
    assert_failure(&request, "exec", ENOENT, "interpreter");
    write_file(path, &foreign, sizeof foreign, 0755);
    assert_failure(&request, "exec", ENOEXEC, "another architecture");
    request.executable = open(path, O_PATH | O_CLOEXEC);
    assert_failure(&request, "exec", ENOEXEC, "another architecture");
    close(request.executable);
    request.executable = -1;
    request.path = directory;
    assert_failure(&request, "exec", EACCES, directory);
    request.path = inspect;
    request.directory = "/no/such/directory";
    assert_failure(&request, "chdir", ENOENT, "/no/such/directory");
    request.directory = NULL;
    request.nofile_soft = 2;
    request.nofile_hard = 1;
    assert_failure(&request, "setrlimit", EINVAL, inspect);
    request.nofile_soft = request.nofile_hard = 0;
    request.fds = (int[]){ 1 << 20 };
    request.fd_count = 1;
    assert_failure(&request, "place descriptors", EBADF, inspect);
    unlink(path);
    rmdir(directory);
    free(path);
    free(directory);
}

/* Run `body` in a process of its own, like a supervisor whose parent, the keeper, is this test. */
static pid_t fork_supervisor(void (*body)(int channel), int *channel)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    *channel = ends[0];
    return pid;
}

static pid_t receive_pid(int channel)
{
    pid_t pid;

    assert_int_equal(recv(channel, &pid, sizeof pid, 0), sizeof pid);
    return pid;
}

static void wait_for_child(pid_t pid, int expected_status)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, expected_status);
}

static void start_worker_and_wait(int channel)
{
    struct spawn_request request = request_for(inspect);
    struct spawn spawn;

    request.helper = false;
    if (spawn_start(&request, &spawn) != 0)
        _exit(1);
    send(channel, &spawn.pid, sizeof spawn.pid, 0);
    for (;;)
        pause();
}

static void a_worker_whose_supervisor_dies_before_go_is_never_executed(void **state)
{
    int channel;
    pid_t supervisor = fork_supervisor(start_worker_and_wait, &channel);
    pid_t worker = receive_pid(channel);

    (void)state;
    assert_int_equal(waitpid(worker, NULL, WNOHANG), 0); /* our child, alive */
    kill(supervisor, SIGKILL);
    wait_for_child(worker, SPAWN_EXIT_ORPHANED << 8);
    wait_for_child(supervisor, SIGKILL);
    close(channel);
}

static void start_worker_and_go(int channel)
{
    char *const *envp = STRINGS("EXIT=7");
    struct spawn_request request = request_for(inspect);
    struct spawn_failure failure;
    struct spawn spawn;

    request.helper = false;
    request.envp = envp;
    if (spawn_start(&request, &spawn) != 0)
        _exit(1);
    send(channel, &spawn.pid, sizeof spawn.pid, 0);
    if (spawn_result(&spawn, &failure) != SPAWN_PENDING || spawn_go(&spawn) != 0)
        _exit(2);
    if (await_result(&spawn, &failure) != SPAWN_EXECUTED || spawn.gate != -1)
        _exit(3);
    if (waitpid(spawn.pid, NULL, 0) != -1 || errno != ECHILD)
        _exit(4);
}

static void a_worker_is_the_keepers_child_and_starts_at_go(void **state)
{
    int channel;
    pid_t supervisor = fork_supervisor(start_worker_and_go, &channel);
    pid_t worker = receive_pid(channel);

    (void)state;
    wait_for_child(worker, 7 << 8);
    wait_for_child(supervisor, 0);
    close(channel);
}

static void start_worker_that_fails(int channel)
{
    struct spawn_request request = request_for("/no/such/program");
    struct spawn_failure failure;
    struct spawn spawn;

    request.helper = false;
    request.directory = "/no/such/directory";
    if (spawn_start(&request, &spawn) != 0)
        _exit(1);
    send(channel, &spawn.pid, sizeof spawn.pid, 0);
    struct pollfd pidfd = { .fd = spawn.pidfd, .events = POLLIN };
    poll(&pidfd, 1, -1);
    if (spawn_go(&spawn) != -EPIPE)
        _exit(2);
    if (spawn_result(&spawn, &failure) != SPAWN_FAILED || strcmp(failure.step, "chdir") != 0)
        _exit(3);
}

static void a_worker_that_fails_before_go_says_why(void **state)
{
    int channel;
    pid_t supervisor = fork_supervisor(start_worker_that_fails, &channel);
    pid_t worker = receive_pid(channel);

    (void)state;
    wait_for_child(worker, SPAWN_EXIT_FAILED << 8);
    wait_for_child(supervisor, 0);
    close(channel);
}

static void start_helper_and_wait(int channel)
{
    char *const *argv = STRINGS("sleep", "1000");
    struct spawn_request request = request_for("/bin/sleep");
    struct spawn_failure failure;
    struct spawn spawn;

    request.argv = argv;
    if (spawn_start(&request, &spawn) != 0 || await_result(&spawn, &failure) != SPAWN_EXECUTED)
        _exit(1);
    send(channel, &spawn.pid, sizeof spawn.pid, 0);
    for (;;)
        pause();
}

static void a_helper_dies_with_its_supervisor(void **state)
{
    int channel;

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t supervisor = fork_supervisor(start_helper_and_wait, &channel);
    pid_t helper = receive_pid(channel);
    kill(supervisor, SIGKILL);
    wait_for_child(supervisor, SIGKILL);
    wait_for_child(helper, SIGKILL);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    close(channel);
}

static void signals_reach_a_process_and_its_group_until_it_is_reaped(void **state)
{
    char *const *argv = STRINGS("sh", "-c", "sleep 1000 & echo $!; wait");
    struct spawn_request request = request_for("/bin/sh");
    struct spawn_failure failure;
    struct spawn spawn;
    char line[32] = "";
    int ends[2];

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    request.argv = argv;
    request.stdout_fd = ends[1];
    assert_int_equal(spawn_start(&request, &spawn), 0);
    assert_int_equal(await_result(&spawn, &failure), SPAWN_EXECUTED);
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    assert_int_equal(spawn_signal(&spawn, 0, true), 0);
    assert_int_equal(spawn_signal(&spawn, SIGTERM, true), 0);
    wait_for_child(spawn.pid, SIGTERM);
    wait_for_child(atoi(line), SIGTERM); /* its own child was reached too, and came to us */
    assert_int_equal(spawn_signal(&spawn, SIGKILL, false), -ESRCH);
    assert_int_equal(spawn_signal(&spawn, SIGKILL, true), -ESRCH);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    close(spawn.pidfd);
    close(ends[0]);
    close(ends[1]);
}

static void users_and_groups_are_found_by_name_and_number(void **state)
{
    struct spawn_user user, untouched = { .uid = 4711 };
    const char *what = NULL;

    (void)state;
    assert_int_equal(spawn_user_resolve(NULL, NULL, &user, &what), 0);
    assert_false(user.change);
    spawn_user_free(&user);
    assert_int_equal(spawn_user_resolve("no-such-user", NULL, &untouched, &what), -ENOENT);
    assert_string_equal(what, "user");
    assert_int_equal(spawn_user_resolve("root", "no-such-group", &untouched, &what), -ENOENT);
    assert_string_equal(what, "group");
    assert_int_equal(spawn_user_resolve("4294967295", "0", &untouched, &what), -ENOENT);
    assert_int_equal(spawn_user_resolve("-1", "0", &untouched, &what), -ENOENT);
    assert_int_equal(untouched.uid, 4711);
    if (geteuid() != 0)
        skip();
    assert_int_equal(spawn_user_resolve("root", NULL, &user, &what), 0);
    assert_true(user.change && user.uid == 0 && user.gid == 0 && user.group_count >= 1);
    assert_string_equal(user.name, "root");
    assert_string_equal(user.home, getpwuid(0)->pw_dir);
    spawn_user_free(&user);
    assert_int_equal(spawn_user_resolve("54321", NULL, &user, &what), -ENOENT);
    assert_string_equal(what, "group of a user without an account");
    assert_int_equal(spawn_user_resolve("54321", "12345", &user, &what), 0);
    assert_true(user.uid == 54321 && user.gid == 12345 && !user.name);
    assert_true(user.group_count == 1 && user.groups[0] == 12345);
    spawn_user_free(&user);
}

static void become_somebody_else(int channel)
{
    struct spawn_user user = { .change = true, .uid = 0, .gid = 0, .groups = &user.gid, .group_count = 1 };
    struct spawn_request request = request_for("/bin/true");
    struct spawn_failure failure;
    struct spawn spawn;
    const char *what;

    (void)channel;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        _exit(1);
    if (spawn_user_resolve("root", NULL, &user, &what) != -EPERM)
        _exit(2);
    if (spawn_user_resolve("65534", "65534", &user, &what) != 0 || user.change)
        _exit(3);
    spawn_user_free(&user);
    user = (struct spawn_user){ .change = true, .groups = &user.gid, .group_count = 1 };
    request.user = &user;
    if (spawn_start(&request, &spawn) != 0 || await_result(&spawn, &failure) != SPAWN_FAILED)
        _exit(4);
    if (strcmp(failure.step, "setgroups") != 0 || failure.error != EPERM)
        _exit(5);
    if (WEXITSTATUS(await_exit(&spawn)) != SPAWN_EXIT_FAILED)
        _exit(6);
}

static void who_is_not_root_cannot_become_another_user(void **state)
{
    int channel;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t supervisor = fork_supervisor(become_somebody_else, &channel);
    wait_for_child(supervisor, 0);
    close(channel);
}

static int find_programs(void **state)
{
    (void)state;
    inspect = program_path("tests/workers/inspect");
    return 0;
}

static int no_child_is_left(void **state)
{
    (void)state;
    free(inspect);
    return waitpid(-1, NULL, 0) == -1 && errno == ECHILD ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_child_inherits_what_the_request_lists_and_nothing_else),
        GUARDED(three_hundred_descriptors_arrive_in_order),
        GUARDED(signals_session_and_umask_are_fresh),
        GUARDED(arguments_environment_and_name_are_the_programs),
        GUARDED(a_binary_runs_from_its_descriptor_after_its_file_was_replaced),
        GUARDED(a_helper_becomes_the_user_before_it_enters_the_directory),
        GUARDED(each_way_exec_can_fail_is_named),
        GUARDED(a_worker_whose_supervisor_dies_before_go_is_never_executed),
        GUARDED(a_worker_is_the_keepers_child_and_starts_at_go),
        GUARDED(a_worker_that_fails_before_go_says_why),
        GUARDED(a_helper_dies_with_its_supervisor),
        GUARDED(signals_reach_a_process_and_its_group_until_it_is_reaped),
        GUARDED(users_and_groups_are_found_by_name_and_number),
        GUARDED(who_is_not_root_cannot_become_another_user),
    };

    return cmocka_run_group_tests(tests, find_programs, no_child_is_left);
}
