/*
 * pdf: printed reports: a title, facts, tables that go on over several pages, a foot with page
 * numbers. A4 upright, Japanese text in Noto Sans CJK, embedded; text can be searched and copied.
 * Slow (a page takes some 10 ms): on a thread of a pool, never on the loop.
 */
#pragma once
#include "base/str.h"

enum { PDF_COLUMNS_MAX = 8 };

struct pdf_fact {
    struct str label, value;
};

struct pdf_column {
    struct str title;
    unsigned share; /* of the width, out of the sum of all */
    bool right;     /* figures */
};

/* Long texts go on over some lines, then end in an ellipsis. */
struct pdf_table {
    struct str title;
    const struct pdf_column *columns;
    size_t column_count;
    const struct str *cells; /* one row after the other */
    size_t row_count;
    struct str empty; /* said when there is no row */
};

struct pdf_report {
    struct str title;
    struct str from; /* who issues it; at the top, on the right */
    const struct pdf_fact *facts;
    size_t fact_count;
    const struct pdf_table *tables;
    size_t table_count;
    const struct str *notes; /* paragraphs at the end */
    size_t note_count;
    struct str qr;   /* drawn beside the facts; data NULL: none */
    struct str foot; /* on each page, beside its number */
    int64_t made_us; /* date of the document */
    unsigned pages_max;
    size_t bytes_max;
};

/*
 * Memory: borrows `report`; the document is appended to `out`. Any thread, several at once.
 * Errors: ERR_BODY_TOO_LARGE (more than pages_max or bytes_max), ERR_INTERNAL (the drawing library
 * failed; the note says how). After an error `out` may hold a part.
 */
CHECKED enum err pdf_make(const struct pdf_report *report, struct buf *out, struct err_note *note);

/*
 * Give back what the drawing library keeps as long as the process lives; no other thread may still
 * draw. For tests that look for lost memory.
 */
void pdf_fini(void);
