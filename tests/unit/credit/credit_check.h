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

/* ---- the tray ---- */

#define OPERATION "0190a000-0000-7000-8000-0000000000a1"
#define ACTOR "0190a000-0000-7000-8000-0000000000b1"
#define WHO                                                                                        \
    "\"operation_id\":\"" OPERATION "\",\"actor_id\":\"" ACTOR "\",\"role\":\"organiser\","        \
    "\"office_code\":\"P13\""

/* Register number of a sample doctor whose My Page is so. */
long long number_of(const char *my_page, int place);
/* Write over cells of a row: lists of names and of values, as JSON. */
void fix(const struct sent *upload, int row_no, const char *columns, const char *values);
void assert_row(const struct sent *upload, int row_no, const char *outcome, const char *reason);
/* Each chunk's reasons are those of its rows. */
void assert_reasons(const struct sent *upload);
