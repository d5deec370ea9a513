/*
 * gateway_reads: answers that PostgreSQL makes, from the portal's views, in the caller's scope.
 * Lists are read one row further than asked; a cursor is the place of the last row shown.
 */
#pragma once
#include "gateway/gateway_call.h"

enum { CURSOR_PARTS_MAX = 4 };

/* The parts of a cursor, as they stood in the row; 0 parts: from the beginning. */
struct cursor {
    struct str parts[CURSOR_PARTS_MAX];
    size_t count;
};

/* False when it is none of ours with so many parts: the problem is answered and the flow ended. */
bool cursor_read(struct call *call, size_t parts, struct cursor *ret_cursor);
/* False when `text` is none of ours with so many parts. */
bool cursor_parse(struct arena *arena, struct str text, size_t parts, struct cursor *ret_cursor);
void call_cursor_bad(struct call *call);
/* Opaque form of parts joined with '|'; lives in the arena. */
struct str cursor_text(struct arena *arena, struct str parts);
/* A part that has to be a number. */
int64_t cursor_number(const struct cursor *cursor, size_t part);

/*
 * Asks for a list by time whose statement takes the parameter `state` ($1, or none), the cursor's
 * time and id ($2, $3) and the limit ($4); the answer is known at `next`.
 */
void reads_ask_by_state(struct call *call, const struct db_stmt *stmt, int next);
/*
 * Answers 200 with {"items": column 0 of row 0, [`more`: columns 2 and on,] "next_cursor": column
 * 1}; `more` are names with NULL at the end, or NULL.
 * `languages`: texts of the items stand in both, one is picked.
 */
void reads_answer_list(struct call *call, const char *const *more, bool languages);

/* SQL: application $1 whole; whoever of staff reads it is noted. */
#define READS_APPLICATION                                                                          \
    "SELECT portal.application_json(a.application_id)::text, portal.note_read(ARRAY[a.doctor_id])" \
    " FROM portal.application a WHERE a.application_id = $1"

/* SQL: procedure $1 as of $2; the same. */
#define READS_PROCEDURE                                                                            \
    "SELECT portal.procedure_json($1, $2)::text, portal.note_read(ARRAY(SELECT p.doctor_id"        \
    " FROM portal.procedure p WHERE p.procedure_id = $1))"

/* SQL: a row of portal.upload_row as people see it. */
#define READS_ROW_JSON                                                                             \
    "json_build_object('row_no', row_no, 'line_no', line_no, 'outcome', outcome,"                  \
    " 'reason', reason, 'problems', problems, 'register_no', register_no,"                         \
    " 'name_kana', name_kana, 'same_as_row', same_as_row, 'suggestion', suggestion,"               \
    " 'fixed', fixed, 'notes', notes, 'waits_until', portal.rfc3339(waits_until))"
