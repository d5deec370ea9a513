/*
 * The way of an upload from its first message to its last event, and of whatever changes it later,
 * while the nth call of each kind fails: see lib/fault_walk.h.
 */
#include <stdio.h>

#include "credit/credit_directory.h"
#include "gen/topics.h"
#include "lib/test.h"
#include "unit/credit/credit_fault_cases.h"

enum { ROW_BYTES = 60000 };

static void make_files(struct pg_server *server)
{
    char sql[512];

    pg_server_exec(server, "CREATE TABLE credit.fault_file (name text, bytes bytea)");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(
            sql, sizeof(sql),
            "INSERT INTO credit.fault_file SELECT '%s', convert_to('医籍登録番号,備考' ||"
            " E'\\r\\n' || string_agg(CASE n %% 9 WHEN 8 THEN 999999 ELSE 460001 + n %% 7 END ||"
            " ',' || repeat('x', %d), E'\\r\\n' ORDER BY n) || E'\\r\\n' || '%s', 'UTF8')"
            " FROM generate_series(1, %d) AS n",
            files[i].name, ROW_BYTES, files[i].end, files[i].rows);
        pg_server_exec(server, sql);
    }
}

static void fill(struct pg_server *server)
{
    pg_server_exec(
        server,
        "INSERT INTO credit.waiting_rule (days) VALUES (90);"
        "INSERT INTO credit.organiser (organiser_code, name, kind) VALUES ('P13', 'P', 'other');"
        "INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " VALUES ('S1', 'Seminar', 'P13');"
        "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
        " delivery, grace_minutes, offers) VALUES ('S1', '1', 'One', '2026-11-15T10:00:00+09:00',"
        " '2026-11-15T12:00:00+09:00', '2026-11-15', 'venue', 10, 'OPL-S:4;CME-015:2');"
        "INSERT INTO credit.doctor (doctor_id, version, register_no, name_kana, kana_folded,"
        " my_page) SELECT n, 1, 460000 + n, 'ア', 'ア', 'active' FROM generate_series(1, 8) AS n");
    make_files(server);
}

static void *open_credit(struct loop *loop, struct db_pool *db)
{
    struct credit *credit = heap_zero(sizeof(*credit));

    *credit = (struct credit){
        .loop = loop, .db = db, .directory = directory_new(), .directory_filled = true};
    credit_settings.no_my_page = "wait";
    return credit;
}

static void use_work(void *state, struct work *work)
{
    ((struct credit *)state)->work = work;
}

static void close_credit(void *state)
{
    struct credit *credit = state;

    directory_free(credit->directory);
    free(credit);
}

int main(void)
{
    static const char *const emitted[] = {TOPIC_CREDIT_WORK, TOPIC_CREDIT_EVENTS, TOPIC_REPLIES};
    const struct fault_walk walk = {
        .service = "credit",
        .now = NOW,
        .topic = TOPIC_CREDIT_WORK,
        .key = "S1",
        .emitted = emitted,
        .emitted_count = ARRAY_LEN(emitted),
        .routes = credit_routes,
        .route_count = credit_route_count,
        .cases = cases,
        .case_count = ARRAY_LEN(cases),
        .fill = fill,
        .clean = "DELETE FROM credit.upload; DELETE FROM credit.upload_part;"
                 "DELETE FROM credit.upload_chunk; DELETE FROM credit.upload_row;"
                 "DELETE FROM credit.ledger; DELETE FROM credit.undo;"
                 "DELETE FROM credit.row_fix; DELETE FROM credit.row_note;"
                 "DELETE FROM credit.merge;"
                 "DELETE FROM credit.signup; " HELD SOMEBODY,
        .lines =
            "SELECT concat_ws('|', 'ledger', doctor_id, session_id, programme, revision, kind,"
            "  half_units, row_no, held_on) FROM credit.ledger"
            " UNION ALL SELECT concat_ws('|', 'row', row_no, line_no, outcome, reason, problems,"
            "  register_no, same_as_row, doctor_id, session_id, credits) FROM credit.upload_row"
            " UNION ALL SELECT concat_ws('|', 'chunk', chunk_no, first_row, row_count, posted_row,"
            "  posted_doctor, posted_session, reasons) FROM credit.upload_chunk"
            " UNION ALL SELECT concat_ws('|', 'upload', status, rows_total, chunks_total, posted,"
            "  already_posted, waiting, unmatched, absent, rejected, problem) FROM credit.upload"
            " UNION ALL SELECT concat_ws('|', 'event', type, key, CASE topic WHEN '" TOPIC_REPLIES
            "'  THEN body::jsonb -> 'data' -> 'status' ELSE (body::jsonb -> 'data')"
            "  - 'upload_id' - 'upload_no' END) FROM credit.outbox"
            "  WHERE topic <> '" TOPIC_CREDIT_WORK "'"
            " UNION ALL SELECT concat_ws('|', 'operation', status) FROM credit.operation"
            " UNION ALL SELECT concat_ws('|', 'undo', slice_no, next_chunk, entries)"
            "  FROM credit.undo"
            " UNION ALL SELECT concat_ws('|', 'fix', row_no, cells) FROM credit.row_fix"
            " UNION ALL SELECT concat_ws('|', 'note', row_no, notes) FROM credit.row_note"
            " UNION ALL SELECT concat_ws('|', 'merge', closed_id, kept_id, names)"
            "  FROM credit.merge"
            " UNION ALL SELECT concat_ws('|', 'signup', seminar_no, doctor_id, version, state,"
            "  line_no) FROM credit.signup"
            /* A chunk whose message came before its turn is sent again. */
            " UNION ALL (SELECT DISTINCT concat_ws('|', 'work', type, key, (body::jsonb -> 'data')"
            "  - 'upload_id') FROM credit.outbox WHERE topic = '" TOPIC_CREDIT_WORK "')",
        .open = open_credit,
        .use = use_work,
        .close = close_credit,
    };

    return fault_walk_main(&walk);
}
