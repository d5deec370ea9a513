/* Every kind of parameter and column goes to the server and comes back the same. */
#include "db_fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct db_stmt stmt_scalars = {
    "scalars", "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::text, $6::bytea, $7::uuid,"
               " $8::date, $9::timestamptz, $10::jsonb"};
/* What the server itself thinks these values are. */
static const struct db_stmt stmt_words = {
    "words", "SELECT $1::text, $2::text, $3::text, $4::text, $5::text, encode($6, 'hex'),"
             " $7::text, $8::text, ($9 AT TIME ZONE 'UTC')::text, $10::text, ($9::date)::text"};

enum { SCALARS = 10 };

static const char *const texts[] = {"", "plain", "東京都 髙橋 𠮷野家", "a\"b,c{}\\NULL", "  "};

static void add_scalars(struct db_query *query, struct uuid uuid)
{
    db_bool(query, true);
    db_i16(query, INT16_MIN);
    db_i32(query, INT32_MIN);
    db_i64(query, INT64_MIN);
    db_text_c(query, texts[2]);
    db_bytes(query, (struct str){"\0\1\xff", 3});
    db_uuid(query, uuid);
    db_day(query, day_from_ymd(2025, 4, 7));
    db_time(query, INT64_C(1743984000123456)); /* 2025-04-07T00:00:00.123456Z */
    db_json(query, STR("{\"a\": [1, null], \"b\": \"東\"}"));
}

static void scalars_come_back(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *query = db_add(batch, &stmt_scalars);
    struct uuid uuid = uuid_new();

    add_scalars(query, uuid);
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(db_rows(query), 1);
    assert_true(db_get_bool(query, 0, 0));
    assert_int_equal(db_get_i16(query, 0, 1), INT16_MIN);
    assert_int_equal(db_get_i32(query, 0, 2), INT32_MIN);
    assert_true(db_get_i64(query, 0, 3) == INT64_MIN);
    assert_true(str_eq_c(db_get_text(query, 0, 4), texts[2]));
    assert_true(str_eq(db_get_bytes(query, 0, 5), (struct str){"\0\1\xff", 3}));
    assert_true(uuid_eq(db_get_uuid(query, 0, 6), uuid));
    assert_int_equal(db_get_day(query, 0, 7), day_from_ymd(2025, 4, 7));
    assert_true(db_get_time(query, 0, 8) == INT64_C(1743984000123456));
    assert_true(str_eq_c(db_get_json(query, 0, 9), "{\"a\": [1, null], \"b\": \"東\"}"));
    for (int i = 0; i < SCALARS; i++)
        assert_false(db_is_null(query, 0, i));
}

static void the_server_means_the_same(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_read(fx->arena);
    struct db_query *query = db_add(batch, &stmt_words);
    struct uuid uuid = uuid_new();
    char text[UUID_TEXT_BYTES];
    const char *const expected[] = {"true",
                                    "-32768",
                                    "-2147483648",
                                    "-9223372036854775808",
                                    texts[2],
                                    "0001ff",
                                    text,
                                    "2025-04-07",
                                    "2025-04-07 00:00:00.123456",
                                    "{\"a\": [1, null], \"b\": \"東\"}",
                                    "2025-04-07"};

    uuid_format(uuid, text);
    add_scalars(query, uuid);
    assert_int_equal(run(fx, batch), ERR_OK);
    for (int i = 0; i < (int)ARRAY_LEN(expected); i++)
        assert_true(str_eq_c(db_get_text(query, 0, i), expected[i]));
}

/* Late in the day in UTC is the next day in Japan. */
static void days_are_japans(void **state)
{
    static const struct db_stmt stmt = {"days", "SELECT $1::timestamptz::date"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_read(fx->arena);
    struct db_query *query = db_add(batch, &stmt);
    int64_t time_us = INT64_C(1743984000000000) + INT64_C(20) * 3600 * CLOCK_SECOND_US;

    db_time(query, time_us);
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(db_get_day(query, 0, 0), day_of_us(time_us));
    assert_int_equal(db_get_day(query, 0, 0), day_from_ymd(2025, 4, 8));
}

static void check_nulls(struct db_query *query)
{
    for (int i = 0; i < SCALARS; i++)
        assert_true(db_is_null(query, 0, i));
    assert_false(db_get_bool(query, 0, 0));
    assert_int_equal(db_get_i16(query, 0, 1), 0);
    assert_int_equal(db_get_i32(query, 0, 2), 0);
    assert_int_equal(db_get_i64(query, 0, 3), 0);
    assert_null(db_get_text(query, 0, 4).data);
    assert_null(db_get_bytes(query, 0, 5).data);
    assert_true(uuid_eq(db_get_uuid(query, 0, 6), (struct uuid){{0}}));
    assert_int_equal(db_get_day(query, 0, 7), DAY_NONE);
    assert_true(db_get_time(query, 0, 8) == INT64_MIN);
    assert_null(db_get_json(query, 0, 9).data);
}

/* NULLs without a type first, then typed ones, then values: the statement is prepared as needed. */
static void nulls_come_back(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *untyped = db_add(batch, &stmt_scalars);
    struct db_query *typed = db_add(batch, &stmt_scalars);
    struct db_query *values = db_add(batch, &stmt_scalars);
    struct db_query *again = db_add(batch, &stmt_scalars);

    for (int i = 0; i < SCALARS; i++) {
        db_null(untyped);
        db_null(again);
    }
    for (int i = 0; i < 4; i++)
        db_null(typed);
    db_text_c(typed, NULL);
    db_bytes(typed, STR_NONE);
    db_null(typed);
    db_day(typed, DAY_NONE);
    db_time(typed, INT64_MIN);
    db_json(typed, STR_NONE);
    add_scalars(values, uuid_new());
    assert_int_equal(run(fx, batch), ERR_OK);
    check_nulls(untyped);
    check_nulls(typed);
    check_nulls(again);
    assert_true(db_get_i64(values, 0, 3) == INT64_MIN);
}

static void borders_come_back(void **state)
{
    static const struct db_stmt stmt = {
        "borders",
        "SELECT $1::date, $2::timestamptz, $3::int2, $4::int4, $5::int8, 'infinity'::date,"
        " 'infinity'::timestamptz"};
    const day_t days[] = {day_from_ymd(1, 1, 1), day_from_ymd(1999, 12, 31),
                          day_from_ymd(2000, 1, 1), day_from_ymd(9999, 12, 31)};
    const int64_t times[] = {INT64_C(-62135596800000000), -1, 0, INT64_C(253402300799999999)};
    struct fixture *fx = *state;

    for (size_t i = 0; i < ARRAY_LEN(days); i++) {
        struct db_batch *batch = db_batch_read(fx->arena);
        struct db_query *query = db_add(batch, &stmt);

        db_day(query, days[i]);
        db_time(query, times[i]);
        db_i16(query, INT16_MAX);
        db_i32(query, INT32_MAX);
        db_i64(query, INT64_MAX);
        assert_int_equal(run(fx, batch), ERR_OK);
        assert_int_equal(db_get_day(query, 0, 0), days[i]);
        assert_true(db_get_time(query, 0, 1) == times[i]);
        assert_int_equal(db_get_i64(query, 0, 2), INT16_MAX);
        assert_int_equal(db_get_i32(query, 0, 2), INT16_MAX);
        assert_int_equal(db_get_i64(query, 0, 3), INT32_MAX);
        assert_true(db_get_i64(query, 0, 4) == INT64_MAX);
        assert_int_equal(db_get_day(query, 0, 5), INT32_MAX);
        assert_true(db_get_time(query, 0, 6) == INT64_MAX);
    }
}

/* Text-like columns of all sorts, and an enum. */
static void texts_come_back(void **state)
{
    static const struct db_stmt stmt = {
        "texts", "SELECT $1::text, $1::varchar(20), $1::json::text, $1::name,"
                 " json_build_object('x', $2::int), 'b'::db_test_letter"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_read(fx->arena);
    struct db_query *query = db_add(batch, &stmt);

    pg_server_exec(fx->server, "CREATE TYPE db_test_letter AS ENUM ('a', 'b')");
    db_text(query, STR("\"東京\""));
    db_i32(query, 7);
    assert_int_equal(run(fx, batch), ERR_OK);
    for (int i = 0; i < 4; i++)
        assert_true(str_eq_c(db_get_text(query, 0, i), "\"東京\""));
    assert_true(str_eq_c(db_get_json(query, 0, 4), "{\"x\" : 7}"));
    assert_true(str_eq_c(db_get_text(query, 0, 5), "b"));
}

enum { ARRAYS = 9, ELEMENTS = 5 };

static const struct db_stmt stmt_arrays = {
    "arrays",
    "SELECT * FROM unnest($1::int2[], $2::int4[], $3::int8[], $4::date[], $5::timestamptz[],"
    " $6::text[], $7::uuid[], $8::jsonb[], $9::int8[])"};

struct columns {
    int16_t i16[ELEMENTS];
    int32_t i32[ELEMENTS];
    int64_t i64[ELEMENTS];
    day_t days[ELEMENTS];
    int64_t times[ELEMENTS];
    struct str texts[ELEMENTS];
    struct uuid uuids[ELEMENTS];
    struct str jsons[ELEMENTS];
    int64_t maybe[ELEMENTS];
};

static void add_arrays(struct db_query *query, const struct columns *columns, size_t count)
{
    db_i16_array(query, columns->i16, count);
    db_i32_array(query, columns->i32, count);
    db_i64_array(query, columns->i64, count);
    db_day_array(query, columns->days, count);
    db_time_array(query, columns->times, count);
    db_text_array(query, columns->texts, count);
    db_uuid_array(query, columns->uuids, count);
    db_json_array(query, columns->jsons, count);
    db_i64_null_array(query, columns->maybe, count);
}

static void fill_columns(struct columns *columns)
{
    *columns = (struct columns){
        .i16 = {0, 1, -1, INT16_MAX, INT16_MIN},
        .i32 = {0, 1, -1, INT32_MAX, INT32_MIN},
        .i64 = {0, 1, -1, INT64_MAX, INT64_MIN},
        .days = {0, DAY_NONE, day_from_ymd(2025, 4, 7), -1, DAY_NONE},
        .times = {0, 1, INT64_MIN, INT64_C(1743984000123456), -1},
        .jsons = {STR("1"), STR("null"), STR_NONE, STR("\"東\""), STR("[]")},
        .maybe = {INT64_MIN, 0, INT64_MAX, -1, INT64_MIN},
    };
    for (size_t i = 0; i < ELEMENTS; i++) {
        columns->texts[i] = str_of(texts[i]);
        columns->uuids[i] = uuid_new();
    }
    columns->texts[4] = STR_NONE;
}

static void arrays_come_back(void **state)
{
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *query = db_add(batch, &stmt_arrays);
    struct columns columns;

    fill_columns(&columns);
    add_arrays(query, &columns, ELEMENTS);
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(db_rows(query), ELEMENTS);
    for (size_t i = 0; i < ELEMENTS; i++) {
        assert_int_equal(db_get_i16(query, i, 0), columns.i16[i]);
        assert_int_equal(db_get_i32(query, i, 1), columns.i32[i]);
        assert_true(db_get_i64(query, i, 2) == columns.i64[i]);
        assert_int_equal(db_get_day(query, i, 3), columns.days[i]);
        assert_true(db_get_time(query, i, 4) == columns.times[i]);
        assert_true(str_eq(db_get_text(query, i, 5), columns.texts[i]));
        assert_int_equal(db_is_null(query, i, 5), columns.texts[i].data == NULL);
        assert_true(uuid_eq(db_get_uuid(query, i, 6), columns.uuids[i]));
        assert_true(str_eq(db_get_json(query, i, 7), columns.jsons[i]));
        assert_int_equal(db_is_null(query, i, 7), columns.jsons[i].data == NULL);
        assert_int_equal(db_is_null(query, i, 8), columns.maybe[i] == INT64_MIN);
        if (columns.maybe[i] != INT64_MIN)
            assert_true(db_get_i64(query, i, 8) == columns.maybe[i]);
    }
}

static void empty_arrays_are_empty(void **state)
{
    static const struct db_stmt stmt = {
        "empty",
        "SELECT cardinality($1::int2[]), cardinality($2::int4[]), cardinality($3::int8[]),"
        " cardinality($4::date[]), cardinality($5::timestamptz[]), cardinality($6::text[]),"
        " cardinality($7::uuid[]), cardinality($8::jsonb[]), cardinality($9::int8[])"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *rows = db_add(batch, &stmt_arrays);
    struct db_query *sizes = db_add(batch, &stmt);
    const struct columns columns = {.i16 = {0}};

    add_arrays(rows, &columns, 0);
    add_arrays(sizes, &columns, 0);
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(db_rows(rows), 0);
    for (int i = 0; i < ARRAYS; i++) {
        assert_false(db_is_null(sizes, 0, i));
        assert_int_equal(db_get_i32(sizes, 0, i), 0);
    }
}

static void integer_arrays_are_read(void **state)
{
    static const struct db_stmt stmt = {
        "integers", "SELECT '{1,-2,32767}'::int2[], '{3,-4}'::int4[], $1::int8[], '{}'::int8[],"
                    " NULL::int8[]"};
    const int64_t values[] = {5, -6, INT64_MAX, INT64_MIN};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_read(fx->arena);
    struct db_query *query = db_add(batch, &stmt);
    const int64_t *got;

    db_i64_array(query, values, ARRAY_LEN(values));
    assert_int_equal(run(fx, batch), ERR_OK);
    assert_int_equal(db_get_i64_array(query, 0, 0, &got), 3);
    assert_true(got[0] == 1 && got[1] == -2 && got[2] == INT16_MAX);
    assert_int_equal(db_get_i64_array(query, 0, 1, &got), 2);
    assert_true(got[0] == 3 && got[1] == -4);
    assert_int_equal(db_get_i64_array(query, 0, 2, &got), ARRAY_LEN(values));
    assert_memory_equal(got, values, sizeof(values));
    assert_int_equal(db_get_i64_array(query, 0, 3, &got), 0);
    assert_int_equal(db_get_i64_array(query, 0, 4, &got), 0);
}

/* More than any socket buffer, both ways at once. */
static void large_values_come_back(void **state)
{
    enum { BYTES = 3 * 1000 * 1000, COPIES = 8 };
    static const struct db_stmt stmt = {"large", "SELECT $1::bytea, $2::text[]"};
    struct fixture *fx = *state;
    struct db_batch *batch = db_batch_new(fx->arena);
    struct db_query *queries[COPIES];
    char *bytes = arena_alloc(fx->arena, BYTES);
    struct str many[1000];

    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = STR("文字");
    for (int i = 0; i < COPIES; i++) {
        queries[i] = db_add(batch, &stmt);
        db_bytes(queries[i], (struct str){bytes, BYTES});
        db_text_array(queries[i], many, ARRAY_LEN(many));
    }
    assert_int_equal(run(fx, batch), ERR_OK);
    for (int i = 0; i < COPIES; i++)
        assert_true(str_eq(db_get_bytes(queries[i], 0, 0), (struct str){bytes, BYTES}));
}

static void affected_rows_are_counted(void **state)
{
    static const struct db_stmt create = {"create", "CREATE TABLE db_test_count (id int8)"};
    static const struct db_stmt insert = {
        "insert", "INSERT INTO db_test_count SELECT * FROM unnest($1::int8[])"};
    static const struct db_stmt update = {"update",
                                          "UPDATE db_test_count SET id = 0 WHERE id > $1"};
    const int64_t values[] = {1, 2, 3};
    struct fixture *fx = *state;
    struct db_batch *first = db_batch_new(fx->arena);
    struct db_batch *second = db_batch_new(fx->arena);
    struct db_query *made = db_add(first, &create);
    struct db_query *inserted = db_add(second, &insert);
    struct db_query *updated = db_add(second, &update);

    db_i64_array(inserted, values, ARRAY_LEN(values));
    db_i64(updated, 1);
    assert_int_equal(run(fx, first), ERR_OK);
    assert_int_equal(run(fx, second), ERR_OK);
    assert_int_equal(db_affected(made), 0);
    assert_int_equal(db_affected(inserted), 3);
    assert_int_equal(db_affected(updated), 2);
    assert_int_equal(db_rows(updated), 0);
    assert_non_null(db_result(updated));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scalars_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_server_means_the_same, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(days_are_japans, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(nulls_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(borders_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(texts_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(arrays_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(empty_arrays_are_empty, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(integer_arrays_are_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(large_values_come_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(affected_rows_are_counted, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, server_setup, server_teardown);
}
