/*
 * credit_problems: a row's problems as people read them, in both languages.
 */
#pragma once
#include "attendance/attendance_judge.h"

/*
 * [{"code","column","value","detail","cure","detail_en","cure_en"}, ...] in the arena; "[]" for
 * none.
 */
struct str problems_json(struct arena *arena, const struct attendance_verdicts *verdicts,
                         const struct attendance_verdict *verdict);
