/*
 * verify_entries: the ledger against its chains. It is read once, by its key, a page at a time; the
 * entries of one transaction, which have the same upload and time, come in the order in which they
 * were hashed, so each transaction that is not complete yet needs no more than a hash. Memory is
 * bounded by how many transactions lie across one place of the key: those of one seminar.
 *
 * While the services go on posting, the pages do not show one moment: what they leave incomplete
 * is read once more by itself before it counts as different.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mamisctl/verify.h"

enum { ENTRIES_AT_ONCE = 5000, BUCKETS = 1024, AGAIN_MAX = 100 };

#define ENTRY_COLUMNS                                                                              \
    "session_id, doctor_id, programme, revision, upload_no, posted_at, row_no, held_on,"           \
    " half_units, kind, reason, actor, actor_role, actor_code"
#define ENTRY_KEY "session_id, doctor_id, programme, revision"

static const struct db_stmt select_page = {
    "verify_entries",
    "SELECT " ENTRY_COLUMNS " FROM credit.ledger WHERE (" ENTRY_KEY ") > ($1, $2, $3, $4)"
    " ORDER BY " ENTRY_KEY " LIMIT $5",
};

static const struct db_stmt select_counted = {
    "verify_entries_counted",
    "SELECT ref, at, rows, digest, chain_rows_no FROM credit.chain_rows"
    " JOIN unnest($1::bigint[], $2::timestamptz[]) AS w (ref, at) USING (ref, at)"
    " WHERE relation = '" CHAIN_LEDGER "'",
};

static const struct db_stmt select_again = {
    "verify_entries_again",
    "SELECT " ENTRY_COLUMNS " FROM credit.ledger WHERE upload_no = $1 AND posted_at = $2"
    " ORDER BY " ENTRY_KEY,
};

/* What is in the chain and of which the ledger has nothing at all. */
static const struct db_stmt select_gone = {
    "verify_entries_gone",
    "SELECT count(*), min(chain_rows_no), (array_agg(format('upload %s', ref)"
    "  ORDER BY chain_rows_no))[1] FROM credit.chain_rows AS r WHERE relation = '" CHAIN_LEDGER "'"
    " AND NOT EXISTS (SELECT FROM credit.ledger AS l WHERE l.upload_no = r.ref"
    "  AND l.posted_at = r.at)",
};

static const struct db_stmt count_counted = {
    "verify_entries_count",
    "SELECT count(*) FROM credit.chain_rows WHERE relation = '" CHAIN_LEDGER "'",
};

enum entry_column {
    ENTRY_SESSION,
    ENTRY_DOCTOR,
    ENTRY_PROGRAMME,
    ENTRY_REVISION,
    ENTRY_UPLOAD,
    ENTRY_POSTED_AT,
    ENTRY_ROW,
    ENTRY_HELD_ON,
    ENTRY_HALF_UNITS,
    ENTRY_KIND,
    ENTRY_REASON,
    ENTRY_ACTOR,
    ENTRY_ROLE,
    ENTRY_CODE,
};

/* Entries of one transaction. */
struct group {
    struct group *next; /* of its bucket */
    int64_t upload_no, posted_us;
    bool counted;     /* the chain has it */
    int64_t no, rows; /* ... with this number and so many rows */
    struct chain_hash digest;
    int64_t seen;
    struct chain_sum *sum;
    int64_t doctor_id, session_id; /* of its first entry */
};

struct entries {
    struct tool *tool;
    struct finding *finding;
    struct group *buckets[BUCKETS];
    int64_t met; /* groups that the chain has */
    struct buf bytes;
    struct {
        int64_t session_id, doctor_id;
        const char *programme; /* in the tool's arena, which has few */
        int16_t revision;
    } after;
};

/* ---- groups ---- */

static struct group **bucket_of(struct entries *entries, int64_t upload_no, int64_t posted_us)
{
    const uint64_t mixed =
        ((uint64_t)upload_no * 31 + (uint64_t)posted_us) * UINT64_C(0x9e3779b97f4a7c15);

    return &entries->buckets[mixed >> 54];
}

static struct group *find_group(struct entries *entries, int64_t upload_no, int64_t posted_us)
{
    struct group *group = *bucket_of(entries, upload_no, posted_us);

    while (group != NULL && (group->upload_no != upload_no || group->posted_us != posted_us))
        group = group->next;
    return group;
}

static void begin_sum(struct entries *entries, struct group *group)
{
    buf_clear(&entries->bytes);
    chain_ledger_head(&entries->bytes, group->upload_no, group->posted_us);
    group->sum = chain_sum_new();
    group->seen = 0;
    chain_sum_add(group->sum, buf_str(&entries->bytes));
}

static struct group *add_group(struct entries *entries, int64_t upload_no, int64_t posted_us)
{
    struct group **bucket = bucket_of(entries, upload_no, posted_us);
    struct group *group = heap_zero(sizeof(*group));

    group->upload_no = upload_no;
    group->posted_us = posted_us;
    begin_sum(entries, group);
    group->next = *bucket;
    *bucket = group;
    return group;
}

static void free_group(struct entries *entries, struct group *group)
{
    struct group **link = bucket_of(entries, group->upload_no, group->posted_us);

    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    chain_sum_free(group->sum);
    free(group);
}

/* ---- what differs ---- */

static enum err differs(struct entries *entries, const struct group *group, const char *wrong,
                        struct err_note *note)
{
    const char *link = "no link";
    char time[CLOCK_TEXT_BYTES];
    enum err err = ERR_OK;

    if (entries->finding->differ == 0 && group->counted)
        TRY(verify_link_name(entries->tool, "credit", group->no, &link, note));
    time_format(group->posted_us, time);
    finding_differs(entries->finding,
                    "upload %lld, posted %s: %s (%s; from session %lld doctor %lld)",
                    (long long)group->upload_no, time, wrong, link, (long long)group->session_id,
                    (long long)group->doctor_id);
cleanup:
    return err;
}

/* All of it was read: is it what was hashed? */
static enum err judge(struct entries *entries, struct group *group, struct err_note *note)
{
    const struct chain_hash digest = chain_sum_end(group->sum);

    group->sum = NULL;
    if (!group->counted)
        return differs(entries, group, "entries that nobody linked", note);
    if (group->seen < group->rows)
        return differs(entries, group, "entries are gone", note);
    if (group->seen > group->rows)
        return differs(entries, group, "entries were added", note);
    if (memcmp(digest.bytes, group->digest.bytes, sizeof(digest.bytes)) != 0)
        return differs(entries, group, "entries were changed", note);
    return ERR_OK;
}

/* ---- entries ---- */

static void feed(struct entries *entries, struct group *group, const struct db_query *page,
                 size_t i)
{
    const bool has_actor = !db_is_null(page, i, ENTRY_ACTOR);
    const struct uuid actor = has_actor ? db_get_uuid(page, i, ENTRY_ACTOR) : (struct uuid){{0}};
    const struct chain_entry entry = {
        .session_id = db_get_i64(page, i, ENTRY_SESSION),
        .doctor_id = db_get_i64(page, i, ENTRY_DOCTOR),
        .programme = db_get_text(page, i, ENTRY_PROGRAMME),
        .revision = db_get_i16(page, i, ENTRY_REVISION),
        .row_no = db_get_i32(page, i, ENTRY_ROW),
        .held_on = db_get_day(page, i, ENTRY_HELD_ON),
        .half_units = db_get_i16(page, i, ENTRY_HALF_UNITS),
        .kind = db_get_text(page, i, ENTRY_KIND),
        .reason = db_get_text(page, i, ENTRY_REASON),
        .actor = has_actor ? &actor : NULL,
        .actor_role = db_get_text(page, i, ENTRY_ROLE),
        .actor_code = db_get_text(page, i, ENTRY_CODE),
    };

    if (group->seen++ == 0) {
        group->session_id = entry.session_id;
        group->doctor_id = entry.doctor_id;
    }
    buf_clear(&entries->bytes);
    chain_entry_put(&entries->bytes, &entry);
    chain_sum_add(group->sum, buf_str(&entries->bytes));
}

/* What the chain says of groups that were met first in this page. */
static enum err read_counted(struct entries *entries, struct group *const *groups, size_t count,
                             struct arena *arena, struct err_note *note)
{
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, &select_counted);
    int64_t *refs = arena_array(arena, int64_t, count);
    int64_t *times = arena_array(arena, int64_t, count);
    enum err err;

    for (size_t i = 0; i < count; i++) {
        refs[i] = groups[i]->upload_no;
        times[i] = groups[i]->posted_us;
    }
    db_i64_array(query, refs, count);
    db_time_array(query, times, count);
    TRY(tool_run(entries->tool, batch, note));
    for (size_t i = 0; i < db_rows(query); i++) {
        struct group *group =
            find_group(entries, db_get_i64(query, i, 0), db_get_time(query, i, 1));
        const struct str digest = db_get_bytes(query, i, 3);

        must(group != NULL);
        entries->met += !group->counted;
        group->counted = true;
        group->rows = db_get_i64(query, i, 2);
        group->no = db_get_i64(query, i, 4);
        if (digest.len == sizeof(group->digest.bytes))
            memcpy(group->digest.bytes, digest.data, digest.len);
    }
cleanup:
    return err;
}

static enum err meet_groups(struct entries *entries, const struct db_query *page,
                            struct arena *arena, struct err_note *note)
{
    struct group **fresh = arena_array(arena, struct group *, db_rows(page));
    size_t count = 0;

    for (size_t i = 0; i < db_rows(page); i++) {
        const int64_t upload_no = db_get_i64(page, i, ENTRY_UPLOAD);
        const int64_t posted_us = db_get_time(page, i, ENTRY_POSTED_AT);

        if (find_group(entries, upload_no, posted_us) == NULL)
            fresh[count++] = add_group(entries, upload_no, posted_us);
    }
    return count == 0 ? ERR_OK : read_counted(entries, fresh, count, arena, note);
}

static enum err take_page(struct entries *entries, const struct db_query *page, struct arena *arena,
                          struct err_note *note)
{
    enum err err;

    TRY(meet_groups(entries, page, arena, note));
    for (size_t i = 0; i < db_rows(page); i++) {
        struct group *group = find_group(entries, db_get_i64(page, i, ENTRY_UPLOAD),
                                         db_get_time(page, i, ENTRY_POSTED_AT));

        /* Complete a moment ago, and here is one more of the same page. */
        if (group == NULL)
            group = add_group(entries, db_get_i64(page, i, ENTRY_UPLOAD),
                              db_get_time(page, i, ENTRY_POSTED_AT));
        feed(entries, group, page, i);
        if (group->counted && group->seen == group->rows) {
            TRY(judge(entries, group, note));
            free_group(entries, group);
        }
    }
    entries->finding->looked_at += (int64_t)db_rows(page);
cleanup:
    return err;
}

static void go_on_after(struct entries *entries, const struct db_query *page)
{
    const size_t last = db_rows(page) - 1;
    const struct str programme = db_get_text(page, last, ENTRY_PROGRAMME);

    entries->after.session_id = db_get_i64(page, last, ENTRY_SESSION);
    entries->after.doctor_id = db_get_i64(page, last, ENTRY_DOCTOR);
    entries->after.revision = db_get_i16(page, last, ENTRY_REVISION);
    if (!str_eq_c(programme, entries->after.programme))
        entries->after.programme = arena_printf(entries->tool->arena, "%.*s", STR_ARG(programme));
}

static enum err read_all(struct entries *entries, struct err_note *note)
{
    struct arena *arena = NULL;
    bool more = true;
    enum err err = ERR_OK;

    while (more) {
        struct db_batch *batch;
        struct db_query *page;

        arena_free(arena);
        arena = arena_new();
        batch = db_batch_read(arena);
        page = db_add(batch, &select_page);
        db_i64(page, entries->after.session_id);
        db_i64(page, entries->after.doctor_id);
        db_text_c(page, entries->after.programme);
        db_i16(page, entries->after.revision);
        db_i64(page, ENTRIES_AT_ONCE);
        TRY(tool_run(entries->tool, batch, note));
        more = db_rows(page) > 0;
        if (more) {
            TRY(take_page(entries, page, arena, note));
            go_on_after(entries, page);
        }
    }
cleanup:
    arena_free(arena);
    return err;
}

/* ---- what was left incomplete ---- */

static enum err read_again(struct entries *entries, struct group *group, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, &select_again);
    enum err err;

    db_i64(query, group->upload_no);
    db_time(query, group->posted_us);
    TRY(tool_run(entries->tool, batch, note));
    TRY(read_counted(entries, &group, 1, arena, note));
    chain_sum_free(group->sum);
    begin_sum(entries, group);
    for (size_t i = 0; i < db_rows(query); i++)
        feed(entries, group, query, i);
    TRY(judge(entries, group, note));
cleanup:
    arena_free(arena);
    return err;
}

static enum err judge_rest(struct entries *entries, struct err_note *note)
{
    unsigned again = 0;
    enum err err = ERR_OK;

    for (size_t i = 0; i < BUCKETS; i++) {
        while (entries->buckets[i] != NULL) {
            struct group *group = entries->buckets[i];

            if (++again <= AGAIN_MAX)
                TRY(read_again(entries, group, note));
            else
                TRY(judge(entries, group, note));
            free_group(entries, group);
        }
    }
cleanup:
    return err;
}

/* As many groups as the chain has? If not, or while it grows, it is asked which are gone. */
static enum err find_gone(struct entries *entries, struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, &count_counted);
    const char *link;
    enum err err;

    TRY(tool_run(entries->tool, batch, note));
    if (db_get_i64(query, 0, 0) == entries->met)
        goto cleanup;
    batch = db_batch_read(arena);
    query = db_add(batch, &select_gone);
    TRY(tool_run(entries->tool, batch, note));
    if (db_get_i64(query, 0, 0) == 0)
        goto cleanup;
    TRY(verify_link_name(entries->tool, "credit", db_get_i64(query, 0, 1), &link, note));
    finding_differs(entries->finding, "%.*s: all entries of a transaction are gone (%s)",
                    STR_ARG(db_get_text(query, 0, 2)), link);
    entries->finding->differ += db_get_i64(query, 0, 0) - 1;
cleanup:
    arena_free(arena);
    return err;
}

enum err verify_entries(struct tool *tool, struct finding *finding, struct err_note *note)
{
    struct entries entries = {
        .tool = tool,
        .finding = finding,
        .after = {INT64_MIN, INT64_MIN, "", INT16_MIN},
    };
    enum err err;

    TRY(read_all(&entries, note));
    TRY(judge_rest(&entries, note));
    TRY(find_gone(&entries, note));
cleanup:
    for (size_t i = 0; i < BUCKETS; i++) {
        while (entries.buckets[i] != NULL)
            free_group(&entries, entries.buckets[i]);
    }
    buf_free(&entries.bytes);
    return err;
}
