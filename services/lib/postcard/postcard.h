/*
 * postcard: temporary ID and password, for the printer of sealed postcards. In clear they stand in
 * its file only, which is on disk before the database knows them.
 */
#pragma once
#include "base/arena.h"
#include "secret/secret.h"

#define POSTCARD_HEADER "register_no,name,login_id,temporary_password\r\n"

/*
 * SQL that puts it in the place of the one before; $1 login id, $2 account, $3 HMAC, $4 now, $5 its
 * end. Who runs it ends sessions and links that the old one began.
 */
#define POSTCARD_PUT                                                                               \
    "INSERT INTO gateway.temp_credential (login_id, account_id, hmac, tries_left, issued_at,"      \
    " expires_at) VALUES ($1, $2, $3, 5, $4, $5)"                                                  \
    " ON CONFLICT (account_id) DO UPDATE SET login_id = excluded.login_id, hmac = excluded.hmac,"  \
    " tries_left = excluded.tries_left, issued_at = excluded.issued_at,"                           \
    " expires_at = excluded.expires_at, dead_at = NULL"

/* What the database keeps: gateway.temp_credential. */
struct postcard {
    char login_id[TEMP_TEXT_BYTES];
    uint8_t hmac[SECRET_DIGEST_BYTES];
};

/* Appends a line to `csv`; wipe and free it afterwards with postcard_forget(). */
void postcard_make(const struct secret_key *key, struct str register_no, struct str name,
                   struct buf *csv, struct postcard *ret_postcard);
void postcard_forget(struct buf *csv);
/* The login id in a line of such a file, as the database has it; false: no line of ours. */
bool postcard_login(struct arena *arena, struct str line, char ret_login[TEMP_TEXT_BYTES]);
/*
 * A new file of mode 0600 with its header; one that is there already may hold passwords that were
 * not printed yet. `*ret_fd` is the caller's. Errors: ERR_SETTINGS, with words in `note`.
 */
CHECKED enum err postcard_open(const char *path, int *ret_fd, struct err_note *note);
/* Appends `csv` and waits until it is on disk. Errors: ERR_SETTINGS. */
CHECKED enum err postcard_save(int fd, const char *path, struct str csv, struct err_note *note);
