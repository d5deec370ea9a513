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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
