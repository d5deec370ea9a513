/* anchors: see anchors.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mamisctl/anchors.h"

enum { ANCHORS_AT_ONCE = 500 };

/* Links that anchors name, in their order; those that are not there have no hash. */
#define FIND_LINKS                                                                                 \
    "SELECT l.hash FROM unnest($1::text[], $2::int[], $3::bigint[])"                               \
    " WITH ORDINALITY AS a (topic, part, seq, place) LEFT JOIN %s.chain_link AS l"                 \
    " USING (topic, part, seq) ORDER BY a.place"

/* Anchors that wait to be looked at; their texts live in `arena`. */
struct slice {
    struct arena *arena;
    struct chain_anchor anchors[ANCHORS_AT_ONCE];
    size_t count;
};

struct reading {
    struct tool *tool;
    struct finding *finding;
    struct anchors *anchors;
    const char *path;
    const uint8_t *public_key;
    const struct db_stmt *find[CHAIN_SCHEMAS];
    struct slice slice;
};

/* ---- against the chains ---- */

static void judge(struct reading *reading, const struct chain_anchor *anchor,
                  const struct db_query *query, size_t row)
{
    const char *wrong = db_is_null(query, row, 0) ? "is gone: the chain was cut off"
                        : chain_hash_is(anchor->hash, db_get_bytes(query, row, 0))
                            ? NULL
                            : "is another than when it was anchored";
    char time[CLOCK_TEXT_BYTES];

    if (wrong == NULL)
        return;
    time_format(anchor->at_us, time);
    finding_differs(reading->finding, "%.*s %.*s/%d, link %lld %s (anchor of %s)",
                    STR_ARG(anchor->schema), STR_ARG(anchor->topic), (int)anchor->part,
                    (long long)anchor->seq, wrong, time);
}

static enum err look_up(struct reading *reading, size_t schema, struct err_note *note)
{
    struct slice *slice = &reading->slice;
    struct arena *arena = slice->arena;
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, reading->find[schema]);
    struct str *topics = arena_array(arena, struct str, slice->count);
    int32_t *parts = arena_array(arena, int32_t, slice->count);
    int64_t *seqs = arena_array(arena, int64_t, slice->count);
    size_t *places = arena_array(arena, size_t, slice->count);
    size_t count = 0;
    enum err err = ERR_OK;

    for (size_t i = 0; i < slice->count; i++) {
        if (!str_eq_c(slice->anchors[i].schema, verify_chain_schemas[schema]))
            continue;
        topics[count] = slice->anchors[i].topic;
        parts[count] = slice->anchors[i].part;
        seqs[count] = slice->anchors[i].seq;
        places[count++] = i;
    }
    if (count == 0)
        return ERR_OK;
    db_text_array(query, topics, count);
    db_i32_array(query, parts, count);
    db_i64_array(query, seqs, count);
    TRY(tool_run(reading->tool, batch, note));
    for (size_t i = 0; i < count; i++)
        judge(reading, &slice->anchors[places[i]], query, i);
cleanup:
    return err;
}

static enum err judge_slice(struct reading *reading, struct err_note *note)
{
    struct slice *slice = &reading->slice;
    enum err err = ERR_OK;

    for (size_t i = 0; i < CHAIN_SCHEMAS; i++)
        TRY(look_up(reading, i, note));
cleanup:
    arena_free(slice->arena);
    slice->arena = arena_new();
    slice->count = 0;
    return err;
}

/* ---- the file ---- */

static void keep_last(struct reading *reading, const struct chain_anchor *anchor)
{
    struct anchors *anchors = reading->anchors;
    struct anchored *chain = anchors->chains;
    size_t i = 0;

    while (i < anchors->chain_count &&
           (chain[i].part != anchor->part || !str_eq_c(anchor->schema, chain[i].schema) ||
            !str_eq_c(anchor->topic, chain[i].topic)))
        i++;
    if (i == ANCHORS_CHAINS_MAX)
        return; /* anchored once more than needed */
    if (i == anchors->chain_count) {
        struct arena *arena = reading->tool->arena;

        chain[i].schema = arena_printf(arena, "%.*s", STR_ARG(anchor->schema));
        chain[i].topic = arena_printf(arena, "%.*s", STR_ARG(anchor->topic));
        chain[i].part = anchor->part;
        anchors->chain_count++;
    }
    chain[i].seq = anchor->seq;
}

static bool schema_known(struct str schema)
{
    for (size_t i = 0; i < CHAIN_SCHEMAS; i++)
        if (str_eq_c(schema, verify_chain_schemas[i]))
            return true;
    return false;
}

/* False: nothing can be said of the lines after this one. */
static bool take_line(struct reading *reading, struct str line)
{
    struct slice *slice = &reading->slice;
    struct err_note note = {0};
    struct chain_anchor anchor;
    enum err err;

    reading->finding->looked_at++;
    line = arena_str(slice->arena, line);
    err = chain_anchor_read(line, reading->public_key, reading->anchors->last, &anchor, &note);
    if (err == ERR_OK && !schema_known(anchor.schema))
        err = err_say(&note, ERR_SCHEMA, "names a schema without chains");
    if (err != ERR_OK) {
        finding_differs(reading->finding, "%s:%lld %s", reading->path,
                        (long long)reading->finding->looked_at, note.text);
        return false;
    }
    slice->anchors[slice->count++] = anchor;
    keep_last(reading, &anchor);
    return true;
}

static enum err read_lines(struct reading *reading, FILE *file, struct err_note *note)
{
    char line[CHAIN_ANCHOR_BYTES_MAX + 2];
    bool more = true;
    enum err err = ERR_OK;

    while (more && fgets(line, sizeof(line), file) != NULL) {
        size_t len = strlen(line);

        if (len == 0 || (line[len - 1] != '\n' && feof(file)))
            break; /* whoever wrote it died; the next anchor takes its half line off */
        more = take_line(reading, (struct str){line, len - (line[len - 1] == '\n')});
        reading->anchors->good_bytes += more ? (int64_t)len : 0;
        if (reading->slice.count == ANCHORS_AT_ONCE)
            TRY(judge_slice(reading, note));
    }
    if (ferror(file))
        TRY(err_say(note, ERR_SETTINGS, "%s: cannot be read", reading->path));
    TRY(judge_slice(reading, note));
cleanup:
    return err;
}

enum err anchors_check(struct tool *tool, const char *path,
                       const uint8_t public_key[CHAIN_PUBLIC_BYTES], struct anchors *ret_anchors,
                       struct finding *finding, struct err_note *note)
{
    struct reading *reading = arena_new_of(tool->arena, struct reading);
    FILE *file = fopen(path, "re");
    enum err err;

    *ret_anchors =
        (struct anchors){.chains = arena_array(tool->arena, struct anchored, ANCHORS_CHAINS_MAX)};
    if (file == NULL)
        return errno == ENOENT ? ERR_OK
                               : err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
    reading->tool = tool;
    reading->finding = finding;
    reading->anchors = ret_anchors;
    reading->path = path;
    reading->public_key = public_key;
    reading->slice.arena = arena_new();
    for (size_t i = 0; i < CHAIN_SCHEMAS; i++)
        reading->find[i] = verify_stmt(
            tool, "verify_anchors", arena_printf(tool->arena, FIND_LINKS, verify_chain_schemas[i]));
    err = read_lines(reading, file, note);
    arena_free(reading->slice.arena);
    (void)fclose(file);
    return err;
}

enum err anchors_signer(struct tool *tool, struct chain_signer *ret_signer, struct err_note *note)
{
    const char *path = tool->settings->anchor_key_file;
    struct secret_key seed;
    enum err err;

    _Static_assert(sizeof(seed.bytes) == CHAIN_SEED_BYTES, "a key file's size");
    if (path[0] == '\0')
        return err_say(note, ERR_SETTINGS, "anchor_key_file is not set");
    err = secret_key_load(path, &seed, note);
    if (err == ERR_OK)
        chain_signer_of(seed.bytes, ret_signer);
    secret_wipe(&seed, sizeof(seed));
    return err;
}

enum err verify_anchors(struct tool *tool, const char *path, const char *public_hex,
                        struct finding *finding, struct err_note *note)
{
    struct chain_signer signer = {0};
    struct anchors anchors;
    enum err err = ERR_OK;

    if (access(path, R_OK) != 0)
        return err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
    if (public_hex == NULL)
        err = anchors_signer(tool, &signer, note);
    else if (!hex_decode(str_of(public_hex), signer.public_key, sizeof(signer.public_key)))
        err = err_say(note, ERR_SETTINGS, "--anchor-public: not 64 hexadecimal digits");
    if (err == ERR_OK)
        err = anchors_check(tool, path, signer.public_key, &anchors, finding, note);
    secret_wipe(&signer, sizeof(signer));
    return err;
}
