/* gateway_password_list: passwords that leaked, as one sorted text in memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/gateway_password.h"
#include "text/utf8.h"

enum { BLOCK_BYTES = 64 * 1024 };

/* As memcmp(), by bytes; a beginning comes before the whole. */
static int order_of(struct str left, struct str right)
{
    size_t len = left.len < right.len ? left.len : right.len;
    int order = len > 0 ? memcmp(left.data, right.data, len) : 0;

    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

/* The line that `left`, which ends with a line's end, begins with. */
static struct str first_line(struct str left)
{
    const char *end = memchr(left.data, '\n', left.len);

    must(end != NULL);
    return (struct str){left.data, (size_t)(end - left.data)};
}

/* What is wrong with one line; NULL when nothing is. */
static const char *wrong_with(struct str line, struct str before)
{
    if (line.len > PASSWORD_BYTES_MAX)
        return "too long";
    if (utf8_valid_len(line) != line.len)
        return "not UTF-8";
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.data[i];

        if (c < ' ' || c == 0x7f)
            return "a control character";
        if (c >= 'A' && c <= 'Z')
            return "a capital letter";
    }
    if (password_characters(line) < PASSWORD_CHARACTERS_MIN)
        return "shorter than any password";
    return order_of(before, line) < 0 ? NULL : "not behind the line before in byte order";
}

enum err password_list_check(struct str text, struct err_note *note)
{
    struct str left = text, before = STR_NONE;
    size_t count = 0;

    if (text.len > 0 && text.data[text.len - 1] != '\n')
        return err_say(note, ERR_SETTINGS, "the last line has no end: the file was cut off");
    while (left.len > 0) {
        struct str line = first_line(left);
        const char *wrong = wrong_with(line, before);

        count++;
        if (wrong != NULL)
            return err_say(note, ERR_SETTINGS, "line %zu: %s", count, wrong);
        before = line;
        left.data += line.len + 1;
        left.len -= line.len + 1;
    }
    if (count < PASSWORD_LIST_MIN)
        return err_say(note, ERR_SETTINGS, "%zu passwords, at least %d are wanted", count,
                       PASSWORD_LIST_MIN);
    return ERR_OK;
}

static enum err read_all(FILE *file, struct buf *out, struct err_note *note)
{
    char block[BLOCK_BYTES];
    size_t got;

    while ((got = fread(block, 1, sizeof(block), file)) > 0) {
        buf_add(out, block, got);
        if (out->len > PASSWORD_LIST_BYTES_MAX)
            return err_say(note, ERR_SETTINGS, "larger than %d bytes", PASSWORD_LIST_BYTES_MAX);
    }
    if (ferror(file))
        return err_say(note, ERR_SETTINGS, "cannot be read: %s", strerror(errno));
    return ERR_OK;
}

enum err password_list_load(const char *path, struct buf *ret_list, struct err_note *note)
{
    struct err_note why = {0};
    struct buf text = {0};
    FILE *file = fopen(path, "re");
    enum err err;

    if (file == NULL)
        TRY(err_say(&why, ERR_SETTINGS, "%s", strerror(errno)));
    TRY(read_all(file, &text, &why));
    TRY(password_list_check(buf_str(&text), &why));
    *ret_list = text;
    text = (struct buf){0};
cleanup:
    if (err != ERR_OK)
        (void)err_say(note, err, "passwords_file: %s: %s (scripts/passwords.py makes it)", path,
                      why.text);
    if (file != NULL)
        (void)fclose(file);
    buf_free(&text);
    return err;
}

bool password_listed(struct str list, struct str password)
{
    char folded[PASSWORD_BYTES_MAX];
    struct str wanted = {folded, password.len};

    if (password.len > sizeof(folded))
        return false;
    for (size_t i = 0; i < password.len; i++) {
        char c = password.data[i];

        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    /* `list` always ends with a line's end, and begins with a whole line. */
    while (list.len > 0) {
        const char *back = memrchr(list.data, '\n', list.len / 2);
        size_t begin = back != NULL ? (size_t)(back - list.data) + 1 : 0;
        struct str line = first_line((struct str){list.data + begin, list.len - begin});
        int order = order_of(wanted, line);

        if (order == 0)
            return true;
        begin += order < 0 ? 0 : line.len + 1;
        list = order < 0 ? (struct str){list.data, begin}
                         : (struct str){list.data + begin, list.len - begin};
    }
    return false;
}
