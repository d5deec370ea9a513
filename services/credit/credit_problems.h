/*
 * credit_problems: what is wrong with a row or a file as people read it, in both languages. Who
 * shows it picks one: members with _en are English.
 */
#pragma once
#include "attendance/attendance_judge.h"
#include "attendance/attendance_scan.h"

/*
 * [{"code","column","value","detail","cure","detail_en","cure_en"}, ...] in the arena; "[]" for
 * none.
 */
struct str problems_json(struct arena *arena, const struct attendance_verdicts *verdicts,
                         const struct attendance_verdict *verdict);

/*
 * What is told of a row that is no problem of it, in the same form: its name lost a character (`?`)
 * before the file came. No data where there is nothing to tell.
 */
struct str notes_json(struct arena *arena, const struct attendance_header *header,
                      const struct attendance_row *row, const struct attendance_verdict *verdict);

/*
 * {"register_no","name_kana"} of a suggestion, in the arena; no data when `register_no` is 0. The
 * name is told as the row has it: nothing is shown that the file did not say.
 */
struct str suggestion_json(struct arena *arena, int64_t register_no, struct str name_kana);

/*
 * A problem object of a whole upload, in the arena:
 * {"type","status","code","line","title","detail", "cure", and the last three with _en}; "line"
 * only where there is one.
 */
struct str problem_json_refusal(struct arena *arena, const struct attendance_refusal *refusal);
struct str problem_json_internal(struct arena *arena);
