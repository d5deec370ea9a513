/*
 * import members: credentials. Temporary ones go to the postcards file, for the printer, and
 * nowhere else in clear; the file is on disk before the commit, so that no postcard can be lost: a
 * run that died is run again with --resume, which cuts off what was not committed any more. A
 * password for tests is hashed once for all.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mamisctl/import_members.h"
#include "mamisctl/postcard_resume.h"

static const struct db_stmt put_postcards = {
    "members_postcards",
    "INSERT INTO gateway.temp_credential (login_id, account_id, hmac, tries_left, issued_at,"
    " expires_at) SELECT login_id, account_id, decode(hmac, 'hex'), 5, $4, $5"
    " FROM unnest($1::text[], $2::uuid[], $3::text[]) AS given (login_id, account_id, hmac)"
    " ON CONFLICT (account_id) DO UPDATE SET login_id = excluded.login_id, hmac = excluded.hmac,"
    " tries_left = excluded.tries_left, issued_at = excluded.issued_at,"
    " expires_at = excluded.expires_at, dead_at = NULL"};

static const struct db_stmt put_passwords = {
    "members_passwords",
    "INSERT INTO gateway.credential (login_id, account_id, password_hash, changed_at)"
    " SELECT login_id, account_id, $3, $4 FROM unnest($1::text[], $2::uuid[])"
    " AS given (login_id, account_id) ON CONFLICT (account_id) DO UPDATE"
    " SET login_id = excluded.login_id, password_hash = excluded.password_hash,"
    " changed_at = excluded.changed_at"};

/* ---- postcards ---- */

/* The file for the printer while it is written, part by part. */
struct import_postcards {
    int fd;
    off_t kept;                       /* bytes of parts that are committed, and the header */
    const struct import_row *witness; /* with a postcard of the part that is not known to be */
};

/* What a part adds to it. */
struct postcards {
    struct secret_key key;
    struct buf csv;
    int64_t now_us;
    int64_t expires_us;
    const struct import_row *first;
};

bool members_wants_postcard(const struct import_row *row)
{
    const struct member *member = row->item;

    return member->my_page == MY_PAGE_TEMP && !member->has_postcard;
}

static void write_slice_postcards(struct import_file *file, struct import_row **rows, size_t count,
                                  struct postcards *postcards, struct db_batch *batch)
{
    struct str logins[IMPORT_SLICE_ROWS];
    struct str hmacs[IMPORT_SLICE_ROWS];
    struct uuid accounts[IMPORT_SLICE_ROWS];
    struct postcard postcard;
    char hex[2 * SECRET_DIGEST_BYTES + 1];
    struct db_query *query;
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        if (!members_wants_postcard(rows[i]))
            continue;
        if (postcards->first == NULL)
            postcards->first = rows[i];
        postcard_make(&postcards->key, member_register_no(rows[i]), IMPORT_FIELD(rows[i], NAME),
                      &postcards->csv, &postcard);
        hex_encode(postcard.hmac, sizeof(postcard.hmac), hex);
        logins[made] = str_of(arena_strdup(file->arena, postcard.login_id));
        hmacs[made] = str_of(arena_strdup(file->arena, hex));
        accounts[made++] = member_of(rows[i])->account_id;
    }
    if (made == 0)
        return;
    query = db_add(batch, &put_postcards);
    db_text_array(query, logins, made);
    db_uuid_array(query, accounts, made);
    db_text_array(query, hmacs, made);
    db_time(query, postcards->now_us);
    db_time(query, postcards->expires_us);
}

static enum err open_file(struct import_file *file, const struct import_options *options,
                          struct err_note *note)
{
    off_t kept = (off_t)strlen(POSTCARD_HEADER);
    int fd;
    enum err err;

    if (options->resume && access(options->postcards, F_OK) == 0)
        TRY(postcard_resume(file->tool, options->postcards, IMPORT_PART_ROWS, &fd, &kept, note));
    else
        TRY(postcard_open(options->postcards, &fd, note));
    file->postcards = arena_new_of(file->arena, struct import_postcards);
    file->postcards->fd = fd;
    file->postcards->kept = kept;
cleanup:
    return err;
}

/* On disk before the commit, so that no password is lost. */
static enum err save(struct import_file *file, const struct import_options *options,
                     const struct postcards *part, struct err_note *note)
{
    const char *path = options->postcards;
    struct import_postcards *postcards;
    enum err err = ERR_OK;

    if (file->postcards == NULL)
        TRY(open_file(file, options, note));
    postcards = file->postcards;
    if (lseek(postcards->fd, postcards->kept, SEEK_SET) < 0)
        return err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
    TRY(postcard_save(postcards->fd, path, buf_str(&part->csv), note));
    postcards->witness = part->first;
cleanup:
    return err;
}

void members_written(struct import_file *file)
{
    struct import_postcards *postcards = file->postcards;
    struct stat status;

    if (postcards == NULL || postcards->witness == NULL)
        return;
    must(fstat(postcards->fd, &status) == 0);
    postcards->kept = status.st_size;
    postcards->witness = NULL;
}

/*
 * After a failed attempt the database was read again: does it have what the last part made? Then
 * its postcards stay, else they go.
 */
static void settle_last_part(struct import_file *file)
{
    if (file->postcards == NULL || file->postcards->witness == NULL)
        return;
    if (members_wants_postcard(file->postcards->witness)) {
        must(ftruncate(file->postcards->fd, file->postcards->kept) == 0);
        file->postcards->witness = NULL;
    } else {
        members_written(file);
    }
}

static size_t count_wanted(const struct import_file *file)
{
    size_t wanted = 0;

    for (size_t i = file->part_first; i < file->part_end; i++)
        wanted += !file->rows[i].bad && members_wants_postcard(&file->rows[i]);
    return wanted;
}

static enum err write_postcards(struct import_file *file, const struct import_options *options,
                                struct db_batch *batch, struct err_note *note)
{
    const struct tool_settings *settings = file->tool->settings;
    struct postcards postcards = {.now_us = clock_now_us()};
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;
    enum err err;

    postcards.expires_us =
        postcards.now_us + settings->temp_days * (int64_t)CLOCK_DAY_S * CLOCK_SECOND_US;
    TRY(secret_key_load(settings->temp_key_file, &postcards.key, note));
    while ((count = import_slice(file, &cursor, IMPORT_SAME, rows)) > 0)
        write_slice_postcards(file, rows, count, &postcards, batch);
    TRY(save(file, options, &postcards, note));
cleanup:
    postcard_forget(&postcards.csv);
    secret_wipe(&postcards.key, sizeof(postcards.key));
    return err;
}

/* ---- one password for all, in tests ---- */

static void write_slice_passwords(struct import_row **rows, size_t count, const char *hash,
                                  struct db_batch *batch)
{
    struct str logins[IMPORT_SLICE_ROWS];
    struct uuid accounts[IMPORT_SLICE_ROWS];
    struct db_query *query;
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        const struct member *member = rows[i]->item;

        if (member->my_page != MY_PAGE_PENDING && member->my_page != MY_PAGE_ACTIVE)
            continue;
        logins[made] = member->mamis_no;
        accounts[made++] = member->account_id;
    }
    if (made == 0)
        return;
    query = db_add(batch, &put_passwords);
    db_text_array(query, logins, made);
    db_uuid_array(query, accounts, made);
    db_text_c(query, hash);
    db_time(query, clock_now_us());
}

/* Hashed once for all: it is slow on purpose. */
static enum err hash_once(struct import_file *file, const char *password, struct err_note *note)
{
    struct secret_key pepper;
    char *hash;
    enum err err;

    if (file->password_hash != NULL)
        return ERR_OK;
    TRY(secret_key_load(file->tool->settings->pepper_file, &pepper, note));
    hash = arena_alloc(file->arena, PASSWORD_HASH_BYTES);
    err = password_hash(&pepper, PASSWORD_COST_DEFAULT, str_of(password), hash);
    secret_wipe(&pepper, sizeof(pepper));
    if (err != ERR_OK)
        return err_say(note, err, "--password-for-tests: no password, or over %d bytes",
                       PASSWORD_BYTES_MAX);
    file->password_hash = hash;
cleanup:
    return err;
}

static enum err write_passwords(struct import_file *file, const char *password,
                                struct db_batch *batch, struct err_note *note)
{
    struct import_row *rows[IMPORT_SLICE_ROWS];
    size_t cursor = 0;
    size_t count;
    enum err err = hash_once(file, password, note);

    while (err == ERR_OK && (count = import_slice(file, &cursor, IMPORT_SAME, rows)) > 0)
        write_slice_passwords(rows, count, file->password_hash, batch);
    return err;
}

enum err members_write_secrets(struct import_file *file, const struct import_options *options,
                               struct db_batch *batch, struct err_note *note)
{
    size_t wanted;
    enum err err = ERR_OK;

    settle_last_part(file);
    wanted = count_wanted(file);
    if (wanted > 0 && options->postcards == NULL)
        tool_say("%zu doctors wait for a temporary password: import again with --postcards OUT.csv",
                 wanted);
    if (wanted > 0 && options->postcards != NULL)
        TRY(write_postcards(file, options, batch, note));
    if (options->password_for_tests != NULL)
        TRY(write_passwords(file, options->password_for_tests, batch, note));
cleanup:
    return err;
}
