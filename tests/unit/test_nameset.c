#include "proto/nameset.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void a_name_is_new_once(void **state)
{
    struct nameset set = { 0 };
    char name[] = "web";

    (void)state;
    assert_int_equal(nameset_add(&set, name), 0);
    assert_int_equal(nameset_add(&set, name), NAMESET_PRESENT);
    name[0] = 'x'; /* the set has a copy */
    assert_int_equal(nameset_add(&set, name), 0);
    assert_int_equal(nameset_add(&set, "web"), NAMESET_PRESENT);
    assert_int_equal(set.count, 2);
    nameset_clear(&set);
    assert_int_equal(nameset_add(&set, "web"), 0);
    nameset_clear(&set);
}

static void names_are_found_in_whatever_order_they_came(void **state)
{
    struct nameset set = { 0 };
    char name[16];

    (void)state;
    for (unsigned i = 0; i < 4096; i++) {
        snprintf(name, sizeof name, "%u", i * 2654435761u % 4096); /* odd factor: each number once */
        assert_int_equal(nameset_add(&set, name), 0);
    }
    for (unsigned i = 0; i < 4096; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(nameset_add(&set, name), NAMESET_PRESENT);
    }
    for (size_t i = 1; i < set.count; i++)
        assert_true(strcmp(set.names[i - 1], set.names[i]) < 0);
    nameset_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_new_once),
        cmocka_unit_test(names_are_found_in_whatever_order_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
