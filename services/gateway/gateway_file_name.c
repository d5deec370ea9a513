/* gateway_file_name: what a client calls its file, made fit to be shown. Never used as a path. */
#include <string.h>

#include "gateway/gateway_multipart.h"
#include "text/utf8.h"

enum { FILE_NAME_CHARACTERS_MAX = 200 };

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* UTF-8''%E5%8F%97... (RFC 8187); another charset is not worth the trouble. */
static bool extended(struct arena *arena, struct str value, struct str *ret_name)
{
    char *out = arena_alloc(arena, value.len + 1);
    struct str charset, language;
    size_t len = 0;

    if (!str_cut(&value, '\'', &charset) || !str_cut(&value, '\'', &language) ||
        !str_eq_nocase(charset, STR("UTF-8")))
        return false;
    for (size_t i = 0; i < value.len; i++) {
        int high = i + 2 < value.len ? hex_digit(value.data[i + 1]) : -1;
        int low = i + 2 < value.len ? hex_digit(value.data[i + 2]) : -1;

        if (value.data[i] == '%' && high >= 0 && low >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = value.data[i];
        }
    }
    *ret_name = (struct str){out, len};
    return true;
}

/* The value of `name` in a header's parameters; a quoted one without its quotes and backslashes. */
static bool parameter(struct arena *arena, struct str header, const char *name,
                      struct str *ret_value)
{
    size_t at = 0;

    while (at < header.len) {
        struct str key;
        struct buf value = {0};
        size_t from;

        while (at < header.len && header.data[at] != ';')
            at++;
        from = ++at;
        while (at < header.len && header.data[at] != '=' && header.data[at] != ';')
            at++;
        if (at >= header.len || header.data[at] != '=')
            continue;
        key = str_trim((struct str){header.data + from, at - from});
        at++;
        while (at < header.len && header.data[at] == ' ')
            at++;
        if (at < header.len && header.data[at] == '"') {
            for (at++; at < header.len && header.data[at] != '"'; at++) {
                /* Some clients send paths unescaped: only quotes and backslashes are taken so. */
                if (header.data[at] == '\\' && at + 1 < header.len &&
                    (header.data[at + 1] == '"' || header.data[at + 1] == '\\'))
                    at++;
                buf_add_char(&value, header.data[at]);
            }
        } else {
            for (; at < header.len && header.data[at] != ';'; at++)
                buf_add_char(&value, header.data[at]);
        }
        if (str_eq_nocase(key, str_of(name))) {
            *ret_value = arena_str(arena, value.len == 0 ? STR("") : str_trim(buf_str(&value)));
            buf_free(&value);
            return true;
        }
        buf_free(&value);
    }
    return false;
}

/* Characters that are safe to show, without folders. */
static struct str clean(struct arena *arena, struct str raw)
{
    char *out = arena_alloc(arena, raw.len * 3 + UTF8_BYTES_MAX); /* U+FFFD is longer than a byte */
    size_t len = 0, characters = 0, at = 0;

    for (size_t i = raw.len; i > 0; i--) {
        if (raw.data[i - 1] == '/' || raw.data[i - 1] == '\\') {
            raw = (struct str){raw.data + i, raw.len - i};
            break;
        }
    }
    while (at < raw.len && characters < FILE_NAME_CHARACTERS_MAX) {
        uint32_t point = utf8_next(raw, &at);

        /* Control characters, and those that turn the direction of writing. */
        if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
            (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069))
            continue;
        len += utf8_put(out + len, point);
        characters++;
    }
    return str_trim((struct str){out, len});
}

struct str disposition_file_name(struct arena *arena, struct str disposition, const char *fallback)
{
    struct str value, name = STR("");

    if (disposition.data != NULL && parameter(arena, disposition, "filename*", &value))
        (void)extended(arena, value, &name);
    if (name.len == 0 && disposition.data != NULL)
        (void)parameter(arena, disposition, "filename", &name);
    name = clean(arena, name);
    if (name.len == 0 || str_eq_c(name, ".") || str_eq_c(name, ".."))
        return str_of(fallback);
    return name;
}
