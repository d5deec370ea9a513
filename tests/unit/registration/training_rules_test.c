/* training_rules: when trainees are reminded, and who may end that. */
#include "lib/test.h"
#include "registration/training_rules.h"

static void two_reminders_in_the_last_year(void **state)
{
    static const struct {
        const char *day;
        int notice;
    } cases[] = {
        {"2027-01-31", 0}, {"2027-02-01", 1}, {"2027-02-28", 1}, {"2028-02-29", 1},
        {"2027-03-01", 2}, {"2027-03-31", 2}, {"2027-04-01", 0}, {"2026-12-31", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(training_notice(day_parse(str_of(cases[i].day))), cases[i].notice);
}

static void trainees_are_members_of_two_categories(void **state)
{
    static const struct {
        const char *category;
        bool member, goes_on;
    } cases[] = {
        {"A2C", true, true}, {"C", true, true}, {"A1", true, false}, {"A2B", true, false},
        {"B", true, false},  {"", true, false}, {"C", false, false}, {"A2C", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct standing standing = {.member = {[3] = cases[i].member},
                                    .category = {[3] = str_of(cases[i].category)}};

        assert_int_equal(training_goes_on(&standing), cases[i].goes_on);
    }
}

static struct filing trainee(void)
{
    return (struct filing){
        .actor = {.role = STR("office_l1"), .office = {1, STR("13001")}},
        .standing = {.member = {[1] = true, [2] = true, [3] = true},
                     .category = {[3] = STR("C")},
                     .l1_code = STR("13001"),
                     .l2_code = STR("13")},
        .handling_l2 = STR("13"),
        .today = day_parse(STR("2027-02-01")),
    };
}

static enum code dismiss(const struct filing *filing, bool own, const char *day)
{
    const struct training_wish wish = {
        .filing = filing,
        .own = own,
        .new_end_on = day == NULL ? DAY_NONE : day_parse(str_of(day)),
    };

    return training_dismiss(&wish);
}

static void the_doctor_or_an_office_of_his_says_so(void **state)
{
    static const struct {
        struct office office;
        enum code code;
    } cases[] = {
        {{1, STR("13001")}, CODE_NONE}, {{1, STR("13002")}, CODE_DOCTOR_NOT_FOUND},
        {{2, STR("13")}, CODE_NONE},    {{2, STR("14")}, CODE_DOCTOR_NOT_FOUND},
        {{3, STR("")}, CODE_NONE},      {{0, STR("")}, CODE_DOCTOR_NOT_FOUND},
    };
    struct filing filing = trainee();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        filing.actor.office = cases[i].office;
        assert_int_equal(dismiss(&filing, false, NULL), cases[i].code);
        assert_int_equal(dismiss(&filing, true, NULL), CODE_NONE);
    }
}

static void what_cannot_be_said(void **state)
{
    struct filing filing = trainee();

    (void)state;
    assert_int_equal(dismiss(&filing, true, "2027-01-31"), CODE_TRAINING_ENDS_ON);
    assert_int_equal(dismiss(&filing, true, "2027-02-01"), CODE_NONE);
    assert_int_equal(dismiss(&filing, true, "2037-02-01"), CODE_NONE);
    assert_int_equal(dismiss(&filing, true, "2037-02-02"), CODE_TRAINING_ENDS_ON);
    filing.closed = true;
    assert_int_equal(dismiss(&filing, true, NULL), CODE_ACCOUNT_SUSPENDED);
    filing = trainee();
    filing.standing.category[3] = STR("B");
    assert_int_equal(dismiss(&filing, true, NULL), CODE_NO_TRAINEE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_reminders_in_the_last_year),
        cmocka_unit_test(trainees_are_members_of_two_categories),
        cmocka_unit_test(the_doctor_or_an_office_of_his_says_so),
        cmocka_unit_test(what_cannot_be_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
