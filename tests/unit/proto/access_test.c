/*
 * Rights: the cells of the table that matter most, and that every route has its action.
 */
#include <string.h>

#include "gen/routes.h"
#include "lib/test.h"

static void roles_reach_as_far_as_they_should(void **state)
{
    static const struct {
        enum role role;
        enum action action;
        enum access_scope scope;
    } cases[] = {
        {ROLE_DOCTOR, ACTION_CREDIT_READ_OWN, ACCESS_OWN},
        {ROLE_DOCTOR, ACTION_ATTENDANCE_POST, ACCESS_NONE},
        {ROLE_DOCTOR, ACTION_APPLICATION_READ, ACCESS_NONE},
        {ROLE_DOCTOR, ACTION_APPLICATION_APPROVE, ACCESS_NONE},
        {ROLE_ORGANISER, ACTION_ATTENDANCE_POST, ACCESS_ORGANISATION},
        {ROLE_ORGANISER, ACTION_CREDIT_READ_OWN, ACCESS_NONE},
        {ROLE_ORGANISER, ACTION_APPLICATION_READ, ACCESS_NONE},
        {ROLE_OFFICE_L2, ACTION_APPLICATION_CHECK, ACCESS_ORGANISATION},
        {ROLE_OFFICE_L2, ACTION_APPLICATION_APPROVE, ACCESS_NONE},
        {ROLE_OFFICE_L3, ACTION_APPLICATION_APPROVE, ACCESS_ALL},
        {ROLE_OFFICE_L3, ACTION_APPLICATION_CHECK, ACCESS_NONE},
        {ROLE_ADMIN, ACTION_APPLICATION_READ, ACCESS_NONE},
        {ROLE_ADMIN, ACTION_ATTENDANCE_POST, ACCESS_NONE},
        {ROLE_CALL_CENTRE, ACTION_UPLOAD_READ, ACCESS_NONE},
        {ROLE_AUDITOR, ACTION_UPLOAD_READ, ACCESS_ALL},
        {ROLE_AUDITOR, ACTION_ATTENDANCE_POST, ACCESS_NONE},
        {ROLE_NONE, ACTION_ACCOUNT_READ, ACCESS_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(access_scope(cases[i].role, cases[i].action), cases[i].scope);
        assert_int_equal(access_allowed(cases[i].role, cases[i].action),
                         cases[i].scope != ACCESS_NONE);
    }
    assert_true(access_allowed(ROLE_NONE, ACTION_PUBLIC));
}

static void names_lead_back(void **state)
{
    enum action action;

    (void)state;
    for (int i = 1; i < ROLE_COUNT; i++)
        assert_int_equal(role_of_name(str_of(role_name((enum role)i))), i);
    assert_int_equal(role_of_name(STR("root")), ROLE_NONE);
    assert_int_equal(role_of_name(STR("")), ROLE_NONE);
    for (int i = 0; i < ACTION_COUNT; i++) {
        assert_true(action_of_name(str_of(action_name((enum action)i)), &action));
        assert_int_equal(action, i);
    }
    assert_false(action_of_name(STR("everything"), &action));
}

static void first_login_opens_little(void **state)
{
    (void)state;
    assert_true(access_first_login(ACTION_ACCOUNT_TERMS));
    assert_true(access_first_login(ACTION_SESSION_END));
    assert_false(access_first_login(ACTION_CREDIT_READ_OWN));
    assert_false(access_first_login(ACTION_APPLICATION_SUBMIT));
    assert_false(access_first_login(ACTION_ATTENDANCE_POST));
}

static void a_pending_factor_opens_less(void **state)
{
    (void)state;
    assert_true(access_second_factor(ACTION_PUBLIC));
    assert_true(access_second_factor(ACTION_SESSION_END));
    assert_true(access_second_factor(ACTION_SECOND_FACTOR_PROVE));
    assert_false(access_second_factor(ACTION_ACCOUNT_PASSWORD));
    assert_false(access_second_factor(ACTION_SESSION_REVOKE));
    assert_false(access_second_factor(ACTION_CREDIT_READ_OWN));
}

static void sensitive_changes_want_a_proof(void **state)
{
    (void)state;
    assert_true(access_reauthenticate(ACTION_ACCOUNT_EMAIL));
    assert_true(access_reauthenticate(ACTION_SECOND_FACTOR_CHANGE));
    assert_true(access_reauthenticate(ACTION_SESSION_REVOKE));
    assert_true(access_reauthenticate(ACTION_STAFF_MANAGE));
    assert_true(access_reauthenticate(ACTION_TOKEN_MANAGE));
    assert_false(access_reauthenticate(ACTION_STAFF_LIST));
    assert_false(access_reauthenticate(ACTION_TOKEN_LIST));
    assert_false(access_reauthenticate(ACTION_PUBLIC));
    assert_false(access_reauthenticate(ACTION_PROFILE_READ));
    assert_false(access_reauthenticate(ACTION_SESSION_PROVE));
}

static void tokens_do_what_their_scope_says(void **state)
{
    (void)state;
    assert_true(access_token_allowed(STR("attendance:write"), ACTION_ATTENDANCE_POST));
    assert_true(access_token_allowed(STR("attendance:write"), ACTION_UPLOAD_READ));
    assert_false(access_token_allowed(STR("attendance:write"), ACTION_APPLICATION_READ));
    assert_false(access_token_allowed(STR("attendance:write"), ACTION_ACCOUNT_PASSWORD));
    assert_false(access_token_allowed(STR("attendance"), ACTION_ATTENDANCE_POST));
}

enum { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

static void every_route_has_its_action(void **state)
{
    static const struct {
        int method;
        const char *path, *operation, *action;
        size_t body_bytes_max;
        bool streams;
    } routes[] = {
#define ROUTE(method, path, operation, action, bytes, streams)                                     \
    {method, path, #operation, action, bytes, streams},
        ROUTES(ROUTE)
#undef ROUTE
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(routes), ROUTE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        const struct route_info *info = route_info(routes[i].operation);

        assert_non_null(info);
        assert_string_equal(action_name(info->action), routes[i].action);
        assert_int_equal(strncmp(routes[i].path, "/api/v1/", 8), 0);
        assert_false(routes[i].method == HTTP_GET && routes[i].body_bytes_max > 0);
        assert_false(routes[i].streams && routes[i].body_bytes_max == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_reach_as_far_as_they_should),
        cmocka_unit_test(names_lead_back),
        cmocka_unit_test(first_login_opens_little),
        cmocka_unit_test(a_pending_factor_opens_less),
        cmocka_unit_test(sensitive_changes_want_a_proof),
        cmocka_unit_test(tokens_do_what_their_scope_says),
        cmocka_unit_test(every_route_has_its_action),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
