/* qr: a text as the squares of a QR code, with error correction of level M. Any thread. */
#pragma once
#include "base/str.h"

enum {
    QR_BYTES_MAX = 300, /* of the text */
    QR_SIDE_MAX = 97,   /* squares */
    QR_QUIET = 4,       /* squares that stay empty around it */
};

struct qr {
    size_t side;
    bool dark[QR_SIDE_MAX * QR_SIDE_MAX]; /* row after row, `side` each */
};

/* False for no text, or one that is too long. */
CHECKED bool qr_make(struct str text, struct qr *ret_qr);
