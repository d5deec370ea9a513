/* breaker: when it opens. */
#include "cache/breaker.h"
#include "lib/test.h"

static void count(struct breaker *breaker, unsigned calls, bool failed)
{
    for (unsigned i = 0; i < calls; i++)
        breaker_count(breaker, failed);
}

static void few_calls_say_nothing(void **state)
{
    struct breaker breaker = {0};

    (void)state;
    count(&breaker, BREAKER_CALLS_LEAST - 1, true);
    assert_false(breaker.open);
    count(&breaker, 1, true);
    assert_true(breaker.open);
}

static void half_failed_opens(void **state)
{
    static const struct {
        unsigned good, bad;
        bool open;
    } cases[] = {{20, 0, false}, {11, 9, false}, {10, 10, true}, {33, 31, false}, {32, 32, true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct breaker breaker = {0};

        count(&breaker, cases[i].good, false);
        count(&breaker, cases[i].bad, true);
        assert_int_equal(breaker.open, cases[i].open);
    }
}

static void old_failures_are_forgotten(void **state)
{
    struct breaker breaker = {0};

    (void)state;
    count(&breaker, 40, false);
    count(&breaker, 20, true);
    count(&breaker, BREAKER_CALLS_KEPT, false);
    count(&breaker, 31, true);
    assert_false(breaker.open);
}

static void a_good_probe_forgets_all(void **state)
{
    struct breaker breaker = {0};

    (void)state;
    count(&breaker, 64, true);
    breaker_close(&breaker);
    assert_false(breaker.open);
    count(&breaker, BREAKER_CALLS_LEAST - 1, true);
    assert_false(breaker.open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_calls_say_nothing),
        cmocka_unit_test(half_failed_opens),
        cmocka_unit_test(old_failures_are_forgotten),
        cmocka_unit_test(a_good_probe_forgets_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
