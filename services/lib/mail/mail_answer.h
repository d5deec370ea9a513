/*
 * mail_answer: answers of an SMTP server, out of bytes that come in any pieces. An answer is one
 * line or several: three digits, then a hyphen or, in the last line, a blank or nothing.
 */
#pragma once
#include "base/str.h"

enum {
    MAIL_ANSWER_LINE_BYTES_MAX = 512, /* kept of a line; the rest is passed over */
    MAIL_ANSWER_BYTES_MAX = 64 * 1024,
};

enum mail_answer_state {
    MAIL_ANSWER_MORE, /* all bytes are used up */
    MAIL_ANSWER_LINE, /* a line of an answer that goes on */
    MAIL_ANSWER_LAST, /* its last line */
    MAIL_ANSWER_BAD,  /* no answer of SMTP, or one without end */
};

/* Zeroed: nothing has come. */
struct mail_answer {
    char text[MAIL_ANSWER_LINE_BYTES_MAX];
    size_t len;   /* of the line, as far as it has come */
    size_t bytes; /* of the whole answer */
};

/*
 * Take bytes up to the end of a line, and take them off `bytes`. For a line: `*ret_line` (without
 * its end; lives in `answer` until the next call) and `*ret_code`, 200 to 599.
 */
enum mail_answer_state mail_answer_take(struct mail_answer *answer, struct str *bytes,
                                        struct str *ret_line, int *ret_code);
