/* How long failures make wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/gateway_throttle.h"

static void waits_grow_to_a_limit(void **state)
{
    (void)state;
    assert_int_equal(throttle_wait_s(0, THROTTLE_FREE), 0);
    assert_int_equal(throttle_wait_s(4, THROTTLE_FREE), 0);
    assert_int_equal(throttle_wait_s(5, THROTTLE_FREE), 1);
    assert_int_equal(throttle_wait_s(6, THROTTLE_FREE), 2);
    assert_int_equal(throttle_wait_s(10, THROTTLE_FREE), 32);
    assert_int_equal(throttle_wait_s(11, THROTTLE_FREE), THROTTLE_WAIT_MAX_S);
    assert_int_equal(throttle_wait_s(INT64_MAX, THROTTLE_FREE), THROTTLE_WAIT_MAX_S);
    assert_int_equal(throttle_wait_s(29, THROTTLE_ADDRESS_FREE), 0);
    assert_int_equal(throttle_wait_s(30, THROTTLE_ADDRESS_FREE), 1);
}

/* However an address is written. */
static void of_ipv6_the_network_counts(void **state)
{
    static const char *const same[][2] = {
        {"2001:db8:1:2::5", "2001:db8:1:2:3:4:5:6"},
        {"2001:db8::5", "2001:db8::6"},
        {"2001:db8::5", "2001:db8::1:2:3:4"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"192.0.2.7", "192.0.2.7"},
    };
    static const char *const others[][2] = {
        {"2001:db8:1:2::5", "2001:db8:1:3::5"},
        {"2001:db8::5", "2001:db8:0:1::5"},
        {"192.0.2.7", "192.0.2.8"},
        {"::ffff:192.0.2.7", "::ffff:192.0.2.8"},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        assert_string_equal(throttle_address(arena, same[i][0]),
                            throttle_address(arena, same[i][1]));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_string_not_equal(throttle_address(arena, others[i][0]),
                                throttle_address(arena, others[i][1]));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_to_a_limit),
        cmocka_unit_test(of_ipv6_the_network_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
