/* attendance_run: scan, match, judge and remember, without a database. */
#include "attendance_run.h"

#include <string.h>

static void keep_chunk(void *arg, const struct attendance_chunk *chunk)
{
    struct run *run = arg;
    struct run_chunk *kept = arena_new_of(run->arena, struct run_chunk);

    kept->chunk = *chunk;
    if (run->last == NULL)
        run->first = kept;
    else
        run->last->next = kept;
    run->last = kept;
}

static void scan_file(struct run *run, const struct run_options *options)
{
    const struct attendance_scan_options scan_options = {
        .chunk_rows_max =
            options->chunk_rows_max > 0 ? options->chunk_rows_max : ATTENDANCE_CHUNK_ROWS_MAX,
        .chunk_bytes_max =
            options->chunk_bytes_max > 0 ? options->chunk_bytes_max : ATTENDANCE_CHUNK_BYTES_MAX,
        .several_sessions = run->seminar->count > 1,
    };
    const size_t slice = options->slice_bytes > 0 ? options->slice_bytes : run->file.len + 1;

    attendance_scan_init(run->scan, &scan_options);
    run->status = SCAN_MORE;
    for (size_t at = 0; at < run->file.len && run->status == SCAN_MORE; at += slice) {
        const size_t left = run->file.len - at;
        char *copy = arena_copy(run->arena, run->file.data + at, left < slice ? left : slice);

        run->status = attendance_scan_feed(
            run->scan, (struct str){copy, left < slice ? left : slice}, keep_chunk, run);
        if (options->keep_state) {
            const struct str state = attendance_scan_save(run->scan);
            char *kept = arena_copy(run->arena, state.data, state.len);

            memset(run->scan, 0x55, sizeof(*run->scan));
            must(attendance_scan_load(run->scan, (struct str){kept, state.len}));
        }
    }
    if (run->status == SCAN_MORE)
        run->status = attendance_scan_end(run->scan, keep_chunk, run);
}

static void add_fact(struct run *run, const struct attendance_fact *fact)
{
    if (run->fact_count == run->fact_room) {
        struct attendance_fact *larger;

        run->fact_room = run->fact_room * 2 + 64;
        larger = arena_array(run->arena, struct attendance_fact, run->fact_room);
        if (run->fact_count > 0)
            memcpy(larger, run->facts, sizeof(*larger) * run->fact_count);
        run->facts = larger;
    }
    run->facts[run->fact_count++] = *fact;
}

/* What the chunk's transaction would have recorded. */
static void remember(struct run *run, const struct run_chunk *chunk)
{
    const struct attendance_verdicts *verdicts = &chunk->verdicts;

    for (size_t i = 0; i < verdicts->count; i++) {
        const struct attendance_verdict *verdict = &verdicts->list[i];
        struct attendance_fact fact = {.row_no = chunk->rows.list[i].row_no};

        if (verdict->doctor < 0 || verdict->session < 0)
            continue;
        fact.doctor_id = run->samples->doctors[verdict->doctor].doctor_id;
        fact.session = (uint32_t)verdict->session;
        if (verdict->outcome == OUTCOME_POSTED) {
            for (uint32_t at = 0; at < verdict->credit_count; at++) {
                fact.fact = FACT_POSTED;
                fact.kind = verdicts->credits[verdict->credit + at].kind;
                add_fact(run, &fact);
            }
        } else if (verdict->outcome == OUTCOME_WAITING ||
                   verdict->outcome == OUTCOME_ALREADY_POSTED) {
            fact.fact = verdict->outcome == OUTCOME_WAITING ? FACT_WAITING : FACT_ALREADY_POSTED;
            add_fact(run, &fact);
        }
    }
}

/* Doctors who stand posted or wait in a session, each once. */
static uint32_t places_held(const struct run *run, uint32_t session)
{
    uint32_t held = 0;

    for (size_t i = 0; i < run->fact_count; i++) {
        bool first = run->facts[i].session == session && run->facts[i].fact != FACT_ALREADY_POSTED;

        for (size_t j = 0; j < i && first; j++)
            first = run->facts[j].session != session || run->facts[j].fact == FACT_ALREADY_POSTED ||
                    run->facts[j].doctor_id != run->facts[i].doctor_id;
        held += first ? 1 : 0;
    }
    return held;
}

static void judge_chunk(struct run *run, struct run_chunk *chunk, const struct run_options *options)
{
    struct attendance_session *sessions =
        arena_copy(run->arena, run->seminar->sessions, sizeof(*sessions) * run->seminar->count);
    const struct attendance_seminar seminar = {run->seminar->seminar_no, sessions,
                                               run->seminar->count};
    const struct str bytes = {run->file.data + chunk->chunk.offset, chunk->chunk.length};
    struct attendance_numbers numbers;
    struct attendance_case judged = {
        .header = &run->header,
        .rows = &chunk->rows,
        .numbers = &numbers,
        .seminar = &seminar,
        .doctors = run->samples->doctors,
        .doctor_count = run->samples->doctor_count,
        .facts = run->facts,
        .fact_count = run->fact_count,
        .received_us = options->received_us,
        .reject_no_my_page = options->reject_no_my_page,
    };

    for (uint32_t i = 0; i < seminar.count; i++) {
        if (sessions[i].delivery == DELIVERY_VISIT)
            sessions[i].places_held = places_held(run, i);
    }
    attendance_rows_read(run->arena, &run->header, &chunk->chunk, bytes, &chunk->rows);
    must(chunk->rows.count == chunk->chunk.rows);
    attendance_numbers_read(run->arena, &chunk->rows, &numbers);
    judged.places = attendance_places(run->arena, &chunk->rows, &seminar);
    attendance_judge(run->arena, &judged, &chunk->verdicts);
    remember(run, chunk);
}

static struct run *run_with(struct arena *arena, struct run *run, const struct run_options *options)
{
    run->arena = arena;
    run->seminar = samples_seminar(run->samples, options->seminar_no);
    must(run->seminar != NULL);
    run->scan = arena_new_of(arena, struct attendance_scan);
    scan_file(run, options);
    if (run->status != SCAN_DONE)
        return run;
    attendance_header_read(
        arena, (struct str){run->file.data + run->scan->header_offset, run->scan->header_len},
        run->scan->encoding, run->scan->delimiter, &run->header);
    for (struct run_chunk *chunk = run->first; chunk != NULL; chunk = chunk->next)
        judge_chunk(run, chunk, options);
    return run;
}

struct run *run_upload(const struct samples *samples, struct str file,
                       const struct run_options *options)
{
    struct arena *arena = arena_new();
    struct run *run = arena_new_of(arena, struct run);

    run->samples = samples;
    run->file = file;
    return run_with(arena, run, options);
}

struct run *run_again(const struct run *before, struct str file, const struct run_options *options)
{
    struct arena *arena = arena_new();
    struct run *run = arena_new_of(arena, struct run);

    run->arena = arena;
    run->samples = before->samples;
    run->file = file;
    for (size_t i = 0; i < before->fact_count; i++) {
        struct attendance_fact fact = before->facts[i];

        fact.row_no = 0;
        if (fact.fact != FACT_ALREADY_POSTED)
            add_fact(run, &fact);
    }
    return run_with(arena, run, options);
}

void run_free(struct run *run)
{
    arena_free(run->arena);
}

const struct attendance_verdict *run_verdict(const struct run *run, uint32_t row_no,
                                             const struct attendance_row **ret_row,
                                             const struct run_chunk **ret_chunk)
{
    for (const struct run_chunk *chunk = run->first; chunk != NULL; chunk = chunk->next) {
        const uint32_t first = chunk->chunk.first_row;

        if (row_no < first || row_no >= first + chunk->rows.count)
            continue;
        *ret_row = &chunk->rows.list[row_no - first];
        *ret_chunk = chunk;
        return &chunk->verdicts.list[row_no - first];
    }
    return NULL;
}
