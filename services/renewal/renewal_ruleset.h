/*
 * renewal_ruleset: the dated rule files of deploy/rules, read and checked at start. A file that
 * does not fit stops the process, with file and field in the note.
 */
#pragma once
#include "renewal/renewal_calendar.h"
#include "renewal/renewal_rules.h"

enum { RULE_SETS_MAX = 32, CYCLE_RULES_MAX = 4, RULE_FILE_BYTES_MAX = 64 * 1024 };

struct rule_book {
    struct rule_set sets[RULE_SETS_MAX];
    size_t set_count;
    struct cycle_rules cycles[CYCLE_RULES_MAX];
    size_t cycles_count;
    struct calendar calendar;
};

/*
 * Read calendar.json, cycles-*.json and *-renewal-*.json of `folder` into `book`.
 * Errors: ERR_SETTINGS.
 */
CHECKED enum err rule_book_load(struct rule_book *book, const char *folder, struct err_note *note);
/* The cycles of a programme; NULL: it has none. */
const struct cycle_rules *rule_book_cycles(const struct rule_book *book, const char *programme);
