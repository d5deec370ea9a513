/* Who may do what to an application in which state (domain 4.4, 5, R-APP-12, 13; edges 50, 56, 64).
 */
#include "lib/test.h"
#include "renewal/renewal_application.h"

enum who { DOCTOR, OTHER_DOCTOR, L2, OTHER_L2, L3, CALL_CENTRE, WHO_COUNT };

static struct actor actor(enum who who)
{
    static const char *const roles[] = {"doctor",    "doctor",    "office_l2",
                                        "office_l2", "office_l3", "call_centre"};

    return (struct actor){
        .role = str_of(roles[who]),
        .doctor_id = who == OTHER_DOCTOR ? 8 : 7,
        .l2_code = who == L2         ? STR("13")
                   : who == OTHER_L2 ? STR("14")
                                     : STR_NONE,
    };
}

static struct application in_state(enum app_status status)
{
    return (struct application){
        .doctor_id = 7,
        .status = status,
        .programme = STR("OP"),
        .l2_code = STR("13"),
        .handbook = HANDBOOK_NOT_NEEDED,
        .fee = FEE_PAID,
        .eligible = true,
        .return_until = DAY_NONE,
    };
}

static struct app_request request(enum app_action action, enum who who)
{
    return (struct app_request){
        .action = action,
        .actor = actor(who),
        .fee = FEE_PAID,
        .reason = action == ACTION_RETURN || action == ACTION_REJECT ? STR("理由") : STR_NONE,
        .until = 101,
        .today = 100,
        .eligible = true,
        .declared_any = action == ACTION_VERIFY_HANDBOOK,
    };
}

static void names_go_both_ways(void **state)
{
    enum app_status status;
    enum app_action action;
    enum app_handbook handbook;
    enum app_fee fee;

    (void)state;
    for (int i = APP_SUBMITTED; i <= APP_CLOSED; i++) {
        assert_true(app_status_parse(str_of(app_status_name((enum app_status)i)), &status));
        assert_int_equal(status, i);
    }
    for (int i = ACTION_VERIFY_HANDBOOK; i <= ACTION_WITHDRAW; i++) {
        assert_true(app_action_parse(str_of(app_action_name((enum app_action)i)), &action));
        assert_int_equal(action, i);
    }
    for (int i = HANDBOOK_NOT_NEEDED; i <= HANDBOOK_RETURNED; i++) {
        assert_true(app_handbook_parse(str_of(app_handbook_name((enum app_handbook)i)), &handbook));
        assert_int_equal(handbook, i);
    }
    for (int i = FEE_AWAITED; i <= FEE_WAIVED; i++) {
        assert_true(app_fee_parse(str_of(app_fee_name((enum app_fee)i)), &fee));
        assert_int_equal(fee, i);
    }
    assert_false(app_status_parse(STR("draft"), &status));
    assert_false(app_fee_parse(STR_NONE, &fee));
}

/* Who may do it at all: N none such for him, F wrong role, + his turn. */
static void every_action_has_its_actor(void **state)
{
    static const char wanted[][WHO_COUNT + 1] = {
        [ACTION_VERIFY_HANDBOOK] = "FN+NFF", [ACTION_SET_FEE] = "FN+NFF",
        [ACTION_FORWARD] = "FN+NFF",         [ACTION_RETURN] = "FN+NFF",
        [ACTION_REJECT] = "FN+N+F",          [ACTION_APPROVE] = "FNFN+F",
        [ACTION_RESUBMIT] = "+NFNFF",        [ACTION_WITHDRAW] = "+NFNFF",
    };

    (void)state;
    for (int action = ACTION_VERIFY_HANDBOOK; action <= ACTION_WITHDRAW; action++) {
        for (int who = 0; who < WHO_COUNT; who++) {
            bool at_l3 = who == L3 || action == ACTION_APPROVE;
            struct application application = in_state(at_l3 ? APP_L3_QUEUED : APP_L2_REVIEW);
            struct app_request asked = request((enum app_action)action, (enum who)who);
            struct app_verdict verdict;
            char got;

            if (action == ACTION_RESUBMIT)
                application.status = APP_RETURNED;
            application_act(&application, &asked, &verdict);
            got = verdict.refusal == CODE_NOT_FOUND   ? 'N'
                  : verdict.refusal == CODE_FORBIDDEN ? 'F'
                                                      : '+';
            assert_int_equal(got, wanted[action][who]);
            if (got == '+')
                assert_int_equal(verdict.refusal, CODE_NONE);
        }
    }
}

/* The state after the action, by action and state before; -1: refused. */
static void every_action_has_its_time(void **state)
{
    enum { NO = -1 };
    static const struct {
        enum app_action action;
        enum who who;
        int after[APP_CLOSED + 1];
    } cases[] = {
        {ACTION_VERIFY_HANDBOOK,
         L2,
         {APP_L2_REVIEW, NO, APP_L2_REVIEW, APP_RETURNED, NO, NO, NO, NO, NO, NO, NO}},
        {ACTION_SET_FEE,
         L2,
         {APP_L2_REVIEW, NO, APP_L2_REVIEW, APP_RETURNED, NO, NO, NO, NO, NO, NO, NO}},
        {ACTION_FORWARD, L2, {APP_L3_QUEUED, NO, APP_L3_QUEUED, NO, NO, NO, NO, NO, NO, NO, NO}},
        {ACTION_RETURN, L2, {APP_RETURNED, NO, APP_RETURNED, NO, NO, NO, NO, NO, NO, NO, NO}},
        {ACTION_REJECT,
         L2,
         {APP_REJECTED_L2, NO, APP_REJECTED_L2, APP_REJECTED_L2, NO, NO, NO, NO, NO, NO, NO}},
        {ACTION_REJECT, L3, {NO, NO, NO, NO, APP_REJECTED_L3, APP_REJECTED_L3, NO, NO, NO, NO, NO}},
        {ACTION_APPROVE, L3, {NO, NO, NO, NO, APP_APPROVED, APP_APPROVED, NO, NO, NO, NO, NO}},
        {ACTION_RESUBMIT,
         DOCTOR,
         {APP_SUBMITTED, NO, NO, APP_L2_REVIEW, NO, NO, NO, NO, NO, NO, NO}},
        {ACTION_WITHDRAW,
         DOCTOR,
         {APP_WITHDRAWN, NO, APP_WITHDRAWN, APP_WITHDRAWN, NO, NO, NO, NO, NO, NO, NO}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int before = APP_SUBMITTED; before <= APP_CLOSED; before++) {
            struct application application = in_state((enum app_status)before);
            struct app_request asked = request(cases[i].action, cases[i].who);
            struct app_verdict verdict;

            application_act(&application, &asked, &verdict);
            if (cases[i].after[before] == NO) {
                assert_true(verdict.refusal == CODE_APPLICATION_STATE ||
                            verdict.refusal == CODE_STATE_CONFLICT);
                assert_int_equal(application.status, before);
            } else {
                assert_int_equal(verdict.refusal, CODE_NONE);
                assert_int_equal(application.status, cases[i].after[before]);
                assert_int_equal(verdict.status_changed, before != cases[i].after[before]);
            }
        }
    }
}

static void doing_it_twice_is_a_conflict(void **state)
{
    static const struct {
        enum app_action action;
        enum who who;
        enum app_status status;
    } cases[] = {
        {ACTION_APPROVE, L3, APP_APPROVED}, /* edge 64 */
        {ACTION_FORWARD, L2, APP_L3_QUEUED},  {ACTION_RETURN, L2, APP_RETURNED},
        {ACTION_REJECT, L2, APP_REJECTED_L2}, {ACTION_REJECT, L3, APP_REJECTED_L3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct application application = in_state(cases[i].status);
        struct app_request asked = request(cases[i].action, cases[i].who);
        struct app_verdict verdict;

        application_act(&application, &asked, &verdict);
        assert_int_equal(verdict.refusal, CODE_STATE_CONFLICT);
    }
}

static void forwarding_needs_the_checklist(void **state)
{
    static const struct {
        bool eligible;
        enum app_handbook handbook;
        enum app_fee fee;
        const char *reason;
        enum code refusal;
    } cases[] = {
        {true, HANDBOOK_NOT_NEEDED, FEE_PAID, NULL, CODE_NONE},
        {true, HANDBOOK_RECEIVED, FEE_WAIVED, NULL, CODE_NONE},
        {true, HANDBOOK_RETURNED, FEE_PAID, NULL, CODE_NONE},
        {true, HANDBOOK_AWAITED, FEE_PAID, NULL, CODE_HANDBOOK_MISSING},  /* edge 50 */
        {true, HANDBOOK_NOT_NEEDED, FEE_AWAITED, NULL, CODE_FEE_MISSING}, /* edge 56 */
        {true, HANDBOOK_AWAITED, FEE_AWAITED, NULL, CODE_HANDBOOK_MISSING},
        {true, HANDBOOK_AWAITED, FEE_AWAITED, "手帳は窓口で確認", CODE_NONE},
        {false, HANDBOOK_RECEIVED, FEE_PAID, NULL, CODE_REQUIREMENT_NOT_MET}, /* edge 48 */
        {false, HANDBOOK_RECEIVED, FEE_PAID, "理由", CODE_REQUIREMENT_NOT_MET},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct application application = in_state(APP_L2_REVIEW);
        struct app_request asked = request(ACTION_FORWARD, L2);
        struct app_verdict verdict;

        application.handbook = cases[i].handbook;
        application.fee = cases[i].fee;
        asked.eligible = cases[i].eligible;
        asked.reason = str_of(cases[i].reason);
        application_act(&application, &asked, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        assert_int_equal(application.status,
                         cases[i].refusal == CODE_NONE ? APP_L3_QUEUED : APP_L2_REVIEW);
    }
}

static void a_credit_cancelled_at_l3_stops_the_approval(void **state)
{
    struct application application = in_state(APP_L3_QUEUED);
    struct app_request asked = request(ACTION_APPROVE, L3);
    struct app_verdict verdict;

    (void)state;
    asked.eligible = false; /* edge 47 */
    application_act(&application, &asked, &verdict);
    assert_int_equal(verdict.refusal, CODE_REQUIREMENT_NOT_MET);
    assert_int_equal(application.status, APP_L3_QUEUED);
}

static void returning_says_why_and_until_when(void **state)
{
    static const struct {
        const char *reason;
        day_t until;
        enum code refusal;
    } cases[] = {
        {"手帳が1単位足りません", 101, CODE_NONE}, {NULL, 101, CODE_FIELD_MISSING},
        {"理由", DAY_NONE, CODE_FIELD_MISSING},    {"理由", 100, CODE_RETURN_UNTIL_PAST},
        {"理由", 99, CODE_RETURN_UNTIL_PAST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct application application = in_state(APP_L2_REVIEW);
        struct app_request asked = request(ACTION_RETURN, L2);
        struct app_verdict verdict;

        asked.reason = str_of(cases[i].reason);
        asked.until = cases[i].until;
        application_act(&application, &asked, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        if (verdict.refusal != CODE_NONE)
            continue;
        assert_true(str_eq(application.return_reason, asked.reason));
        assert_int_equal(application.return_until, 101);
        asked = request(ACTION_RESUBMIT, DOCTOR);
        asked.declared_any = true;
        asked.unverified_any = true;
        application_act(&application, &asked, &verdict);
        assert_int_equal(application.status, APP_L2_REVIEW);
        assert_int_equal(application.handbook, HANDBOOK_AWAITED);
        assert_null(application.return_reason.data);
    }
}

static void submissions_are_checked_in_order(void **state)
{
    const struct submission good = {.my_page_active = true,
                                    .certificate_found = true,
                                    .l2_code = STR("13"),
                                    .window = {.from = 100, .to = 200},
                                    .today = 150,
                                    .eligible = true};
    struct submission bad;

    (void)state;
    assert_int_equal(application_submission_check(&good), CODE_NONE);
    bad = good;
    bad.my_page_active = false;
    assert_int_equal(application_submission_check(&bad), CODE_CERTIFICATE_MISSING);
    bad = good;
    bad.certificate_found = false;
    assert_int_equal(application_submission_check(&bad), CODE_CERTIFICATE_MISSING);
    bad = good;
    bad.open = true;
    assert_int_equal(application_submission_check(&bad), CODE_APPLICATION_OPEN);
    bad = good;
    bad.l2_code = STR("");
    assert_int_equal(application_submission_check(&bad), CODE_OFFICE_MISSING);
    bad = good;
    bad.today = 99;
    assert_int_equal(application_submission_check(&bad), CODE_WINDOW_NOT_OPEN);
    bad.today = 100;
    assert_int_equal(application_submission_check(&bad), CODE_NONE);
    bad.today = 200;
    assert_int_equal(application_submission_check(&bad), CODE_NONE);
    bad.today = 201;
    assert_int_equal(application_submission_check(&bad), CODE_WINDOW_CLOSED);
    bad = good;
    bad.eligible = false;
    assert_int_equal(application_submission_check(&bad), CODE_REQUIREMENT_NOT_MET);
}

/* Edge 60: with the prefecture it goes along, with the national association it stays. */
static void a_move_takes_along_what_is_not_forwarded(void **state)
{
    static const bool goes[] = {
        [APP_SUBMITTED] = true,  [APP_L1_REVIEW] = true,    [APP_L2_REVIEW] = true,
        [APP_RETURNED] = true,   [APP_L3_QUEUED] = false,   [APP_L3_REVIEW] = false,
        [APP_APPROVED] = false,  [APP_REJECTED_L2] = false, [APP_REJECTED_L3] = false,
        [APP_WITHDRAWN] = false, [APP_CLOSED] = false,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goes); i++) {
        struct application application = {.status = (enum app_status)i, .l2_code = STR("13")};

        assert_false(application_hand_over(&application, STR("13")));
        assert_false(application_hand_over(&application, STR("")));
        assert_int_equal(application_hand_over(&application, STR("14")), goes[i]);
        assert_true(str_eq_c(application.l2_code, goes[i] ? "14" : "13"));
        assert_int_equal(application.status, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(a_move_takes_along_what_is_not_forwarded),
        cmocka_unit_test(every_action_has_its_actor),
        cmocka_unit_test(every_action_has_its_time),
        cmocka_unit_test(doing_it_twice_is_a_conflict),
        cmocka_unit_test(forwarding_needs_the_checklist),
        cmocka_unit_test(a_credit_cancelled_at_l3_stops_the_approval),
        cmocka_unit_test(returning_says_why_and_until_when),
        cmocka_unit_test(submissions_are_checked_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
