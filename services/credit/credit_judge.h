/*
 * credit_judge: the way of rows from their bytes to their verdicts, the same for a chunk that
 * posts, a dry run and a single row that is judged again: read, look up, compare, decide, suggest.
 * In the middle lies the one question to the database, which the caller runs. Writes nothing.
 */
#pragma once
#include "attendance/attendance_suggest.h"
#include "credit/credit_match.h"

struct judge {
    struct attendance_header header;
    struct attendance_rows rows;
    struct attendance_numbers numbers;
    const int32_t *places; /* of each row's session */
    struct match_facts facts;
    struct match match;
    struct attendance_case judged;
    struct attendance_verdicts verdicts;
};

/* The chunk's bytes as rows. Errors: ERR_SCHEMA when the pointer does not fit them. */
CHECKED enum err judge_read(struct judge *judge, const struct upload *upload,
                            const struct attendance_chunk *chunk, struct str bytes,
                            struct arena *arena, struct err_note *note);
/* Find the doctors, and ask what stands for them; of the upload's own rows those of `span` count.
 */
void judge_ask(struct judge *judge, const struct directory *directory, struct db_batch *batch,
               const struct upload *upload, struct match_span span, struct arena *arena);
/* Take that up, and judge; `now_us` is the clock of session_not_ended. */
CHECKED enum err judge_decide(struct judge *judge, const struct directory *directory,
                              const struct upload *upload, int64_t now_us, struct arena *arena,
                              struct err_note *note);
