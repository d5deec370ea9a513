/*
 * pdf_private: a sheet of paper after the other. Everything is laid out twice: first only measured,
 * which tells how many pages there are, then drawn. Lengths are points.
 */
#pragma once
#include <cairo.h>
#include <pango/pangocairo.h>

#include "pdf/pdf.h"

enum {
    SHEET_WIDTH = 595,
    SHEET_HEIGHT = 842,
    SHEET_MARGIN = 46,
    SHEET_BOTTOM = SHEET_HEIGHT - SHEET_MARGIN - 14, /* above the foot */
    SHEET_INNER = SHEET_WIDTH - 2 * SHEET_MARGIN,
};

enum sheet_font { FONT_TITLE, FONT_HEAD, FONT_TEXT, FONT_BOLD, FONT_SMALL, FONT_COUNT };

struct sheet {
    const struct pdf_report *report;
    cairo_t *cr;
    PangoLayout *layout;
    PangoFontDescription *fonts[FONT_COUNT];
    double y;       /* where the next thing goes */
    unsigned page;  /* from 1 */
    unsigned pages; /* of the document; 0 while measuring */
    bool full;      /* more pages than allowed: nothing more is laid out */
};

/* A text in a box. */
struct sheet_text {
    struct str text;
    enum sheet_font font;
    double x, width;
    int lines_max; /* then an ellipsis */
    bool right;
};

void sheet_open(struct sheet *sheet, const struct pdf_report *report, cairo_t *cr);
void sheet_close(struct sheet *sheet);
/* Begin a pass at the top of page 1. */
void sheet_begin(struct sheet *sheet, unsigned pages);
/* End of the last page. */
void sheet_end(struct sheet *sheet);
/* Go on on the next page. */
void sheet_turn(struct sheet *sheet);
/* Height of a text; drawn at `y` unless measuring. */
double sheet_text(struct sheet *sheet, const struct sheet_text *text, double y);
double sheet_measure(struct sheet *sheet, const struct sheet_text *text);
/* A line over the whole width. */
void sheet_rule(struct sheet *sheet, double y, double width);
/* A code of squares; `size` with its quiet zone. */
void sheet_qr(struct sheet *sheet, struct str text, double x, double y, double size);
