/* fees: the table that ships, on both sides of each limit; files that are refused. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fees/fees.h"
#include "lib/test.h"

#define SHIPPED TEST_SOURCE_DIR "/deploy/rules/fees.json"

static struct fee_book shipped;

static int load_shipped(void **state)
{
    struct err_note note;

    (void)state;
    assert_int_equal(fees_load(SHIPPED, &shipped, &note), ERR_OK);
    return 0;
}

static day_t day(const char *text)
{
    return text == NULL ? DAY_NONE : day_parse(str_of(text));
}

enum { UNKNOWN = -1 };

static void every_line_on_both_sides_of_its_limit(void **state)
{
    static const struct {
        const char *category, *birth_on, *licensed_on, *on;
        bool waived;
        int64_t yen, insurance_yen;
    } cases[] = {
        {"A1", "1970-01-01", "1995-05-01", "2026-12-01", false, 126000, 0},
        {"A1", "1996-04-02", "2024-04-01", "2026-12-01", false, 126000, 0}, /* never waived */
        {"A2B", "1970-01-01", "1995-05-01", "2026-12-01", false, 64000, 0},
        {"B", "1970-01-01", "1995-05-01", "2026-12-01", false, 28000, 0},
        /* 31 on 1 April 2026, the reference day; one day younger is 30 all the year. */
        {"A2B", "1995-04-01", "2020-04-01", "2026-12-01", false, 64000, 0},
        {"A2B", "1995-04-02", "2020-04-01", "2026-12-01", false, 39000, 0},
        {"A2B", "1995-04-02", "2020-04-01", "2027-03-31", false, 39000, 0},
        {"A2B", "1995-04-02", "2020-04-01", "2027-04-01", false, 64000, 0},
        /* Five fiscal years after graduation, whether registered in March or in April. */
        {"A2B", "1998-05-05", "2022-03-20", "2027-03-31", true, 0, 15000},
        {"A2B", "1998-05-05", "2022-03-20", "2027-04-01", false, 39000, 0},
        {"A2B", "1998-05-05", "2022-05-10", "2027-03-31", true, 0, 15000},
        {"A2B", "1998-05-05", "2022-05-10", "2027-04-01", false, 39000, 0},
        {"B", "1998-05-05", "2022-03-20", "2027-03-31", true, 0, 0},
        {"B", "1998-05-05", "2022-03-20", "2027-04-01", false, 28000, 0},
        {"C", "1998-05-05", "2025-04-01", "2026-12-01", true, 0, 0},
        {"A2C", "1998-05-05", "2025-04-01", "2026-12-01", true, 0, 15000},
        /* Waived and aged 31 or more: what the insurance costs is not published. */
        {"A2B", "1995-04-01", "2024-04-01", "2026-12-01", true, 0, UNKNOWN},
        {"A2B", "1995-04-02", "2024-04-01", "2026-12-01", true, 0, 15000},
        /* No published fee: trainees after five years, a category that there is not. */
        {"C", "1990-05-05", "2020-04-01", "2026-12-01", false, UNKNOWN, UNKNOWN},
        {"", "1990-05-05", "2020-04-01", "2026-12-01", false, UNKNOWN, UNKNOWN},
        /* What is not known decides nothing. */
        {"A2B", NULL, "1995-05-01", "2026-12-01", false, UNKNOWN, UNKNOWN},
        {"A2B", NULL, "2024-04-01", "2026-12-01", true, 0, UNKNOWN},
        {"B", NULL, NULL, "2026-12-01", false, 28000, 0},
        {"A2B", "1998-05-05", NULL, "2026-12-01", false, 39000, 0},
        /* Before the first table. */
        {"A1", "1970-01-01", "1995-05-01", "2023-03-31", false, UNKNOWN, UNKNOWN},
        {"A1", "1970-01-01", "1995-05-01", "2023-04-01", false, 126000, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fee fee;

        print_message("%s born %s on %s\n", cases[i].category,
                      cases[i].birth_on == NULL ? "-" : cases[i].birth_on, cases[i].on);
        fee_of(&shipped, str_of(cases[i].category), day(cases[i].birth_on),
               day(cases[i].licensed_on), day(cases[i].on), &fee);
        assert_int_equal(fee.waived, cases[i].waived);
        assert_int_equal(fee.yen_known ? fee.yen : UNKNOWN, cases[i].yen);
        assert_int_equal(fee.insurance_known ? fee.insurance_yen : UNKNOWN, cases[i].insurance_yen);
    }
}

#define TABLE(from, reference, rest)                                                               \
    "{\"from\": \"" from "\", \"reference_day\": \"" reference "\","                               \
    " \"fees\": [{\"category\": \"A2B\", \"age_max\": 30, \"yen\": 1},"                            \
    " {\"category\": \"A2B\", \"yen\": 2}]" rest "}"

static enum err load_text(const char *text, struct fee_book *book, struct err_note *note)
{
    char path[] = "/tmp/mamis-fees-XXXXXX";
    int file = mkstemp(path);
    enum err err;

    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(file);
    err = fees_load(path, book, note);
    (void)unlink(path);
    return err;
}

/* Edge 82: on which day of the fiscal year one has to be 31 is data. */
static void the_reference_day_is_data(void **state)
{
    static const struct {
        const char *birth_on, *on;
        int age;
        int64_t yen;
    } cases[] = {
        {"1996-01-01", "2026-04-01", 31, 2}, /* on 1 January 2027 */
        {"1996-01-02", "2026-04-01", 30, 1}, {"1996-01-02", "2027-03-31", 30, 1},
        {"1996-01-02", "2027-04-01", 31, 2}, {"1996-02-29", "2027-04-01", 31, 2},
        {"1995-06-30", "2025-12-01", 30, 1}, /* an older table: on 1 July 2025 */
        {"1994-07-01", "2025-12-01", 31, 2}, {"1994-07-02", "2025-12-01", 30, 1},
    };
    struct fee_book book;
    struct err_note note;

    (void)state;
    assert_int_equal(load_text("{\"tables\": [" TABLE("2025-04-01", "07-01", "") ", " TABLE(
                                   "2026-04-01", "01-01", "") "]}",
                               &book, &note),
                     ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fee fee;

        fee_of(&book, STR("A2B"), day(cases[i].birth_on), DAY_NONE, day(cases[i].on), &fee);
        print_message("%s\n", cases[i].birth_on);
        assert_int_equal(fee.age, cases[i].age);
        assert_int_equal(fee.yen, cases[i].yen);
    }
}

static void files_that_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "[]",
        "{\"tables\": []}",
        "{\"tables\": [{}]}",
        "{\"tables\": [" TABLE("2025-02-30", "04-01", "") "]}",
        "{\"tables\": [" TABLE("2025-04-01", "02-29", "") "]}",
        "{\"tables\": [" TABLE("2025-04-01", "4-1", "") "]}",
        "{\"tables\": [" TABLE("2025-04-01", "04-01", ", \"waiver\": {}") "]}",
        "{\"tables\": [" TABLE("2025-04-01", "04-01", "") ", " TABLE("2025-04-01", "04-01",
                                                                     "") "]}",
        "{\"tables\": [{\"from\": \"2025-04-01\", \"reference_day\": \"04-01\","
        " \"fees\": [{\"category\": \"A2\", \"yen\": 1}]}]}",
        "{\"tables\": [{\"from\": \"2025-04-01\", \"reference_day\": \"04-01\","
        " \"fees\": [{\"category\": \"B\", \"yen\": -1}]}]}",
        "{\"tables\": [{\"from\": \"2025-04-01\", \"reference_day\": \"04-01\","
        " \"fees\": [{\"category\": \"B\", \"age_max\": 0, \"yen\": 1}]}]}",
    };
    struct fee_book book;
    struct err_note note;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i]);
        assert_int_equal(load_text(cases[i], &book, &note), ERR_SETTINGS);
    }
    assert_int_equal(fees_load("/no/such/file", &book, &note), ERR_SETTINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_on_both_sides_of_its_limit),
        cmocka_unit_test(the_reference_day_is_data),
        cmocka_unit_test(files_that_are_refused),
    };

    return cmocka_run_group_tests(tests, load_shipped, NULL);
}
