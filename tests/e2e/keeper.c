/* The keeper loses no descriptor, no exit and no signal, whatever happens to its supervisors. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/rig.h"
#include "tests/unit/guard.h"
#include "tests/unit/program.h"
#include "tests/unit/unit.h"

/* Poll for a fact about processes that nobody reports. */
#define wait_until(condition)                                                                                \
    while (!(condition))                                                                                     \
    poll(NULL, 0, 5)

static bool is_gone(pid_t pid)
{
    pid_t parent;
    char state;

    return !rig_process(pid, &parent, &state);
}

static bool is_alive_child_of(pid_t pid, pid_t expected)
{
    pid_t parent;
    char state;

    return rig_process(pid, &parent, &state) && parent == expected && state != 'Z';
}

static pid_t spawn(struct rig *rig, const char *id, const char *command)
{
    int pid;

    rig_do(rig, "spawn %s %s", id, command);
    assert_int_equal(sscanf(rig_await(rig, "spawned %s", id), "spawned %*s %d", &pid), 1);
    rig_await(rig, "stored %s", id);
    return pid;
}

static void assert_entry(struct rig *rig, const char *id, pid_t pid, int exited, int status)
{
    const char *entry = rig_entry(rig, id);
    int values[3];

    if (!entry || sscanf(entry, "%d %d %d", &values[0], &values[1], &values[2]) != 3)
        fail_msg("no entry %s", id);
    assert_int_equal(values[0], pid);
    assert_int_equal(values[1], exited);
    if (exited)
        assert_int_equal(values[2], status);
}

static void a_new_supervisor_gets_what_the_old_one_stored(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    assert_false(rig.restarted || rig.safe_mode || rig.restarts || rig.entries);
    rig_do(&rig, "hello");
    rig_do(&rig, "store state");
    rig_await(&rig, "stored state");
    rig_do(&rig, "store dropped");
    rig_await(&rig, "stored dropped");
    rig_do(&rig, "drop dropped");
    pid_t worker = spawn(&rig, "w1.pidfd", "exec sleep 200");
    rig_replace(&rig, SIGKILL);
    assert_true(rig.restarted && !rig.safe_mode);
    assert_int_equal(rig.restarts, 1);
    assert_int_equal(rig.previous_status, SIGKILL);
    assert_int_equal(rig.entries, 2);
    assert_non_null(strstr(rig_entry(&rig, "state"), "/memfd:state"));
    assert_entry(&rig, "w1.pidfd", worker, 0, 0);
    assert_true(is_alive_child_of(worker, rig.keeper));
    rig_do(&rig, "drop state");
    rig_do(&rig, "store state"); /* replaced: one entry */
    rig_await(&rig, "stored state");
    rig_replace(&rig, SIGKILL);
    assert_int_equal(rig.restarts, 2);
    assert_int_equal(rig.entries, 2);
    rig_stop(&rig);
    assert_true(is_gone(worker));
}

static void a_store_survives_the_death_of_its_sender(void **state)
{
    struct rig rig;
    char id[32];

    (void)state;
    rig_start(&rig, NULL);
    for (int i = 0; i < 100; i++) {
        rig_do(&rig, "hello");
        rig_tell(&rig, "die-storing last.%d", i);
        rig_accept(&rig);
        assert_int_equal(rig.entries, i + 1);
        snprintf(id, sizeof id, "last.%d", i);
        assert_non_null(rig_entry(&rig, id));
    }
    rig_stop(&rig);
}

static void assert_all_back(struct rig *rig, unsigned count)
{
    char id[32], target[64];

    assert_int_equal(rig->entries, count);
    for (unsigned i = 0; i < count; i += i % 97 + 1) {
        snprintf(id, sizeof id, "many.%u", i);
        snprintf(target, sizeof target, "0 0 0 /memfd:%s (deleted)", id);
        assert_string_equal(rig_entry(rig, id), target);
    }
}

static void all_come_back(unsigned count)
{
    struct rig rig;

    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    rig_do(&rig, "many %u", count);
    for (unsigned i = 0; i < count; i++)
        rig_await(&rig, "stored many.%u", i);
    for (int times = 0; times < 3; times++) {
        rig_replace(&rig, SIGKILL);
        assert_all_back(&rig, count);
        rig_do(&rig, "hello");
    }
    rig_stop(&rig);
}

static void six_hundred_entries_survive_restarts(void **state)
{
    (void)state;
    all_come_back(600);
}

static void four_thousand_and_ninety_six_entries_survive_restarts(void **state)
{
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 2 * 4096)
        skip();
    all_come_back(4096);
}

static void what_does_not_fit_is_refused_and_what_fits_is_kept(void **state)
{
    struct rig_options options = { .nofile_soft = 100, .nofile_hard = 256 };
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    assert_int_equal(rig.nofile_soft, 100);
    assert_int_equal(rig.nofile_hard, 256);
    rig_do(&rig, "hello");
    rig_do(&rig, "many 400");
    rig_await(&rig, "stored many.100");
    rig_await(&rig, "refused many.399 %d", ENOSPC);
    rig_do(&rig, "drop many.7");
    rig_do(&rig, "store instead");
    rig_await(&rig, "stored instead");
    rig_do(&rig, "store supervisor"); /* the keeper's own */
    rig_await(&rig, "refused supervisor %d", EPERM);
    rig_do(&rig, "drop many.8");
    rig_do(&rig, "fake w1.pidfd"); /* a pid with a descriptor that is no pidfd */
    rig_await(&rig, "refused w1.pidfd %d", EINVAL);
    rig_replace(&rig, SIGKILL);
    assert_true(rig.entries > 100 && rig.entries < 256);
    assert_non_null(rig_entry(&rig, "instead"));
    rig_stop(&rig);
}

static void exits_are_repeated_until_the_entry_is_dropped(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    pid_t worker = spawn(&rig, "w1.pidfd", "exit 7");
    rig_await(&rig, "exit w1.pidfd %d %d", worker, 7 << 8);
    rig_replace(&rig, SIGKILL);
    assert_entry(&rig, "w1.pidfd", worker, 1, 7 << 8);
    rig_replace(&rig, SIGKILL);
    assert_entry(&rig, "w1.pidfd", worker, 1, 7 << 8);
    rig_do(&rig, "drop w1.pidfd");
    rig_replace(&rig, SIGKILL);
    assert_int_equal(rig.entries, 0);
    rig_stop(&rig);
}

static void an_exit_while_there_is_no_supervisor_is_known_to_the_next(void **state)
{
    struct rig rig;
    int status;

    (void)state;
    rig_start(&rig, NULL);
    for (int i = 0; i < 20; i++) {
        rig_do(&rig, "hello");
        pid_t worker = spawn(&rig, "w1.pidfd", "exec sleep 200");
        kill(rig.supervisor, SIGKILL);
        kill(worker, SIGUSR1);
        rig_accept(&rig);
        if (sscanf(rig_entry(&rig, "w1.pidfd"), "%*d 1 %d", &status) !=
            1) /* in the entry, or right behind it */
            assert_int_equal(sscanf(rig_await(&rig, "exit w1.pidfd"), "exit %*s %*d %d", &status), 1);
        assert_int_equal(status, SIGUSR1);
        rig_do(&rig, "drop w1.pidfd");
    }
    rig_stop(&rig);
}

static void workers_outlive_fifty_killed_and_stopped_supervisors(void **state)
{
    static const char *const ids[] = { "w1.pidfd", "w2.pidfd", "w3.pidfd" };
    struct rig rig;
    pid_t pids[3];

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    for (int i = 0; i < 3; i++)
        pids[i] = spawn(&rig, ids[i], "exec sleep 200");
    for (int times = 0; times < 50; times++) {
        rig_replace(&rig, times % 2 ? SIGSTOP : SIGKILL);
        assert_int_equal(rig.previous_status, SIGKILL);
        assert_int_equal(rig.restarts, times + 1);
        assert_false(rig.safe_mode);
        assert_int_equal(rig.entries, 3);
        for (int i = 0; i < 3; i++) {
            assert_entry(&rig, ids[i], pids[i], 0, 0);
            assert_true(is_alive_child_of(pids[i], rig.keeper));
        }
        rig_do(&rig, "hello");
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kill(pids[i], SIGUSR1 + (i == 2)), 0);
        rig_await(&rig, "exit %s %d %d", ids[i], pids[i], SIGUSR1 + (i == 2));
    }
    rig_stop(&rig);
}

static bool all_known(struct rig *rig)
{
    pid_t children[4096];
    size_t count = rig_children(rig->keeper, children, 4096);
    char text[32];

    for (size_t i = 0; i < count; i++) {
        bool known = children[i] == rig->supervisor;

        snprintf(text, sizeof text, " %d 0 0 ", children[i]);
        for (size_t j = 0; j < rig->bagged && !known; j++)
            known = !strncmp(rig->bag[j], "entry ", 6) && strstr(rig->bag[j], text);
        if (!known)
            return false;
    }
    return true;
}

/* A child that is not in the vault may exist, at its gate; it must go by itself and never be executed. */
static void no_worker_is_unknown_when_supervisors_are_killed_while_they_start_workers(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    for (int i = 0; i < 200; i++) {
        rig_do(&rig, "hello");
        rig_do(&rig, "flood");
        rig_await(&rig, "flooding");
        for (volatile int spin = rand() % 500000; spin > 0; spin--)
            ;
        rig_replace(&rig, SIGKILL);
        wait_until(all_known(&rig));
        rig_do(&rig, "clear");
        rig_await(&rig, "clear");
    }
    rig_stop(&rig);
}

static void an_exit_belongs_to_its_own_worker_when_pids_are_reused(void **state)
{
    struct rig_options options = { .pid_namespace = true };
    struct rig rig;

    (void)state;
    if (!rig_launch(&rig, &options))
        skip();
    rig_accept(&rig);
    rig_do(&rig, "hello");
    rig_do(&rig, "reuse 300");
    assert_string_equal(rig_await(&rig, "reused"), "reused 300 0");
    rig_stop(&rig);
}

static void the_first_process_of_a_container_reaps_orphans(void **state)
{
    struct rig_options options = { .pid_namespace = true };
    struct rig rig;
    pid_t children[8];

    (void)state;
    if (!rig_launch(&rig, &options))
        skip();
    rig_accept(&rig);
    rig_do(&rig, "hello");
    rig_do(&rig, "spawn w1.pidfd (sleep 200 & :) & wait; exec sleep 200");
    rig_await(&rig, "stored w1.pidfd");
    wait_until(rig_children(rig.keeper, children, 8) == 3); /* supervisor, worker, the orphan */
    rig_do(&rig, "kill w1.pidfd 9");
    rig_await(&rig, "exit w1.pidfd");
    wait_until(rig_children(rig.keeper, children, 8) == 2);
    for (int i = 0; i < 2; i++)
        if (children[i] != rig.supervisor)
            kill(children[i], SIGKILL);
    wait_until(is_gone(children[0]) || is_gone(children[1])); /* no zombie either */
    assert_int_equal(kill(rig.keeper, SIGUSR2), 0);
    rig_await(&rig, "signal %d", SIGUSR2);
    rig_stop(&rig);
}

static void signals_are_repeated_until_they_are_acknowledged(void **state)
{
    static const int forwarded[] = { SIGUSR2, SIGHUP,  SIGUSR1, SIGWINCH, SIGTTIN,
                                     SIGTTOU, SIGQUIT, SIGTERM, SIGINT };
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) {
        int signo = forwarded[i], next = forwarded[(i + 1) % 4];

        assert_int_equal(kill(rig.keeper, signo), 0);
        rig_await(&rig, "signal %d", signo);
        rig_replace(&rig, SIGKILL);
        rig_do(&rig, "hello");
        rig_await(&rig, "signal %d", signo);
        rig_do(&rig, "done %d", signo);
        rig_replace(&rig, SIGKILL);
        rig_do(&rig, "hello");
        assert_int_equal(kill(rig.keeper, next), 0);
        char first[32];
        snprintf(first, sizeof first, "signal %d", next);
        assert_string_equal(rig_await(&rig, "signal "), first); /* not the acknowledged one again */
        rig_do(&rig, "done %d", next);
    }
    rig_stop(&rig);
}

static void workers_up_and_down_are_counted_other_signals_are_remembered_once(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(kill(rig.keeper, SIGTTIN), 0);
        rig_await(&rig, "signal %d", SIGTTIN);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kill(rig.keeper, SIGUSR2), 0);
        rig_await(&rig, "signal %d", SIGUSR2);
    }
    assert_int_equal(kill(rig.keeper, SIGUSR2), 0); /* a third has no place */
    rig_replace(&rig, SIGKILL);
    rig_do(&rig, "hello");
    for (int i = 0; i < 5; i++)
        rig_await(&rig, "signal %d", SIGTTIN);
    for (int i = 0; i < 2; i++)
        rig_await(&rig, "signal %d", SIGUSR2);
    assert_int_equal(kill(rig.keeper, SIGUSR1), 0);
    assert_string_equal(rig_await(&rig, "signal "), "signal 10"); /* nothing came in between */
    rig_stop(&rig);
}

static void supervisors_that_die_before_hello_lead_to_safe_mode(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    for (unsigned i = 1; i <= 4; i++) {
        rig_tell(&rig, "exit 9");
        rig_accept(&rig);
        assert_int_equal(rig.restarts, i);
        assert_int_equal(rig.previous_status, 9 << 8);
        assert_int_equal(rig.safe_mode, i >= 3);
    }
    assert_true(rig_said(&rig, "status=9"));
    rig_do(&rig, "hello");
    rig_replace(&rig, SIGKILL); /* no fast death: it had said HELLO */
    assert_false(rig.safe_mode);
    rig_do(&rig, "hello");
    for (int i = 1; i <= 3; i++) { /* HELLO and then a crash: its state may be the reason */
        rig_do(&rig, "hello");
        rig_tell(&rig, "raise %d", SIGSEGV);
        rig_accept(&rig);
        assert_int_equal(rig.safe_mode, i == 3);
    }
    rig_stop(&rig);
}

static void a_supervisor_that_breaks_the_protocol_is_replaced(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    rig_do(&rig, "store state");
    rig_tell(&rig, "garbage");
    rig_accept(&rig);
    assert_int_equal(rig.previous_status, SIGKILL);
    assert_non_null(rig_entry(&rig, "state"));
    assert_true(rig_said(&rig, "shorter than a header"));
    rig_stop(&rig);
}

static void stop_reaches_the_supervisor_each_time(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kill(rig.keeper, SIGTERM), 0);
        rig_await(&rig, "signal %d", SIGTERM);
    }
    pid_t worker = spawn(&rig, "w1.pidfd", "exec sleep 200");
    rig_do(&rig, "finish 3");
    assert_true(is_alive_child_of(worker, rig.keeper)); /* until the supervisor has gone */
    rig_tell(&rig, "exit 0");
    assert_int_equal(rig_wait(&rig), 3 << 8);
    assert_true(is_gone(worker));
    rig_free(&rig);
}

static void a_stop_in_a_crash_loop_ends_the_workers(void **state)
{
    char path[] = "/tmp/baton-keeper-XXXXXX", words[8] = "";
    int file = mkstemp(path);
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    /* A shell's child that has not executed its program yet would miss the signal. */
    rig_do(&rig,
           "spawn w1.pidfd trap 'echo term >%s; exit' TERM; sleep 200 & "
           "until grep -q sleep /proc/$!/comm; do :; done; echo up >%s; wait",
           path, path);
    rig_await(&rig, "stored w1.pidfd");
    wait_until(pread(file, words, sizeof words, 0) == 3);
    for (int i = 0; i < 3; i++) {
        rig_tell(&rig, "exit 9");
        rig_accept(&rig);
    }
    assert_true(rig.safe_mode);
    assert_int_equal(kill(rig.keeper, SIGTERM), 0);
    assert_int_equal(rig_wait(&rig), EXIT_FAILURE << 8);
    assert_int_equal(pread(file, words, sizeof words, 0), 5);
    assert_memory_equal(words, "term\n", 5);
    assert_true(rig_said(&rig, "ending them"));
    rig_free(&rig);
    unlink(path);
    close(file);
}

static void a_stop_that_kills_each_supervisor_ends_the_workers(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    pid_t worker = spawn(&rig, "w1.pidfd", "exec sleep 200");
    assert_int_equal(kill(rig.keeper, SIGTERM), 0);
    rig_await(&rig, "signal %d", SIGTERM);
    for (int i = 0; i < 2; i++) {
        rig_tell(&rig, "exit 9");
        rig_accept(&rig);
        rig_await(&rig, "signal %d", SIGTERM);
    }
    rig_tell(&rig, "exit 9"); /* the third that dies of it */
    assert_int_equal(rig_wait(&rig), EXIT_FAILURE << 8);
    assert_true(is_gone(worker));
    rig_free(&rig);
}

/* Put another file in the place of `path`, as an installer does. */
static void install(const char *from, const char *path)
{
    char command[1024];

    snprintf(command, sizeof command, "cp '%s' '%s.new' && mv '%s.new' '%s'", from, path, path, path);
    assert_int_equal(system(command), 0);
}

static void a_new_binary_that_does_not_work_gives_way_to_the_old_one(void **state)
{
    char directory[] = "/tmp/baton-keeper-XXXXXX", path[64];
    char *minisup = program_path("tests/workers/minisup");
    struct rig rig;
    struct rig_options options = { .supervisor = path };

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/supervisor", directory);
    install(minisup, path);
    rig_start(&rig, &options);
    rig_do(&rig, "hello");
    install("/bin/false", path);
    rig_replace(&rig, SIGKILL); /* false has its chance, then the old binary */
    assert_int_equal(rig.restarts, 2);
    assert_int_equal(rig.previous_status, 1 << 8);
    assert_true(rig_said(&rig, "does not work: starting the supervisor that worked before"));
    rig_do(&rig, "hello");
    install("/etc/passwd", path); /* not executable */
    rig_replace(&rig, SIGKILL);
    assert_int_equal(rig.previous_status, 127 << 8);
    rig_do(&rig, "hello");
    assert_int_equal(unlink(path), 0);
    rig_replace(&rig, SIGKILL);
    assert_true(rig_said(&rig, "cannot be opened: starting the supervisor that worked before"));
    rig_do(&rig, "hello");
    install(minisup, path);
    rig_replace(&rig, SIGKILL);
    rig_do(&rig, "hello");
    rig_stop(&rig);
    unlink(path);
    rmdir(directory);
    free(minisup);
}

static void a_first_supervisor_that_cannot_be_started_ends_the_keeper(void **state)
{
    struct rig_options missing = { .supervisor = "/no/such/supervisor" };
    struct rig_options no_program = { .supervisor = "/etc/passwd" };
    struct rig rig;

    (void)state;
    assert_true(rig_launch(&rig, &missing));
    assert_int_equal(rig_wait(&rig), EXIT_FAILURE << 8);
    assert_true(rig_said(&rig, "cannot start /no/such/supervisor: No such file or directory"));
    rig_free(&rig);
    assert_true(rig_launch(&rig, &no_program));
    assert_int_equal(rig_wait(&rig), EXIT_FAILURE << 8);
    assert_true(rig_said(&rig, "cannot execute /etc/passwd: Permission denied"));
    rig_free(&rig);
}

static size_t descriptors_of(pid_t pid)
{
    char path[64], target[256];
    size_t count = 0;

    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        count += readlink(path, target, sizeof target) > 0;
    }
    return count;
}

static void what_the_keeper_inherits_by_accident_goes_to_nobody(void **state)
{
    struct rig rig;
    int accident = open("/dev/null", O_RDONLY);

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    rig_do(&rig, "store state"); /* when that is stored, HELLO was heard */
    rig_await(&rig, "stored state");
    assert_int_equal(descriptors_of(rig.supervisor), 3 + 2); /* its channel and ours */
    /* Signals, channel, binary twice, pidfd, state; and root alone may look. */
    assert_int_equal(descriptors_of(rig.keeper), geteuid() == 0 ? 3 + 6 : 0);
    assert_int_equal(getpgid(rig.supervisor), rig.supervisor);
    rig_stop(&rig);
    close(accident);
}

/* The exit status of tests/workers/minisup whose channel ended. */
enum { MINISUP_LOST_KEEPER = 73 };

static void the_supervisor_dies_with_the_keeper_and_workers_live_on(void **state)
{
    struct rig rig;
    int status;

    (void)state;
    rig_start(&rig, NULL);
    rig_do(&rig, "hello");
    pid_t worker = spawn(&rig, "w1.pidfd", "exec sleep 200");
    assert_int_equal(kill(rig.keeper, SIGKILL), 0);
    assert_int_equal(rig_wait(&rig), SIGKILL);
    assert_int_equal(waitpid(rig.supervisor, &status, 0), rig.supervisor); /* ours now */
    /* By its death signal, unless it saw the end of its channel first. */
    assert_true(status == SIGKILL || status == MINISUP_LOST_KEEPER << 8);
    assert_true(is_alive_child_of(worker, getpid()));
    kill(worker, SIGKILL);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(a_new_supervisor_gets_what_the_old_one_stored),
        GUARDED(a_store_survives_the_death_of_its_sender),
        GUARDED(six_hundred_entries_survive_restarts),
        GUARDED(four_thousand_and_ninety_six_entries_survive_restarts),
        GUARDED(what_does_not_fit_is_refused_and_what_fits_is_kept),
        GUARDED(exits_are_repeated_until_the_entry_is_dropped),
        GUARDED(an_exit_while_there_is_no_supervisor_is_known_to_the_next),
        GUARDED(workers_outlive_fifty_killed_and_stopped_supervisors),
        GUARDED(no_worker_is_unknown_when_supervisors_are_killed_while_they_start_workers),
        GUARDED(an_exit_belongs_to_its_own_worker_when_pids_are_reused),
        GUARDED(the_first_process_of_a_container_reaps_orphans),
        GUARDED(signals_are_repeated_until_they_are_acknowledged),
        GUARDED(workers_up_and_down_are_counted_other_signals_are_remembered_once),
        GUARDED(supervisors_that_die_before_hello_lead_to_safe_mode),
        GUARDED(a_supervisor_that_breaks_the_protocol_is_replaced),
        GUARDED(stop_reaches_the_supervisor_each_time),
        GUARDED(a_stop_in_a_crash_loop_ends_the_workers),
        GUARDED(a_stop_that_kills_each_supervisor_ends_the_workers),
        GUARDED(a_new_binary_that_does_not_work_gives_way_to_the_old_one),
        GUARDED(a_first_supervisor_that_cannot_be_started_ends_the_keeper),
        GUARDED(what_the_keeper_inherits_by_accident_goes_to_nobody),
        GUARDED(the_supervisor_dies_with_the_keeper_and_workers_live_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
