/* credit_merge: merges of doctors, as the sweep and the moving of credits need them. */
#pragma once
#include "credit/credit_command.h"
#include "gen/events.h"

/* Ask for uploads of which something stands for a doctor who was merged a short while ago. */
struct db_query *merge_ask_left(struct db_batch *batch);
/* A credits.move for each of them. */
void merge_emit_moves(struct credit *credit, struct db_batch *effect,
                      const struct db_query *uploads, const char *trace);
/* One of them; the seminar's is the key. */
void merge_emit_move(struct credit *credit, struct db_batch *effect,
                     const struct event_credits_move *move, struct str seminar_no,
                     const char *trace);
