/*
 * str: string views and a growing buffer. A view borrows its bytes; it need not end in NUL.
 */
#pragma once
#include "base/base.h"

struct arena;

struct str {
    const char *data;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For printf: "%.*s" */
#define STR_ARG(view) (int)(view).len, (view).data

/* View of a C string; NULL gives STR_NONE. */
struct str str_of(const char *text);
bool str_eq(struct str left, struct str right);
bool str_eq_c(struct str left, const char *right);
/* ASCII case folded. */
bool str_eq_nocase(struct str left, struct str right);
bool str_starts(struct str text, struct str prefix);
/* Without ASCII blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str text);
/* Cut at the first `separator`: `*ret_head` before it, `*text` after it. False at the end. */
bool str_cut(struct str *text, char separator, struct str *ret_head);
/* Decimal ASCII digits with an optional '-', nothing else; false when not a number or too large. */
bool str_to_i64(struct str text, int64_t *ret_value);
/* Compare without an early end, for secrets. */
bool str_eq_secret(struct str left, struct str right);

/* Buffer on the heap; zero-initialised is empty. Running out of memory aborts. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str text);
void buf_add_c(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str buf_str(const struct buf *buf);
/* Empty it, keep the memory. */
void buf_clear(struct buf *buf);
/* Release; the buffer is empty and usable afterwards. */
void buf_free(struct buf *buf);

/* Hexadecimal, lower case; `out` holds 2 * len + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);
/* False unless `text` is exactly 2 * len hexadecimal digits. */
bool hex_decode(struct str text, uint8_t *out, size_t len);
/* base64url without padding; `ret` lives in the arena. */
struct str base64url_encode(struct arena *arena, const uint8_t *bytes, size_t len);
