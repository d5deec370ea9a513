/* str: views and buffers. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct str str_of(const char *text)
{
    return text == NULL ? STR_NONE : (struct str){text, strlen(text)};
}

bool str_eq(struct str left, struct str right)
{
    return left.len == right.len && (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

bool str_eq_c(struct str left, const char *right)
{
    return str_eq(left, str_of(right));
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str left, struct str right)
{
    if (left.len != right.len)
        return false;
    for (size_t i = 0; i < left.len; i++) {
        if (ascii_lower(left.data[i]) != ascii_lower(right.data[i]))
            return false;
    }
    return true;
}

bool str_starts(struct str text, struct str prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.data, prefix.data, prefix.len) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

bool str_cut(struct str *text, char separator, struct str *ret_head)
{
    const char *found;

    if (text->data == NULL)
        return false;
    found = text->len == 0 ? NULL : memchr(text->data, separator, text->len);
    if (found == NULL) {
        *ret_head = *text;
        *text = STR_NONE;
        return true;
    }
    *ret_head = (struct str){text->data, (size_t)(found - text->data)};
    text->len -= ret_head->len + 1;
    text->data = found + 1;
    return true;
}

bool str_to_i64(struct str text, int64_t *ret_value)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    int64_t value = 0;

    if (text.len == (negative ? 1u : 0u))
        return false;
    for (size_t i = negative ? 1 : 0; i < text.len; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        /* Built below zero, where the smallest value has its place. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret_value = negative ? value : -value;
    return true;
}

bool str_eq_secret(struct str left, struct str right)
{
    unsigned difference = 0;

    if (left.len != right.len)
        return false;
    for (size_t i = 0; i < left.len; i++)
        difference |= (unsigned)((unsigned char)left.data[i] ^ (unsigned char)right.data[i]);
    return difference == 0;
}

static void buf_reserve(struct buf *buf, size_t more)
{
    size_t wanted = buf->len + more + 1; /* room for a NUL that C functions like */

    must(wanted > buf->len);
    if (wanted <= buf->cap)
        return;
    if (wanted < buf->cap * 2)
        wanted = buf->cap * 2;
    if (wanted < 64)
        wanted = 64;
    buf->data = heap_realloc(buf->data, wanted);
    buf->cap = wanted;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    buf_reserve(buf, len);
    if (len > 0)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, struct str text)
{
    buf_add(buf, text.data, text.len);
}

void buf_add_c(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(len >= 0);
    buf_reserve(buf, (size_t)len);
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
    va_end(again);
    buf->len += (size_t)len;
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->data, buf->len};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct str text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

struct str base64url_encode(struct arena *arena, const uint8_t *bytes, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *out = arena_alloc(arena, len / 3 * 4 + 5);
    size_t used = 0;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i < 3 ? len - i : 3;
        uint32_t word = (uint32_t)bytes[i] << 16;

        if (left > 1)
            word |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            word |= bytes[i + 2];
        for (size_t n = 0; n < left + 1; n++)
            out[used++] = letters[word >> (18 - 6 * n) & 63];
    }
    return (struct str){out, used};
}
