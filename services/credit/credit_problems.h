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
 * A problem object of a whole upload, in the arena:
 * {"type","status","code","line","title","detail", "cure", and the last three with _en}; "line"
 * only where there is one.
 */
struct str problem_json_refusal(struct arena *arena, const struct attendance_refusal *refusal);
struct str problem_json_internal(struct arena *arena);
