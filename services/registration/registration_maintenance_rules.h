/*
 * registration_maintenance_rules: when nobody but administrators may use the system (R-ACC-07).
 * Decides only: no I/O, no clock.
 */
#pragma once
#include "base/clock.h"
#include "base/uuid.h"
#include "gen/codes.h"

enum {
    MAINTENANCE_LATE_S = 300,      /* a beginning not longer ago counts as now */
    MAINTENANCE_DAYS_MAX = 31,     /* from beginning to end */
    MAINTENANCE_WINDOWS_MAX = 500, /* that are looked at: those that have not ended */
};

struct maintenance {
    struct uuid window_id;
    int64_t version; /* 0: not there yet */
    int64_t starts_us, ends_us;
    struct str note, note_en; /* borrowed */
    bool called_off;
};

struct maintenance_verdict {
    enum code refusal;   /* CODE_NONE: not refused */
    const char *pointer; /* the field that is wrong, as a JSON pointer; NULL: none */
    bool changed;
};

/*
 * Plan `wanted`; `known` is what there is of it (version 0: nothing), `others` all that have not
 * ended. Changes `known` in place. While it runs only its end may be moved. Times are taken to the
 * second, as people see them.
 */
void maintenance_rules_plan(struct maintenance *known, const struct maintenance *wanted,
                            const struct maintenance *others, size_t count, int64_t now_us,
                            struct maintenance_verdict *ret_verdict);
/* Call it off, or end it now when it runs. Once it is over nothing changes. */
void maintenance_rules_end(struct maintenance *known, int64_t now_us,
                           struct maintenance_verdict *ret_verdict);
