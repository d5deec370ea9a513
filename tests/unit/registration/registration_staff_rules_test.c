/* Who makes whose accounts, and what becomes of one: every cell of both tables. */
#include <string.h>

#include "lib/test.h"
#include "registration/registration_staff_rules.h"

static void administrators_make_their_own(void **state)
{
    static const struct {
        enum role maker;
        const char *makes; /* roles, each followed by a blank */
    } cases[] = {
        {ROLE_ORGANISER, "organiser "},
        {ROLE_OFFICE_L1, "office_l1 "},
        {ROLE_OFFICE_L2, "office_l2 "},
        {ROLE_OFFICE_L3, "office_l3 call_centre "},
        {ROLE_ADMIN, "organiser office_l1 office_l2 office_l3 call_centre admin auditor "},
        {ROLE_CALL_CENTRE, ""},
        {ROLE_AUDITOR, ""},
        {ROLE_DOCTOR, ""},
        {ROLE_NONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf made = {0};

        for (int role = ROLE_NONE; role < ROLE_COUNT; role++)
            if (rules_staff_may_make(cases[i].maker, (enum role)role))
                buf_printf(&made, "%s ", role_name((enum role)role));
        buf_add_char(&made, '\0');
        assert_string_equal(made.data, cases[i].makes);
        buf_free(&made);
    }
}

/* One cell: what the account becomes; "link", "same", or "no" for a refusal. */
struct cell {
    const char *action;
    const char *invited, *active, *suspended, *closed;
};

static void check(const char *action, const char *account, bool accepted, const char *wanted)
{
    const struct staff_now now = {.state = str_of(account), .accepted = accepted};
    struct staff_verdict verdict;
    enum staff_action what;

    assert_true(staff_action_parse(str_of(action), &what));
    rules_staff_change(&now, what, &verdict);
    if (strcmp(wanted, "no") == 0) {
        assert_int_equal(verdict.refusal, CODE_STATE_CONFLICT);
        assert_false(verdict.changed);
        return;
    }
    assert_int_equal(verdict.refusal, CODE_NONE);
    assert_int_equal(verdict.link, strcmp(wanted, "link") == 0);
    assert_int_equal(verdict.changed, strcmp(wanted, "link") != 0 && strcmp(wanted, "same") != 0);
    assert_int_equal(verdict.expired, verdict.changed && what == STAFF_EXPIRE);
    assert_true(str_eq_c(verdict.state, verdict.changed ? wanted : account));
}

static void what_becomes_of_one(void **state)
{
    static const struct cell table[] = {
        {"invite", "link", "no", "no", "no"},
        {"suspend", "suspended", "suspended", "no", "no"},
        {"restore", "no", "no", "active", "no"},
        {"end", "closed", "closed", "closed", "no"},
        {"expire", "suspended", "suspended", "same", "same"},
    };
    enum staff_action none;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        check(table[i].action, "active", false, table[i].invited);
        check(table[i].action, "active", true, table[i].active);
        check(table[i].action, "suspended", true, table[i].suspended);
        check(table[i].action, "closed", true, table[i].closed);
    }
    assert_false(staff_action_parse(STR("promote"), &none));
}

static void nobody_ends_the_own_account(void **state)
{
    static const enum staff_action refused[] = {STAFF_SUSPEND, STAFF_END};
    const struct staff_now now = {.state = STR("active"), .accepted = true, .self = true};
    struct staff_verdict verdict;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        rules_staff_change(&now, refused[i], &verdict);
        assert_int_equal(verdict.refusal, CODE_STAFF_SELF);
        assert_false(verdict.changed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(administrators_make_their_own),
        cmocka_unit_test(what_becomes_of_one),
        cmocka_unit_test(nobody_ends_the_own_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
