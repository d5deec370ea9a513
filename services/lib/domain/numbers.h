/*
 * numbers: register numbers (R-ACC-12) and MAMIS numbers (R-ACC-19).
 * ASCII and full-width digits only; spaces around are trimmed, nothing else is forgiven.
 */
#pragma once
#include "base/str.h"

#define NUMBER_NONE INT64_C(-1)

enum {
    REGISTER_NO_DIGITS_MAX = 7, /* after leading zeros */
    MAMIS_NO_DIGITS = 10,
    /* Digits and the NUL. */
    REGISTER_NO_BYTES = REGISTER_NO_DIGITS_MAX + 1,
    MAMIS_NO_BYTES = MAMIS_NO_DIGITS + 1,
};

/* 1..9999999, or NUMBER_NONE when it is no register number. */
int64_t register_no_parse(struct str text);
/* Its value, check digit included, or NUMBER_NONE. */
int64_t mamis_no_parse(struct str text);

/* Without leading zeros. */
void register_no_format(int64_t number, char out[REGISTER_NO_BYTES]);
/* All ten digits. */
void mamis_no_format(int64_t number, char out[MAMIS_NO_BYTES]);

/* The MAMIS number that begins with these nine digits: `first` is 0..999999999. */
int64_t mamis_no_make(int64_t first);
