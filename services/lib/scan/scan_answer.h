/*
 * scan_answer: what clamd says to INSTREAM, out of bytes that come in any pieces: one line that
 * ends with NUL. Only "stream: OK" means that nothing was found. Pure.
 */
#pragma once
#include "base/str.h"

enum { SCAN_ANSWER_BYTES_MAX = 1024 };

enum scan_answer_state {
    SCAN_ANSWER_MORE, /* all bytes are used up */
    SCAN_ANSWER_CLEAN,
    SCAN_ANSWER_FOUND,
    SCAN_ANSWER_FAILED, /* it could not tell; what it said */
    SCAN_ANSWER_BAD,    /* no answer of a scanner, or one without end */
};

/* Zeroed: nothing has come. Of no use after its first state that is not SCAN_ANSWER_MORE. */
struct scan_answer {
    char text[SCAN_ANSWER_BYTES_MAX];
    size_t len;
};

/*
 * Take bytes. SCAN_ANSWER_FOUND: `*ret_words` is the signature's name, not empty;
 * SCAN_ANSWER_FAILED: what the scanner said. The words live in `answer`; no byte of them is
 * anything but printable ASCII.
 */
enum scan_answer_state scan_answer_take(struct scan_answer *answer, struct str bytes,
                                        struct str *ret_words);
