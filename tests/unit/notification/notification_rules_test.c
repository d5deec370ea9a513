/* notification_rules: what becomes of a mail after an attempt. */
#include "lib/test.h"

#include "notification/notification_queue.h"

static const int64_t now_us = INT64_C(1795309200) * CLOCK_SECOND_US;

static struct due_mail mail(int32_t attempts, bool ambiguous, int64_t age_s)
{
    return (struct due_mail){.attempts = attempts,
                             .ambiguous = ambiguous,
                             .created_us = now_us - age_s * CLOCK_SECOND_US};
}

static struct mail_outcome outcome(const struct due_mail *due, enum mail_verdict verdict, int code)
{
    const struct mail_result result = {.verdict = verdict, .code = code, .reached = true};

    return notification_rules_outcome(due, ERR_OK, &result, false, now_us);
}

static void answers_decide(void **state)
{
    static const struct {
        enum mail_verdict verdict;
        bool ambiguous;
        const char *state;
        bool then_ambiguous;
    } cases[] = {
        {MAIL_DELIVERED, false, "delivered", false}, {MAIL_DELIVERED, true, "delivered", true},
        {MAIL_BOUNCED, false, "bounced", false},     {MAIL_BOUNCED, true, "bounced", true},
        {MAIL_DEFERRED, false, "deferred", false},   {MAIL_DEFERRED, true, "deferred", true},
        {MAIL_AMBIGUOUS, false, "deferred", true},   {MAIL_AMBIGUOUS, true, "expired", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct due_mail due = mail(1, cases[i].ambiguous, 0);
        struct mail_outcome got = outcome(&due, cases[i].verdict, 0);

        assert_string_equal(got.state, cases[i].state);
        assert_int_equal(got.ambiguous, cases[i].then_ambiguous);
        assert_true(got.counted);
    }
}

static void waits_double_up_to_four_hours(void **state)
{
    static const int64_t wanted_s[] = {60, 120, 240, 480, 960, 1920, 3840, 7680, 14400, 14400};

    (void)state;
    notification_settings.mail_retry_s = 60;
    for (size_t i = 0; i < ARRAY_LEN(wanted_s); i++) {
        struct due_mail due = mail((int32_t)i + 1, false, 0);

        assert_int_equal(outcome(&due, MAIL_DEFERRED, 451).next_try_us - now_us,
                         wanted_s[i] * CLOCK_SECOND_US);
    }
}

static void after_five_days_it_is_given_up(void **state)
{
    struct due_mail young = mail(30, false, 5 * CLOCK_DAY_S);
    struct due_mail old = mail(30, false, 5 * CLOCK_DAY_S + 1);

    (void)state;
    assert_string_equal(outcome(&young, MAIL_DEFERRED, 451).state, "deferred");
    assert_string_equal(outcome(&old, MAIL_DEFERRED, 451).state, "expired");
    assert_string_equal(outcome(&old, MAIL_AMBIGUOUS, 0).state, "expired");
}

/* Nobody there, nobody's fault: at once, and the attempt does not lengthen the next wait. */
static void what_is_not_the_mails_fault_does_not_count(void **state)
{
    struct due_mail due = mail(3, true, 0);
    const struct mail_result away = {.verdict = MAIL_DEFERRED};
    const struct mail_result cut = {.verdict = MAIL_DEFERRED, .reached = true};
    const struct mail_result said = {.verdict = MAIL_DEFERRED, .reached = true, .code = 451};
    const struct mail_outcome outcomes[] = {
        notification_rules_outcome(&due, ERR_OK, &away, false, now_us),
        notification_rules_outcome(&due, ERR_OK, &cut, true, now_us),
        notification_rules_outcome(&due, ERR_BUSY, &away, false, now_us),
        notification_rules_outcome(&due, ERR_STOPPING, &away, true, now_us),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        assert_string_equal(outcomes[i].state, "ready");
        assert_true(outcomes[i].ambiguous);
        assert_false(outcomes[i].counted);
        assert_int_equal(outcomes[i].next_try_us, now_us);
    }
    assert_string_equal(notification_rules_outcome(&due, ERR_OK, &cut, false, now_us).state,
                        "deferred");
    assert_string_equal(notification_rules_outcome(&due, ERR_OK, &said, true, now_us).state,
                        "deferred");
}

static void what_cannot_be_sent_is_suppressed(void **state)
{
    static const enum err errors[] = {ERR_MAIL_ADDRESS, ERR_MAIL_HEADER, ERR_INTERNAL};
    struct due_mail due = mail(1, false, 0);
    const struct mail_result none = {.verdict = MAIL_DEFERRED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        assert_string_equal(notification_rules_outcome(&due, errors[i], &none, false, now_us).state,
                            "suppressed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_decide),
        cmocka_unit_test(waits_double_up_to_four_hours),
        cmocka_unit_test(after_five_days_it_is_given_up),
        cmocka_unit_test(what_is_not_the_mails_fault_does_not_count),
        cmocka_unit_test(what_cannot_be_sent_is_suppressed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
