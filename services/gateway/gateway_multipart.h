/*
 * gateway_multipart: the one file of a multipart/form-data body, as it comes in pieces. No I/O.
 * Other fields are passed over; nested or double files are refused.
 */
#pragma once
#include "base/arena.h"

enum {
    MULTIPART_BOUNDARY_MAX = 70,
    MULTIPART_HEAD_BYTES_MAX = 8 * 1024,
    MULTIPART_FIELD_BYTES_MAX = 64 * 1024, /* before, between and beside the file */
};

enum multipart_place {
    MULTIPART_BEFORE,
    MULTIPART_AFTER,
    MULTIPART_HEAD,
    MULTIPART_BODY,
    MULTIPART_END
};

struct multipart {
    char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CRLF, two hyphens, the boundary */
    size_t delimiter_len;
    enum multipart_place place;
    struct buf hold; /* not yet understood */
    size_t passed;   /* bytes that are not the file's */
    bool in_file;
    unsigned files;
    struct buf disposition; /* of the file: its Content-Disposition */
};

/* From the Content-Type header; false when it is no multipart/form-data with a good boundary. */
bool multipart_init(struct multipart *multipart, struct str content_type);
void multipart_fini(struct multipart *multipart);
/* Appends the file's bytes to `out`. False: malformed. */
bool multipart_feed(struct multipart *multipart, struct str bytes, struct buf *out);
/* True when the body was whole and had exactly one file. */
bool multipart_end(const struct multipart *multipart);

/*
 * The file's name in a Content-Disposition (RFC 6266, RFC 8187), fit to be shown: without folders
 * and control characters, valid UTF-8, not too long. `fallback` when there is none.
 */
struct str disposition_file_name(struct arena *arena, struct str disposition, const char *fallback);
