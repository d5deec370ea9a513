/*
 * Bodies of requests: all problems are named, with pointer, code and the words for the text.
 */
#include <string.h>

#include "gen/bodies.h"
#include "gen/routes.h"
#include "lib/test.h"

enum { PROBLEMS_MAX = 16 };

struct fixture {
    struct arena *arena;
    struct body_problem problems[PROBLEMS_MAX];
    size_t count;
};

static int setup(void **state)
{
    struct fixture *fx = heap_zero(sizeof(*fx));

    fx->arena = arena_new();
    *state = fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;

    arena_free(fx->arena);
    free(fx);
    return 0;
}

static json_t *parsed(struct fixture *fx, const char *text)
{
    json_t *json = NULL;

    assert_int_equal(shape_parse(fx->arena, str_of(text), SHAPE_TOKENS_MAX, &json, fx->problems),
                     ERR_OK);
    return json;
}

/* The problem at `pointer`, in Japanese. */
static const char *detail_at(struct fixture *fx, const char *pointer, enum code code)
{
    for (size_t i = 0; i < fx->count && i < PROBLEMS_MAX; i++) {
        const struct body_problem *problem = &fx->problems[i];

        if (strcmp(problem->pointer, pointer) == 0 && problem->code == code) {
            struct buf text = {0};

            code_render(&text, code_text(code, false)->detail, problem->params,
                        problem->params_count);
            const char *copy = arena_str(fx->arena, buf_str(&text)).data;

            buf_free(&text);
            return copy;
        }
    }
    fail_msg("no %s at '%s'", code_name(code), pointer);
    return NULL;
}

static void a_good_body_is_taken(void **state)
{
    struct fixture *fx = *state;
    struct body_declare_handbook body;
    json_t *json =
        parsed(fx, "{\"programme\":\"OP\",\"lines\":[{\"kind\":\"OPL-S\",\"half_units\":24,"
                   "\"last_on\":\"2025-03-08\"},{\"kind\":\"OPL-J\",\"half_units\":0,"
                   "\"last_on\":null},{\"kind\":\"OPL-R\",\"half_units\":2}]}");

    assert_int_equal(body_declare_handbook_decode(fx->arena, json, &body, fx->problems,
                                                  PROBLEMS_MAX, &fx->count),
                     ERR_OK);
    assert_int_equal(fx->count, 0);
    assert_true(str_eq_c(body.programme, "OP"));
    assert_int_equal(body.lines_count, 3);
    assert_int_equal(body.lines[0].half_units, 24);
    assert_int_equal(body.lines[0].last_on, day_from_ymd(2025, 3, 8));
    assert_int_equal(body.lines[1].last_on, DAY_NONE);
    assert_int_equal(body.lines[2].last_on, DAY_NONE);
}

static void all_problems_are_named(void **state)
{
    struct fixture *fx = *state;
    struct body_declare_handbook body;
    json_t *json =
        parsed(fx, "{\"programme\":\"CME\",\"lines\":[{\"kind\":\"opl s\",\"half_units\":1001,"
                   "\"last_on\":\"2025-02-29\"},{\"half_units\":\"2\"},7],\"a/b~\":1}");

    assert_int_equal(body_declare_handbook_decode(fx->arena, json, &body, fx->problems,
                                                  PROBLEMS_MAX, &fx->count),
                     ERR_SCHEMA);
    assert_int_equal(fx->count, 8);
    assert_string_equal(detail_at(fx, "/programme", CODE_FIELD_VALUE),
                        "「programme」に使える値は OP, SP です。");
    (void)detail_at(fx, "/lines/0/kind", CODE_FIELD_FORMAT);
    assert_string_equal(detail_at(fx, "/lines/0/half_units", CODE_FIELD_RANGE),
                        "「lines/0/half_units」は0から1000までにしてください。");
    assert_string_equal(detail_at(fx, "/lines/0/last_on", CODE_FIELD_FORMAT),
                        "「lines/0/last_on」の形が正しくありません（例：2025-04-01）。");
    (void)detail_at(fx, "/lines/1/kind", CODE_FIELD_MISSING);
    assert_string_equal(detail_at(fx, "/lines/1/half_units", CODE_FIELD_TYPE),
                        "「lines/1/half_units」はintegerで送ってください。");
    (void)detail_at(fx, "/lines/2", CODE_FIELD_TYPE);
    (void)detail_at(fx, "/a~1b~0", CODE_UNKNOWN_FIELD);
}

static void more_problems_than_asked_for_are_counted(void **state)
{
    struct fixture *fx = *state;
    struct body_sign_in body;
    json_t *json = parsed(fx, "{\"a\":1,\"b\":2}");

    assert_int_equal(body_sign_in_decode(fx->arena, json, &body, fx->problems, 1, &fx->count),
                     ERR_SCHEMA);
    assert_int_equal(fx->count, 4);
    assert_string_equal(fx->problems[0].pointer, "/login_id");
}

static void control_characters_are_refused(void **state)
{
    static const char *const bad[] = {"a\\r\\nb", "a\\tb", "a\\u007fb", "a\\u0085b", "a\\u2028b"};
    struct fixture *fx = *state;
    struct body_set_profile profile;
    struct body_reject_application reject;
    char text[200];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)snprintf(text, sizeof(text),
                       "{\"name\":\"%s\",\"name_kana\":\"ア\",\"sex\":\"\",\"birth_on\":"
                       "\"1975-12-18\"}",
                       bad[i]);
        assert_int_equal(body_set_profile_decode(fx->arena, parsed(fx, text), &profile,
                                                 fx->problems, PROBLEMS_MAX, &fx->count),
                         ERR_SCHEMA);
        (void)detail_at(fx, "/name", CODE_FIELD_CONTROL_CHAR);
    }
    assert_int_equal(
        body_reject_application_decode(fx->arena, parsed(fx, "{\"reason\":\"一行目\\n二行目\"}"),
                                       &reject, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_OK);
    assert_int_equal(body_reject_application_decode(fx->arena,
                                                    parsed(fx, "{\"reason\":\"\\u001b\"}"), &reject,
                                                    fx->problems, PROBLEMS_MAX, &fx->count),
                     ERR_SCHEMA);
    assert_int_equal(
        body_reject_application_decode(fx->arena, parsed(fx, "{\"reason\":\" 　\\n\\u00a0　\"}"),
                                       &reject, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_SCHEMA);
    (void)detail_at(fx, "/reason", CODE_FIELD_TOO_SHORT);
    assert_int_equal(body_reject_application_decode(fx->arena, parsed(fx, "{\"reason\":\"　理\"}"),
                                                    &reject, fx->problems, PROBLEMS_MAX,
                                                    &fx->count),
                     ERR_OK);
}

static void optional_texts_tell_whether_they_came(void **state)
{
    struct fixture *fx = *state;
    struct body_set_password body;

    assert_int_equal(body_set_password_decode(fx->arena, parsed(fx, "{\"password\":\"x\"}"), &body,
                                              fx->problems, PROBLEMS_MAX, &fx->count),
                     ERR_OK);
    assert_null(body.current_password.data);
    assert_int_equal(body_set_password_decode(
                         fx->arena, parsed(fx, "{\"password\":\"x\",\"current_password\":null}"),
                         &body, fx->problems, PROBLEMS_MAX, &fx->count),
                     ERR_SCHEMA);
}

static void bodies_outlive_their_document(void **state)
{
    struct fixture *fx = *state;
    struct body_agree_terms body;
    json_t *json = json_pack("{s:s}", "version", "2025-04-01");

    assert_int_equal(
        body_agree_terms_decode(fx->arena, json, &body, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_OK);
    json_decref(json);
    assert_true(str_eq_c(body.version, "2025-04-01"));
}

static void empty_bodies_take_nothing(void **state)
{
    struct fixture *fx = *state;
    struct body_approve_application body;

    assert_int_equal(body_approve_application_decode(fx->arena, parsed(fx, "{}"), &body,
                                                     fx->problems, PROBLEMS_MAX, &fx->count),
                     ERR_OK);
    assert_int_equal(body_approve_application_decode(fx->arena, parsed(fx, "{\"x\":1}"), &body,
                                                     fx->problems, PROBLEMS_MAX, &fx->count),
                     ERR_SCHEMA);
    assert_int_equal(body_approve_application_decode(fx->arena, parsed(fx, "[]"), &body,
                                                     fx->problems, PROBLEMS_MAX, &fx->count),
                     ERR_SCHEMA);
    (void)detail_at(fx, "", CODE_FIELD_TYPE);
}

static void attendance_rows_are_texts(void **state)
{
    struct fixture *fx = *state;
    struct body_post_attendance body;
    json_t *json = parsed(fx, "{\"rows\":[{\"register_no\":\"460190\",\"note\":\"a\\nb\"},{}]}");

    assert_int_equal(
        body_post_attendance_decode(fx->arena, json, &body, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_SCHEMA); /* a line break is no part of a cell */
    json = parsed(fx, "{\"rows\":[{\"register_no\":\"460190\",\"note\":\"ab\"},{}]}");
    assert_int_equal(
        body_post_attendance_decode(fx->arena, json, &body, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_OK);
    assert_int_equal(body.rows_count, 2);
    assert_string_equal(json_string_value(json_object_get(body.rows[0], "register_no")), "460190");
    json = parsed(fx, "{\"rows\":[{\"register_no\":460190}]}");
    assert_int_equal(
        body_post_attendance_decode(fx->arena, json, &body, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_SCHEMA);
    (void)detail_at(fx, "/rows/0/register_no", CODE_FIELD_TYPE);
    json = parsed(fx, "{\"rows\":[]}");
    assert_int_equal(
        body_post_attendance_decode(fx->arena, json, &body, fx->problems, PROBLEMS_MAX, &fx->count),
        ERR_SCHEMA);
    (void)detail_at(fx, "/rows", CODE_FIELD_TOO_SHORT);
}

static enum code param_code(const char *operation, enum route_in in, const char *name,
                            const char *value)
{
    const struct route_param *param = route_param(route_info(operation), in, str_of(name));

    assert_non_null(param);
    return shape_text_check(&param->field, str_of(value));
}

static void parameters_have_limits(void **state)
{
    (void)state;
    assert_int_equal(param_code("list_my_credits", ROUTE_QUERY, "limit", "500"), CODE_NONE);
    assert_int_equal(param_code("list_my_credits", ROUTE_QUERY, "limit", "0"), CODE_FIELD_RANGE);
    assert_int_equal(param_code("list_my_credits", ROUTE_QUERY, "limit", "x"), CODE_FIELD_FORMAT);
    assert_int_equal(param_code("list_my_credits", ROUTE_QUERY, "from", "2025-02-30"),
                     CODE_FIELD_FORMAT);
    assert_int_equal(param_code("list_my_credits", ROUTE_QUERY, "programme", "XX"),
                     CODE_FIELD_VALUE);
    assert_int_equal(param_code("post_attendance", ROUTE_QUERY, "dry_run", "true"), CODE_NONE);
    assert_int_equal(param_code("post_attendance", ROUTE_QUERY, "dry_run", "1"), CODE_FIELD_VALUE);
    assert_int_equal(param_code("post_attendance", ROUTE_HEADER, "idempotency-key", "a b"),
                     CODE_FIELD_FORMAT);
    assert_int_equal(param_code("get_upload", ROUTE_PATH, "upload_id", "x"), CODE_FIELD_FORMAT);
    assert_null(route_param(route_info("get_me"), ROUTE_QUERY, STR("limit")));
    assert_null(route_info("get_nothing"));
    assert_int_equal(route_param(route_info("list_uploads"), ROUTE_QUERY, STR("limit"))->fallback,
                     50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_body_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(all_problems_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(more_problems_than_asked_for_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(control_characters_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(optional_texts_tell_whether_they_came, setup, teardown),
        cmocka_unit_test_setup_teardown(bodies_outlive_their_document, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_bodies_take_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(attendance_rows_are_texts, setup, teardown),
        cmocka_unit_test(parameters_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
