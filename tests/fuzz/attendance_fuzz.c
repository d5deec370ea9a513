/*
 * Any bytes as an attendance file. However it is cut, the same comes of it; every row gets exactly
 * one outcome; and its result file can be sent again.
 */
#include <stdlib.h>
#include <string.h>

#include "attendance/attendance_judge.h"
#include "attendance/attendance_result.h"
#include "attendance/attendance_scan.h"
#include "fuzz.h"

enum { FILE_BYTES_MAX = 256 * 1024, CHUNK_ROWS = 50 };

struct chunks {
    struct arena *arena;
    struct attendance_chunk *list;
    size_t count;
    size_t room;
};

static void keep_chunk(void *arg, const struct attendance_chunk *chunk)
{
    struct chunks *chunks = arg;

    if (chunks->count == chunks->room) {
        struct attendance_chunk *larger;

        chunks->room = chunks->room * 2 + 16;
        larger = arena_array(chunks->arena, struct attendance_chunk, chunks->room);
        if (chunks->count > 0)
            memcpy(larger, chunks->list, sizeof(*larger) * chunks->count);
        chunks->list = larger;
    }
    chunks->list[chunks->count++] = *chunk;
}

static struct attendance_scan *scan_file(struct str file, size_t slice, bool several_sessions,
                                         struct chunks *chunks)
{
    const struct attendance_scan_options options = {CHUNK_ROWS, 4096, several_sessions};
    struct attendance_scan *scan = arena_new_of(chunks->arena, struct attendance_scan);
    enum attendance_scan_status status = SCAN_MORE;

    attendance_scan_init(scan, &options);
    for (size_t at = 0; at < file.len && status == SCAN_MORE; at += slice) {
        const size_t left = file.len - at;

        status = attendance_scan_feed(
            scan, (struct str){file.data + at, left < slice ? left : slice}, keep_chunk, chunks);
    }
    if (status == SCAN_MORE)
        (void)attendance_scan_end(scan, keep_chunk, chunks);
    return scan;
}

static void check_same(const struct attendance_scan *one, const struct chunks *one_chunks,
                       const struct attendance_scan *other, const struct chunks *other_chunks)
{
    must(one->refusal.code == other->refusal.code && one->refusal.line == other->refusal.line);
    must(one->encoding == other->encoding && one->delimiter == other->delimiter);
    must(one->rows_total == other->rows_total);
    must(one->header_offset == other->header_offset && one->header_len == other->header_len);
    if (one->refusal.code != CODE_NONE)
        return;
    must(one_chunks->count == other_chunks->count);
    for (size_t i = 0; i < one_chunks->count; i++)
        must(memcmp(&one_chunks->list[i], &other_chunks->list[i], sizeof(one_chunks->list[i])) ==
             0);
}

static void judge(struct arena *arena, const struct attendance_header *header,
                  const struct attendance_rows *rows)
{
    static const struct attendance_doctor doctors[] = {
        {.doctor_id = 1, .register_no = 1, .mamis_no = NUMBER_NONE, .my_page = MY_PAGE_ACTIVE},
        {.doctor_id = 2, .register_no = 2, .mamis_no = NUMBER_NONE, .my_page = MY_PAGE_NONE},
    };
    struct attendance_session sessions[2] = {
        {.session_no = STR("1"), .ends_us = CLOCK_SECOND_US * 3600, .leader_register_no = 1},
        {.session_no = STR("2"), .ends_us = CLOCK_SECOND_US * 7200, .delivery = DELIVERY_VISIT},
    };
    const struct attendance_seminar seminar = {STR("S"), sessions, 2};
    struct attendance_numbers numbers;
    struct attendance_verdicts verdicts;
    size_t rows_counted = 0;

    for (size_t i = 0; i < 2; i++) {
        sessions[i].starts_us = INT64_C(1760068800) * CLOCK_SECOND_US;
        sessions[i].ends_us += sessions[i].starts_us;
        must(offers_parse(STR("OPB-K:2|OPL-S:2;CME-001:1"), DELIVERY_VENUE, &sessions[i].offers) ==
             OFFERS_FINE);
    }
    attendance_numbers_read(arena, rows, &numbers);
    const struct attendance_case judged = {
        .header = header,
        .rows = rows,
        .numbers = &numbers,
        .seminar = &seminar,
        .places = attendance_places(arena, rows, &seminar),
        .doctors = doctors,
        .doctor_count = ARRAY_LEN(doctors),
        .received_us = INT64_MAX,
    };

    attendance_judge(arena, &judged, &verdicts);
    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
        rows_counted += verdicts.outcomes[outcome];
    must(rows_counted == rows->count);
    for (size_t i = 0; i < verdicts.count; i++) {
        const struct attendance_verdict *verdict = &verdicts.list[i];
        const bool refused =
            verdict->outcome == OUTCOME_UNMATCHED || verdict->outcome == OUTCOME_REJECTED;

        must(refused == (verdict->problem_count > 0));
        must((verdict->outcome == OUTCOME_POSTED || verdict->outcome == OUTCOME_WAITING) ==
             (verdict->credit_count > 0));
    }
}

/* Rows of the whole file, chunk by chunk, and its result file. */
static void read_rows(struct arena *arena, struct str file, const struct attendance_header *header,
                      const struct chunks *chunks, struct attendance_rows *all, struct buf *result)
{
    struct attendance_result line = {.columns = {STR("=1"), STR(""), STR("a,\"b\"\n"), STR("x")}};

    if (result != NULL)
        attendance_result_head(result, arena, header, 0);
    for (size_t i = 0; i < chunks->count; i++) {
        const struct attendance_chunk *chunk = &chunks->list[i];
        struct attendance_rows rows;

        must(chunk->rows <= CHUNK_ROWS && chunk->offset + chunk->length <= file.len);
        attendance_rows_read(arena, header, chunk,
                             (struct str){file.data + chunk->offset, chunk->length}, &rows);
        must(rows.count == chunk->rows);
        judge(arena, header, &rows);
        for (size_t at = 0; at < rows.count; at++) {
            must(rows.list[at].row_no == chunk->first_row + at);
            line.row = &rows.list[at];
            if (result != NULL)
                attendance_result_line(result, arena, header, 0, &line);
        }
        memcpy(all->list + all->count, rows.list, sizeof(*rows.list) * rows.count);
        all->count += rows.count;
    }
}

/* The result file holds the same rows with the same cells. */
static void send_again(struct arena *arena, struct str result, bool several_sessions,
                       const struct attendance_rows *rows)
{
    struct chunks chunks = {.arena = arena};
    const struct attendance_scan *scan =
        scan_file(result, result.len + 1, several_sessions, &chunks);
    struct attendance_rows again = {arena_array(arena, struct attendance_row, rows->count), 0};
    struct attendance_header header;

    if (scan->refusal.code == CODE_TOO_MANY_COLUMNS || scan->refusal.code == CODE_LINE_TOO_LONG)
        return; /* four columns more, and longer lines */
    must(scan->refusal.code == CODE_NONE && scan->rows_total == rows->count);
    attendance_header_read(arena, (struct str){result.data + scan->header_offset, scan->header_len},
                           ENCODING_UTF8, ',', &header);
    read_rows(arena, result, &header, &chunks, &again, NULL);
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->list[i].field_count || rows->list[i].bad_encoding)
            continue;
        must(!again.list[i].field_count && !again.list[i].bad_encoding);
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            must(str_eq(rows->list[i].cells[column], again.list[i].cells[column]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str file = {(const char *)data, size};
    const bool several_sessions = size > 0 && (data[size - 1] & 1) != 0;
    struct arena *arena = arena_new();
    struct chunks whole_chunks = {.arena = arena};
    struct chunks sliced_chunks = {.arena = arena};
    const struct attendance_scan *whole;
    const struct attendance_scan *sliced;

    if (size <= FILE_BYTES_MAX) {
        whole = scan_file(file, size + 1, several_sessions, &whole_chunks);
        sliced = scan_file(file, size < 3000 ? 1 : 1021, several_sessions, &sliced_chunks);
        check_same(whole, &whole_chunks, sliced, &sliced_chunks);
        if (whole->refusal.code == CODE_NONE) {
            struct attendance_rows rows = {
                arena_array(arena, struct attendance_row, whole->rows_total), 0};
            struct attendance_header header;
            struct buf result = {0};

            attendance_header_read(
                arena, (struct str){file.data + whole->header_offset, whole->header_len},
                whole->encoding, whole->delimiter, &header);
            read_rows(arena, file, &header, &whole_chunks, &rows, &result);
            must(rows.count == whole->rows_total);
            send_again(arena, buf_str(&result), several_sessions, &rows);
            buf_free(&result);
        }
    }
    arena_free(arena);
    return 0;
}
