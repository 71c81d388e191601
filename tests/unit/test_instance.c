#include "supervisor/cli/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/core/config_words.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static char scratch[64]; /* of this test, removed behind it */

static int make_scratch(void **state)
{
    strcpy(scratch, "/tmp/test_instance.XXXXXX");
    assert_non_null(mkdtemp(scratch));
    unsetenv("BATON_RUNTIME_DIR");
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("XDG_STATE_HOME");
    return guard_setup(state);
}

static int remove_scratch(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", scratch);
    assert_int_equal(system(command), 0);
    return guard_teardown(state);
}

#define SCRATCH(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)

static char *below(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof *paths, "%s/%s", scratch, name);
    return path;
}

static void assert_bases(const char *first, const char *second)
{
    char **bases = instance_bases();

    assert_string_equal(bases[0], first);
    if (second)
        assert_string_equal(bases[1], second);
    else
        assert_null(bases[1]);
    config_words_free(bases);
}

/* As another user, if we may be one. */
static void bases_of_a_user(void)
{
    char fallback[64];

    if (geteuid() == 0 && seteuid(65534) < 0)
        skip();
    snprintf(fallback, sizeof fallback, "/tmp/baton-%u", (unsigned)geteuid());
    assert_bases(fallback, NULL);
    setenv("XDG_RUNTIME_DIR", "relative", 1); /* to be ignored */
    assert_bases(fallback, NULL);
    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    assert_bases("/run/user/1/baton", fallback);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void bases_follow_the_environment(void **state)
{
    (void)state;
    bases_of_a_user();
    if (geteuid() == 0)
        assert_bases("/run/baton", NULL);
    setenv("BATON_RUNTIME_DIR", "/srv/run", 1);
    assert_bases("/srv/run", NULL);
}

static void a_runtime_directory_is_made_once_and_used_again(void **state)
{
    char *directory = NULL, *again = NULL;
    struct stat status;

    (void)state;
    setenv("BATON_RUNTIME_DIR", below("a/b/c"), 1);
    assert_int_equal(instance_make_runtime("blog", &directory, NULL), 0);
    assert_string_equal(directory, below("a/b/c/blog"));
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 022, 0);
    assert_int_equal(instance_make_runtime("blog", &again, NULL), 0);
    assert_string_equal(again, directory);
    free(directory);
    free(again);
}

static void assert_unusable(const char *why)
{
    char *directory = NULL, *reason = NULL;

    assert_true(instance_make_runtime("blog", &directory, &reason) < 0);
    assert_null(directory);
    if (!strstr(reason, why))
        fail_msg("%s", reason);
    free(reason);
}

static void what_others_can_change_is_not_used(void **state)
{
    (void)state;
    setenv("BATON_RUNTIME_DIR", below("run"), 1);
    mkdir(below("run"), 0755);
    mkdir(below("run/blog"), 0755);
    chmod(below("run/blog"), 0775);
    assert_unusable("others may write to it");
    rmdir(below("run/blog"));
    mkdir(below("elsewhere"), 0700);
    assert_int_equal(symlink(below("elsewhere"), below("run/blog")), 0);
    assert_unusable("it is not a directory");
    unlink(below("run/blog"));
    chmod(below("run"), 0777);
    assert_unusable("everybody may write to it");
    if (geteuid() == 0) {
        chmod(below("run"), 0755);
        mkdir(below("run/blog"), 0755);
        assert_int_equal(chown(below("run/blog"), 65534, 65534), 0);
        assert_unusable("it belongs to another user");
    }
}

static void a_file_in_the_way_is_told(void **state)
{
    (void)state;
    close(open(below("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    setenv("BATON_RUNTIME_DIR", below("file"), 1);
    assert_unusable("it is not a directory");
    setenv("BATON_RUNTIME_DIR", below("file/deeper"), 1);
    assert_unusable("Not a directory");
}

static void state_goes_where_it_is_configured(void **state)
{
    char *directory = NULL;

    (void)state;
    assert_int_equal(instance_make_state("blog", below("state"), &directory, NULL), 0);
    assert_string_equal(directory, below("state/blog"));
    free(directory);
}

static void a_users_state_goes_home(void **state)
{
    char *directory = NULL, *reason = NULL;

    (void)state;
    chmod(scratch, 0777);
    if (geteuid() == 0 && seteuid(65534) < 0)
        skip();
    mkdir(below("home"), 0700);
    setenv("HOME", below("home"), 1);
    assert_int_equal(instance_make_state("blog", NULL, &directory, NULL), 0);
    assert_string_equal(directory, below("home/.local/state/baton/blog"));
    free(directory);
    setenv("XDG_STATE_HOME", below("home/xdg"), 1);
    assert_int_equal(instance_make_state("blog", NULL, &directory, NULL), 0);
    assert_string_equal(directory, below("home/xdg/baton/blog"));
    free(directory);
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    assert_int_equal(instance_make_state("blog", NULL, &directory, &reason), -ENOENT);
    assert_string_equal(reason, "there is no place for the state: set state_dir, or HOME");
    free(reason);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void the_place_of_the_state_is_remembered(void **state)
{
    char *found = NULL, *reason = NULL;

    (void)state;
    assert_int_equal(instance_recall_state(scratch, &found, &reason), -ENOENT);
    assert_null(found);
    free(reason);
    assert_int_equal(instance_remember_state(scratch, "/srv/one", NULL), 0);
    assert_int_equal(instance_remember_state(scratch, "/srv/two", NULL), 0);
    assert_int_equal(instance_recall_state(scratch, &found, NULL), 0);
    assert_string_equal(found, "/srv/two");
    free(found);
}

static void one_baton_has_the_lock(void **state)
{
    int first = -1, second = -1;
    char *reason = NULL, expected[128];

    (void)state;
    assert_int_equal(instance_running(scratch), 0);
    assert_int_equal(instance_lock(scratch, "blog", &first, NULL), 0);
    assert_int_equal(instance_running(scratch), getpid());
    assert_int_equal(instance_lock(scratch, "blog", &second, &reason), -EBUSY);
    snprintf(expected, sizeof expected, "another baton named blog is running (pid %d); choose another --name",
             (int)getpid());
    assert_string_equal(reason, expected);
    assert_int_equal(second, -1);
    free(reason);
    close(first);
    assert_int_equal(instance_running(scratch), 0);
    assert_int_equal(instance_lock(scratch, "blog", &second, NULL), 0);
    close(second);
}

/* The lock is held by whoever has the descriptor, also behind an exec. */
static void the_lock_survives_an_exec(void **state)
{
    int lock = -1, ends[2];
    char byte;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(instance_lock(scratch, "blog", &lock, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[0], 0);
        execl("/bin/sh", "sh", "-c", "read line; exit 0", (char *)NULL);
        _exit(127);
    }
    close(lock);
    close(ends[0]);
    assert_int_equal(instance_running(scratch), getpid()); /* who wrote it is what the file says */
    byte = '\n';
    assert_int_equal(write(ends[1], &byte, 1), 1);
    close(ends[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(instance_running(scratch), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH(bases_follow_the_environment),
        SCRATCH(a_runtime_directory_is_made_once_and_used_again),
        SCRATCH(what_others_can_change_is_not_used),
        SCRATCH(a_file_in_the_way_is_told),
        SCRATCH(state_goes_where_it_is_configured),
        SCRATCH(a_users_state_goes_home),
        SCRATCH(the_place_of_the_state_is_remembered),
        SCRATCH(one_baton_has_the_lock),
        SCRATCH(the_lock_survives_an_exec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
