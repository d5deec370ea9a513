/* pdf_sheet: texts, lines and squares on one sheet. */
#include <stdlib.h>
#include <string.h>

#include "pdf/pdf_private.h"
#include "qr/qr.h"

static const struct {
    const char *family;
    double points;
    PangoWeight weight;
} fonts[FONT_COUNT] = {
    [FONT_TITLE] = {"Noto Sans CJK JP", 17, PANGO_WEIGHT_BOLD},
    [FONT_HEAD] = {"Noto Sans CJK JP", 11, PANGO_WEIGHT_BOLD},
    [FONT_TEXT] = {"Noto Sans CJK JP", 9, PANGO_WEIGHT_NORMAL},
    [FONT_BOLD] = {"Noto Sans CJK JP", 9, PANGO_WEIGHT_BOLD},
    [FONT_SMALL] = {"Noto Sans CJK JP", 7.5, PANGO_WEIGHT_NORMAL},
};

void sheet_open(struct sheet *sheet, const struct pdf_report *report, cairo_t *cr)
{
    *sheet = (struct sheet){.report = report, .cr = cr};
    sheet->layout = pango_cairo_create_layout(cr);
    pango_context_set_language(pango_layout_get_context(sheet->layout),
                               pango_language_from_string("ja"));
    for (size_t i = 0; i < FONT_COUNT; i++) {
        sheet->fonts[i] = pango_font_description_new();
        pango_font_description_set_family_static(sheet->fonts[i], fonts[i].family);
        pango_font_description_set_absolute_size(sheet->fonts[i], fonts[i].points * PANGO_SCALE);
        pango_font_description_set_weight(sheet->fonts[i], fonts[i].weight);
    }
}

void sheet_close(struct sheet *sheet)
{
    for (size_t i = 0; i < FONT_COUNT; i++)
        pango_font_description_free(sheet->fonts[i]);
    g_object_unref(sheet->layout);
}

void sheet_begin(struct sheet *sheet, unsigned pages)
{
    sheet->pages = pages;
    sheet->page = 1;
    sheet->y = SHEET_MARGIN;
}

/* ---- texts ---- */

static double prepare(struct sheet *sheet, const struct sheet_text *text)
{
    PangoRectangle extents;

    pango_layout_set_font_description(sheet->layout, sheet->fonts[text->font]);
    pango_layout_set_width(sheet->layout, (int)(text->width * PANGO_SCALE));
    pango_layout_set_wrap(sheet->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_height(sheet->layout, -text->lines_max);
    pango_layout_set_ellipsize(sheet->layout,
                               text->lines_max > 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
    pango_layout_set_alignment(sheet->layout, text->right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_text(sheet->layout, text->text.len > 0 ? text->text.data : "",
                          (int)text->text.len);
    pango_layout_get_extents(sheet->layout, NULL, &extents);
    return (double)extents.height / PANGO_SCALE;
}

double sheet_measure(struct sheet *sheet, const struct sheet_text *text)
{
    return prepare(sheet, text);
}

double sheet_text(struct sheet *sheet, const struct sheet_text *text, double y)
{
    double height = prepare(sheet, text);

    if (sheet->pages > 0) {
        cairo_move_to(sheet->cr, text->x, y);
        pango_cairo_show_layout(sheet->cr, sheet->layout);
    }
    return height;
}

/* ---- pages ---- */

static void put_foot(struct sheet *sheet)
{
    char number[32];
    const double y = SHEET_HEIGHT - SHEET_MARGIN;
    const struct sheet_text foot = {.text = sheet->report->foot,
                                    .font = FONT_SMALL,
                                    .x = SHEET_MARGIN,
                                    .width = SHEET_INNER - 60,
                                    .lines_max = 2};
    struct buf text = {0};

    if (sheet->pages == 0)
        return;
    sheet_rule(sheet, y - 6, 0.5);
    sheet_text(sheet, &foot, y);
    buf_printf(&text, "%u/%u", sheet->page, sheet->pages);
    memcpy(number, text.data, text.len);
    sheet_text(sheet,
               &(struct sheet_text){.text = {number, text.len},
                                    .font = FONT_SMALL,
                                    .x = SHEET_WIDTH - SHEET_MARGIN - 60,
                                    .width = 60,
                                    .right = true},
               y);
    buf_free(&text);
}

void sheet_end(struct sheet *sheet)
{
    put_foot(sheet);
    if (sheet->pages > 0)
        cairo_show_page(sheet->cr);
}

void sheet_turn(struct sheet *sheet)
{
    sheet_end(sheet);
    sheet->page++;
    sheet->y = SHEET_MARGIN;
    sheet->full = sheet->full || sheet->page > sheet->report->pages_max;
}

/* ---- drawings ---- */

void sheet_rule(struct sheet *sheet, double y, double width)
{
    if (sheet->pages == 0)
        return;
    cairo_set_line_width(sheet->cr, width);
    cairo_move_to(sheet->cr, SHEET_MARGIN, y);
    cairo_line_to(sheet->cr, SHEET_WIDTH - SHEET_MARGIN, y);
    cairo_stroke(sheet->cr);
}

void sheet_qr(struct sheet *sheet, struct str text, double x, double y, double size)
{
    struct qr qr;
    double unit;

    if (sheet->pages == 0 || !qr_make(text, &qr))
        return;
    unit = size / (double)(qr.side + 2 * QR_QUIET);
    for (size_t i = 0; i < qr.side * qr.side; i++) {
        if (qr.dark[i])
            cairo_rectangle(sheet->cr, x + unit * (double)(QR_QUIET + i % qr.side),
                            y + unit * (double)(QR_QUIET + i / qr.side), unit, unit);
    }
    cairo_fill(sheet->cr);
}
