/* mail: what goes over the wire, and what is refused before it could. */
#include <string.h>

#include "lib/test.h"
#include "mail/mail.h"

static const struct mail_message good = {
    .message_id = "M23.abc@mamis.example.jp",
    .from_name = "医師会会員情報システム",
    .from_address = "no-reply@mamis.example.jp",
    .to_name = "𠮷田　みどり",
    .to_address = "d1@example.jp",
    .subject = "単位が登録されました（産業医生涯研修会 "
               "法令改正の要点と事業場での実務、長い題名の折り返しも確かめる）",
    .text = "一行目\n.\n三行目\n",
    .date_us = INT64_C(1795302000) * 1000000,
};

static void headers_are_encoded_and_the_text_is_utf8(void **state)
{
    struct arena *arena = arena_new();
    struct str wire;
    struct str rest;
    struct str line;

    (void)state;
    assert_int_equal(mail_build(arena, &good, &wire, NULL), ERR_OK);
    assert_non_null(strstr(wire.data, "Message-Id: <M23.abc@mamis.example.jp>\r\n"));
    assert_non_null(strstr(wire.data, "charset=utf-8"));
    assert_non_null(strstr(wire.data, "Auto-Submitted: auto-generated\r\n"));
    assert_non_null(strstr(wire.data, "+0900"));
    rest = wire;
    while (str_cut(&rest, '\n', &line)) {
        assert_true(line.len <= 998);
        assert_true(rest.data == NULL || line.data[line.len - 1] == '\r');
        for (size_t i = 0; i < line.len; i++)
            assert_true((unsigned char)line.data[i] < 0x80);
    }
    arena_free(arena);
}

static void the_same_message_gives_the_same_bytes(void **state)
{
    struct arena *arena = arena_new();
    struct str one;
    struct str two;

    (void)state;
    assert_int_equal(mail_build(arena, &good, &one, NULL), ERR_OK);
    assert_int_equal(mail_build(arena, &good, &two, NULL), ERR_OK);
    assert_true(str_eq(one, two));
    arena_free(arena);
}

static void line_breaks_in_headers_are_refused(void **state)
{
    struct arena *arena = arena_new();
    struct mail_message bad = good;
    struct err_note note;
    struct str wire;

    (void)state;
    bad.subject = "a\r\nBcc: x@example.jp";
    assert_int_equal(mail_build(arena, &bad, &wire, &note), ERR_MAIL_HEADER);
    bad = good;
    bad.to_name = "a\nb";
    assert_int_equal(mail_build(arena, &bad, &wire, &note), ERR_MAIL_HEADER);
    bad = good;
    bad.to_address = "a@example.jp\r\nRCPT TO:<b@example.jp>";
    assert_int_equal(mail_build(arena, &bad, &wire, &note), ERR_MAIL_ADDRESS);
    arena_free(arena);
}

static void addresses_follow_the_allow_list(void **state)
{
    static const char *const fine[] = {"a@b.jp", "first.last+tag@mail.example.co.jp",
                                       "x_%-y@e-x.org"};
    static const char *const bad[] = {"",
                                      "a",
                                      "a@b",
                                      "@b.jp",
                                      "a@",
                                      "a@@b.jp",
                                      "a b@c.jp",
                                      "a@b.jp,c@d.jp",
                                      "\"a\"@b.jp",
                                      "a@b..jp",
                                      ".a@b.jp",
                                      "a.@b.jp",
                                      "a..b@c.jp",
                                      "a@-b.jp",
                                      "a@b.jp\n",
                                      "医@b.jp",
                                      "a@[127.0.0.1]",
                                      "<a@b.jp>"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_true(mail_address_ok(str_of(fine[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(mail_address_ok(str_of(bad[i])));
    assert_false(mail_address_ok((struct str){"a@b.jp\0x", 8}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_encoded_and_the_text_is_utf8),
        cmocka_unit_test(the_same_message_gives_the_same_bytes),
        cmocka_unit_test(line_breaks_in_headers_are_refused),
        cmocka_unit_test(addresses_follow_the_allow_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
