/*
 * utf8: strict UTF-8 (no surrogates, no long forms, up to U+10FFFF), one byte or one text at a
 * time.
 */
#pragma once
#include "base/str.h"

/* Where a text stands between two bytes; plain, so that it can be kept between slices. */
struct utf8_state {
    uint8_t left;  /* continuation bytes still to come; 0 between characters */
    uint8_t least; /* bounds of the next one */
    uint8_t most;
};

/* False when `byte` cannot stand there; the state is then of no use. */
bool utf8_step(struct utf8_state *state, uint8_t byte);

/* Bytes of the longest valid beginning; text.len when all of it is valid. */
size_t utf8_valid_len(struct str text);

/*
 * The character at text.data[*at], which moves behind it. Invalid bytes give U+FFFD, one for each
 * broken sequence; *at is below text.len.
 */
uint32_t utf8_next(struct str text, size_t *at);

enum { UTF8_BYTES_MAX = 4, UTF8_REPLACEMENT = 0xFFFD };

/* Write a character, at most UTF8_BYTES_MAX bytes; gives back how many. */
size_t utf8_put(char *out, uint32_t point);
