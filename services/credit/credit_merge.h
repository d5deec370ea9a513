/* credit_merge: merges of doctors, as the sweep and the moving of credits need them. */
#pragma once
#include "credit/credit_command.h"
#include "gen/events.h"

/* What stands for doctors who were merged a short while ago, or was signed up to by them. */
struct merge_left {
    struct db_query *uploads, *signups;
};
/* Ask for it. */
void merge_left_add(struct merge_left *left, struct db_batch *batch);
size_t merge_left_count(const struct merge_left *left);
/* A message that moves it for each. */
void merge_left_emit(struct credit *credit, struct db_batch *effect, const struct merge_left *left,
                     const char *trace);
/* A credits.move; the seminar's is the key. */
void merge_emit_move(struct credit *credit, struct db_batch *effect,
                     const struct event_credits_move *move, struct str seminar_no,
                     const char *trace);
