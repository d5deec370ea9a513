/*
 * uuid: identifiers and other random bytes from the kernel's generator.
 */
#pragma once
#include "base/str.h"

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = 37 };

struct uuid {
    uint8_t bytes[UUID_BYTES];
};

/* Cryptographic random bytes; aborts when the kernel gives none. */
void random_bytes(void *out, size_t len);
/* Version 7 (RFC 9562): begins with real (not business) milliseconds, so indexes fill in order. */
struct uuid uuid_new(void);
bool uuid_eq(struct uuid left, struct uuid right);
/* Lower case, 36 characters and the NUL. */
void uuid_format(struct uuid uuid, char out[UUID_TEXT_BYTES]);
/* The 36-character form, either case. */
bool uuid_parse(struct str text, struct uuid *ret_uuid);
