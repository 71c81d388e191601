#include "supervisor/keeper/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

enum { SEGV = SIGSEGV, KILL = SIGKILL, EXIT_9 = 9 << 8 };

static struct vault_table table;

static struct launch launched(bool hello, uint64_t started_ms)
{
    static char path[] = "supervisor", *argv[] = { path, NULL };

    return (struct launch){
        .argv = argv, .pid = 4711, .executable = -1, .hello = hello, .started_ms = started_ms
    };
}

static void the_wait_grows_to_five_seconds(void **state)
{
    static const uint64_t delays_ms[] = { 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000 };

    (void)state;
    for (unsigned i = 0; i < sizeof delays_ms / sizeof *delays_ms; i++)
        assert_int_equal(launch_delay_ms(i), delays_ms[i]);
    assert_int_equal(launch_delay_ms(4000000000u), 5000);
}

static void assert_death(bool hello, bool broken, int status, uint64_t lived_ms, unsigned fast_deaths)
{
    struct launch launch = launched(hello, 1000);

    launch.fast_deaths = 1;
    launch.broken = broken;
    launch_died(&launch, &table, status, 1000 + lived_ms);
    assert_int_equal(launch.fast_deaths, fast_deaths);
    assert_int_equal(launch.start_at_ms, 1000 + lived_ms + launch_delay_ms(fast_deaths));
    assert_int_equal(launch.previous_status, status);
    assert_int_equal(launch.pid, 0);
    assert_false(launch.hello);
}

static void a_death_before_hello_or_a_quick_crash_is_fast(void **state)
{
    (void)state;
    assert_death(false, false, EXIT_9, 1, 2);
    assert_death(false, false, KILL, 1, 2);
    assert_death(false, false, SEGV, 60000, 2);
    assert_death(true, false, SEGV, 1999, 2);
    assert_death(true, false, EXIT_9, 1, 2);
    assert_death(true, true, KILL, 60000, 2); /* it broke the protocol */
    assert_death(true, false, SEGV, 2000, 0);
    assert_death(true, false, KILL, 1, 0); /* an administrator, a test: it had worked */
}

static void three_fast_deaths_are_a_crash_loop_until_hello(void **state)
{
    struct launch launch = launched(false, 0);

    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        assert_false(launch_is_crash_loop(&launch));
        launch.pid = 4711;
        launch_died(&launch, &table, EXIT_9, 0);
    }
    assert_true(launch_is_crash_loop(&launch));
    launch.executable = open("/dev/null", O_RDONLY | O_CLOEXEC);
    launch_hello(&launch, &table, 0);
    assert_false(launch_is_crash_loop(&launch));
    assert_non_null(vault_find(&table, VAULT_EXECUTABLE));
    vault_remove(&table, VAULT_EXECUTABLE);
    close(launch.executable);
}

static void the_proven_binary_is_kept_once(void **state)
{
    struct launch launch = launched(false, 0);
    uint32_t serial;

    (void)state;
    launch.executable = open("/dev/null", O_RDONLY | O_CLOEXEC);
    launch_hello(&launch, &table, 0);
    serial = vault_find(&table, VAULT_EXECUTABLE)->serial;
    launch_hello(&launch, &table, 0); /* the same file: systemd's store is not bothered again */
    assert_int_equal(vault_find(&table, VAULT_EXECUTABLE)->serial, serial);
    close(launch.executable);
    launch.executable = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    launch_hello(&launch, &table, 0);
    assert_int_not_equal(vault_find(&table, VAULT_EXECUTABLE)->serial, serial);
    vault_remove(&table, VAULT_EXECUTABLE);
    close(launch.executable);
}

static int open_table(void **state)
{
    (void)state;
    table.limit = VAULT_ENTRIES_MAX;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(the_wait_grows_to_five_seconds),
        GUARDED(a_death_before_hello_or_a_quick_crash_is_fast),
        GUARDED(three_fast_deaths_are_a_crash_loop_until_hello),
        GUARDED(the_proven_binary_is_kept_once),
    };

    return cmocka_run_group_tests(tests, open_table, NULL);
}
