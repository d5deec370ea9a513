/* verify: what the parts of mamisctl verify share. */
#pragma once
#include "chain/chain.h"
#include "mamisctl/mamisctl.h"

enum { FINDING_BYTES = 256 };

/* What a check found. */
struct finding {
    int64_t looked_at;
    int64_t differ;
    char example[FINDING_BYTES]; /* the first that differs */
};

/* One more that differs; the first one's words are kept. */
void finding_differs(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- what one pass over the ledger tells (verify_ledger.c) ---- */

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

/* ---- the chains: each computes what was linked anew from the tables, a page at a time ---- */

/* Schemas that have chains. */
enum { CHAIN_SCHEMAS = 4 };
extern const char *const verify_chain_schemas[CHAIN_SCHEMAS];
/* A statement whose text is known only now; both texts are copied. */
const struct db_stmt *verify_stmt(struct tool *tool, const char *name, const char *sql);

/* Links follow one another, and every row of chain_rows is in one (verify_links.c). */
CHECKED enum err verify_links(struct tool *tool, struct finding *finding, struct err_note *note);
/* "topic/part, link 12", of the link that binds this row of chain_rows. In the tool's arena. */
CHECKED enum err verify_link_name(struct tool *tool, const char *schema, int64_t rows_no,
                                  const char **ret_name, struct err_note *note);
/* Tables whose rows carry a number (verify_tables.c), and the ledger (verify_entries.c). */
CHECKED enum err verify_tables(struct tool *tool, struct finding *finding, struct err_note *note);
CHECKED enum err verify_entries(struct tool *tool, struct finding *finding, struct err_note *note);
