/* verify: what one pass over the ledger tells the checks of mamisctl verify. */
#pragma once
#include "mamisctl/mamisctl.h"

enum ledger_check {
    LEDGER_NONE,
    LEDGER_REVISIONS, /* doubtful: all that is no first posting */
    LEDGER_REASONS,
    LEDGER_UPLOADS, /* entries without an upload */
    LEDGER_ROWS,    /* uploads with more or fewer posted rows than they count */
    LEDGER_COPY,    /* of renewal */
    LEDGER_CHECKS
};

struct ledger_finding {
    int64_t looked_at;
    int64_t doubtful; /* 0: all is well */
};

struct ledger_pass {
    struct ledger_finding findings[LEDGER_CHECKS];
    uint64_t took_ms;
};

CHECKED enum err verify_ledger_pass(struct tool *tool, struct ledger_pass *ret_pass,
                                    struct err_note *note);
/* Print how long the pass and all of `total_ms` took, beside a pass that only reads. */
CHECKED enum err verify_ledger_timing(struct tool *tool, const struct ledger_pass *pass,
                                      uint64_t total_ms, struct err_note *note);
