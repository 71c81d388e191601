#include "supervisor/process/environment.h"

#include <string.h>

#include "tests/unit/guard.h"
#include "tests/unit/unit.h"

static void what_belongs_to_another_supervisor_is_not_inherited(void **state)
{
    char *const from[] = {
        (char[]){ "PATH=/bin" },
        (char[]){ "LISTEN_FDS=3" },
        (char[]){ "LISTEN_PID=1" },
        (char[]){ "LISTEN_FDNAMES=a" },
        (char[]){ "NOTIFY_SOCKET=/x" },
        (char[]){ "WATCHDOG_USEC=1" },
        (char[]){ "BATON_CHANNEL=9" },
        (char[]){ "no equals sign" },
        (char[]){ "EMPTY=" },
        (char[]){ "LISTENER=mine" },
        NULL,
    };
    struct environment environment = { 0 };

    (void)state;
    environment_inherit(&environment, from);
    assert_int_equal(environment.error, 0);
    assert_int_equal(environment.count, 3);
    assert_string_equal(environment_get(&environment, "PATH"), "/bin");
    assert_string_equal(environment_get(&environment, "EMPTY"), "");
    assert_string_equal(environment_get(&environment, "LISTENER"), "mine");
    assert_null(environment_get(&environment, "LISTEN_FDS"));
    assert_null(environment.list[environment.count]);
    environment_free(&environment);
}

static void a_later_value_replaces_an_earlier_one(void **state)
{
    char *const more[] = { (char[]){ "A=two" }, (char[]){ "AB=x" }, NULL };
    struct environment environment = { 0 };

    (void)state;
    environment_set(&environment, "A", "%s", "one");
    environment_merge(&environment, more);
    environment_merge(&environment, NULL);
    assert_string_equal(environment_get(&environment, "A"), "two");
    assert_string_equal(environment_get(&environment, "AB"), "x");
    assert_null(environment_get(&environment, "B"));
    environment_set(&environment, "A", "%d%%", 3);
    assert_string_equal(environment_get(&environment, "A"), "3%");
    assert_int_equal(environment.count, 2);
    environment_free(&environment);
    assert_null(environment.list);
}

static void the_digest_sees_every_change_but_not_the_order(void **state)
{
    char *const base[] = { (char *)"A=1", (char *)"B=2", NULL };
    char *const swapped[] = { (char *)"B=2", (char *)"A=1", NULL };
    char *const value[] = { (char *)"A=1", (char *)"B=3", NULL };
    char *const name[] = { (char *)"A=1", (char *)"C=2", NULL };
    char *const fewer[] = { (char *)"A=1", NULL };
    char *const crossed[] = { (char *)"A=2", (char *)"B=1", NULL };

    (void)state;
    assert_int_equal(environment_digest(base), environment_digest(swapped));
    assert_int_not_equal(environment_digest(base), environment_digest(value));
    assert_int_not_equal(environment_digest(base), environment_digest(name));
    assert_int_not_equal(environment_digest(base), environment_digest(fewer));
    assert_int_not_equal(environment_digest(base), environment_digest(crossed));
    assert_int_equal(environment_digest(NULL), environment_digest(fewer + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARDED(what_belongs_to_another_supervisor_is_not_inherited),
        GUARDED(a_later_value_replaces_an_earlier_one),
        GUARDED(the_digest_sees_every_change_but_not_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
