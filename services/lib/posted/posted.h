/*
 * posted: entries of the ledger as a credits.posted event carries them. A chunk gives hundreds of
 * doctors the same credit, so the event names each credit once, with the doctors who got it.
 */
#pragma once
#include "domain/kinds.h"
#include "gen/events.h"

/* Parallel arrays, one element an entry. */
struct posted_entries {
    size_t count;
    int64_t *doctor_ids;
    int64_t *places; /* of the session in the event's list */
    enum kind *kind_nos;
    struct str *kinds;      /* their codes */
    struct str *programmes; /* theirs */
    int64_t *half_units;
    int64_t *revisions;
};

/* Arrays for up to `most` entries; count is 0. */
void posted_entries_init(struct posted_entries *entries, struct arena *arena, size_t most);
/* Append one; its programme follows from the kind. */
void posted_entry_add(struct posted_entries *entries, int64_t doctor_id, size_t place,
                      enum kind kind, int16_t half_units, int16_t revision);
/* Fills the event's lots and doctor_ids. Memory: `arena`. */
void posted_entries_write(const struct posted_entries *entries, struct arena *arena,
                          struct event_credits_posted *event);
/* ERR_SCHEMA: lots, sessions and doctors do not fit each other, or a kind is unknown. */
CHECKED enum err posted_check(const struct event_credits_posted *event, struct err_note *note);
/* Entries of a decoded event, lot by lot. Memory: `arena`. Errors: as posted_check(). */
CHECKED enum err posted_entries_read(struct posted_entries *ret_entries, struct arena *arena,
                                     const struct event_credits_posted *event,
                                     struct err_note *note);
