/* Passwords, temporary passwords, links, tokens, key files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "secret/secret.h"

static const struct secret_key key_one = {{1, 2, 3}};
static const struct secret_key key_two = {{3, 2, 1}};
/* As little work as libsodium allows, for speed. */
static const struct password_cost cheap = {1, 8};

static void a_password_fits_its_own_hash_only(void **state)
{
    char hash[PASSWORD_HASH_BYTES];

    (void)state;
    assert_int_equal(password_hash(&key_one, cheap, STR("correct horse battery"), hash), ERR_OK);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_true(password_check(&key_one, STR("correct horse battery"), hash));
    assert_false(password_check(&key_one, STR("correct horse batterz"), hash));
    assert_false(password_check(&key_one, STR(""), hash));
    assert_false(password_check(&key_two, STR("correct horse battery"), hash));
}

static void every_way_to_type_a_character_is_the_same(void **state)
{
    char hash[PASSWORD_HASH_BYTES];

    (void)state;
    /* が as one character, and as か with a combining mark */
    assert_int_equal(password_hash(&key_one, cheap, STR("\xE3\x81\x8C secret"), hash), ERR_OK);
    assert_true(password_check(&key_one, STR("\xE3\x81\x8B\xE3\x82\x99 secret"), hash));
}

static void what_is_no_password_is_refused(void **state)
{
    char hash[PASSWORD_HASH_BYTES];
    char longest[PASSWORD_BYTES_MAX + 1];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(password_hash(&key_one, cheap, STR(""), hash), ERR_SCHEMA);
    assert_int_equal(password_hash(&key_one, cheap, STR("bad \xFF\xFE bytes"), hash), ERR_SCHEMA);
    assert_int_equal(password_hash(&key_one, cheap, (struct str){longest, sizeof(longest)}, hash),
                     ERR_SCHEMA);
    assert_int_equal(
        password_hash(&key_one, cheap, (struct str){longest, PASSWORD_BYTES_MAX}, hash), ERR_OK);
}

static void a_hash_of_another_cost_is_outdated(void **state)
{
    char hash[PASSWORD_HASH_BYTES];

    (void)state;
    assert_int_equal(password_hash(&key_one, cheap, STR("correct horse battery"), hash), ERR_OK);
    assert_false(password_hash_outdated(hash, cheap));
    assert_true(password_hash_outdated(hash, PASSWORD_COST_DEFAULT));
    assert_false(password_hash_outdated(password_hash_of_nobody(), PASSWORD_COST_DEFAULT));
    assert_false(password_check(&key_one, STR("anything"), password_hash_of_nobody()));
}

static void temporary_passwords_are_random_and_plain(void **state)
{
    char first[TEMP_PASSWORD_BYTES];
    char second[TEMP_PASSWORD_BYTES];
    char login[TEMP_LOGIN_BYTES];
    char folded[TEMP_TEXT_BYTES];

    (void)state;
    temp_password_new(first);
    temp_password_new(second);
    temp_login_new(login);
    assert_int_equal(strlen(first), TEMP_PASSWORD_BYTES - 1);
    assert_int_equal(strlen(login), TEMP_LOGIN_BYTES - 1);
    assert_string_not_equal(first, second);
    assert_null(strpbrk(first, "O0I1l"));
    assert_true(temp_fold(str_of(first), folded));
    assert_int_equal(strlen(folded), 13);
    assert_int_equal(first[4], '-');
    assert_int_equal(first[9], '-');
}

static void temporary_texts_are_folded_as_people_type_them(void **state)
{
    static const struct {
        const char *typed;
        const char *folded; /* NULL: refused */
    } cases[] = {
        {"abcd-efgh-jklmn", "ABCDEFGHJKLMN"},
        {" ABCD EFGH\tJKLMN ", "ABCDEFGHJKLMN"},
        {"ＡＢｃｄ－２３　９", "ABCD239"},
        {"", NULL},
        {" - ", NULL},
        {"ABC_D", NULL},
        {"あ", NULL},
        {"A\xE3", NULL},
        {"ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDE", NULL},
        {"ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCD",
         "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCD"},
    };
    char folded[TEMP_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool good = temp_fold(str_of(cases[i].typed), folded);

        assert_int_equal(good, cases[i].folded != NULL);
        if (good)
            assert_string_equal(folded, cases[i].folded);
    }
}

static void temporary_passwords_are_kept_under_a_key(void **state)
{
    uint8_t first[SECRET_DIGEST_BYTES];
    uint8_t second[SECRET_DIGEST_BYTES];

    (void)state;
    temp_hmac(&key_one, "ABCDEFGHJKLMN", first);
    temp_hmac(&key_one, "ABCDEFGHJKLMN", second);
    assert_memory_equal(first, second, sizeof(first));
    temp_hmac(&key_two, "ABCDEFGHJKLMN", second);
    assert_memory_not_equal(first, second, sizeof(first));
}

static void a_link_serves_one_purpose(void **state)
{
    struct uuid id = uuid_new();
    struct uuid found;
    char text[LINK_TEXT_BYTES];

    (void)state;
    link_text(&key_one, "password_reset", id, text);
    assert_int_equal(strlen(text), LINK_TEXT_BYTES - 1);
    assert_true(link_id(str_of(text), &found));
    assert_true(uuid_eq(found, id));
    assert_true(link_check(&key_one, "password_reset", str_of(text)));
    assert_false(link_check(&key_one, "email_confirm", str_of(text)));
    assert_false(link_check(&key_two, "password_reset", str_of(text)));
    assert_false(link_check(&key_one, "password_reset", (struct str){text, strlen(text) - 1}));
    text[LINK_TEXT_BYTES - 2] = text[LINK_TEXT_BYTES - 2] == 'A' ? 'E' : 'A';
    assert_false(link_check(&key_one, "password_reset", str_of(text)));
    assert_false(link_id(STR("nothing"), &found));
}

static void tokens_differ_and_are_kept_as_digests(void **state)
{
    /* SHA-256 of "abc", from FIPS 180-4's example */
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t digest[SECRET_DIGEST_BYTES];
    char first[TOKEN_TEXT_BYTES];
    char second[TOKEN_TEXT_BYTES];

    (void)state;
    token_new(first);
    token_new(second);
    assert_int_equal(strlen(first), TOKEN_TEXT_BYTES - 1);
    assert_string_not_equal(first, second);
    token_digest(STR("abc"), digest);
    assert_memory_equal(digest, abc, sizeof(abc));
}

static void a_key_file_has_32_bytes_for_its_owner_only(void **state)
{
    char path[] = "/tmp/mamis-secret-XXXXXX";
    struct secret_key key;
    struct err_note note;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0123456789abcdef0123456789abcde", 31), 31);
    assert_int_equal(secret_key_load(path, &key, &note), ERR_SETTINGS);
    assert_int_equal(write(fd, "f", 1), 1);
    assert_int_equal(secret_key_load(path, &key, &note), ERR_OK);
    assert_memory_equal(key.bytes, "0123456789abcdef0123456789abcdef", SECRET_KEY_BYTES);
    assert_int_equal(fchmod(fd, 0440), 0);
    assert_int_equal(secret_key_load(path, &key, &note), ERR_SETTINGS);
    assert_int_equal(fchmod(fd, 0400), 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(secret_key_load(path, &key, &note), ERR_SETTINGS);
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(secret_key_load(path, &key, &note), ERR_SETTINGS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_fits_its_own_hash_only),
        cmocka_unit_test(every_way_to_type_a_character_is_the_same),
        cmocka_unit_test(what_is_no_password_is_refused),
        cmocka_unit_test(a_hash_of_another_cost_is_outdated),
        cmocka_unit_test(temporary_passwords_are_random_and_plain),
        cmocka_unit_test(temporary_texts_are_folded_as_people_type_them),
        cmocka_unit_test(temporary_passwords_are_kept_under_a_key),
        cmocka_unit_test(a_link_serves_one_purpose),
        cmocka_unit_test(tokens_differ_and_are_kept_as_digests),
        cmocka_unit_test(a_key_file_has_32_bytes_for_its_owner_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
