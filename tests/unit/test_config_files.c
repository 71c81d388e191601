#include "supervisor/config_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config_case.h"
#include "tests/unit/guard.h"

static char scratch[64]; /* of this test, removed behind it */

static int make_scratch(void **state)
{
    strcpy(scratch, "/tmp/test_config_files.XXXXXX");
    assert_non_null(mkdtemp(scratch));
    return guard_setup(state);
}

static int remove_scratch(void **state)
{
    char command[256];

    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -rf %s", scratch, scratch);
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

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(below(name), "we");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Loading main.ini fails with one error, which ends in `what`. */
static void assert_load_refused(const char *what)
{
    struct config *config = NULL;
    struct config_errors errors;

    assert_int_equal(config_files_load(below("main.ini"), &config, &errors), -EINVAL);
    assert_null(config);
    assert_int_equal(errors.count, 1);
    if (strlen(errors.lines[0]) < strlen(what) ||
        strcmp(errors.lines[0] + strlen(errors.lines[0]) - strlen(what), what) != 0)
        fail_msg("%s", errors.lines[0]);
    config_errors_free(&errors);
}

static void included_files_are_found_in_order(void **state)
{
    struct config *config = NULL;
    struct config_errors errors;

    (void)state;
    write_file("main.ini", "[baton]\ninclude = d/*.ini missing/*.ini\n[service m]\ncommand = m\n");
    mkdir(below("d"), 0700);
    write_file("d/b.ini", "[service b]\ncommand = b\n");
    write_file("d/a.ini", "[service a]\ncommand = a\n");
    write_file("d/c.txt", "nonsense\n");
    assert_int_equal(config_files_load(below("main.ini"), &config, &errors), 0);
    assert_int_equal(config->service_count, 3);
    assert_string_equal(config->services[1].name, "a");
    assert_string_equal(config->services[2].where.file, below("d/b.ini"));
    config_free(config);
    config_errors_free(&errors);
}

static void an_empty_file_has_no_service(void **state)
{
    (void)state;
    write_file("main.ini", "");
    assert_load_refused("/main.ini: there is no [service NAME] with a command");
}

static void only_regular_files_are_read(void **state)
{
    (void)state;
    assert_load_refused("/main.ini: cannot be read: No such file or directory");
    mkdir(below("main.ini"), 0700);
    assert_load_refused("/main.ini: cannot be read: Is a directory");
    rmdir(below("main.ini"));
    assert_int_equal(mkfifo(below("main.ini"), 0600), 0); /* nobody writes: it must not be waited for */
    assert_load_refused("/main.ini: cannot be read: Invalid argument");
    unlink(below("main.ini"));
    assert_int_equal(symlink("/dev/zero", below("main.ini")), 0);
    assert_load_refused("/main.ini: cannot be read: Invalid argument");
}

static void a_huge_file_is_refused(void **state)
{
    (void)state;
    write_file("main.ini", "");
    assert_int_equal(truncate(below("main.ini"), (4 << 20) + 1), 0);
    assert_load_refused("/main.ini: cannot be read: File too large");
}

static void a_hidden_directory_is_told(void **state)
{
    (void)state;
    write_file("main.ini", "[baton]\ninclude = d/*.ini\n[service m]\ncommand = m\n");
    mkdir(below("d"), 0000);
    chmod(scratch, 0755);
    chmod(below("main.ini"), 0644);
    if (geteuid() == 0 && seteuid(65534) < 0)
        skip();

    assert_load_refused("/d/*.ini: Permission denied");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH(included_files_are_found_in_order), SCRATCH(an_empty_file_has_no_service),
        SCRATCH(only_regular_files_are_read),       SCRATCH(a_huge_file_is_refused),
        SCRATCH(a_hidden_directory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
