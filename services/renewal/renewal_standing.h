/*
 * renewal_standing: the standing of one doctor in one programme, as rows and as JSON.
 */
#pragma once
#include "renewal/renewal_store.h"

/* Lines, entries and what is missing as JSON text. */
struct standing_json {
    struct str lines, entries, missing;
};
/* The texts live in the arena. */
struct standing_json standing_render(struct arena *arena, const struct rule_set *rules,
                                     const struct standing *standing,
                                     const struct rules_credit *credits, size_t credit_count);
/* What is missing as a value, for a problem: [{kind, kind_name, half_units}]. New reference. */
json_t *standing_missing(const struct rule_set *rules, const struct standing *standing);
/* Are there handbook lines that count for the period, and unverified ones among them? */
void standing_handbook(const struct rule_set *rules, struct period period,
                       const struct rules_handbook *lines, size_t count, bool *ret_any,
                       bool *ret_unverified);

/* What one standing is computed from. The credits get their marks. */
struct standing_input {
    int64_t doctor_id;
    int64_t mark; /* INT64_MIN: the doctor's present one */
    struct str programme;
    const struct rule_set *rules;
    struct period period;
    struct rules_credit *credits;
    size_t credit_count;
    const struct rules_handbook *lines;
    size_t line_count;
};

/* Empty, with room for `most` rows; memory of the arena. */
void standing_rows_init(struct standing_rows *rows, struct arena *arena, size_t most);
/* Compute and append one row. */
void standing_put(struct standing_rows *rows, struct arena *arena,
                  const struct standing_input *input);
