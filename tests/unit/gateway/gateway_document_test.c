/* Documents that are kept, told by their own bytes (R-APP-11). */
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "gateway/gateway_document.h"
#include "lib/test.h"

static void number(struct buf *out, uint32_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        buf_add_char(out, (char)((value >> shift) & 0xFF));
}

static void chunk(struct buf *out, const char *type, struct str data)
{
    size_t from;

    number(out, (uint32_t)data.len, 4);
    from = out->len;
    buf_add_c(out, type);
    buf_add_str(out, data);
    number(out, (uint32_t)crc32(0, (const uint8_t *)out->data + from, (uInt)(out->len - from)), 4);
}

/* `more`: another chunk's type after the head; NULL: none. */
static void png(struct buf *out, uint32_t width, uint32_t height, const char *more)
{
    struct buf head = {0};

    buf_clear(out);
    buf_add_str(out, (struct str){"\x89PNG\r\n\x1A\n", 8});
    number(&head, width, 4);
    number(&head, height, 4);
    buf_add_str(&head, (struct str){"\x08\x02\x00\x00\x00", 5});
    chunk(out, "IHDR", buf_str(&head));
    if (more != NULL)
        chunk(out, more, STR("12345678"));
    chunk(out, "IDAT", STR("not looked at"));
    chunk(out, "IEND", STR(""));
    buf_free(&head);
}

static void jpeg(struct buf *out, uint32_t width, uint32_t height)
{
    buf_clear(out);
    buf_add_str(out, (struct str){"\xFF\xD8\xFF\xE1\x00\x06"
                                  "Exif\xFF\xFF\xC0\x00\x11\x08",
                                  16});
    number(out, height, 2);
    number(out, width, 2);
    buf_add_str(out, (struct str){"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xFF\xDA", 12});
}

static enum code check(struct str bytes)
{
    const char *type = NULL;
    enum code code = document_check(bytes, &type);

    assert_int_equal(code == CODE_NONE, type != NULL);
    return code;
}

static void documents_are_told_by_their_bytes(void **state)
{
    struct buf file = {0};
    const char *type;

    (void)state;
    png(&file, 1200, 1600, NULL);
    assert_int_equal(document_check(buf_str(&file), &type), CODE_NONE);
    assert_string_equal(type, "image/png");
    jpeg(&file, 4032, 3024);
    assert_int_equal(document_check(buf_str(&file), &type), CODE_NONE);
    assert_string_equal(type, "image/jpeg");
    assert_int_equal(document_check(STR("%PDF-1.7\n1 0 obj\n%%EOF\n"), &type), CODE_NONE);
    assert_string_equal(type, "application/pdf");
    assert_string_equal(document_ending(STR("image/jpeg")), "jpg");
    buf_free(&file);
}

static void others_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum code code;
    } cases[] = {
        {"", 0, CODE_DOCUMENT_EMPTY},
        {"PK\x03\x04 zip, docx, xlsx", 22, CODE_DOCUMENT_TYPE},
        {"\x1F\x8B gzip", 7, CODE_DOCUMENT_TYPE},
        {"MZ an .exe renamed .pdf", 23, CODE_DOCUMENT_TYPE},
        {"\x00\x00\x00\x18"
         "ftypheic",
         12, CODE_DOCUMENT_TYPE},
        {"GIF89a", 6, CODE_DOCUMENT_TYPE},
        {" %PDF-1.7 %%EOF", 15, CODE_DOCUMENT_TYPE},
        {"%PDF-1.7 cut off", 16, CODE_DOCUMENT_DAMAGED},
        {"%PDF-1.7 /Encrypt 5 0 R %%EOF", 29, CODE_DOCUMENT_LOCKED},
        {"\xFF\xD8\xFF", 3, CODE_DOCUMENT_DAMAGED},
        {"\xFF\xD8\xFF\xD9....", 8, CODE_DOCUMENT_DAMAGED},
        {"\xFF\xD8\xFF\xE1\xFF\xFFtoo short", 15, CODE_DOCUMENT_DAMAGED},
        {"\x89PNG\r\n\x1A\n", 8, CODE_DOCUMENT_DAMAGED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(check((struct str){cases[i].bytes, cases[i].len}), cases[i].code);
}

static void pictures_have_bounds(void **state)
{
    static const struct {
        uint32_t width, height;
        enum code code;
    } cases[] = {
        {1, 1, CODE_NONE},
        {20000, 5000, CODE_NONE},
        {20001, 1, CODE_DOCUMENT_PIXELS},
        {1, 20001, CODE_DOCUMENT_PIXELS},
        {10001, 10000, CODE_DOCUMENT_PIXELS},
        {30000, 30000, CODE_DOCUMENT_PIXELS},
        {0, 10, CODE_DOCUMENT_DAMAGED},
    };
    struct buf file = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        png(&file, cases[i].width, cases[i].height, NULL);
        assert_int_equal(check(buf_str(&file)), cases[i].code);
        jpeg(&file, cases[i].width, cases[i].height);
        assert_int_equal(check(buf_str(&file)), cases[i].code);
    }
    buf_free(&file);
}

static void a_damaged_or_moving_picture_is_refused(void **state)
{
    struct buf file = {0};

    (void)state;
    png(&file, 10, 10, "acTL");
    assert_int_equal(check(buf_str(&file)), CODE_DOCUMENT_DAMAGED);
    png(&file, 10, 10, "tEXt");
    assert_int_equal(check(buf_str(&file)), CODE_NONE);
    for (size_t len = 8; len < file.len; len++) /* cut off anywhere */
        assert_int_equal(check((struct str){file.data, len}), CODE_DOCUMENT_DAMAGED);
    file.data[20] ^= 1; /* a bit of the head: its check sum does not fit */
    assert_int_equal(check(buf_str(&file)), CODE_DOCUMENT_DAMAGED);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_told_by_their_bytes),
        cmocka_unit_test(others_are_refused_with_the_reason),
        cmocka_unit_test(pictures_have_bounds),
        cmocka_unit_test(a_damaged_or_moving_picture_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
