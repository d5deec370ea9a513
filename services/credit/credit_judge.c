/* credit_judge: see credit_judge.h. */
#include "credit/credit_judge.h"

#include <string.h>

enum err judge_read(struct judge *judge, const struct upload *upload,
                    const struct attendance_chunk *chunk, struct str bytes, struct arena *arena,
                    struct err_note *note)
{
    enum encoding encoding = str_eq_c(upload->encoding, "cp932") ? ENCODING_CP932 : ENCODING_UTF8;

    must(upload->delimiter.len == 1); /* as reading wrote it, together with the status */
    attendance_header_read(arena, upload->header, encoding, upload->delimiter.data[0],
                           &judge->header);
    attendance_rows_read(arena, &judge->header, chunk, bytes, &judge->rows);
    if (judge->rows.count != chunk->rows)
        return err_say(note, ERR_SCHEMA, "chunk %u has %zu rows, not %u", chunk->chunk_no,
                       judge->rows.count, chunk->rows);
    return ERR_OK;
}

void judge_ask(struct judge *judge, const struct directory *directory, struct db_batch *batch,
               const struct upload *upload, struct match_span span, struct arena *arena)
{
    attendance_numbers_read(arena, &judge->rows, &judge->numbers);
    judge->places = attendance_places(arena, &judge->rows, &upload->seminar);
    match_doctors(&judge->match, directory, &judge->numbers, arena);
    if (!span.key_tells)
        match_pairs(&judge->match, directory, &judge->numbers, judge->places, judge->rows.count,
                    &upload->seminar, arena);
    match_facts_add(&judge->facts, batch, &judge->match, upload, span, arena);
}

/* Rows whose doctor is not certain may get a suggestion. */
static void suggest(struct judge *judge, const struct directory *directory, struct arena *arena)
{
    struct attendance_numbers near = {.register_nos = NULL};
    struct match found;

    near.register_count =
        attendance_suggest_numbers(arena, &judge->judged, &judge->verdicts, &near.register_nos);
    if (near.register_count == 0)
        return;
    match_doctors(&found, directory, &near, arena);
    attendance_suggest(arena, &judge->judged, found.doctors, found.doctor_count, &judge->verdicts);
}

enum err judge_decide(struct judge *judge, const struct directory *directory,
                      const struct upload *upload, int64_t now_us, struct arena *arena,
                      struct err_note *note)
{
    enum err err = match_facts_take(&judge->facts, &judge->match, upload, arena, note);

    if (err != ERR_OK)
        return err;
    judge->judged = (struct attendance_case){
        .header = &judge->header,
        .rows = &judge->rows,
        .numbers = &judge->numbers,
        .seminar = &upload->seminar,
        .places = judge->places,
        .leaders = match_leaders(directory, &upload->seminar, arena),
        .doctors = judge->match.doctors,
        .doctor_count = judge->match.doctor_count,
        .facts = judge->match.facts,
        .fact_count = judge->match.fact_count,
        .choices = judge->match.choices,
        .choice_count = judge->match.choice_count,
        .received_us = now_us,
        .reject_no_my_page = strcmp(credit_settings.no_my_page, "reject") == 0,
    };
    attendance_judge(arena, &judge->judged, &judge->verdicts);
    suggest(judge, directory, arena);
    return ERR_OK;
}
