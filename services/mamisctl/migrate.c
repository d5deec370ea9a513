/*
 * mamisctl migrate: brings the tables up to date. deploy/migrations/NNNN_name.sql are applied in
 * order, each in one transaction that also notes its number, name and SHA-256. Two runs at once
 * wait for each other; a file that changed after it was applied is refused. Then the rights of this
 * version's proto/access.yaml are written, which row security asks.
 */
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_script.h"
#include "gen/access.h"
#include "mamisctl/mamisctl.h"

enum { MIGRATIONS_MAX = 1000, MIGRATION_BYTES_MAX = 1024 * 1024, HEX_BYTES = 65 };

/* "mamis" on a telephone's keys, times ten: any number that nobody else locks. */
#define LOCK_SQL "SELECT pg_advisory_lock(626470)"

struct migration {
    const char *file; /* "0001_foundation.sql" */
    const char *sql;
    char sha256[HEX_BYTES];
};

/* NNNN_name.sql with lower case letters, digits and underscores in the name. */
static bool is_migration(const char *file)
{
    size_t len = strlen(file);

    if (len < 10 || strcmp(file + len - 4, ".sql") != 0 || file[4] != '_')
        return false;
    return strspn(file, "0123456789") == 4 &&
           strspn(file + 5, "abcdefghijklmnopqrstuvwxyz0123456789_") == len - 9;
}

static int compare_files(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static enum err list_files(struct tool *tool, const char *folder, const char ***ret_files,
                           size_t *ret_count, struct err_note *note)
{
    const char **files = arena_array(tool->arena, const char *, MIGRATIONS_MAX);
    size_t count = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);

    if (dir == NULL)
        return err_say(note, ERR_SETTINGS, "%s: %s", folder, strerror(errno));
    while ((entry = readdir(dir)) != NULL && count < MIGRATIONS_MAX) {
        if (is_migration(entry->d_name))
            files[count++] = arena_strdup(tool->arena, entry->d_name);
    }
    (void)closedir(dir);
    if (count == 0)
        return err_say(note, ERR_SETTINGS, "%s holds no migrations", folder);
    qsort(files, count, sizeof(files[0]), compare_files);
    for (size_t i = 1; i < count; i++) {
        if (strncmp(files[i - 1], files[i], 4) == 0)
            return err_say(note, ERR_SETTINGS, "%s and %s have the same number", files[i - 1],
                           files[i]);
    }
    *ret_files = files;
    *ret_count = count;
    return ERR_OK;
}

static enum err read_migration(struct tool *tool, const char *folder, const char *file,
                               struct migration *out, struct err_note *note)
{
    struct buf text = {0};
    uint8_t digest[crypto_hash_sha256_BYTES];
    enum err err;

    TRY(tool_read_file(arena_printf(tool->arena, "%s/%s", folder, file), MIGRATION_BYTES_MAX, &text,
                       note));
    (void)crypto_hash_sha256(digest, (const uint8_t *)text.data, text.len);
    (void)sodium_bin2hex(out->sha256, sizeof(out->sha256), digest, sizeof(digest));
    buf_add_char(&text, '\0');
    out->file = file;
    out->sql = arena_strdup(tool->arena, text.data);
cleanup:
    buf_free(&text);
    return err;
}

/* The SHA-256 noted for this number; "" when it was not applied yet. */
static enum err find_applied(struct tool *tool, struct db_script *script,
                             const struct migration *migration, const char **ret_sha256,
                             struct err_note *note)
{
    const char *number = arena_printf(tool->arena, "%.4s", migration->file);
    const char **values = NULL;
    size_t count = 0;
    enum err err =
        db_script_ask(script, tool->arena, "SELECT sha256 FROM mamis.migration WHERE no = $1::int",
                      (const char *const[]){number}, 1, &values, &count, note);

    if (err == ERR_OK)
        *ret_sha256 = count > 0 ? values[0] : "";
    return err;
}

static enum err apply(struct tool *tool, struct db_script *script,
                      const struct migration *migration, struct err_note *note)
{
    const char *params[] = {arena_printf(tool->arena, "%.4s", migration->file), migration->file,
                            migration->sha256};
    struct err_note why = {0};
    const char **none;
    size_t count;
    enum err err;

    TRY(db_script_exec(script, "BEGIN", &why));
    TRY(db_script_exec(script, migration->sql, &why));
    TRY(db_script_ask(script, tool->arena,
                      "INSERT INTO mamis.migration (no, name, sha256) VALUES ($1::int, $2, $3)",
                      params, ARRAY_LEN(params), &none, &count, &why));
    TRY(db_script_exec(script, "COMMIT", &why));
cleanup:
    if (err != ERR_OK) {
        (void)err_say(note, err, "%s: %s", migration->file, why.text);
        (void)!db_script_exec(script, "ROLLBACK", &why);
    }
    return err;
}

static enum err bootstrap(struct db_script *script, struct err_note *note)
{
    enum err err;

    TRY(db_script_exec(script, "SET lock_timeout = '60s'", note));
    TRY(db_script_exec(script, "SET client_min_messages = warning", note));
    TRY(db_script_exec(script, LOCK_SQL, note));
    TRY(db_script_exec(script,
                       "CREATE SCHEMA IF NOT EXISTS mamis;"
                       "CREATE TABLE IF NOT EXISTS mamis.migration ("
                       " no int PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
                       " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())",
                       note));
cleanup:
    return err;
}

static enum err migrate_one(struct tool *tool, struct db_script *script,
                            const struct migration *migration, size_t *applied,
                            struct err_note *note)
{
    const char *noted = "";
    enum err err;

    TRY(find_applied(tool, script, migration, &noted, note));
    if (noted[0] == '\0') {
        TRY(apply(tool, script, migration, note));
        (void)printf("applied %s\n", migration->file);
        *applied += 1;
    } else if (strcmp(noted, migration->sha256) != 0) {
        err = err_say(note, ERR_STATE_CONFLICT,
                      "%s was changed after it was applied; put it back and write a new file",
                      migration->file);
    }
cleanup:
    return err;
}

static enum err migrate_all(struct tool *tool, size_t *ret_applied, size_t *ret_total,
                            struct err_note *note)
{
    const char *folder = tool_data_path(tool, "migrations");
    struct db_script *script = NULL;
    const char **files = NULL;
    enum err err;

    TRY(list_files(tool, folder, &files, ret_total, note));
    TRY(db_script_open(tool->settings->admin_database, &script, note));
    TRY(bootstrap(script, note));
    for (size_t i = 0; i < *ret_total; i++) {
        struct migration migration = {0};

        TRY(read_migration(tool, folder, files[i], &migration, note));
        TRY(migrate_one(tool, script, &migration, ret_applied, note));
    }
    TRY(db_script_exec(script, access_sql, note));
cleanup:
    db_script_close(script); /* also gives the lock back */
    return err;
}

enum tool_exit command_migrate(struct tool *tool, struct tool_args *args)
{
    struct err_note note = {0};
    size_t applied = 0;
    size_t total = 0;
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    err = migrate_all(tool, &applied, &total, &note);
    if (err != ERR_OK)
        return tool_fail("migrate", err, &note);
    (void)printf("%zu migrations, %zu applied now\n", total, applied);
    return TOOL_OK;
}
