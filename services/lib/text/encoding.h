/*
 * encoding: what attendance files are written in. UTF-8, or CP932 (Microsoft's code page 932: bytes
 * 80, A0, FD, FE, FF standing alone are invalid; NEC, IBM and user-defined characters are kept).
 */
#pragma once
#include "base/arena.h"
#include "text/utf8.h"

enum encoding { ENCODING_UNKNOWN, ENCODING_UTF8, ENCODING_CP932 };

/* "utf-8", "cp932"; "" while unknown. */
const char *encoding_name(enum encoding encoding);

/*
 * Detection: the first line with a byte above 7F decides. Valid UTF-8 is UTF-8, anything else
 * CP932. CRLF, LF and CR end a line. Plain and zero-initialised, so that it can be kept between
 * slices.
 */
struct encoding_detect {
    uint8_t encoding; /* enum encoding, once it is decided */
    bool high;        /* the present line holds a byte above 7F */
    struct utf8_state utf8;
};

void encoding_detect_feed(struct encoding_detect *detect, struct str slice);
/* No more slices come. Without any byte above 7F it is UTF-8. */
enum encoding encoding_detect_end(struct encoding_detect *detect);

bool encoding_valid(enum encoding encoding, struct str bytes);

/*
 * `bytes` as UTF-8. What cannot be read becomes U+FFFD.
 * Memory: borrows `bytes` when nothing has to change, else the arena's.
 */
struct str encoding_decode(struct arena *arena, enum encoding encoding, struct str bytes);
