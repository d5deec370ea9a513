/*
 * gateway_password: passwords that people choose. Rules are pure; hashing runs on the pool's
 * threads with plain copies.
 */
#pragma once
#include "gateway/gateway.h"

enum { PASSWORD_CHARACTERS_MIN = 13, PASSWORD_OWN_MAX = 6 };

/*
 * Long enough, and not what everybody would try first (R-ACC-17; no rule on kinds of characters).
 * `own`: what others know of the person (login id, number, name, address). CODE_NONE when good.
 */
enum code password_rules(struct str password, const struct str *own, size_t own_count);

/* One job of the pool; everything in it is borrowed until the flow goes on. */
struct password_job {
    const struct secret_key *pepper;
    struct password_cost cost;
    struct str password;
    const char *hash; /* to check against; NULL: only make a new one */
    bool good;        /* it fits `hash` */
    bool renewed;     /* `made` holds a hash of the present cost */
    enum err err;     /* of making: ERR_SCHEMA when the password cannot be taken */
    char made[PASSWORD_HASH_BYTES];
};

/* Resumes `flow`; ERR_BUSY when too many wait. */
void password_job_run(struct gateway *gateway, struct password_job *job, struct flow *flow);
