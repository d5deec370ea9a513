/* Codes of authenticator apps by the vectors of RFC 6238, their window, their seal. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "secret/factor.h"

static const struct totp_secret rfc = {"12345678901234567890"};

static void codes_are_those_of_the_rfc(void **state)
{
    static const struct {
        int64_t time_s;
        uint32_t code; /* the last six digits */
    } cases[] = {{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
                 {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(totp_code(&rfc, totp_step(cases[i].time_s * 1000000)), cases[i].code);
}

static struct str text_of(int64_t step, char out[8])
{
    (void)snprintf(out, 8, "%06u", totp_code(&rfc, step));
    return str_of(out);
}

static void a_code_counts_in_its_window_and_once(void **state)
{
    static const struct {
        int64_t of, now, last, found;
    } cases[] = {
        {1000, 1000, 0, 1000},   {999, 1000, 0, 999},      {1001, 1000, 0, 1001},
        {998, 1000, 0, -1},      {1002, 1000, 0, -1},      {1000, 1000, 1000, -1},
        {999, 1000, 1000, -1},   {1001, 1000, 1000, 1001}, {1000, 1000, 1001, -1},
        {1000, 1000, 999, 1000},
    };
    char text[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(totp_match(&rfc, text_of(cases[i].of, text), cases[i].now, cases[i].last),
                         cases[i].found);
}

static void what_is_no_code_never_fits(void **state)
{
    (void)state;
    assert_int_equal(totp_match(&rfc, STR(""), 1, 0), -1);
    assert_int_equal(totp_match(&rfc, STR("28708"), 1, 0), -1);
    assert_int_equal(totp_match(&rfc, STR("2870821"), 1, 0), -1);
    assert_int_equal(totp_match(&rfc, STR("28708a"), 1, 0), -1);
    assert_int_equal(totp_match(&rfc, STR("287082"), 1, 0), 1);
}

static void the_text_is_base32(void **state)
{
    char text[TOTP_TEXT_BYTES];

    (void)state;
    totp_secret_text(&rfc, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

static void a_seal_is_for_one_account_and_key(void **state)
{
    struct secret_key key = {{1}}, other = {{2}};
    struct uuid mine = {{3}}, theirs = {{4}};
    struct totp_secret opened;
    uint8_t sealed[TOTP_SEALED_BYTES];
    struct str text = {(const char *)sealed, sizeof(sealed)};

    (void)state;
    totp_seal(&key, mine, &rfc, sealed);
    assert_true(totp_open(&key, mine, text, &opened));
    assert_memory_equal(opened.bytes, rfc.bytes, sizeof(rfc.bytes));
    assert_false(totp_open(&other, mine, text, &opened));
    assert_false(totp_open(&key, theirs, text, &opened));
    text.len--;
    assert_false(totp_open(&key, mine, text, &opened));
    text.len++;
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 1;
        assert_false(totp_open(&key, mine, text, &opened));
        sealed[i] ^= 1;
    }
}

static void secrets_differ(void **state)
{
    struct totp_secret one, two;

    (void)state;
    totp_secret_new(&one);
    totp_secret_new(&two);
    assert_memory_not_equal(one.bytes, two.bytes, sizeof(one.bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_the_rfc),
        cmocka_unit_test(a_code_counts_in_its_window_and_once),
        cmocka_unit_test(what_is_no_code_never_fits),
        cmocka_unit_test(the_text_is_base32),
        cmocka_unit_test(a_seal_is_for_one_account_and_key),
        cmocka_unit_test(secrets_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
