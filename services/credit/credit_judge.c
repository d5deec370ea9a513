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

void judge_ask_doctors(struct judge *judge, struct db_batch *batch, struct arena *arena)
{
    attendance_numbers_read(arena, &judge->rows, &judge->numbers);
    match_doctors_add(&judge->doctors, batch, &judge->numbers);
}

enum err judge_ask_facts(struct judge *judge, struct db_batch *batch, const struct upload *upload,
                         struct match_span span, struct arena *arena, struct err_note *note)
{
    enum err err = match_doctors_take(&judge->doctors, &judge->match, arena, note);

    if (err == ERR_OK)
        match_facts_add(&judge->facts, batch, &judge->match, upload, span, arena);
    return err;
}

enum err judge_decide(struct judge *judge, const struct upload *upload, int64_t now_us,
                      struct arena *arena, struct err_note *note)
{
    enum err err = match_facts_take(&judge->facts, &judge->match, upload, arena, note);

    if (err != ERR_OK)
        return err;
    judge->judged = (struct attendance_case){
        .header = &judge->header,
        .rows = &judge->rows,
        .numbers = &judge->numbers,
        .seminar = &upload->seminar,
        .doctors = judge->match.doctors,
        .doctor_count = judge->match.doctor_count,
        .facts = judge->match.facts,
        .fact_count = judge->match.fact_count,
        .received_us = now_us,
        .reject_no_my_page = strcmp(credit_settings.no_my_page, "reject") == 0,
    };
    attendance_judge(arena, &judge->judged, &judge->verdicts);
    return ERR_OK;
}

bool judge_ask_near(struct judge *judge, struct db_batch *batch, struct arena *arena)
{
    int64_t *numbers;
    size_t count = attendance_suggest_numbers(arena, &judge->judged, &judge->verdicts, &numbers);

    if (count == 0)
        return false;
    judge->near = match_registers_add(batch, numbers, count);
    return true;
}

enum err judge_take_near(struct judge *judge, struct arena *arena, struct err_note *note)
{
    const struct match_doctors asked = {.by_register = judge->near};
    struct match found;
    enum err err = match_doctors_take(&asked, &found, arena, note);

    if (err == ERR_OK)
        attendance_suggest(arena, &judge->judged, found.doctors, found.doctor_count,
                           &judge->verdicts);
    return err;
}
