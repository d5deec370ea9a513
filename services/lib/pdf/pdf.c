/* pdf: what stands where in a report. */
#include "pdf/pdf.h"

#include <cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <string.h>
#include <time.h>

#include "pdf/pdf_private.h"

enum {
    QR_SIZE = 92,
    FACT_LABEL = 92,
    CELL_PAD = 3, /* left, right, above and below a cell's text */
    CELL_LINES_MAX = 4,
    FACT_LINES_MAX = 3,
    NOTE_LINES_MAX = 12,
    GAP = 14,
    DATE_BYTES = 32,
};

/* ---- the top of the first page ---- */

static void put_title(struct sheet *sheet)
{
    const struct pdf_report *report = sheet->report;
    double left, right;

    left = sheet_text(sheet,
                      &(struct sheet_text){.text = report->title,
                                           .font = FONT_TITLE,
                                           .x = SHEET_MARGIN,
                                           .width = SHEET_INNER - 190,
                                           .lines_max = 2},
                      sheet->y);
    right = sheet_text(sheet,
                       &(struct sheet_text){.text = report->from,
                                            .font = FONT_TEXT,
                                            .x = SHEET_WIDTH - SHEET_MARGIN - 180,
                                            .width = 180,
                                            .lines_max = 3,
                                            .right = true},
                       sheet->y + 4);
    sheet->y += left > right ? left : right;
    sheet_rule(sheet, sheet->y + 4, 1);
    sheet->y += GAP;
}

static void put_facts(struct sheet *sheet)
{
    const struct pdf_report *report = sheet->report;
    const double right = report->qr.len > 0 ? QR_SIZE + 8 : 0;
    const double top = sheet->y;

    sheet_qr(sheet, report->qr, SHEET_WIDTH - SHEET_MARGIN - QR_SIZE, top - 4, QR_SIZE);
    for (size_t i = 0; i < report->fact_count; i++) {
        const struct pdf_fact *fact = &report->facts[i];
        double height;

        sheet_text(sheet,
                   &(struct sheet_text){.text = fact->label,
                                        .font = FONT_TEXT,
                                        .x = SHEET_MARGIN,
                                        .width = FACT_LABEL,
                                        .lines_max = 1},
                   sheet->y);
        height = sheet_text(sheet,
                            &(struct sheet_text){.text = fact->value,
                                                 .font = FONT_BOLD,
                                                 .x = SHEET_MARGIN + FACT_LABEL,
                                                 .width = SHEET_INNER - FACT_LABEL - right,
                                                 .lines_max = FACT_LINES_MAX},
                            sheet->y);
        sheet->y += height + 3;
    }
    if (right > 0 && sheet->y < top + QR_SIZE)
        sheet->y = top + QR_SIZE;
    sheet->y += GAP;
}

/* ---- tables ---- */

static unsigned shares(const struct pdf_table *table)
{
    unsigned sum = 0;

    for (size_t i = 0; i < table->column_count; i++)
        sum += table->columns[i].share;
    return sum > 0 ? sum : 1;
}

/* One row of texts in the table's columns: its height; drawn at sheet->y when `draw`. */
static double put_cells(struct sheet *sheet, const struct pdf_table *table, const struct str *cells,
                        bool draw)
{
    const double unit = (double)SHEET_INNER / shares(table);
    double x = SHEET_MARGIN, tallest = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        const struct pdf_column *column = &table->columns[i];
        const double width = unit * column->share;
        const struct sheet_text text = {
            .text = cells != NULL ? cells[i] : column->title,
            .font = cells != NULL ? FONT_TEXT : FONT_BOLD,
            .x = x + CELL_PAD,
            .width = width - 2 * CELL_PAD,
            .lines_max = CELL_LINES_MAX,
            .right = column->right,
        };
        const double height =
            draw ? sheet_text(sheet, &text, sheet->y + CELL_PAD) : sheet_measure(sheet, &text);

        tallest = height > tallest ? height : tallest;
        x += width;
    }
    return tallest + 2 * CELL_PAD;
}

static void put_head(struct sheet *sheet, const struct pdf_table *table)
{
    sheet->y += put_cells(sheet, table, NULL, true);
    sheet_rule(sheet, sheet->y, 0.8);
}

static void put_row(struct sheet *sheet, const struct pdf_table *table, const struct str *cells)
{
    if (sheet->y + put_cells(sheet, table, cells, false) > SHEET_BOTTOM) {
        sheet_turn(sheet);
        put_head(sheet, table);
    }
    sheet->y += put_cells(sheet, table, cells, true);
    sheet_rule(sheet, sheet->y, 0.2);
}

static void put_table(struct sheet *sheet, const struct pdf_table *table)
{
    const struct sheet_text title = {.text = table->title,
                                     .font = FONT_HEAD,
                                     .x = SHEET_MARGIN,
                                     .width = SHEET_INNER,
                                     .lines_max = 2};
    const struct sheet_text empty = {.text = table->empty,
                                     .font = FONT_TEXT,
                                     .x = SHEET_MARGIN,
                                     .width = SHEET_INNER,
                                     .lines_max = 2};
    const struct str *first = table->row_count > 0 ? table->cells : NULL;

    /* A title never stands alone at the foot of a page. */
    if (sheet->y + sheet_measure(sheet, &title) + put_cells(sheet, table, NULL, false) +
            put_cells(sheet, table, first, false) >
        SHEET_BOTTOM)
        sheet_turn(sheet);
    sheet->y += sheet_text(sheet, &title, sheet->y) + 2;
    if (table->row_count == 0) {
        sheet->y += sheet_text(sheet, &empty, sheet->y) + GAP;
        return;
    }
    put_head(sheet, table);
    for (size_t i = 0; i < table->row_count && !sheet->full; i++)
        put_row(sheet, table, table->cells + i * table->column_count);
    sheet->y += GAP;
}

static void put_notes(struct sheet *sheet)
{
    for (size_t i = 0; i < sheet->report->note_count; i++) {
        const struct sheet_text note = {.text = sheet->report->notes[i],
                                        .font = FONT_TEXT,
                                        .x = SHEET_MARGIN,
                                        .width = SHEET_INNER,
                                        .lines_max = NOTE_LINES_MAX};

        if (sheet->y + sheet_measure(sheet, &note) > SHEET_BOTTOM)
            sheet_turn(sheet);
        sheet->y += sheet_text(sheet, &note, sheet->y) + 4;
    }
}

/* One pass over the whole; gives back how many pages there are. */
static unsigned put_all(struct sheet *sheet, unsigned pages)
{
    sheet_begin(sheet, pages);
    put_title(sheet);
    put_facts(sheet);
    for (size_t i = 0; i < sheet->report->table_count && !sheet->full; i++)
        put_table(sheet, &sheet->report->tables[i]);
    put_notes(sheet);
    sheet_end(sheet);
    return sheet->page;
}

/* ---- the file ---- */

struct target {
    struct buf *out;
    size_t bytes_max; /* of the buffer */
    bool full;
};

static cairo_status_t take(void *arg, const unsigned char *bytes, unsigned len)
{
    struct target *target = arg;

    if (target->full || len > target->bytes_max || target->out->len > target->bytes_max - len) {
        target->full = true;
        return CAIRO_STATUS_WRITE_ERROR;
    }
    buf_add(target->out, bytes, len);
    return CAIRO_STATUS_SUCCESS;
}

static void describe(cairo_surface_t *surface, const struct pdf_report *report)
{
    const time_t at = (time_t)(report->made_us / 1000000);
    struct buf title = {0};
    char date[DATE_BYTES];
    struct tm parts;

    buf_add_str(&title, report->title);
    buf_add_char(&title, '\0');
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title.data);
    buf_free(&title);
    if (gmtime_r(&at, &parts) != NULL &&
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
}

static enum err lay_out(const struct pdf_report *report, cairo_t *cr, struct err_note *note)
{
    struct sheet sheet;
    unsigned pages;

    sheet_open(&sheet, report, cr);
    pages = put_all(&sheet, 0);
    if (!sheet.full)
        (void)put_all(&sheet, pages);
    sheet_close(&sheet);
    if (sheet.full)
        return err_say(note, ERR_BODY_TOO_LARGE, "more than %u pages", report->pages_max);
    return ERR_OK;
}

enum err pdf_make(const struct pdf_report *report, struct buf *out, struct err_note *note)
{
    struct target target = {.out = out, .bytes_max = out->len + report->bytes_max};
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(take, &target, SHEET_WIDTH, SHEET_HEIGHT);
    cairo_t *cr = cairo_create(surface);
    cairo_status_t status;
    enum err err;

    describe(surface, report);
    err = lay_out(report, cr, note);
    status = cairo_status(cr);
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (err != ERR_OK)
        return err;
    if (target.full)
        return err_say(note, ERR_BODY_TOO_LARGE, "more than %zu bytes", report->bytes_max);
    if (status != CAIRO_STATUS_SUCCESS)
        return err_say(note, ERR_INTERNAL, "%s", cairo_status_to_string(status));
    return ERR_OK;
}

void pdf_fini(void)
{
    pango_cairo_font_map_set_default(NULL);
    cairo_debug_reset_static_data();
    FcFini();
}
