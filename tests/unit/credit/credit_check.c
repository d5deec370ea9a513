/* credit_check: see the header. */
#include "credit_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void same_text(const char *what, const char *got, const char *wanted)
{
    if (strcmp(got == NULL ? "" : got, wanted == NULL ? "" : wanted) != 0)
        fail_msg("%s: got \"%s\", wanted \"%s\"", what, got, wanted);
}

static void same_number(const char *what, int64_t got, int64_t wanted)
{
    if (got != wanted)
        fail_msg("%s: got %ld, wanted %ld", what, (long)got, (long)wanted);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* ---- expected JSON ---- */

static void check_columns(const struct sent *upload, const json_t *wanted, const char *file)
{
    const json_t *got = ask_as("organiser:P13",
                               "SELECT json FROM portal.upload WHERE upload_id = '%s'", upload->id);
    const json_t *problem = json_object_get(got, "problem");
    static const char *const texts[] = {"status", "encoding", "delimiter"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        same_text(file, text_of(got, texts[i]), text_of(wanted, texts[i]));
    same_number(file, bench_number(got, "rows_total"), bench_number(wanted, "rows_total"));
    assert_true(json_equal(json_object_get(got, "counts"), json_object_get(wanted, "counts")));
    if (strcmp(text_of(wanted, "status"), "done") == 0) {
        assert_true(json_is_null(problem));
        assert_true(json_equal(json_object_get(got, "ignored_columns"),
                               json_object_get(wanted, "ignored_columns")));
    } else {
        same_text(file, text_of(problem, "code"), text_of(wanted, "code"));
        same_number(file, bench_number(problem, "line"), bench_number(wanted, "line"));
    }
}

/* In any order. */
static void same_credits(const json_t *got, const json_t *wanted, const char *what)
{
    same_number(what, (int64_t)json_array_size(got), (int64_t)json_array_size(wanted));
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        bool found = false;

        for (size_t j = 0; j < json_array_size(got); j++)
            found |= json_equal(json_array_get(got, j), json_array_get(wanted, i)) != 0;
        if (!found)
            fail_msg("%s: a credit is missing", what);
    }
}

static void check_row(const json_t *got, const json_t *wanted, const char *what)
{
    same_number(what, bench_number(got, "row_no"), bench_number(wanted, "row_no"));
    same_number(what, bench_number(got, "line_no"), bench_number(wanted, "line_no"));
    same_text(what, text_of(got, "outcome"), text_of(wanted, "outcome"));
    same_text(what, text_of(got, "reason"), text_of(wanted, "reason"));
    if (!json_equal(json_object_get(got, "problems"), json_object_get(wanted, "problems")))
        fail_msg("%s: other problems", what);
    if (strcmp(text_of(wanted, "outcome"), "absent") != 0)
        same_text(what, text_of(got, "register_no"), text_of(wanted, "register_no"));
    if (text_of(wanted, "reason") != NULL && strcmp(text_of(wanted, "reason"), "same_upload") == 0)
        assert_in_range(bench_number(got, "same_as_row"), 1, bench_number(got, "row_no") - 1);
    same_credits(json_object_get(got, "credits"), json_object_get(wanted, "credits"), what);
}

void check_sample(const struct sent *upload, const json_t *wanted)
{
    const char *file = text_of(wanted, "file");
    const json_t *rows = json_object_get(wanted, "rows");
    json_t *got;

    check_columns(upload, wanted, file);
    if (json_array_size(rows) == 0)
        return;
    got =
        ask("SELECT json_agg(json_build_object('row_no', r.row_no, 'line_no', r.line_no,"
            " 'outcome', r.outcome, 'reason', r.reason, 'register_no', r.register_no,"
            " 'same_as_row', r.same_as_row, 'problems',"
            "  (SELECT coalesce(json_agg(p -> 'code'), '[]') FROM jsonb_array_elements(r.problems)"
            "   AS p),"
            " 'credits', (SELECT coalesce(json_agg(json_build_object('programme', l.programme,"
            "   'kind', l.kind, 'half_units', l.half_units)), '[]') FROM credit.ledger l WHERE "
            "l.upload_no = %lld AND l.row_no = r.row_no))"
            " ORDER BY r.row_no) FROM portal.upload_row r WHERE r.upload_id = '%s'",
            (long long)upload->no, upload->id);
    same_number(file, (int64_t)json_array_size(got), (int64_t)json_array_size(rows));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char what[128];

        (void)snprintf(what, sizeof(what), "%s row %zu", file, i + 1);
        check_row(json_array_get(got, i), json_array_get(rows, i), what);
    }
}

/* ---- against the pure part ---- */

static int by_code(const void *left, const void *right)
{
    const struct attendance_credit *one = left;
    const struct attendance_credit *other = right;

    return strcmp(kind_code((enum kind)one->kind), kind_code((enum kind)other->kind));
}

/* "row line outcome reason same_as | kind units kind units", a line for each row. */
static void row_line(struct buf *out, const struct run_chunk *chunk, size_t at)
{
    const struct attendance_verdict *verdict = &chunk->verdicts.list[at];
    size_t posted = verdict->outcome == OUTCOME_POSTED ? verdict->credit_count : 0;
    struct attendance_credit credits[PROGRAMME_COUNT];

    buf_printf(out, "%u %u %s %s %u |", chunk->rows.list[at].row_no, chunk->rows.list[at].line_no,
               outcome_name((enum outcome)verdict->outcome),
               verdict->reason == CODE_NONE ? "" : code_name(verdict->reason),
               verdict->same_as_row);
    for (size_t i = 0; i < posted; i++)
        credits[i] = chunk->verdicts.credits[verdict->credit + i];
    qsort(credits, posted, sizeof(credits[0]), by_code);
    for (size_t i = 0; i < posted; i++)
        buf_printf(out, " %s %d", kind_code((enum kind)credits[i].kind), credits[i].half_units);
    buf_add_c(out, "\n");
}

void check_against(const struct sent *upload, const struct run *run)
{
    json_t *lines = ask(
        "SELECT json_agg(format('%%s %%s %%s %%s %%s |%%s', r.row_no, r.line_no, r.outcome,"
        "  coalesce(r.reason, ''), coalesce(r.same_as_row, 0), coalesce(l.credits, '')) || e'\\n'"
        "  ORDER BY r.row_no) FROM portal.upload_row r"
        " LEFT JOIN (SELECT row_no, string_agg(format(' %%s %%s', kind, half_units), '' ORDER BY "
        "kind)"
        "   AS credits FROM credit.ledger WHERE upload_no = %lld GROUP BY row_no) AS l"
        "  USING (row_no) WHERE r.upload_id = '%s'",
        (long long)upload->no, upload->id);
    size_t at = 0;

    for (const struct run_chunk *chunk = run->first; chunk != NULL; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->rows.count; i++) {
            struct buf line = {0};

            row_line(&line, chunk, i);
            buf_add_char(&line, '\0');
            same_text("row", json_string_value(json_array_get(lines, at++)), line.data);
            buf_free(&line);
        }
    }
    same_number("rows", (int64_t)json_array_size(lines), (int64_t)at);
}

/* ---- events ---- */

void check_events(const struct sent *upload)
{
    /* The outbox of this upload's chunks: each chunk once, all entries, keyed by the seminar. */
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload u, LATERAL (SELECT count(*) AS events,"
              "  count(DISTINCT (body::json ->> 'chunk_no')::int) AS chunks,"
              "  count(*) FILTER (WHERE key <> u.seminar_no OR topic <> 'mamis.credit.events')"
              "   AS astray"
              "  FROM credit.outbox WHERE type = 'credits.posted.v1'"
              "   AND body::json ->> 'upload_id' = u.upload_id::text) AS e"
              " WHERE u.upload_id = '%s' AND e.events = u.chunks_total"
              "  AND e.chunks = u.chunks_total AND e.astray = 0",
              upload->id),
        1);
    assert_int_equal(
        count("WITH event AS MATERIALIZED (SELECT body::json AS b,"
              "   (body::json -> 'sessions')::jsonb AS s FROM credit.outbox"
              "  WHERE type = 'credits.posted.v1' AND body::json ->> 'upload_id' = '%s'),"
              " lot AS (SELECT event.*, l.one, sum((l.one ->> 'doctors')::int) OVER"
              "   (PARTITION BY event.b ->> 'chunk_no' ORDER BY l.at) AS beyond"
              "  FROM event CROSS JOIN LATERAL"
              "   jsonb_array_elements((b -> 'lots')::jsonb) WITH ORDINALITY AS l (one, at)),"
              " told AS (SELECT d.id::bigint AS doctor_id,"
              "   (s -> (one ->> 'place')::int ->> 'session_id')::bigint AS session_id,"
              "   (one ->> 'revision')::smallint, one ->> 'kind' AS kind,"
              "   (one ->> 'half_units')::smallint"
              "  FROM lot JOIN LATERAL json_array_elements_text(b -> 'doctor_ids')"
              "   WITH ORDINALITY AS d (id, at)"
              "   ON d.at <= beyond AND d.at > beyond - (one ->> 'doctors')::int),"
              " entries AS (SELECT doctor_id, session_id, revision, kind::text,"
              "   half_units FROM credit.ledger WHERE upload_no = %lld)"
              " SELECT (SELECT count(*) FROM (TABLE told EXCEPT ALL TABLE entries) AS a)"
              "      + (SELECT count(*) FROM (TABLE entries EXCEPT ALL TABLE told) AS b)",
              upload->id, (long long)upload->no),
        0);
    assert_int_equal(
        count("SELECT count(*) FROM credit.outbox o JOIN credit.upload u"
              "  ON u.upload_id::text = o.body::json ->> 'upload_id'"
              " WHERE o.type = 'upload.done.v1' AND u.upload_id = '%s'"
              "  AND (o.body::json -> 'counts' ->> 'posted')::bigint = u.posted"
              "  AND (o.body::json -> 'counts' ->> 'rejected')::bigint = u.rejected"
              "  AND (o.body::json ->> 'rows_total')::bigint = u.rows_total"
              "  AND (o.body::json ->> 'chunks_total')::bigint = u.chunks_total"
              "  AND u.already_posted + u.waiting + u.unmatched + u.absent + u.rejected ="
              "   (SELECT coalesce(sum((r ->> 'rows')::bigint), 0)"
              "    FROM json_array_elements(o.body::json -> 'reasons') AS r)",
              upload->id),
        1);
}

/* ---- the tray ---- */

long long number_of(const char *my_page, int place)
{
    return (long long)count("SELECT register_no FROM credit.doctor WHERE my_page = '%s'"
                            " ORDER BY doctor_id OFFSET %d LIMIT 1",
                            my_page, place);
}

void fix(const struct sent *upload, int row_no, const char *columns, const char *values)
{
    inject(EVENT_ROW_FIX,
           "{" WHO ",\"upload_id\":\"%s\",\"row_no\":%d,\"columns\":[%s],\"values\":[%s]}",
           upload->id, row_no, columns, values);
    assert_int_equal(handle_at(waiting() - 1), ERR_OK);
}

void assert_row(const struct sent *upload, int row_no, const char *outcome, const char *reason)
{
    if (count("SELECT count(*) FROM portal.upload_row WHERE upload_id = '%s' AND row_no = %d"
              " AND outcome = '%s' AND coalesce(reason, '') = '%s'",
              upload->id, row_no, outcome, reason) != 1)
        fail_msg("row %d is not %s %s", row_no, outcome, reason);
}

void assert_reasons(const struct sent *upload)
{
    assert_int_equal(
        count("SELECT count(*) FROM credit.upload_chunk c WHERE upload_no = %lld AND"
              " (SELECT array_agg(o::text ORDER BY o::text) FROM jsonb_array_elements(c.reasons)"
              "  AS o) IS DISTINCT FROM (SELECT array_agg(o ORDER BY o) FROM"
              "   (SELECT jsonb_build_array(outcome, reason, count(*))::text AS o"
              "    FROM credit.upload_row r WHERE r.upload_no = c.upload_no"
              "    GROUP BY outcome, reason) AS a)",
              (long long)upload->no),
        0);
    assert_books(upload);
}
