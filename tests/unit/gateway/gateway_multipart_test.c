/* The file in a multipart body, however its bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway_multipart.h"

#define TYPE "multipart/form-data; boundary=XyZ"
#define PART(name, rest)                                                                           \
    "--XyZ\r\nContent-Disposition: form-data; name=\"" name "\"" rest "\r\n\r\n"
#define FILE_PART PART("file", "; filename=\"a.csv\"\r\nContent-Type: text/csv")

struct row {
    const char *name;
    const char *body;
    const char *file; /* NULL: refused */
};

static const struct row rows[] = {
    {"plain", FILE_PART "one\r\ntwo\r\n--XyZ--\r\n", "one\r\ntwo"},
    {"no line end at the end", FILE_PART "one\r\n--XyZ--", "one"},
    {"preamble and epilogue", "hello\r\n" FILE_PART "x\r\n--XyZ--\r\nbye", "x"},
    {"empty file", FILE_PART "\r\n--XyZ--\r\n", ""},
    {"nearly the boundary", FILE_PART "a\r\n--Xy\r\n--XyX\r\n\r\n--XyZ--",
     "a\r\n--Xy\r\n--XyX\r\n"},
    {"field before", PART("seminar", "") "S1\r\n" FILE_PART "x\r\n--XyZ--", "x"},
    {"field after", FILE_PART "x\r\n" PART("seminar", "") "S1\r\n--XyZ--", "x"},
    {"blanks after the boundary",
     "--XyZ \t\r\nContent-Disposition: form-data; filename=a\r\n\r\nx\r\n--XyZ--", "x"},
    {"two files", FILE_PART "x\r\n" FILE_PART "y\r\n--XyZ--", NULL},
    {"no file", PART("seminar", "") "S1\r\n--XyZ--", NULL},
    {"never ends", FILE_PART "x\r\n--XyZ\r\n", NULL},
    {"cut off", FILE_PART "x", NULL},
    {"nothing", "", NULL},
    {"only the end", "--XyZ--", NULL},
    {"nested",
     "--XyZ\r\nContent-Disposition: form-data; name=f; filename=a\r\n"
     "Content-Type: Multipart/mixed; boundary=q\r\n\r\nx\r\n--XyZ--",
     NULL},
    {"base64",
     "--XyZ\r\nContent-Disposition: form-data; name=f; filename=a\r\n"
     "Content-Transfer-Encoding: base64\r\n\r\neA==\r\n--XyZ--",
     NULL},
    {"head without a colon", "--XyZ\r\nnonsense\r\n\r\nx\r\n--XyZ--", NULL},
    {"rubbish after the boundary", "--XyZ rubbish\r\n\r\nx\r\n--XyZ--", NULL},
};

/* Feeds `step` bytes at a time. */
static bool read_body(const char *body, size_t step, struct buf *out)
{
    struct multipart multipart;
    size_t len = strlen(body);
    bool good = multipart_init(&multipart, STR(TYPE));

    assert_true(good);
    for (size_t at = 0; good && at < len; at += step)
        good = multipart_feed(&multipart,
                              (struct str){body + at, len - at < step ? len - at : step}, out);
    good = good && multipart_end(&multipart);
    multipart_fini(&multipart);
    return good;
}

static void every_cut_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= strlen(rows[i].body) + 1; step++) {
            struct buf out = {0};
            bool good = read_body(rows[i].body, step, &out);

            if (good != (rows[i].file != NULL) || (good && !str_eq_c(buf_str(&out), rows[i].file) &&
                                                   out.len + strlen(rows[i].file) > 0))
                fail_msg("%s, %zu bytes at a time", rows[i].name, step);
            buf_free(&out);
        }
    }
}

static void boundaries(void **state)
{
    static const struct {
        const char *type;
        bool good;
    } types[] = {
        {"multipart/form-data; boundary=abc", true},
        {"Multipart/Form-Data; charset=utf-8; Boundary=\"a b'c\"", true},
        {"multipart/form-data", false},
        {"multipart/form-data; boundary=", false},
        {"multipart/form-data; boundary=\"\"", false},
        {"multipart/form-data; boundary=\"abc \"", false},
        {"multipart/form-data; boundary=a\r\nb", false},
        {"multipart/form-data; boundary=a\"b", false},
        {"multipart/mixed; boundary=abc", false},
        {"multipart/form-data; "
         "boundary=0123456789012345678901234567890123456789012345678901234567890123456789x",
         false},
        {"multipart/form-data; "
         "boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
         true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct multipart multipart;

        if (multipart_init(&multipart, str_of(types[i].type)) != types[i].good)
            fail_msg("%s", types[i].type);
        multipart_fini(&multipart);
    }
}

/* What is not the file is bounded, and so is a head that never ends. */
static void nothing_grows(void **state)
{
    struct multipart multipart;
    struct buf out = {0};
    char waste[1024];
    bool good = true;
    size_t fed = 0;

    (void)state;
    memset(waste, 'w', sizeof(waste));
    assert_true(multipart_init(&multipart, STR(TYPE)));
    while (good && fed < 1024 * 1024) {
        good = multipart_feed(&multipart, (struct str){waste, sizeof(waste)}, &out);
        fed += sizeof(waste);
    }
    assert_false(good);
    assert_in_range(fed, MULTIPART_FIELD_BYTES_MAX, MULTIPART_FIELD_BYTES_MAX * 2);
    multipart_fini(&multipart);
    assert_true(multipart_init(&multipart, STR(TYPE)));
    assert_true(multipart_feed(&multipart, STR("--XyZ\r\nX: "), &out));
    for (fed = 0, good = true; good && fed < 1024 * 1024; fed += sizeof(waste))
        good = multipart_feed(&multipart, (struct str){waste, sizeof(waste)}, &out);
    assert_in_range(fed, 1, MULTIPART_HEAD_BYTES_MAX * 2);
    multipart_fini(&multipart);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_gives_the_same),
        cmocka_unit_test(boundaries),
        cmocka_unit_test(nothing_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
