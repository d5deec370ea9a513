/*
 * credit: what the files of this process share.
 *
 * The path of one row: credit_read (steps over the file, chunk pointers) -> credit_post (one chunk,
 * one transaction: match, judge, record). Judging is pure and lies in attendance_*. A row that did
 * not post goes that way alone by credit_row, sent by credit_fix (a person mended it) or
 * credit_again (nobody did).
 */
#pragma once
#include "proc/proc.h"

struct credit_settings {
#define SETTING(name, type, fallback, least, most, unit, flags, help) SETTING_FIELD_##type name;
#include "credit/credit_settings.def"
#undef SETTING
};

enum { CREDIT_SETTING_COUNT = 3 };

extern const struct setting credit_setting_table[CREDIT_SETTING_COUNT];
/* Filled by proc_main() before credit_start(). */
extern struct credit_settings credit_settings;

struct credit {
    struct proc *proc;
    struct loop *loop;
    struct db_pool *db;
    struct work *work;
    struct timer orphan_timer;
    bool orphans_running;
    bool orphans_swept;          /* once, from the beginning */
    struct directory *directory; /* the doctors: credit_directory.h */
    struct timer directory_timer;
    void (*on_directory_filled)(struct credit *credit);
    struct directory_waiter *directory_waiters;
    bool directory_filled, directory_filling, directory_closing;
    struct timer release_timer;
    bool release_running;
    bool waiting_told; /* setting waiting_days stands in credit.waiting_rule */
    struct timer ledger_timer;
    bool ledger_looking;
    struct credit_figures {
        uint64_t outcomes[6];            /* by enum outcome */
        uint64_t entries;                /* put into the ledger */
        uint64_t refused;                /* commands */
        uint32_t ledger_parts;           /* 0: not known yet */
        struct metric_histogram chunk;   /* one chunk from message to commit */
        struct metric_histogram visible; /* last byte of an upload to its last row posted */
    } figures;
};

enum err credit_start(struct proc *proc, void *state, struct err_note *note);
void credit_stop(struct proc *proc, void *state);
bool credit_ready(struct proc *proc, void *state, struct err_note *why);
void credit_metrics(struct proc *proc, void *state, struct buf *out);

/* Which handler has which message. */
extern const struct work_route credit_routes[];
extern const size_t credit_route_count;

/* Handlers of messages: see work_handler_fn. */
void credit_read_handle(void *service, struct work_batch *batch);
void credit_post_handle(void *service, struct work_batch *batch);
void credit_doctor_handle(void *service, struct work_batch *batch);
void credit_certificate_handle(void *service, struct work_batch *batch);
void credit_cancel_handle(void *service, struct work_batch *batch);
void credit_undo_handle(void *service, struct work_batch *batch);
void credit_undo_slice_handle(void *service, struct work_batch *batch);
/* What a message changed; as its batch's `state` it goes into the figures once it is committed. */
struct credit_tally {
    uint32_t outcomes[6]; /* rows that came to it, by enum outcome */
    size_t entries;       /* put into the ledger */
};
/* work_route's `committed`. */
void credit_tally_committed(void *service, const struct work_batch *batch);
void credit_trial_handle(void *service, struct work_batch *batch);
void credit_fix_handle(void *service, struct work_batch *batch);
void credit_again_handle(void *service, struct work_batch *batch);
void credit_expire_handle(void *service, struct work_batch *batch);
void credit_merge_handle(void *service, struct work_batch *batch);
void credit_move_handle(void *service, struct work_batch *batch);
void credit_signup_handle(void *service, struct work_batch *batch);
void credit_signup_move_handle(void *service, struct work_batch *batch);
/* A row.judge or upload.expire that cannot be handled: nobody looks for its rows any more. */
void credit_waiting_dead(void *service, struct work_batch *batch, const char *reason);
/* A command that cannot be handled: whoever sent it is told. */
void credit_command_dead(void *service, struct work_batch *batch, const char *reason);
/* A message of an upload that cannot be handled: its upload says so. */
void credit_upload_dead(void *service, struct work_batch *batch, const char *reason);
/* The same for its undo, which may be a command. */
void credit_undo_dead(void *service, struct work_batch *batch, const char *reason);
/* Figures of a committed chunk: work_route's `committed`. */
void credit_post_committed(void *service, const struct work_batch *batch);

/* credit_orphans: deletes parts of uploads that were never finished, every ten minutes. */
void credit_orphans_open(struct credit *credit);
/* `closed(credit)` from the loop. */
void credit_orphans_close(struct credit *credit, void (*closed)(void *arg));
/* Now, unless a sweep is running. */
void credit_orphans_sweep(struct credit *credit);

/* credit_ledger: sees to it that the ledger has a part with room, every ten minutes. */
void credit_ledger_open(struct credit *credit);
/* `closed(credit)` from the loop. */
void credit_ledger_close(struct credit *credit, void (*closed)(void *arg));
/* Now, unless a look is running. */
void credit_ledger_look(struct credit *credit);

/* credit_release: rows that wait are released or given up; looks every half minute. */
void credit_release_open(struct credit *credit);
/* `closed(credit)` from the loop. */
void credit_release_close(struct credit *credit, void (*closed)(void *arg));
/* Now, unless a sweep is running. */
void credit_release_sweep(struct credit *credit);
