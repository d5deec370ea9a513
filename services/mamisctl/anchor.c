/*
 * mamisctl anchor: appends how far each chain is to a file, signed; the file is to be kept where
 * whoever may write to the database may not. Nothing is appended while an anchor in it does not
 * hold any more. On the disk before it says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "mamisctl/anchors.h"

#define SELECT_HEADS                                                                               \
    "SELECT DISTINCT ON (topic, part) topic, part, seq, hash FROM %s.chain_link"                   \
    " ORDER BY topic, part, seq DESC"

struct anchoring {
    struct tool *tool;
    const char *path;
    struct chain_signer signer;
    struct anchors anchors;
    int file;
    struct buf lines;
    size_t written, unchanged; /* chains */
};

/* The file is ours alone until it is closed. */
static enum err open_file(struct anchoring *anchoring, struct err_note *note)
{
    anchoring->file = open(anchoring->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (anchoring->file < 0 || flock(anchoring->file, LOCK_EX | LOCK_NB) != 0)
        return err_say(note, ERR_SETTINGS, "%s: %s", anchoring->path,
                       errno == EWOULDBLOCK ? "another mamisctl anchor writes it"
                                            : strerror(errno));
    return ERR_OK;
}

static bool is_anchored(const struct anchoring *anchoring, const struct chain_anchor *anchor)
{
    const struct anchors *anchors = &anchoring->anchors;

    for (size_t i = 0; i < anchors->chain_count; i++) {
        const struct anchored *chain = &anchors->chains[i];

        if (chain->part == anchor->part && chain->seq == anchor->seq &&
            str_eq_c(anchor->schema, chain->schema) && str_eq_c(anchor->topic, chain->topic))
            return true;
    }
    return false;
}

static void add_line(struct anchoring *anchoring, const struct chain_anchor *anchor)
{
    if (is_anchored(anchoring, anchor)) {
        anchoring->unchanged++;
        return;
    }
    chain_anchor_write(&anchoring->lines, anchor, &anchoring->signer, anchoring->anchors.last);
    anchoring->written++;
}

static enum err add_schema(struct anchoring *anchoring, const char *schema, int64_t now_us,
                           struct err_note *note)
{
    struct tool *tool = anchoring->tool;
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *heads =
        db_add(batch, verify_stmt(tool, "anchor_heads", arena_printf(arena, SELECT_HEADS, schema)));
    enum err err;

    TRY(tool_run(tool, batch, note));
    for (size_t i = 0; i < db_rows(heads); i++) {
        const struct str hash = db_get_bytes(heads, i, 3);
        struct chain_anchor anchor = {
            .at_us = now_us,
            .schema = str_of(schema),
            .topic = db_get_text(heads, i, 0),
            .part = db_get_i32(heads, i, 1),
            .seq = db_get_i64(heads, i, 2),
        };

        if (hash.len != sizeof(anchor.hash.bytes))
            TRY(err_say(note, ERR_STATE_CONFLICT, "%s %.*s/%d: its last link is none; see verify",
                        schema, STR_ARG(anchor.topic), (int)anchor.part));
        memcpy(anchor.hash.bytes, hash.data, hash.len);
        add_line(anchoring, &anchor);
    }
cleanup:
    arena_free(arena);
    return err;
}

/* A new file is there after a crash only when its folder is on the disk too. */
static bool sync_folder(struct anchoring *anchoring)
{
    char *copy = arena_strdup(anchoring->tool->arena, anchoring->path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 && fsync(folder) == 0;

    if (folder >= 0)
        (void)close(folder);
    return good;
}

static enum err write_lines(struct anchoring *anchoring, struct err_note *note)
{
    const struct buf *lines = &anchoring->lines;
    size_t done = 0;

    if (ftruncate(anchoring->file, anchoring->anchors.good_bytes) != 0 ||
        lseek(anchoring->file, 0, SEEK_END) < 0)
        return err_say(note, ERR_SETTINGS, "%s: %s", anchoring->path, strerror(errno));
    while (done < lines->len) {
        ssize_t some = write(anchoring->file, lines->data + done, lines->len - done);

        if (some <= 0)
            return err_say(note, ERR_SETTINGS, "%s: %s", anchoring->path, strerror(errno));
        done += (size_t)some;
    }
    if (fsync(anchoring->file) != 0 || !sync_folder(anchoring))
        return err_say(note, ERR_SETTINGS, "%s: not on the disk: %s", anchoring->path,
                       strerror(errno));
    return ERR_OK;
}

static enum err anchor(struct anchoring *anchoring, struct err_note *note)
{
    struct finding finding = {0};
    const int64_t now_us = clock_now_us();
    enum err err;

    TRY(open_file(anchoring, note));
    TRY(anchors_check(anchoring->tool, anchoring->path, anchoring->signer.public_key,
                      &anchoring->anchors, &finding, note));
    if (finding.differ > 0)
        TRY(err_say(note, ERR_STATE_CONFLICT, "%lld anchors do not hold, e.g. %s",
                    (long long)finding.differ, finding.example));
    for (size_t i = 0; i < CHAIN_SCHEMAS; i++)
        TRY(add_schema(anchoring, verify_chain_schemas[i], now_us, note));
    TRY(write_lines(anchoring, note));
cleanup:
    return err;
}

enum tool_exit command_anchor(struct tool *tool, struct tool_args *args)
{
    struct anchoring anchoring = {.tool = tool, .file = -1};
    const char *path = args_option(args, "--file");
    char public_key[2 * CHAIN_PUBLIC_BYTES + 1];
    struct err_note note = {0};
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    anchoring.path = path != NULL ? path : tool->settings->anchor_file;
    if (anchoring.path[0] == '\0') {
        tool_say("where to? Give --file FILE, or set anchor_file");
        return TOOL_USAGE;
    }
    err = anchors_signer(tool, &anchoring.signer, &note);
    if (err == ERR_OK) {
        tool_db_open(tool);
        err = anchor(&anchoring, &note);
    }
    secret_wipe(anchoring.signer.secret, sizeof(anchoring.signer.secret));
    if (anchoring.file >= 0)
        (void)close(anchoring.file);
    buf_free(&anchoring.lines);
    if (err != ERR_OK)
        return tool_fail("anchor", err, &note);
    hex_encode(anchoring.signer.public_key, CHAIN_PUBLIC_BYTES, public_key);
    (void)printf("%s: %zu chains anchored, %zu unchanged; public key %s\n", anchoring.path,
                 anchoring.written, anchoring.unchanged, public_key);
    return TOOL_OK;
}
