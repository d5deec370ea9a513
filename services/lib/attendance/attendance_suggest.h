/*
 * attendance_suggest: "did you mean ...?" for rows whose number leads to nobody, or to somebody of
 * another name. A register number that differs in one digit, and whose doctor has exactly the kana
 * name of the row (folded, present or former), is told; where there are two such doctors, none is.
 * It is never taken by itself.
 */
#pragma once
#include "attendance/attendance_judge.h"

enum {
    SUGGEST_ROWS_MAX = 500, /* of a chunk; later ones get no suggestion */
    SUGGEST_NUMBERS_MAX = SUGGEST_ROWS_MAX * REGISTER_NO_DIGITS_MAX * 9,
};

/*
 * The numbers to look up, each once, in the arena: those one digit off a register number of an
 * unmatched row that gives a kana name. Returns how many: at most SUGGEST_NUMBERS_MAX.
 */
size_t attendance_suggest_numbers(struct arena *arena, const struct attendance_case *judged,
                                  const struct attendance_verdicts *verdicts,
                                  int64_t **ret_numbers);

/*
 * Sets verdict->suggestion of the rows that `doctors`, found by those numbers, can help. Closed
 * accounts are not told.
 */
void attendance_suggest(struct arena *arena, const struct attendance_case *judged,
                        const struct attendance_doctor *doctors, size_t doctor_count,
                        struct attendance_verdicts *verdicts);
