/*
 * renewal: what the files of this process share.
 *
 *   renewal_feed.c       doctors, certificates and credits from events
 *   renewal_standing.c   standing of one doctor in one programme, and its JSON
 *   renewal_recompute.c  doctors whose standing is out of date
 *   renewal_case.c       what is known of one doctor: read for every command
 *   renewal_handbook.c   declaring handbook lines
 *   renewal_submit.c     applying
 *   renewal_review.c     everything that happens to an application afterwards
 *   renewal_merge.c      two doctors on record were one person
 * The rules (renewal_rules, renewal_calendar, renewal_application) are pure; SQL is in
 * renewal_store*.c.
 */
#pragma once
#include "proc/proc.h"
#include "renewal/renewal_application.h"
#include "renewal/renewal_ruleset.h"

enum {
    RENEWAL_READ_MS = 5000,
    RENEWAL_WRITE_MS = 10000,
    RENEWAL_DIRTY_MAX = 100, /* doctors computed in one go */
    RENEWAL_TICK_MS = 1000,  /* how often dirty doctors are looked for */
    RENEWAL_GATHER_MS = 200, /* wait for more of a burst before computing */
    RENEWAL_FEED_MAX = 256,  /* state events in one batch */
    RENEWAL_LISTS_MAX = 4,   /* lists of them */
    RENEWAL_CREDITS_BATCH_MAX = 8,
    RENEWAL_CREDITS_MAX = 5000, /* of one doctor in one programme */
    RENEWAL_HANDBOOK_MAX = 40,
};

struct recompute;

struct renewal {
    struct loop *loop;
    struct db_pool *db;
    struct work *work;
    struct rule_book *book;
    struct recompute *recompute;
    struct renewal_figures {
        uint64_t credits, standings, submitted, approved, refused;
    } figures;
};

/* ---- renewal_feed.c: handlers of events, see work_handler_fn ---- */

void renewal_certificate_handle(void *service, struct work_batch *batch);
void renewal_credits_handle(void *service, struct work_batch *batch);
/*
 * Entries of one session told again: what is missing is added, what differs corrected, and the
 * doctors' standing computed anew. Nothing is deleted: an entry that was posted after the event was
 * made is not in it.
 */
void renewal_credits_state_handle(void *service, struct work_batch *batch);
/* renewal_merge.c */
void renewal_merge_handle(void *service, struct work_batch *batch);
/* Marks were committed: compute soon. */
void renewal_marked(void *service, const struct work_batch *batch);

/* ---- renewal_doctor.c: who doctors are; applications follow those who move ---- */

void renewal_doctor_handle(void *service, struct work_batch *batch);

/* ---- renewal_handbook.c, renewal_submit.c, renewal_review.c: handlers of commands ---- */

void renewal_handbook_handle(void *service, struct work_batch *batch);
void renewal_submit_handle(void *service, struct work_batch *batch);
void renewal_review_handle(void *service, struct work_batch *batch);

/* ---- renewal_recompute.c ---- */

struct recompute *recompute_open(struct renewal *renewal);
/* Look for dirty doctors soon instead of at the next tick. */
void recompute_kick(struct recompute *recompute);
/* Ends its timer; a computation under way goes on to its end. `closed` from the loop. */
void recompute_close(struct recompute *recompute, void (*closed)(void *arg), void *arg);

/* ---- renewal_case.c ---- */

struct certificate {
    bool found;
    int64_t version;
    struct str number;
    day_t first_from;
    struct period period;
};

/* What was read of one doctor; `credits` and the rest of one programme come from case_take(). */
struct renewal_case {
    struct db_batch *batch;
    struct db_query *doctor, *certificates, *credits, *handbook, *open, *application, *snapshot;

    bool doctor_found;
    struct str my_page, l2_code;
    struct certificate certificate;
    const struct rule_set *rules; /* of the certificate's period; NULL without one */
    struct rules_credit *standing_credits;
    size_t credit_count;
    struct rules_handbook *lines; /* renewal.handbook */
    size_t line_count;
    bool is_open;
    struct uuid open_id; /* the open application of the programme */
    enum app_status open_status;
    bool application_found;
    struct application applied;            /* the one named in case_read() */
    struct rules_credit *snapshot_credits; /* of it; cancelled ones left out */
    size_t snapshot_count;
};

/*
 * Read one doctor. `application` may name one to be read with its snapshot, else NULL.
 * Memory: everything lives in `arena`.
 */
void case_read(struct renewal *renewal, struct arena *arena, int64_t doctor_id,
               const struct uuid *application, struct renewal_case *found, struct flow *flow);
/* After a good read: fill the application (if one was named). */
void case_take_application(struct renewal_case *found, struct arena *arena, int64_t doctor_id);
/* After a good read: fill all that belongs to `programme`. */
void case_take(struct renewal *renewal, struct renewal_case *found, struct arena *arena,
               struct str programme);

/* ---- answers to commands ---- */

/* Put a failed answer into the effect. `extra` is stolen and may be NULL. */
void renewal_refuse(struct renewal *renewal, struct work_batch *batch, struct uuid operation_id,
                    enum code code, json_t *extra);
/* Problem detail {params: {name: value}}; new reference. */
json_t *renewal_param(const char *name, const char *value);
/* Problem detail {errors: [{pointer, code}], params: {field}}; new reference. */
json_t *renewal_pointer(const char *pointer, enum code code);
/* Put a good answer {name: value} into the effect. */
void renewal_answer(struct renewal *renewal, struct work_batch *batch, struct uuid operation_id,
                    const char *name, const char *value);
/* A command was given up: whoever waits for its answer is told. See work_route.dead. */
void renewal_dead(void *service, struct work_batch *batch, const char *reason);
