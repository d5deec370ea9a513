/*
 * credit_check: what an upload came to, compared with expected JSON files and with the pure part
 * run in memory.
 */
#pragma once
#include "credit_fixture.h"
#include "unit/attendance/attendance_run.h"

/* The upload's columns, its rows and its entries, as tests/data/attendance/expected says. */
void check_sample(const struct sent *upload, const json_t *wanted);
/* Every row and every entry as the run judged them, in the same way of numbering. */
void check_against(const struct sent *upload, const struct run *run);
/* One credits.posted for each chunk, which together name every entry; one upload.done. */
void check_events(const struct sent *upload);
