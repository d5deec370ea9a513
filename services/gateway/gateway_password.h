/*
 * gateway_password: passwords that people choose. Rules are pure; hashing runs on the pool's
 * threads with plain copies.
 */
#pragma once
#include "gateway/gateway.h"

enum {
    PASSWORD_CHARACTERS_MIN = 13,
    PASSWORD_OWN_MAX = 6,
    PASSWORD_LIST_MIN = 3000,
    PASSWORD_LIST_BYTES_MAX = 64 * 1024 * 1024,
};

size_t password_characters(struct str password);

/*
 * Long enough, and not what everybody would try first (R-ACC-17; no rule on kinds of characters).
 * `list`: passwords that leaked, see below. `own`: what others know of the person (login id,
 * number, name, address). CODE_NONE when good.
 */
enum code password_rules(struct str password, struct str list, const struct str *own,
                         size_t own_count);

/*
 * A list of passwords that leaked: one a line, in UTF-8, ASCII letters small, none shorter than
 * PASSWORD_CHARACTERS_MIN, each once, in the order of their bytes. scripts/passwords.py makes one.
 *
 * Errors: ERR_SETTINGS with the line in `note`, or when there are fewer than PASSWORD_LIST_MIN.
 */
CHECKED enum err password_list_check(struct str text, struct err_note *note);
/* Reads and checks; the caller frees `*ret_list`. ERR_SETTINGS beyond PASSWORD_LIST_BYTES_MAX, too.
 */
CHECKED enum err password_list_load(const char *path, struct buf *ret_list, struct err_note *note);
/* Whether a checked list holds `password`, capital or small letters alike. An empty list: no. */
bool password_listed(struct str list, struct str password);

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
