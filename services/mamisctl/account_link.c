/*
 * mamisctl account link: certification data of many doctors is linked at once (R-ACC-09). A lot of
 * them is one transaction, which fails when somebody else was quicker with one; who is linked is
 * not touched any more, so it can simply be run again.
 */
#include <stdio.h>

#include "domain/numbers.h"
#include "gen/events.h"
#include "mamisctl/account_change.h"

enum { LOT = 200, NUMBERS_MAX = 500000, LIST_BYTES_MAX = 16 * 1024 * 1024 };

/* Behind those of ACCOUNT_COLUMNS. */
enum {
    COLUMN_VERSION = ACCOUNT_COLUMN_COUNT,
    COLUMN_MAMIS_NO,
    COLUMN_NAME,
    COLUMN_KANA,
    COLUMN_FORMER,
    COLUMN_FORMER_KANA,
    COLUMN_EMAIL,
    COLUMN_L1,
    COLUMN_L2,
    COLUMN_CATEGORY,
};

struct link {
    struct tool *tool;
    const char *reason;
    struct str *numbers; /* NULL: all of whom there is data */
    size_t count;
    int64_t after; /* doctor of the last lot */
    int64_t linked;
};

#define HAS_DATA                                                                                   \
    "EXISTS (SELECT FROM registration.certification AS c WHERE c.doctor_id = d.doctor_id)"
#define CAN_BE_LINKED                                                                              \
    "d.my_page = 'link_pending' AND a.state = 'active' AND a.step = '' AND " HAS_DATA

static const struct db_stmt find_lot = {
    "account_link_lot",
    ACCOUNT_COLUMNS_AND(
        ", d.version, coalesce(d.mamis_no, ''), d.name, d.name_kana, d.former_name,"
        " d.former_name_kana, d.email, d.l1_code, d.l2_code, d.l3_category") " WHERE d.doctor_id > "
                                                                             "$1 AND " CAN_BE_LINKED
                                                                             " AND ($2 OR "
                                                                             "d.register_no = ANY "
                                                                             "($3::text[]))"
                                                                             " ORDER BY "
                                                                             "d.doctor_id LIMIT $4",
};
static const struct db_stmt count_all = {
    "account_link_count",
    "SELECT count(*) FROM registration.doctor AS d JOIN registration.account AS a USING (doctor_id)"
    " WHERE " CAN_BE_LINKED " AND ($1 OR d.register_no = ANY ($2::text[]))",
};
/* Those of the list who cannot be linked, and why. */
static const struct db_stmt find_others = {
    "account_link_others",
    "SELECT number, why FROM (SELECT n.number, n.at, CASE"
    "  WHEN d.doctor_id IS NULL THEN 'nobody has this number'"
    "  WHEN a.account_id IS NULL THEN 'no account'"
    "  WHEN d.my_page = 'active' THEN 'linked already'"
    "  WHEN d.my_page <> 'link_pending' THEN 'My Page is not complete'"
    "  WHEN a.state <> 'active' OR a.step <> '' THEN 'the account is ' || a.state"
    "  WHEN NOT " HAS_DATA " THEN 'no certification data' END AS why"
    " FROM unnest($1::text[]) WITH ORDINALITY AS n (number, at)"
    " LEFT JOIN registration.doctor AS d ON d.register_no = n.number"
    " LEFT JOIN registration.account AS a USING (doctor_id)) AS judged"
    " WHERE why IS NOT NULL ORDER BY at",
};
static const struct db_stmt update_doctors = {
    "account_link_doctors",
    "WITH up AS (UPDATE registration.doctor AS d SET version = d.version + 1, my_page = 'active',"
    "  changed_at = $3 FROM unnest($1::bigint[], $2::bigint[]) AS n (doctor_id, version)"
    "  WHERE d.doctor_id = n.doctor_id AND d.version = n.version AND d.my_page = 'link_pending'"
    "  RETURNING 1) SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))",
};
static const struct db_stmt update_accounts = {
    "account_link_accounts",
    "WITH up AS (UPDATE registration.account AS a SET version = a.version + 1, changed_at = $3"
    "  FROM unnest($1::uuid[], $2::bigint[]) AS n (account_id, version)"
    "  WHERE a.account_id = n.account_id AND a.version = n.version RETURNING 1)"
    " SELECT mamis.expect_rows(cardinality($1), (SELECT count(*) FROM up))",
};
/* As the office's own word has it. */
static const struct db_stmt insert_history = {
    "account_link_history",
    "INSERT INTO registration.account_history (account_id, version, at, action, detail)"
    " SELECT account_id, version + 1, $3, 'link', jsonb_build_object('role', 'operator', 'reason',"
    "  $4::text) FROM unnest($1::uuid[], $2::bigint[]) AS n (account_id, version)",
};

/* ---- one lot ---- */

static void emit(struct tool *tool, struct db_batch *batch, const char *type, const char *topic,
                 const char *key, json_t *data)
{
    const struct work_event event = {
        .type = type, .topic = topic, .key = str_of(key), .subject = str_of(key), .data = data};

    (void)work_emit(tool->work, batch, &event, NULL);
}

/* What registration tells of a doctor who was linked at the desk. */
static void tell(struct tool *tool, struct db_batch *batch, const struct db_query *found,
                 size_t row, const struct account_row *account)
{
    const struct event_doctor_state doctor = {
        .doctor_id = account->doctor_id,
        .version = db_get_i64(found, row, COLUMN_VERSION) + 1,
        .register_no = account->register_no,
        .mamis_no = db_get_text(found, row, COLUMN_MAMIS_NO),
        .name = db_get_text(found, row, COLUMN_NAME),
        .name_kana = db_get_text(found, row, COLUMN_KANA),
        .former_name = db_get_text(found, row, COLUMN_FORMER),
        .former_name_kana = db_get_text(found, row, COLUMN_FORMER_KANA),
        .my_page = STR("active"),
        .email = db_get_text(found, row, COLUMN_EMAIL),
        .l1_code = db_get_text(found, row, COLUMN_L1),
        .l2_code = db_get_text(found, row, COLUMN_L2),
        .l3_category = db_get_text(found, row, COLUMN_CATEGORY),
    };
    const struct event_certification_linked linked = {.account_id = account->account_id,
                                                      .doctor_id = account->doctor_id,
                                                      .name = doctor.name,
                                                      .email = account->email};
    char key[UUID_TEXT_BYTES];
    char id[24];

    uuid_format(account->account_id, key);
    (void)snprintf(id, sizeof(id), "%lld", (long long)account->doctor_id);
    emit(tool, batch, EVENT_DOCTOR_STATE, TOPIC_DOCTOR_EVENTS, id,
         event_doctor_state_encode(&doctor));
    account_tell(tool, batch, account);
    emit(tool, batch, EVENT_CERTIFICATION_LINKED, TOPIC_ACCOUNT_EVENTS, key,
         event_certification_linked_encode(&linked));
}

static void add_lot(struct link *link, struct db_batch *batch, const struct db_query *found)
{
    struct arena *arena = link->tool->arena;
    size_t rows = db_rows(found);
    int64_t *doctors = arena_array(arena, int64_t, rows);
    int64_t *doctor_versions = arena_array(arena, int64_t, rows);
    int64_t *versions = arena_array(arena, int64_t, rows);
    struct uuid *accounts = arena_array(arena, struct uuid, rows);
    int64_t now_us = clock_now_us();
    struct db_query *query;
    struct account_row row;

    for (size_t i = 0; i < rows; i++) {
        account_take(link->tool, found, i, &row);
        doctors[i] = row.doctor_id;
        doctor_versions[i] = db_get_i64(found, i, COLUMN_VERSION);
        accounts[i] = row.account_id;
        versions[i] = row.version;
        tell(link->tool, batch, found, i, &row);
    }
    query = db_add(batch, &update_doctors);
    db_i64_array(query, doctors, rows);
    db_i64_array(query, doctor_versions, rows);
    db_time(query, now_us);
    query = db_add(batch, &update_accounts);
    db_uuid_array(query, accounts, rows);
    db_i64_array(query, versions, rows);
    db_time(query, now_us);
    query = db_add(batch, &insert_history);
    db_uuid_array(query, accounts, rows);
    db_i64_array(query, versions, rows);
    db_time(query, now_us);
    db_text_c(query, link->reason);
    link->after = doctors[rows - 1];
    link->linked += (int64_t)rows;
}

/* `*ret_more`: there may be another lot. Its memory ends with the lot. */
static enum err link_lot(struct link *link, bool *ret_more, struct err_note *note)
{
    struct tool *tool = link->tool;
    struct arena *kept = tool->arena;
    struct db_batch *batch;
    struct db_query *found;
    size_t rows = 0;
    enum err err;

    tool->arena = arena_new();
    batch = db_batch_read(tool->arena);
    found = db_add(batch, &find_lot);
    db_i64(found, link->after);
    db_bool(found, link->numbers == NULL);
    db_text_array(found, link->numbers, link->count);
    db_i64(found, LOT);
    TRY(tool_run(tool, batch, note));
    rows = db_rows(found);
    if (rows > 0) {
        batch = db_batch_new(tool->arena);
        add_lot(link, batch, found);
        TRY(tool_run_work(tool, batch, note));
    }
    *ret_more = rows == LOT;
cleanup:
    arena_free(tool->arena);
    tool->arena = kept;
    return err;
}

/* ---- whom ---- */

/* One register number a line, as people write them. */
static enum err read_list(struct link *link, const char *path, struct err_note *note)
{
    struct tool *tool = link->tool;
    struct buf text = {0};
    struct str left, line;
    size_t at = 0;
    enum err err;

    TRY(tool_read_file(path, LIST_BYTES_MAX, &text, note));
    left = arena_str(tool->arena, buf_str(&text));
    link->numbers = arena_array(tool->arena, struct str, NUMBERS_MAX);
    while (left.len > 0) {
        int64_t number;
        char *out;

        (void)str_cut(&left, '\n', &line);
        line = str_trim(line);
        at++;
        if (line.len == 0)
            continue;
        number = register_no_parse(line);
        if (number == NUMBER_NONE || link->count == NUMBERS_MAX) {
            err = err_say(note, ERR_BAD_REQUEST, "line %zu: %s", at,
                          number == NUMBER_NONE ? "no register number" : "too many");
            goto cleanup;
        }
        out = arena_alloc(tool->arena, REGISTER_NO_BYTES);
        register_no_format(number, out);
        link->numbers[link->count++] = str_of(out);
    }
cleanup:
    buf_free(&text);
    return err;
}

/* Says who of the list cannot be linked; gives how many can, of the list or of all. */
static enum err look(struct link *link, int64_t *ret_can, size_t *ret_others, struct err_note *note)
{
    struct db_batch *batch = db_batch_read(link->tool->arena);
    struct db_query *can = db_add(batch, &count_all), *others;
    enum err err;

    db_bool(can, link->numbers == NULL);
    db_text_array(can, link->numbers, link->count);
    others = db_add(batch, &find_others);
    db_text_array(others, link->numbers, link->count);
    TRY(tool_run(link->tool, batch, note));
    for (size_t i = 0; i < db_rows(others); i++)
        tool_say("%.*s: %.*s", STR_ARG(db_get_text(others, i, 0)),
                 STR_ARG(db_get_text(others, i, 1)));
    *ret_can = db_get_i64(can, 0, 0);
    *ret_others = db_rows(others);
cleanup:
    return err;
}

enum tool_exit account_link(struct tool *tool, struct tool_args *args)
{
    static const char *const topics[] = {TOPIC_DOCTOR_EVENTS, TOPIC_ACCOUNT_EVENTS};
    struct link link = {.tool = tool, .reason = args_option(args, "--reason")};
    bool all = args_flag(args, "--all"), preview = args_flag(args, "--preview"), more = true;
    const char *path = args_word(args);
    struct err_note note = {0};
    int64_t can = 0;
    size_t others = 0;
    enum err err = ERR_OK;

    if (!args_done(args) || all == (path != NULL) || (link.reason == NULL && !preview))
        return TOOL_USAGE;
    tool_work_open(tool, "registration");
    if (path != NULL)
        TRY(read_list(&link, path, &note));
    TRY(look(&link, &can, &others, &note));
    while (!preview && more)
        TRY(link_lot(&link, &more, &note));
cleanup:
    if (err != ERR_OK) {
        if (link.linked > 0)
            tool_say("linked before that: %lld; run it again", (long long)link.linked);
        return tool_fail("account link", err, &note);
    }
    (void)printf("%s %lld, not %zu\n", preview ? "would link" : "linked",
                 (long long)(preview ? can : link.linked), others);
    if (!preview && !tool_settle(tool, topics, ARRAY_LEN(topics)))
        return TOOL_UNSETTLED;
    return others == 0 ? TOOL_OK : TOOL_REFUSED;
}
