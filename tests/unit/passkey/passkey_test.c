/* What browsers send, taken apart and judged; signatures by keys made here. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/test.h"
#include "passkey/passkey.h"

/* SHA-256 of "mamis.example.jp" */
static const char RP_ID[] = "mamis.example.jp";
static const char CLIENT[] = "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\","
                             "\"origin\":\"https://mamis.example.jp\",\"crossOrigin\":false}";

enum { ID_LEN = 32, ATTESTED_LEN = 37 + 18 + ID_LEN + 10 };

static int setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

/* Authenticator data of a new credential; the key's CBOR is ten bytes that nobody reads. */
static struct str attested(uint8_t *bytes, uint8_t flags, uint32_t count)
{
    unsigned len = 32;

    memset(bytes, 0, ATTESTED_LEN);
    assert_int_equal(EVP_Digest(RP_ID, strlen(RP_ID), bytes, &len, EVP_sha256(), NULL), 1);
    bytes[32] = flags;
    for (int i = 0; i < 4; i++)
        bytes[33 + i] = (uint8_t)(count >> (24 - 8 * i));
    bytes[54] = ID_LEN;
    memset(bytes + 55, 0x5a, ID_LEN);
    return (struct str){(const char *)bytes, ATTESTED_LEN};
}

static void data_is_taken_apart(void **state)
{
    uint8_t bytes[ATTESTED_LEN];
    struct str text = attested(bytes, 0x45, 0x01020304);
    struct passkey_data data;

    (void)state;
    assert_true(passkey_data_parse(text, &data));
    assert_true(data.present && data.verified);
    assert_int_equal(data.sign_count, 0x01020304);
    assert_int_equal(data.credential_id.len, ID_LEN);
    assert_int_equal(data.credential_id.data[0], 0x5a);
    bytes[32] = 0x01;
    assert_true(passkey_data_parse((struct str){text.data, 37}, &data));
    assert_true(data.present && !data.verified);
    assert_null(data.credential_id.data);
}

static void data_that_is_cut_short_is_none(void **state)
{
    uint8_t bytes[ATTESTED_LEN];
    struct str text = attested(bytes, 0x45, 1);
    struct passkey_data data;

    (void)state;
    for (size_t len = 0; len < 55 + ID_LEN; len++)
        assert_false(passkey_data_parse((struct str){text.data, len}, &data));
    assert_true(passkey_data_parse((struct str){text.data, 55 + ID_LEN}, &data));
    bytes[53] = 0xff; /* an id that is too long */
    assert_false(passkey_data_parse(text, &data));
    bytes[53] = 0;
    bytes[54] = 15; /* and one that is too short */
    assert_false(passkey_data_parse(text, &data));
}

static void client_data_is_json_with_three_texts(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\"}",
        "{\"type\":1,\"challenge\":\"AAAA\",\"origin\":\"https://x\"}",
        "{\"type\":\"a\",\"type\":\"b\",\"challenge\":\"AAAA\",\"origin\":\"https://x\"}"};
    struct passkey_client client;

    assert_true(passkey_client_parse(*state, STR(CLIENT), &client));
    assert_true(str_eq_c(client.type, "webauthn.get"));
    assert_true(str_eq_c(client.challenge, "AAAA"));
    assert_true(str_eq_c(client.origin, "https://mamis.example.jp"));
    assert_false(client.cross_origin);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(passkey_client_parse(*state, str_of(bad[i]), &client));
}

static bool ours(const void *context, struct str origin)
{
    return str_eq_c(origin, context);
}

static void everything_has_to_fit(void **state)
{
    const struct passkey_wanted wanted = {"webauthn.get", RP_ID, ours, "https://mamis.example.jp"};
    const struct {
        const char *type, *origin, *rp_id;
        bool cross;
        uint8_t flags;
        enum passkey_fault fault;
    } cases[] = {
        {"webauthn.get", "https://mamis.example.jp", RP_ID, false, 0x05, PASSKEY_GOOD},
        {"webauthn.create", "https://mamis.example.jp", RP_ID, false, 0x05, PASSKEY_TYPE},
        {"webauthn.get", "https://evil.example", RP_ID, false, 0x05, PASSKEY_ORIGIN},
        {"webauthn.get", "https://mamis.example.jp", RP_ID, true, 0x05, PASSKEY_ORIGIN},
        {"webauthn.get", "https://mamis.example.jp", "evil.example", false, 0x05, PASSKEY_RP_ID},
        {"webauthn.get", "https://mamis.example.jp", RP_ID, false, 0x04, PASSKEY_NOT_PRESENT},
        {"webauthn.get", "https://mamis.example.jp", RP_ID, false, 0x01, PASSKEY_NOT_VERIFIED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[ATTESTED_LEN];
        struct passkey_client client = {str_of(cases[i].type), STR("AAAA"), str_of(cases[i].origin),
                                        cases[i].cross};
        struct passkey_wanted asked = wanted;
        struct passkey_data data;

        assert_true(
            passkey_data_parse((struct str){attested(bytes, cases[i].flags, 0).data, 37}, &data));
        asked.rp_id = cases[i].rp_id;
        assert_int_equal(passkey_judge(&asked, &client, &data), cases[i].fault);
    }
}

static void counters_grow_or_are_none(void **state)
{
    (void)state;
    assert_true(passkey_count_good(0, 0));
    assert_true(passkey_count_good(0, 1));
    assert_true(passkey_count_good(5, 6));
    assert_false(passkey_count_good(5, 5));
    assert_false(passkey_count_good(5, 4));
    assert_false(passkey_count_good(5, 0));
    assert_true(passkey_count_good(UINT32_MAX - 1, UINT32_MAX));
}

static void a_challenge_is_for_one_purpose_account_and_time(void **state)
{
    struct secret_key key = {{1}}, other = {{2}};
    struct uuid mine = {{3}}, theirs = {{4}};
    int64_t now_us = INT64_C(1795000000000000);
    int64_t last_us = now_us + PASSKEY_CHALLENGE_GOOD_S * CLOCK_SECOND_US;
    struct str text = passkey_challenge_new(*state, &key, PASSKEY_PROVE, mine, now_us);
    struct str again = passkey_challenge_new(*state, &key, PASSKEY_PROVE, mine, now_us);

    assert_false(str_eq(text, again));
    assert_true(passkey_challenge_good(*state, &key, PASSKEY_PROVE, mine, text, now_us));
    assert_true(passkey_challenge_good(*state, &key, PASSKEY_PROVE, mine, text, last_us));
    assert_false(passkey_challenge_good(*state, &key, PASSKEY_PROVE, mine, text, last_us + 1));
    assert_false(passkey_challenge_good(*state, &key, PASSKEY_PROVE, mine, text, now_us - 1));
    assert_false(passkey_challenge_good(*state, &key, PASSKEY_ADD, mine, text, now_us));
    assert_false(passkey_challenge_good(*state, &key, PASSKEY_PROVE, theirs, text, now_us));
    assert_false(passkey_challenge_good(*state, &other, PASSKEY_PROVE, mine, text, now_us));
    assert_false(passkey_challenge_good(*state, &key, PASSKEY_PROVE, mine,
                                        (struct str){text.data, text.len - 2}, now_us));
    assert_false(passkey_challenge_good(*state, &key, PASSKEY_PROVE, mine, STR(""), now_us));
}

struct made {
    EVP_PKEY *key;
    unsigned char *spki;
    struct str text;
};

static struct made make_key(EVP_PKEY *key)
{
    struct made made = {.key = key};
    int len = i2d_PUBKEY(key, &made.spki);

    assert_true(len > 0);
    made.text = (struct str){(const char *)made.spki, (size_t)len};
    return made;
}

static void free_key(struct made *made)
{
    EVP_PKEY_free(made->key);
    OPENSSL_free(made->spki);
}

static struct str sign(EVP_PKEY *key, struct str data, struct str client, unsigned char *out)
{
    unsigned char message[256];
    size_t len = 512;
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    memcpy(message, data.data, data.len);
    assert_int_equal(
        EVP_Digest(client.data, client.len, message + data.len, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, out, &len, message, data.len + 32), 1);
    EVP_MD_CTX_free(context);
    return (struct str){(const char *)out, len};
}

static void signatures_are_checked(void **state)
{
    struct made keys[] = {make_key(EVP_EC_gen("P-256")), make_key(EVP_RSA_gen(2048))};
    const int64_t algorithms[] = {PASSKEY_ES256, PASSKEY_RS256};
    struct str data = STR("0123456789012345678901234567890123456"), client = STR(CLIENT);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        unsigned char bytes[512];
        struct str signature = sign(keys[i].key, data, client, bytes);

        assert_true(passkey_key_good(keys[i].text, algorithms[i]));
        assert_false(passkey_key_good(keys[i].text, algorithms[1 - i]));
        assert_true(passkey_signature_good(keys[i].text, algorithms[i], data, client, signature));
        assert_false(
            passkey_signature_good(keys[i].text, algorithms[1 - i], data, client, signature));
        assert_false(
            passkey_signature_good(keys[1 - i].text, algorithms[1 - i], data, client, signature));
        assert_false(
            passkey_signature_good(keys[i].text, algorithms[i], data, STR("{}"), signature));
        assert_false(
            passkey_signature_good(keys[i].text, algorithms[i], STR("other"), client, signature));
        bytes[signature.len - 1] ^= 1;
        assert_false(passkey_signature_good(keys[i].text, algorithms[i], data, client, signature));
        assert_false(passkey_signature_good(keys[i].text, algorithms[i], data, client, STR("")));
    }
    free_key(&keys[0]);
    free_key(&keys[1]);
}

static void weak_and_strange_keys_are_refused(void **state)
{
    struct made weak = make_key(EVP_RSA_gen(1024)), other = make_key(EVP_EC_gen("P-384"));
    struct made good = make_key(EVP_EC_gen("P-256"));
    char longer[256];

    (void)state;
    assert_false(passkey_key_good(weak.text, PASSKEY_RS256));
    assert_false(passkey_key_good(other.text, PASSKEY_ES256));
    assert_false(passkey_key_good(STR("no key"), PASSKEY_ES256));
    assert_false(passkey_key_good(STR(""), PASSKEY_ES256));
    assert_false(passkey_key_good(good.text, 0));
    memcpy(longer, good.text.data, good.text.len);
    longer[good.text.len] = 0;
    assert_false(passkey_key_good((struct str){longer, good.text.len + 1}, PASSKEY_ES256));
    free_key(&weak);
    free_key(&other);
    free_key(&good);
}

static void bytes_are_base64url_up_to_a_length(void **state)
{
    struct str bytes;

    assert_true(passkey_bytes(*state, STR("AAAA"), 3, &bytes));
    assert_int_equal(bytes.len, 3);
    assert_true(passkey_bytes(*state, STR("-_-_"), 3, &bytes));
    assert_false(passkey_bytes(*state, STR("AAAA"), 2, &bytes));
    assert_false(passkey_bytes(*state, STR("AA=="), 3, &bytes));
    assert_false(passkey_bytes(*state, STR("AA+/"), 3, &bytes));
    assert_false(passkey_bytes(*state, STR("AAA\xff\xff_BC"), 6, &bytes));
    assert_false(passkey_bytes(*state, STR(""), 3, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_taken_apart),
        cmocka_unit_test(data_that_is_cut_short_is_none),
        cmocka_unit_test(client_data_is_json_with_three_texts),
        cmocka_unit_test(everything_has_to_fit),
        cmocka_unit_test(counters_grow_or_are_none),
        cmocka_unit_test(a_challenge_is_for_one_purpose_account_and_time),
        cmocka_unit_test(signatures_are_checked),
        cmocka_unit_test(weak_and_strange_keys_are_refused),
        cmocka_unit_test(bytes_are_base64url_up_to_a_length),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
