/*
 * postcard: temporary ID and password, for the printer of sealed postcards. In clear they stand in
 * its file only, which is on disk before the database knows them.
 */
#pragma once
#include <sys/types.h>

#include "mamisctl/mamisctl.h"

#define POSTCARD_HEADER "register_no,name,login_id,temporary_password\r\n"

/* What the database keeps: gateway.temp_credential. */
struct postcard {
    char login_id[TEMP_TEXT_BYTES];
    uint8_t hmac[SECRET_DIGEST_BYTES];
};

/* Appends a line to `csv`; wipe and free it afterwards with postcard_forget(). */
void postcard_make(const struct secret_key *key, struct str register_no, struct str name,
                   struct buf *csv, struct postcard *ret_postcard);
void postcard_forget(struct buf *csv);
/*
 * A new file of mode 0600 with its header; one that is there already may hold passwords that were
 * not printed yet. `*ret_fd` is the caller's. Errors: ERR_SETTINGS, with words in `note`.
 */
CHECKED enum err postcard_open(const char *path, int *ret_fd, struct err_note *note);
/*
 * A file that a run which died left behind, to go on in it: what follows the last postcard that the
 * database has was never committed and is cut off, `cut_max` lines at most. `*ret_kept`: its bytes
 * then. Errors: ERR_SETTINGS when it is not such a file, and those of the database.
 */
CHECKED enum err postcard_resume(struct tool *tool, const char *path, size_t cut_max, int *ret_fd,
                                 off_t *ret_kept, struct err_note *note);
/* Appends `csv` and waits until it is on disk. Errors: ERR_SETTINGS. */
CHECKED enum err postcard_save(int fd, const char *path, struct str csv, struct err_note *note);
