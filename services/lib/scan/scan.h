/*
 * scan: asks a virus scanner about files, clamd by its command INSTREAM. Loop thread only.
 * Each file has a connection of its own, which brings the whole file in one piece, and one deadline
 * for all: connecting, sending, the scanner's work and its answer. Nothing is copied or kept.
 */
#pragma once
#include "base/metric.h"
#include "base/str.h"
#include "flow/flow.h"

enum { SCAN_NAME_BYTES = 128 };

struct scan;

struct scan_options {
    const char *address;  /* "unix:PATH" or "tcp:ADDRESS:PORT"; see scan_address.h */
    uint32_t files_max;   /* under way at once */
    uint32_t deadline_ms; /* of each file, from scan_file() on */
};

struct scan_verdict {
    bool found;                 /* false: the scanner has seen all of it and found nothing */
    char name[SCAN_NAME_BYTES]; /* of the signature, printable ASCII; cut when it is longer */
};

/* Connects to nobody yet. Memory: copies the options. Errors: ERR_SETTINGS: the address. */
CHECKED enum err scan_open(struct loop *loop, const struct scan_options *options,
                           struct scan **ret_scan, struct err_note *note);
/* Flows that wait go on with ERR_STOPPING. `closed` comes from the loop. */
void scan_close(struct scan *scan, void (*closed)(void *arg), void *arg);
/*
 * Have a file looked at, then resume `flow`.
 *
 * Memory:  borrows `file` (not empty) until then; `*ret_verdict` is written only on success.
 * Errors:  ERR_BUSY (files_max), ERR_TIMEOUT, ERR_SCANNER_DOWN (away, hung up, said that it could
 *          not, or said what nobody understands). The file counts as not looked at then.
 */
void scan_file(struct scan *scan, struct str file, struct scan_verdict *ret_verdict,
               struct flow *flow);

struct scan_stats {
    uint64_t clean, found, failed;
    unsigned open;                /* files under way */
    struct metric_histogram took; /* from scan_file() to the verdict */
};
void scan_stats(const struct scan *scan, struct scan_stats *ret_stats);
