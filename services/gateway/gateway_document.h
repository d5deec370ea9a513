/*
 * gateway_document: whether a file that somebody sent is a document we keep, told by its own bytes
 * (R-APP-11). Pure: headers and the order of parts are looked at, nothing is decoded or unpacked.
 */
#pragma once
#include "base/str.h"
#include "gen/codes.h"

enum {
    DOCUMENT_BYTES_MAX = 10 * 1024 * 1024,
    DOCUMENT_SIDE_MAX = 20000,       /* pixels */
    DOCUMENT_PIXELS_MAX = 100000000, /* in all */
    DOCUMENT_PARTS_MAX = 100000,     /* of a picture's file */
};

/*
 * CODE_NONE and "application/pdf", "image/jpeg" or "image/png"; otherwise why it is not taken.
 * Units: `bytes.len` is at most DOCUMENT_BYTES_MAX.
 */
enum code document_check(struct str bytes, const char **ret_type);
/* "pdf", "jpg" or "png", for a file's name. */
const char *document_ending(struct str type);
