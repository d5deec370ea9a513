/*
 * renewal_rules: what counts towards a renewal. Decides only: no I/O, no clock, no memory of its
 * own. Credits are whole numbers of half units; days are Japan's.
 */
#pragma once
#include "base/clock.h"

enum {
    RULES_KINDS_MAX = 16,
    RULES_KIND_BYTES = 12,
    RULES_NAME_BYTES = 64,
    RULES_PROGRAMME_BYTES = 4,
};

enum rules_web { RULES_WEB_COUNTS, RULES_WEB_CAPPED, RULES_WEB_NEVER };

struct rules_kind {
    char code[RULES_KIND_BYTES];
    char name[RULES_NAME_BYTES]; /* Japanese short name */
    int32_t needed_half_units;   /* at least so much of this kind */
    enum rules_web web;          /* do credits of web sessions count? */
};

/* One dated rule set, from a file of deploy/rules. */
struct rule_set {
    char name[RULES_NAME_BYTES];
    char programme[RULES_PROGRAMME_BYTES];
    day_t periods_from; /* for certificate periods that begin on this day or later */
    int validity_years;
    int32_t needed_half_units;  /* over all kinds */
    int32_t web_cap_half_units; /* most web credits over the kinds that are capped */
    int32_t step_half_units;    /* handbook lines are multiples of this */
    day_t handbook_until;       /* newest day a handbook line may have */
    int32_t fee_yen;
    int opens_months_before; /* applications from so many months before valid_to ... */
    int closes_months_after; /* ... to so many after it, */
    day_t late_from,
        late_until; /* and to late_until when valid_to >= late_from; DAY_NONE: not so */
    size_t kind_count;
    struct rules_kind kinds[RULES_KINDS_MAX];
};

struct period {
    day_t from, to; /* both days belong to it */
};

enum not_counted {
    COUNTED,
    NOT_COUNTED_WEB_CAP,
    NOT_COUNTED_BEFORE_PERIOD,
    NOT_COUNTED_AFTER_PERIOD,
    NOT_COUNTED_KIND,
};
/* "web_cap", ...; NULL for COUNTED. */
const char *not_counted_name(enum not_counted reason);

/* A credit that stands. The caller fills the first part, rules_standing() the second. */
struct rules_credit {
    int64_t session_id;
    int32_t revision;
    int32_t half_units;
    day_t held_on;
    bool web;
    char kind[RULES_KIND_BYTES];

    int32_t counted_half_units;
    enum not_counted reason; /* also when only a part is counted */
};

/* One line of the handbook: what the doctor declares, and what the office read in it. */
struct rules_handbook {
    char kind[RULES_KIND_BYTES];
    int32_t declared_half_units;
    int32_t verified_half_units; /* -1: not looked at yet */
    day_t last_on;               /* newest stamp of the kind; DAY_NONE when not given */
};

struct rules_line {
    int32_t needed_half_units;
    int32_t posted_half_units; /* standing, of the period */
    int32_t declared_half_units;
    int32_t verified_half_units; /* -1: none verified */
    int32_t counted_half_units;
    int32_t missing_half_units;
};

struct standing {
    int32_t counted_half_units;
    int32_t missing_half_units; /* of the total */
    bool eligible;
    bool depends_on_declared; /* eligible only with lines that nobody verified yet */
    struct rules_line lines[RULES_KINDS_MAX]; /* one for each kind of the rule set, in its order */
};

/* Index of a kind in the rule set; -1 when it does not count there. */
int rules_kind_index(const struct rule_set *rules, const char *kind);

/*
 * Count credits (in order of held_on, then session) and handbook lines towards one period.
 * Web credits go first where a kind's minimum needs them, then by day, up to the cap.
 */
void rules_standing(const struct rule_set *rules, struct period period,
                    struct rules_credit *credits, size_t credit_count,
                    const struct rules_handbook *handbook, size_t handbook_count,
                    struct standing *ret_standing);

/* What is wrong with a handbook line that a doctor declares. */
enum handbook_fault {
    HANDBOOK_FINE,
    HANDBOOK_KIND,       /* not a kind of the rule set */
    HANDBOOK_DATE,       /* none, outside the period, or after the handbooks ended */
    HANDBOOK_HALF_UNITS, /* not a whole number of units */
};
enum handbook_fault rules_handbook_check(const struct rule_set *rules, struct period period,
                                         const struct rules_handbook *line);

/* The period after `period`: from the day after it ends, whatever day it is now (R-OPR-09). */
struct period rules_next_period(const struct rule_set *rules, struct period period);
/* Days on which an application for the period after `period` is taken. */
struct period rules_window(const struct rule_set *rules, struct period period);
/* The newest of `sets` for the programme whose periods_from is not after `from`; NULL: none. */
const struct rule_set *rules_for(const struct rule_set *sets, size_t count, struct str programme,
                                 day_t from);
