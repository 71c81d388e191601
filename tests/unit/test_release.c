#include "supervisor/process/release.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/process/elf.h"
#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE                                                                                          \
    EM_NONE /* elf_runs_here() lets everything pass or refuses it: those checks are left out */
#endif

/* Every test works in a directory of its own, which is the working directory of its services. */
static char directory[] = "/tmp/baton-release-XXXXXX";
static const char *environment_file;

static const char *in_directory(const char *name)
{
    static char paths[8][128]; /* no test needs more at once */
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void write_bytes(const char *name, const void *bytes, size_t length, mode_t mode)
{
    const char *path = in_directory(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    assert_return_code(fchmod(fd, mode), errno);
    close(fd);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    write_bytes(name, text, strlen(text), mode);
}

static void copy_program(const char *from, const char *name)
{
    static char bytes[4 << 20];
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, bytes, sizeof bytes);

    assert_in_range(length, 1, (ssize_t)sizeof bytes - 1);
    close(fd);
    write_bytes(name, bytes, (size_t)length, 0755);
}

/* Replace as a deployment does: a new file takes the name. */
static void replace(const char *name, const char *by)
{
    assert_return_code(rename(in_directory(by), in_directory(name)), errno);
}

static void point_link(const char *name, const char *target)
{
    (void)symlink(target, in_directory("link.new"));
    replace(name, "link.new");
}

enum { ARGUMENTS_MAX = 4 };

static int resolve(const char *const command[ARGUMENTS_MAX], struct release **out, char **reason)
{
    char *argv[ARGUMENTS_MAX + 1] = { NULL };
    char *environment[] = { (char *)"PATH=bin:/usr/bin:/bin", (char *)"MODE=plain", NULL };
    struct config_service service = { .command = argv,
                                      .environment = environment,
                                      .environment_file = (char *)environment_file };

    for (size_t i = 0; i < ARGUMENTS_MAX && command[i]; i++)
        argv[i] = (char *)command[i];
    return release_resolve(&service, directory, out, reason);
}

#define COMMAND(...) ((const char *const[ARGUMENTS_MAX]){ __VA_ARGS__ })

static struct release *resolve_or_fail(const char *const command[ARGUMENTS_MAX])
{
    struct release *release = NULL;
    char *reason = NULL;

    if (resolve(command, &release, &reason))
        fail_msg("%s", reason);
    assert_int_equal(release_verify(release, NULL), 0);
    return release;
}

static void assert_refused(const char *const command[ARGUMENTS_MAX], int error, const char *words)
{
    struct release *release = NULL;
    char *reason = NULL;

    assert_int_equal(resolve(command, &release, &reason), error);
    assert_null(release);
    assert_non_null(reason);
    if (!strstr(reason, words))
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
    free(reason);
}

static void assert_variable(const struct release *release, const char *expected)
{
    for (char **element = release->environment; *element; element++) {
        if (!strcmp(*element, expected))
            return;
    }
    fail_msg("%s is missing", expected);
}

static void assert_stale(const struct release *release, const char *words)
{
    char *reason = NULL;

    assert_int_equal(release_verify(release, &reason), -ESTALE);
    assert_non_null(reason);
    if (!strstr(reason, words))
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
    free(reason);
}

static void a_command_is_searched_in_the_path_of_the_worker(void **state)
{
    (void)state;
    assert_return_code(mkdir(in_directory("bin"), 0755), errno);
    copy_program("/proc/self/exe", "bin/shop");
    struct release *release = resolve_or_fail(COMMAND("shop", "--port", "80"));
    assert_string_equal(release->files[0].path, in_directory("bin/shop"));
    assert_string_equal(release->argv[0], "shop");
    assert_string_equal(release->directory, directory);
    assert_true(release->executable >= 0);
    assert_true(fcntl(release->executable, F_GETFD) & FD_CLOEXEC);
    assert_false(release->script);
    assert_int_equal(release->file_count, 1);
    release_free(release);
    assert_refused(COMMAND("no-such-shop"), -ENOENT,
                   "command \"no-such-shop\" not found in PATH (bin:/usr/bin:/bin)");
}

static void what_cannot_be_executed_says_why(void **state)
{
    (void)state;
    write_text("plain.sh", "#!/bin/sh\n", 0644);
    write_text("text", "hello\n", 0755);
    write_text("empty", "", 0755);
    write_text("lost.sh", "#!/usr/bin/no-such-shell -x\n", 0755);
    write_text("dos.sh", "#!/bin/sh\r\necho\r\n", 0755);
    write_text("nothing.sh", "#! \n", 0755);
    assert_refused(COMMAND("./missing"), -ENOENT, "missing: No such file or directory");
    assert_refused(COMMAND("/"), -EISDIR, "is a directory");
    assert_refused(COMMAND("/dev/null"), -EACCES, "not a regular file");
    assert_refused(COMMAND("./plain.sh"), -EACCES, "plain.sh is not executable (mode 0644): chmod +x it");
    assert_refused(COMMAND("./lost.sh"), -ENOENT, "its interpreter /usr/bin/no-such-shell: No such file");
    assert_refused(COMMAND("./dos.sh"), -ENOENT, "carriage return");
    assert_refused(COMMAND("./nothing.sh"), -ENOEXEC, "names no interpreter");
    if (access("/proc/sys/fs/binfmt_misc/register", F_OK) == 0)
        return; /* a handler may be there that runs the next two */
    assert_refused(COMMAND("./text"), -ENOEXEC, "neither a program nor a script");
    assert_refused(COMMAND("./empty"), -ENOEXEC, "neither a program nor a script");
}

static void a_program_found_but_not_executable_is_told_only_when_there_is_no_other(void **state)
{
    (void)state;
    assert_return_code(mkdir(in_directory("bin"), 0755), errno);
    write_text("bin/ls", "", 0644);
    write_text("bin/shop", "", 0644);
    struct release *release = resolve_or_fail(COMMAND("ls"));
    assert_string_not_equal(release->files[0].path, in_directory("bin/ls"));
    release_free(release);
    assert_refused(COMMAND("shop"), -EACCES, "bin/shop is not executable");
}

static void a_directory_of_the_path_that_cannot_be_searched_has_nothing_in_it(void **state)
{
    (void)state;
    write_text("bin", "a file, not a directory", 0644);
    assert_refused(COMMAND("shop"), -ENOENT, "command \"shop\" not found in PATH");
    unlink(in_directory("bin"));
    if (geteuid() == 0)
        return; /* no directory is closed to root */
    assert_return_code(mkdir(in_directory("bin"), 0), errno);
    assert_refused(COMMAND("shop"), -ENOENT, "command \"shop\" not found in PATH");
    assert_return_code(chmod(in_directory("bin"), 0700), errno);
}

static void programs_of_other_machines_and_damaged_ones_are_refused(void **state)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        char text[16];
    } elf = {
        .header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                    .e_type = ET_EXEC,
                    .e_machine = EM_IA_64, /* nobody runs these tests on an Itanium */
                    .e_phoff = sizeof elf.header,
                    .e_phentsize = sizeof elf.segment,
                    .e_phnum = 1 },
        .segment = { .p_type = PT_INTERP, .p_offset = offsetof(__typeof__(elf), text), .p_filesz = 16 },
        .text = "/no/such/ld.so",
    };

    (void)state;
    write_bytes("foreign", &elf, sizeof elf, 0755);
    if (access("/proc/sys/fs/binfmt_misc/register", F_OK))
        assert_refused(COMMAND("./foreign"), -ENOEXEC, "is a program for another architecture (machine 50)");
    elf.header.e_machine = OWN_MACHINE;
    write_bytes("musl", &elf, sizeof elf, 0755);
    if (elf_runs_here(OWN_MACHINE))
        assert_refused(COMMAND("./musl"), -ENOENT, "needs the dynamic loader /no/such/ld.so");
    for (size_t length = sizeof elf - 1; length >= 4; length--) { /* every cut */
        struct release *release = NULL;

        write_bytes("cut", &elf, length, 0755);
        assert_int_equal(resolve(COMMAND("./cut"), &release, NULL), -ENOEXEC);
    }
    elf.segment.p_offset = UINT64_MAX - 4;
    write_bytes("wrap", &elf, sizeof elf, 0755);
    assert_refused(COMMAND("./wrap"), -ENOEXEC, "a damaged ELF file");
    elf.header.e_phoff = UINT64_MAX - 8;
    write_bytes("wrap", &elf, sizeof elf, 0755);
    assert_refused(COMMAND("./wrap"), -ENOEXEC, "a damaged ELF file");
    elf.header.e_phnum = UINT16_MAX;
    write_bytes("wrap", &elf, sizeof elf, 0755);
    assert_refused(COMMAND("./wrap"), -ENOEXEC, "a damaged ELF file");
}

static void a_binary_that_was_replaced_or_deleted_still_starts_but_not_one_that_was_overwritten(void **state)
{
    (void)state;
    copy_program("/proc/self/exe", "app");
    write_text("new", "#!/bin/sh\n", 0755);
    struct release *release = resolve_or_fail(COMMAND("./app"));
    replace("app", "new");
    assert_int_equal(release_verify(release, NULL), 0);
    unlink(in_directory("app"));
    assert_int_equal(release_verify(release, NULL), 0);
    release_free(release);

    copy_program("/proc/self/exe", "app");
    release = resolve_or_fail(COMMAND("./app"));
    write_text("app", "something else", 0755);
    assert_stale(release, "app was overwritten in place");
    release_free(release);
}

static void a_script_must_be_what_it_was(void **state)
{
    (void)state;
    write_text("app.sh", "#!/bin/sh -e\n", 0755);
    struct release *release = resolve_or_fail(COMMAND("./app.sh"));
    assert_true(release->script);
    assert_int_equal(release->executable, -1);
    assert_string_equal(release->interpreter, "/bin/sh");
    write_text("app.sh", "#!/bin/sh\nexit 1\n", 0755);
    assert_stale(release, "app.sh was modified since (size 13 -> 17)");
    write_text("new", "#!/bin/sh -e\n", 0755);
    replace("app.sh", "new");
    assert_stale(release, "app.sh was replaced since (same size)");
    unlink(in_directory("app.sh"));
    assert_stale(release, "app.sh is gone");
    release_free(release);
}

static void a_symlink_that_moved_on_does_not_matter(void **state)
{
    (void)state;
    assert_return_code(mkdir(in_directory("releases"), 0755), errno);
    assert_return_code(mkdir(in_directory("releases/41"), 0755), errno);
    assert_return_code(mkdir(in_directory("releases/42"), 0755), errno);
    write_text("releases/41/app.sh", "#!/bin/sh\n", 0755);
    write_text("releases/42/app.sh", "#!/bin/sh\n", 0755);
    point_link("current", "releases/41");

    struct release *by_path = resolve_or_fail(COMMAND("current/app.sh"));
    struct release *by_argument = resolve_or_fail(COMMAND("/bin/sh", "current/app.sh", "x"));
    char **argv = release_argv(by_argument);
    assert_string_equal(argv[1], "current/app.sh"); /* as it was written, while that is the same */
    free(argv);
    point_link("current", "releases/42");
    assert_int_equal(release_verify(by_path, NULL), 0);
    assert_string_equal(by_path->files[0].path, in_directory("releases/41/app.sh"));
    assert_int_equal(release_verify(by_argument, NULL), 0);
    argv = release_argv(by_argument);
    assert_string_equal(argv[0], "/bin/sh");
    assert_string_equal(argv[1], in_directory("releases/41/app.sh"));
    assert_string_equal(argv[2], "x");
    assert_null(argv[3]);
    free(argv);

    struct release *next = resolve_or_fail(COMMAND("current/app.sh"));
    assert_string_equal(next->files[0].path, in_directory("releases/42/app.sh"));
    assert_false(release_equal(by_path, next));
    unlink(in_directory("releases/41/app.sh"));
    assert_stale(by_path, "releases/41/app.sh is gone");
    assert_stale(by_argument, "releases/41/app.sh is gone");
    release_free(by_path);
    release_free(by_argument);
    release_free(next);
}

static void arguments_that_are_code_or_configuration_belong_to_the_release_and_data_does_not(void **state)
{
    (void)state;
    write_text("app.conf", "a\n", 0600);
    write_text("tool", "#!/bin/sh\n", 0600);
    write_text("state.db", "data\n", 0600);
    struct release *release = resolve_or_fail(COMMAND("/bin/sh", "app.conf", "tool", "state.db"));
    assert_int_equal(release->file_count, 3);
    assert_int_equal(release->files[1].argument, 1);
    assert_int_equal(release->files[2].argument, 2);
    write_text("state.db", "other data\n", 0600);
    assert_int_equal(release_verify(release, NULL), 0);
    write_text("app.conf", "abc\n", 0600);
    assert_stale(release, "app.conf was modified");
    release_free(release);
}

static void what_the_workers_user_cannot_write_is_no_data(void **state)
{
    char *argv[] = { (char *)"/bin/sh", (char *)"template", (char *)"upload", NULL };
    struct config_service service = { .command = argv, .user = (char *)"nobody" };
    struct release *release = NULL;

    (void)state;
    if (geteuid() != 0)
        skip();
    write_text("template", "a\n", 0644);
    write_text("upload", "a\n", 0666);
    assert_int_equal(release_resolve(&service, directory, &release, NULL), 0);
    assert_int_equal(release->file_count, 2);
    assert_int_equal(release->files[1].argument, 1);
    release_free(release);
}

static void the_working_directory_is_resolved_and_must_stay(void **state)
{
    char *argv[] = { (char *)"/bin/sh", (char *)"run.sh", NULL };
    struct config_service service = { .command = argv, .directory = (char *)in_directory("current") };
    struct release *release = NULL;
    char *reason = NULL;

    (void)state;
    assert_int_equal(release_resolve(&service, "/", &release, &reason), -ENOENT);
    assert_non_null(strstr(reason, "working directory"));
    free(reason);
    assert_return_code(mkdir(in_directory("one"), 0755), errno);
    write_text("one/run.sh", "", 0644);
    point_link("current", "one");
    assert_int_equal(release_resolve(&service, "/", &release, NULL), 0);
    assert_string_equal(release->directory, in_directory("one"));
    assert_string_equal(release->files[1].path, in_directory("one/run.sh"));
    unlink(in_directory("current"));
    assert_int_equal(release_verify(release, NULL), 0);
    assert_return_code(rename(in_directory("one"), in_directory("two")), errno);
    assert_stale(release, "working directory");
    assert_return_code(mkdir(in_directory("one"), 0755), errno);
    assert_stale(release, "was replaced since");
    release_free(release);
}

static void the_environment_is_read_anew_and_the_file_wins(void **state)
{
    (void)state;
    write_text("app.env", "MODE=file\nSECRET='x y'\n", 0600);
    environment_file = in_directory("app.env");
    struct release *first = resolve_or_fail(COMMAND("/bin/sh"));
    assert_variable(first, "MODE=file");
    assert_variable(first, "SECRET=x y");
    write_text("app.env", "MODE=file\nSECRET='z'\n", 0600);
    struct release *second = resolve_or_fail(COMMAND("/bin/sh"));
    assert_false(release_equal(first, second));
    assert_int_equal(release_verify(first, NULL), 0); /* it is held in memory */
    write_text("app.env", "SECRET=ok\noops\n", 0600);
    assert_refused(COMMAND("/bin/sh"), -EINVAL, "app.env:2: a line is NAME=VALUE");
    unlink(environment_file);
    assert_refused(COMMAND("/bin/sh"), -ENOENT, "app.env: No such file or directory");
    environment_file = "/proc/self/fd";
    assert_refused(COMMAND("/bin/sh"), -EINVAL, "/proc/self/fd: not a regular file");
    environment_file = NULL;
    release_free(first);
    release_free(second);
}

static void equal_means_that_a_start_now_would_be_the_same(void **state)
{
    (void)state;
    write_text("app.js", "1\n", 0644);
    struct release *first = resolve_or_fail(COMMAND("/bin/sh", "app.js"));
    struct release *same = resolve_or_fail(COMMAND("/bin/sh", "app.js"));
    struct release *other = resolve_or_fail(COMMAND("/bin/sh", "app.js", "-v"));
    assert_true(release_equal(first, same));
    assert_false(release_equal(first, other));
    write_text("new", "2\n", 0644);
    replace("app.js", "new");
    struct release *changed = resolve_or_fail(COMMAND("/bin/sh", "app.js"));
    assert_false(release_equal(first, changed));
    release_free(first);
    release_free(same);
    release_free(other);
    release_free(changed);
}

static void assert_label(const char *const command[ARGUMENTS_MAX], const char *expected)
{
    struct release *release = resolve_or_fail(command);
    char *label = release_label(release);

    assert_string_equal(label, expected);
    free(label);
    release_free(release);
}

static void labels_say_what_people_call_it(void **state)
{
    static const unsigned char build_id[] = { 0x9f, 0x3c, 0x2a, 0x10, 0x77 };
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        Elf64_Nhdr note;
        char name[4];
        unsigned char id[8];
    } elf = {
        .header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                    .e_type = ET_EXEC,
                    .e_machine = OWN_MACHINE,
                    .e_phoff = sizeof elf.header,
                    .e_phentsize = sizeof elf.segment,
                    .e_phnum = 1 },
        .segment = { .p_type = PT_NOTE,
                     .p_offset = offsetof(__typeof__(elf), note),
                     .p_filesz = sizeof elf.note + 4 + 8 },
        .note = { .n_namesz = 4, .n_descsz = sizeof build_id, .n_type = NT_GNU_BUILD_ID },
        .name = "GNU",
    };
    struct timespec times[2] = { { .tv_sec = 1763906520 }, { .tv_sec = 1763906520 } };

    (void)state;
    assert_return_code(mkdir(in_directory("releases"), 0755), errno);
    assert_return_code(mkdir(in_directory("releases/v42"), 0755), errno);
    setenv("TZ", "UTC", 1);
    tzset();
    write_text("app.py", "#!/bin/sh\n", 0755);
    assert_return_code(utimensat(AT_FDCWD, in_directory("app.py"), times, 0), errno);
    assert_label(COMMAND("./app.py"), "app.py (2025-11-23 14:02)");
    assert_label(COMMAND("/bin/sh", "app.py"), "app.py (2025-11-23 14:02)");
    if (!elf_runs_here(OWN_MACHINE))
        return;
    memcpy(elf.id, build_id, sizeof build_id);
    write_bytes("app", &elf, sizeof elf, 0755);
    write_bytes("releases/v42/app", &elf, sizeof elf, 0755);
    assert_label(COMMAND("./app"), "app (build 9f3c2a10)");
    assert_label(COMMAND("releases/v42/app"), "v42 (build 9f3c2a10)");
    elf.note.n_descsz = 4096; /* reaches beyond its segment: there is no build-id */
    write_bytes("bad", &elf, sizeof elf, 0755);
    struct release *release = resolve_or_fail(COMMAND("./bad"));
    assert_null(release->build_id);
    release_free(release);
}

static int make_directory(void **state)
{
    strcpy(strrchr(directory, '-') + 1, "XXXXXX");
    return mkdtemp(directory) ? guard_setup(state) : -1;
}

static int remove_directory(void **state)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command) ? -1 : guard_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_is_searched_in_the_path_of_the_worker),
        TEST(what_cannot_be_executed_says_why),
        TEST(a_program_found_but_not_executable_is_told_only_when_there_is_no_other),
        TEST(a_directory_of_the_path_that_cannot_be_searched_has_nothing_in_it),
        TEST(programs_of_other_machines_and_damaged_ones_are_refused),
        TEST(a_binary_that_was_replaced_or_deleted_still_starts_but_not_one_that_was_overwritten),
        TEST(a_script_must_be_what_it_was),
        TEST(a_symlink_that_moved_on_does_not_matter),
        TEST(arguments_that_are_code_or_configuration_belong_to_the_release_and_data_does_not),
        TEST(what_the_workers_user_cannot_write_is_no_data),
        TEST(the_working_directory_is_resolved_and_must_stay),
        TEST(the_environment_is_read_anew_and_the_file_wins),
        TEST(equal_means_that_a_start_now_would_be_the_same),
        TEST(labels_say_what_people_call_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
