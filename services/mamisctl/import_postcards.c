/*
 * import members: credentials. Temporary ones go to the postcards file, for the printer, and
 * nowhere else in clear; the file is on disk before the commit, so that no postcard can be lost. A
 * password for tests is hashed once for all.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mamisctl/import_members.h"

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

static bool wants_postcard(const struct import_row *row)
{
    const struct member *member = row->item;

    return member->my_page == MY_PAGE_TEMP && !member->has_postcard;
}

static void hex_of(const uint8_t digest[SECRET_DIGEST_BYTES], char out[2 * SECRET_DIGEST_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SECRET_DIGEST_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * SECRET_DIGEST_BYTES] = '\0';
}

/* A new id and password: the line for the printer, and what the database keeps. */
static void make_postcard(struct import_file *file, const struct import_row *row,
                          struct postcards *postcards, struct str *ret_login, struct str *ret_hmac)
{
    char login[TEMP_LOGIN_BYTES];
    char password[TEMP_PASSWORD_BYTES];
    char folded[TEMP_TEXT_BYTES];
    uint8_t digest[SECRET_DIGEST_BYTES];
    char hex[2 * SECRET_DIGEST_BYTES + 1];

    temp_login_new(login);
    temp_password_new(password);
    csv_put(&postcards->csv, member_register_no(row));
    buf_add_char(&postcards->csv, ',');
    csv_put(&postcards->csv, IMPORT_FIELD(row, NAME));
    buf_printf(&postcards->csv, ",%s,%s\r\n", login, password);
    must(temp_fold(str_of(login), folded));
    *ret_login = str_of(arena_strdup(file->arena, folded));
    must(temp_fold(str_of(password), folded));
    temp_hmac(&postcards->key, folded, digest);
    hex_of(digest, hex);
    *ret_hmac = str_of(arena_strdup(file->arena, hex));
    secret_wipe(password, sizeof(password));
    secret_wipe(folded, sizeof(folded));
}

static void write_slice_postcards(struct import_file *file, struct import_row **rows, size_t count,
                                  struct postcards *postcards, struct db_batch *batch)
{
    struct str logins[IMPORT_SLICE_ROWS];
    struct str hmacs[IMPORT_SLICE_ROWS];
    struct uuid accounts[IMPORT_SLICE_ROWS];
    struct db_query *query;
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        if (!wants_postcard(rows[i]))
            continue;
        if (postcards->first == NULL)
            postcards->first = rows[i];
        make_postcard(file, rows[i], postcards, &logins[made], &hmacs[made]);
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

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.data, bytes.len);

        if (put <= 0)
            return false;
        bytes.data += put;
        bytes.len -= (size_t)put;
    }
    return true;
}

/* Mode 0600. A file that is there already may hold passwords that were not printed yet. */
static enum err open_file(struct import_file *file, const char *path, struct err_note *note)
{
    static const struct str header = STR("register_no,name,login_id,temporary_password\r\n");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_say(note, ERR_SETTINGS, "--postcards %s: %s", path, strerror(errno));
    file->postcards = arena_new_of(file->arena, struct import_postcards);
    file->postcards->fd = fd;
    if (!write_all(fd, header))
        return err_say(note, ERR_SETTINGS, "--postcards %s: %s", path, strerror(errno));
    file->postcards->kept = (off_t)header.len;
    return ERR_OK;
}

/* On disk before the commit, so that no password is lost. */
static enum err save(struct import_file *file, const char *path, const struct postcards *part,
                     struct err_note *note)
{
    struct import_postcards *postcards;
    enum err err = ERR_OK;

    if (file->postcards == NULL)
        TRY(open_file(file, path, note));
    postcards = file->postcards;
    if (lseek(postcards->fd, postcards->kept, SEEK_SET) < 0 ||
        !write_all(postcards->fd, buf_str(&part->csv)) || fsync(postcards->fd) != 0)
        return err_say(note, ERR_SETTINGS, "--postcards %s: %s", path, strerror(errno));
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
    if (wants_postcard(file->postcards->witness)) {
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
        wanted += !file->rows[i].bad && wants_postcard(&file->rows[i]);
    return wanted;
}

static enum err write_postcards(struct import_file *file, const char *path, struct db_batch *batch,
                                struct err_note *note)
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
    TRY(save(file, path, &postcards, note));
cleanup:
    if (postcards.csv.data != NULL)
        secret_wipe(postcards.csv.data, postcards.csv.cap);
    buf_free(&postcards.csv);
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
        TRY(write_postcards(file, options->postcards, batch, note));
    if (options->password_for_tests != NULL)
        TRY(write_passwords(file, options->password_for_tests, batch, note));
cleanup:
    return err;
}
