/*
 * mamisctl import: takes organisers, members or seminars from a CSV file. A row and its events are
 * one transaction, and so are up to IMPORT_PART_ROWS rows; a run that dies is simply run again,
 * with
 * --resume where it made postcards. --preview only shows what would change. The command ends only
 * when every projection has applied the last event, so that an upload sent afterwards finds its
 * doctors.
 */
#include "mamisctl/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_MS = 10000 };

static const struct import_kind *const kinds[] = {&import_kind_organisers, &import_kind_members,
                                                  &import_kind_seminars};

static const struct import_kind *find_kind(const char *name)
{
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

/* They hold people's data: for our eyes only, also where a file of that name was there before. */
static FILE *open_bad_lines(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat status;
    FILE *out = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && (!S_ISREG(status.st_mode) || fchmod(fd, 0600) == 0))
        out = fdopen(fd, "w");
    if (out == NULL)
        (void)close(fd);
    return out;
}

/* The bad lines with their header, so that they can be mended and imported by themselves. */
static enum err write_bad_lines(const struct import_file *file, const char *path,
                                struct err_note *note)
{
    FILE *out = open_bad_lines(path);
    bool well;

    if (out == NULL)
        return err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
    (void)fwrite(file->header.data, 1, file->header.len, out);
    (void)fputs("\r\n", out);
    for (size_t i = 0; i < file->row_count; i++) {
        if (!file->rows[i].bad)
            continue;
        (void)fwrite(file->rows[i].raw.data, 1, file->rows[i].raw.len, out);
        (void)fputs("\r\n", out);
    }
    well = fflush(out) == 0 && fsync(fileno(out)) == 0;
    well = fclose(out) == 0 && well;
    return well ? ERR_OK : err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
}

static bool all_good(const struct import_file *file, const struct import_options *options)
{
    return file->bad_rows == 0 || options->keep_good != NULL;
}

/* One transaction: the rows of the part and their events. */
static enum err write_part(const struct import_kind *kind, struct import_file *file,
                           const struct import_options *options, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_new(arena);
    enum err err;

    TRY(kind->write(file, options, batch, note));
    if (db_batch_count(batch) > 0)
        TRY(tool_run_work(file->tool, batch, note));
    if (kind->written != NULL)
        kind->written(file);
    /* Room for the next part's events. While Kafka is away they are only kept, and sent later. */
    (void)tool_flush(file->tool, FLUSH_MS);
cleanup:
    arena_free(arena);
    return err;
}

/* One attempt: look at the database, decide, write part by part. */
static enum err attempt(const struct import_kind *kind, struct import_file *file,
                        const struct import_options *options, struct err_note *note)
{
    struct arena *arena = arena_new();
    enum err err = kind->load(file, arena, note);

    arena_free(arena);
    if (err != ERR_OK || file->preview || !all_good(file, options))
        return err;
    if (file->bad_rows > 0)
        TRY(write_bad_lines(file, options->keep_good, note));
    file->seminar_written = STR_NONE;
    for (size_t first = 0; first < file->row_count; first += IMPORT_PART_ROWS) {
        size_t left = file->row_count - first;

        file->part_first = first;
        file->part_end = first + (left < IMPORT_PART_ROWS ? left : IMPORT_PART_ROWS);
        TRY(write_part(kind, file, options, note));
    }
cleanup:
    return err;
}

/* Tries again when others changed the same rows, or when nobody knows whether it was written. */
static enum err take(const struct import_kind *kind, struct import_file *file,
                     const struct import_options *options, struct err_note *note)
{
    enum err err = ERR_OK;

    for (int i = 0; i < IMPORT_TRIES_MAX; i++) {
        err = attempt(kind, file, options, note);
        if (err != ERR_DB_CONFLICT && err != ERR_DB_UNKNOWN)
            break;
    }
    return err;
}

static void print_result(const struct import_kind *kind, const struct import_file *file,
                         const struct import_options *options)
{
    size_t counts[3] = {0};

    for (size_t i = 0; i < file->row_count; i++) {
        if (!file->rows[i].bad)
            counts[file->rows[i].change]++;
    }
    (void)printf("%s: %zu lines: %zu new, %zu changed, %zu as before", kind->name, file->row_count,
                 counts[IMPORT_NEW], counts[IMPORT_CHANGED], counts[IMPORT_SAME]);
    if (file->bad_rows > 0 && options->keep_good != NULL && !file->preview)
        (void)printf(", %zu bad (in %s)", file->bad_rows, options->keep_good);
    else if (file->bad_rows > 0)
        (void)printf(", %zu bad", file->bad_rows);
    (void)printf(file->preview ? "; nothing was written\n" : "\n");
    if (kind->left != NULL)
        kind->left(file);
    if (file->postcards != NULL)
        (void)printf("temporary passwords for the printer: %s\n", options->postcards);
    (void)fflush(stdout); /* the rest waits for the services */
}

/* What it would do, and whether it would do it. */
static enum tool_exit show_preview(const struct import_kind *kind, const struct import_file *file,
                                   const struct import_options *options)
{
    import_show_changes(file);
    print_result(kind, file, options);
    if (kind->preview != NULL)
        kind->preview(file);
    (void)fflush(stdout);
    return all_good(file, options) ? TOOL_OK : TOOL_REFUSED;
}

static enum tool_exit refuse(const struct import_kind *kind, const struct import_file *file)
{
    tool_say("%s: %zu of %zu lines are bad; nothing was taken. Mend them, or take the others with"
             " --keep-good BAD.csv",
             kind->name, file->bad_rows, file->row_count);
    return TOOL_REFUSED;
}

static enum tool_exit run(const struct import_kind *kind, struct import_file *file,
                          const struct import_options *options, struct str bytes)
{
    struct err_note note = {0};
    enum err err = import_read(file, bytes, &note);

    if (err != ERR_OK)
        return tool_fail(options->path, err, &note);
    kind->check(file);
    if (file->preview)
        tool_db_open(file->tool);
    else
        tool_work_open(file->tool, kind->service);
    err = take(kind, file, options, &note);
    import_show_problems(file);
    if (err != ERR_OK)
        return tool_fail("import", err, &note);
    if (file->preview)
        return show_preview(kind, file, options);
    if (!all_good(file, options))
        return refuse(kind, file);
    print_result(kind, file, options);
    return tool_settle(file->tool, kind->topics, kind->topic_count) ? TOOL_OK : TOOL_UNSETTLED;
}

static bool options_fine(const struct tool *tool, const struct import_kind *kind,
                         const struct import_options *options)
{
    bool members = kind == &import_kind_members;

    if (!members && (options->postcards != NULL || options->password_for_tests != NULL)) {
        tool_say("--postcards and --password-for-tests go with members only");
        return false;
    }
    if (options->resume && options->postcards == NULL) {
        tool_say("--resume goes with --postcards: it goes on in that file");
        return false;
    }
    if (options->password_for_tests != NULL && strcmp(tool->settings->env, "production") == 0) {
        tool_say("--password-for-tests is refused where env is production");
        return false;
    }
    return true;
}

enum tool_exit command_import(struct tool *tool, struct tool_args *args)
{
    struct import_options options = {
        .keep_good = args_option(args, "--keep-good"),
        .postcards = args_option(args, "--postcards"),
        .password_for_tests = args_option(args, "--password-for-tests"),
        .resume = args_flag(args, "--resume"),
    };
    const struct import_kind *kind = find_kind(args_word(args));
    struct import_file file = {
        .tool = tool, .arena = tool->arena, .preview = args_flag(args, "--preview")};
    struct err_note note = {0};
    struct buf bytes = {0};
    enum tool_exit result;
    enum err err;

    options.path = args_word(args);
    if (kind == NULL || options.path == NULL || !args_done(args))
        return TOOL_USAGE;
    if (!options_fine(tool, kind, &options))
        return TOOL_REFUSED;
    file.columns = kind->columns;
    file.column_count = kind->column_count;
    err = tool_read_file(options.path, IMPORT_FILE_BYTES_MAX, &bytes, &note);
    result = err == ERR_OK ? run(kind, &file, &options, buf_str(&bytes))
                           : tool_fail("import", err, &note);
    buf_free(&bytes);
    return result;
}
