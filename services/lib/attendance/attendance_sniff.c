/* attendance_sniff: files that are no text at all, and what to call them. */
#include <stdio.h>

#include "attendance/attendance_header.h"
#include "attendance/attendance_scan_private.h"

/* What the file begins with, and what stands at a place behind it; the more special first. */
static const struct {
    struct str start;
    size_t at;
    struct str then;
    enum not_text kind;
} signatures[] = {
    {STR("PK\x03\x04"), 30, STR("[Content_Types].xml"), NOT_TEXT_XLSX},
    {STR("PK\x03\x04"), 30, STR("xl/"), NOT_TEXT_XLSX},
    {STR("PK\x03\x04"), 30, STR("_rels/.rels"), NOT_TEXT_XLSX},
    {STR("PK\x03\x04"), 30, STR("mimetypeapplication/vnd.oasis"), NOT_TEXT_ODS},
    {STR("PK\x03\x04"), 0, STR(""), NOT_TEXT_ZIP},
    {STR("PK\x05\x06"), 0, STR(""), NOT_TEXT_ZIP},
    {STR("PK\x07\x08"), 0, STR(""), NOT_TEXT_ZIP},
    {STR("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), 0, STR(""), NOT_TEXT_XLS},
    {STR("%PDF-"), 0, STR(""), NOT_TEXT_PDF},
    {STR("\x1F\x8B\x08"), 0, STR(""), NOT_TEXT_GZIP},
    {STR("{\\rtf"), 0, STR(""), NOT_TEXT_RTF},
    {STR("\x89PNG\r\n\x1A\n"), 0, STR(""), NOT_TEXT_IMAGE},
    {STR("\xFF\xD8\xFF"), 0, STR(""), NOT_TEXT_IMAGE},
    {STR("GIF87a"), 0, STR(""), NOT_TEXT_IMAGE},
    {STR("GIF89a"), 0, STR(""), NOT_TEXT_IMAGE},
    {STR("II*\0"), 0, STR(""), NOT_TEXT_IMAGE},
    {STR("MM\0*"), 0, STR(""), NOT_TEXT_IMAGE},
    {STR("BM"), 6, STR("\0\0\0\0"), NOT_TEXT_IMAGE},
    {STR("RIFF"), 8, STR("WEBPVP8"), NOT_TEXT_IMAGE},
    {STR("\0\0\0"), 4, STR("ftyp"), NOT_TEXT_IMAGE},
    {STR("\xFF\xFE\0\0"), 0, STR(""), NOT_TEXT_UTF32},
    {STR("\0\0\xFE\xFF"), 0, STR(""), NOT_TEXT_UTF32},
    {STR("\xFF\xFE"), 0, STR(""), NOT_TEXT_UTF16},
    {STR("\xFE\xFF"), 0, STR(""), NOT_TEXT_UTF16},
};

static const struct {
    const char *ja;
    const char *en;
} names[] = {
    [NOT_TEXT_NONE] = {"", ""},
    [NOT_TEXT_XLSX] = {"Excelブック（.xlsx）", "an Excel workbook (.xlsx)"},
    [NOT_TEXT_XLS] = {"古い形式のExcelブック（.xls）", "an old Excel workbook (.xls)"},
    [NOT_TEXT_ODS] = {"OpenDocumentの表（.ods）", "an OpenDocument spreadsheet (.ods)"},
    [NOT_TEXT_ZIP] = {"ZIPファイル", "a ZIP archive"},
    [NOT_TEXT_PDF] = {"PDF", "a PDF"},
    [NOT_TEXT_GZIP] = {"圧縮ファイル（gzip）", "a gzip archive"},
    [NOT_TEXT_RTF] = {"リッチテキスト（.rtf）", "rich text (.rtf)"},
    [NOT_TEXT_IMAGE] = {"画像", "an image"},
    [NOT_TEXT_UTF16] = {"UTF-16のテキスト（「Unicodeテキスト」）", "UTF-16 (\"Unicode text\")"},
    [NOT_TEXT_UTF32] = {"UTF-32のテキスト", "UTF-32 text"},
};

static bool stands_at(struct str start, size_t at, struct str bytes)
{
    return at <= start.len && str_starts((struct str){start.data + at, start.len - at}, bytes);
}

enum not_text attendance_sniff(struct str start)
{
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        if (stands_at(start, 0, signatures[i].start) &&
            stands_at(start, signatures[i].at, signatures[i].then))
            return signatures[i].kind;
    }
    return NOT_TEXT_NONE;
}

static void put(struct attendance_params *params, const char *name, struct str value)
{
    must(params->count < ATTENDANCE_PARAMS_MAX);
    params->list[params->count++] = (struct code_param){name, value};
}

static void put_number(struct attendance_params *params, const char *name, char *room,
                       uint32_t number)
{
    (void)snprintf(room, ATTENDANCE_PARAM_BYTES, "%u", number);
    put(params, name, str_of(room));
}

static struct str missing_column(enum column column, bool english)
{
    if (column == COLUMN_REGISTER_NO)
        return english ? STR("register_no (or mamis_no)") : STR("医籍登録番号（またはMAMIS番号）");
    return str_of(english ? column_english(column) : column_name(column));
}

void attendance_refusal_params(const struct attendance_refusal *refusal, bool english,
                               struct attendance_params *ret_params)
{
    *ret_params = (struct attendance_params){.count = 0};
    if (refusal->line > 0)
        put_number(ret_params, "line", ret_params->line, refusal->line);
    if (refusal->code == CODE_NOT_TEXT) {
        must(refusal->not_text < ARRAY_LEN(names));
        put(ret_params, "value",
            str_of(english ? names[refusal->not_text].en : names[refusal->not_text].ja));
    } else if (refusal->code == CODE_COLUMN_MISSING || refusal->code == CODE_COLUMN_TWICE) {
        const enum column column = (enum column)refusal->column;

        put(ret_params, "column",
            refusal->code == CODE_COLUMN_MISSING
                ? missing_column(column, english)
                : str_of(english ? column_english(column) : column_name(column)));
    } else if (refusal->code == CODE_TOO_MANY_COLUMNS) {
        put_number(ret_params, "value", ret_params->value, refusal->columns);
        put_number(ret_params, "limit", ret_params->limit, ATTENDANCE_COLUMNS_MAX);
    } else if (refusal->code == CODE_LINE_TOO_LONG) {
        put_number(ret_params, "limit", ret_params->limit, ATTENDANCE_LINE_BYTES_MAX);
    }
}
