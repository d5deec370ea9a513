/* postcard_resume: see postcard_resume.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mamisctl/postcard_resume.h"

enum { RESUME_BYTES_MAX = 256 * 1024 * 1024, RESUME_SLICE = 1000 };

static const struct db_stmt find_logins = {
    "postcard_find_logins", "SELECT w.ord FROM unnest($1::text[]) WITH ORDINALITY AS w (login, ord)"
                            " JOIN gateway.temp_credential AS t ON t.login_id = w.login"
                            " ORDER BY w.ord DESC LIMIT 1"};

/* What was found out about a file. */
struct resume {
    struct tool *tool;
    struct arena *arena;
    struct str logins[RESUME_SLICE]; /* of lines that are still to be looked up */
    size_t ends[RESUME_SLICE];       /* where these lines end in the file */
    size_t count;
    size_t kept; /* bytes up to the last line that the database has */
    size_t cut;  /* lines behind it */
};

/* Empty for a line that is none of ours. */
static struct str login_of(struct arena *arena, struct str line)
{
    char login[TEMP_TEXT_BYTES];

    return postcard_login(arena, line, login) ? str_of(arena_strdup(arena, login)) : STR("");
}

static enum err look_up(struct resume *resume, struct err_note *note)
{
    struct db_batch *batch = db_batch_read(resume->arena);
    struct db_query *query = db_add(batch, &find_logins);
    enum err err;

    if (resume->count == 0)
        return ERR_OK;
    db_text_array(query, resume->logins, resume->count);
    err = tool_run(resume->tool, batch, note);
    if (err != ERR_OK)
        return err;
    resume->cut += resume->count;
    if (db_rows(query) == 1) {
        size_t last = (size_t)db_get_i64(query, 0, 0);

        resume->kept = resume->ends[last - 1];
        resume->cut = resume->count - last;
    }
    resume->count = 0;
    return ERR_OK;
}

/* Line by line; one that was cut off has no end. */
static enum err read_lines(struct resume *resume, struct str text, struct err_note *note)
{
    size_t at = resume->kept;
    const char *end;
    enum err err = ERR_OK;

    while (at < text.len && (end = memmem(text.data + at, text.len - at, "\r\n", 2)) != NULL) {
        size_t len = (size_t)(end - text.data) - at;

        resume->logins[resume->count] = login_of(resume->arena, (struct str){text.data + at, len});
        at += len + 2;
        resume->ends[resume->count++] = at;
        if (resume->count == RESUME_SLICE)
            TRY(look_up(resume, note));
    }
    TRY(look_up(resume, note));
cleanup:
    return err;
}

static enum err refuse(const char *path, struct err_note *note)
{
    return err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
}

/* Ours, for our eyes only. */
static enum err open_ours(const char *path, int *ret_fd, struct err_note *note)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;

    if (fd < 0)
        return refuse(path, note);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0600 &&
        status.st_uid == geteuid()) {
        *ret_fd = fd;
        return ERR_OK;
    }
    (void)close(fd);
    return err_say(note, ERR_SETTINGS, "%s: not a file of ours with mode 0600", path);
}

/* Where to go on. */
static enum err find_place(struct resume *resume, const char *path, struct str text, size_t cut_max,
                           struct err_note *note)
{
    enum err err;

    if (!str_starts(text, STR(POSTCARD_HEADER)))
        return err_say(note, ERR_SETTINGS, "%s: no file of postcards", path);
    resume->kept = strlen(POSTCARD_HEADER);
    err = read_lines(resume, text, note);
    if (err == ERR_OK && resume->cut > cut_max)
        return err_say(note, ERR_SETTINGS,
                       "%s: the database does not know its last %zu postcards: this is not what a"
                       " run here left behind",
                       path, resume->cut);
    return err;
}

enum err postcard_resume(struct tool *tool, const char *path, size_t cut_max, int *ret_fd,
                         off_t *ret_kept, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct resume *resume = arena_new_of(arena, struct resume);
    struct buf text = {0};
    int fd = -1;
    enum err err;

    resume->tool = tool;
    resume->arena = arena;
    TRY(open_ours(path, &fd, note));
    TRY(tool_read_file(path, RESUME_BYTES_MAX, &text, note));
    if (str_starts(STR(POSTCARD_HEADER), buf_str(&text))) { /* it died while making it */
        err = ftruncate(fd, 0) == 0 ? postcard_save(fd, path, STR(POSTCARD_HEADER), note)
                                    : refuse(path, note);
        resume->kept = strlen(POSTCARD_HEADER);
    } else {
        err = find_place(resume, path, buf_str(&text), cut_max, note);
    }
    if (err == ERR_OK && ftruncate(fd, (off_t)resume->kept) != 0)
        err = refuse(path, note);
    if (err != ERR_OK)
        goto cleanup;
    *ret_kept = (off_t)resume->kept;
    *ret_fd = fd;
    fd = -1;
cleanup:
    if (fd >= 0)
        (void)close(fd);
    postcard_forget(&text);
    arena_free(arena);
    return err;
}
