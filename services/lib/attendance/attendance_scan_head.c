/*
 * attendance_scan_head: finding the header and, by it, the delimiter. The beginning of the file is
 * read with each delimiter in turn; the one that names most known columns is the file's.
 */
#include <string.h>

#include "attendance/attendance_header.h"
#include "attendance/attendance_scan_private.h"
#include "text/csv.h"

/* In the order of preference when two do equally well. */
static const char delimiters[] = {',', '\t', ';'};

enum { DELIMITERS = sizeof(delimiters) };

/* The head read with one delimiter. */
struct reading {
    enum csv_event event; /* of its first row; CSV_MORE while it may still go on */
    struct csv_scan csv;
    struct csv_row row;
    bool readable;
    size_t known;
    size_t fields;
};

bool scan_is_blank(const struct attendance_scan *scan, const struct csv_row *row)
{
    switch ((enum encoding)scan->detect.encoding) {
    case ENCODING_UTF8:
        return (row->blank & CSV_BLANK_UTF8) != 0;
    case ENCODING_CP932:
        return (row->blank & CSV_BLANK_CP932) != 0;
    case ENCODING_UNKNOWN: /* ASCII so far: blank in both or in none */
        return row->blank != 0;
    }
    must(false);
}

static struct str head_of(const struct attendance_scan *scan)
{
    return (struct str){scan->head, scan->head_len};
}

/* The first row of the head, read with `delimiter`. */
static enum csv_event first_row(const struct attendance_scan *scan, char delimiter, bool at_end,
                                struct csv_scan *ret_csv, struct csv_row *ret_row)
{
    struct str slice = head_of(scan);
    enum csv_event event;

    csv_scan_init(ret_csv, delimiter, scan->head_offset, scan->head_line);
    do {
        event = csv_scan_next(ret_csv, &slice, ret_row);
    } while (event == CSV_NUL); /* looked for when it is clear what belongs to the header */
    if (event == CSV_MORE && at_end)
        event = csv_scan_end(ret_csv, ret_row);
    return event;
}

/*
 * Rows before the header that hold only blanks and separators leave the head. False when the next
 * byte has to be seen first: it may be the LF of a CR.
 */
static bool skip_blank_rows(struct attendance_scan *scan, bool at_end)
{
    size_t used = 0;
    struct csv_scan csv;
    struct csv_row row;
    struct str slice = head_of(scan);
    bool wait = false;

    csv_scan_init(&csv, CSV_ANY, scan->head_offset, scan->head_line);
    for (;;) {
        enum csv_event event = csv_scan_next(&csv, &slice, &row);

        if (event == CSV_MORE && at_end)
            event = csv_scan_end(&csv, &row);
        if (event != CSV_ROW || !scan_is_blank(scan, &row))
            break;
        wait = slice.len == 0 && csv.previous == '\r' && !at_end;
        if (wait)
            break;
        if (csv.previous == '\r' && slice.len > 0 && slice.data[0] == '\n') {
            slice.data++;
            slice.len--;
        }
        used = scan->head_len - slice.len;
        scan->head_line = csv.line;
        csv_scan_init(&csv, CSV_ANY, scan->head_offset + used, csv.line);
    }
    scan->head_offset += used;
    scan->head_len -= (uint32_t)used;
    memmove(scan->head, scan->head + used, scan->head_len);
    return !wait;
}

/* How much of a header the row is, for choosing among delimiters. */
static void judge_reading(const struct attendance_scan *scan, char delimiter,
                          struct reading *reading)
{
    struct arena *arena = arena_new();
    enum encoding encoding = (enum encoding)scan->detect.encoding;
    struct str raw = head_of(scan);
    struct attendance_header header;

    if (reading->readable) {
        raw.len = reading->row.length;
    } else { /* its first line shows what it wanted to be; the file's encoding may still be open */
        const size_t len = raw.len;

        for (raw.len = 0; raw.len < len && raw.data[raw.len] != '\n' && raw.data[raw.len] != '\r';)
            raw.len++;
        encoding = encoding_valid(ENCODING_UTF8, raw) ? ENCODING_UTF8 : ENCODING_CP932;
    }
    attendance_header_read(arena, raw, encoding, delimiter, &header);
    reading->known = header.known;
    reading->fields = header.count;
    arena_free(arena);
}

static bool is_text(struct str raw)
{
    return encoding_valid(ENCODING_UTF8, raw) || encoding_valid(ENCODING_CP932, raw);
}

/* The header's row is complete: keep where it lies, and what speaks against it. */
static void take_header(struct attendance_scan *scan, const struct reading *reading)
{
    struct arena *arena = arena_new();
    const struct str raw = {scan->head, reading->row.length};
    struct attendance_refusal refusal = {.line = reading->row.line};
    struct attendance_header header;
    enum column column;

    scan->header_offset = reading->row.offset;
    scan->header_line = reading->row.line;
    scan->header_len = (uint32_t)reading->row.length;
    if (!is_text(raw)) {
        refusal.code = CODE_NOT_TEXT_ENCODING;
        scan_refuse_now(scan, refusal);
        arena_free(arena);
        return;
    }
    attendance_header_read(arena, raw, (enum encoding)scan->detect.encoding, scan->delimiter,
                           &header);
    refusal.code = attendance_header_check(&header, scan->options.several_sessions, &column);
    refusal.column = (uint8_t)column;
    refusal.columns = (uint32_t)header.count;
    scan_refuse(scan, refusal);
    arena_free(arena);
}

/* The header never ends or is too long; what comes can only show that this is no text. */
static void give_up_header(struct attendance_scan *scan, const struct reading *reading)
{
    scan->header_unreadable = true;
    scan->header_open = reading->event == CSV_MORE;
    scan->only_blanks = reading->event == CSV_MORE || scan_is_blank(scan, &reading->row);
    scan->refusal =
        (struct attendance_refusal){.code = CODE_LINE_TOO_LONG, .line = scan->head_line};
    if (reading->event == CSV_UNCLOSED) {
        scan->refusal.code = CODE_UNCLOSED_QUOTE;
        scan->refusal.line = reading->csv.quote_line;
        scan->only_blanks = false;
    }
}

/* Line of the first NUL in `len` bytes of the head; 0 when there is none. */
static uint32_t nul_line(const struct attendance_scan *scan, size_t len)
{
    const char *nul = memchr(scan->head, '\0', len);
    struct str before = {scan->head, nul == NULL ? 0 : (size_t)(nul - scan->head)};
    struct csv_scan csv;
    struct csv_row row;

    if (nul == NULL)
        return 0;
    csv_scan_init(&csv, CSV_ANY, 0, scan->head_line);
    while (csv_scan_next(&csv, &before, &row) != CSV_MORE)
        continue;
    return csv.line;
}

static bool is_better(const struct reading *one, const struct reading *than)
{
    return one->known > than->known || (one->known == than->known && one->fields > than->fields);
}

void scan_head(struct attendance_scan *scan, bool at_end, size_t *ret_used)
{
    struct reading readings[DELIMITERS];
    size_t best = 0;
    uint32_t line;
    bool full;

    *ret_used = 0;
    if (!skip_blank_rows(scan, at_end) || scan->head_len == 0)
        return;
    full = scan->head_len == sizeof(scan->head);
    for (size_t i = 0; i < DELIMITERS; i++) {
        struct reading *reading = &readings[i];

        reading->event = first_row(scan, delimiters[i], at_end, &reading->csv, &reading->row);
        if (reading->event == CSV_MORE && !full)
            return;
        reading->readable =
            reading->event == CSV_ROW && reading->row.length <= ATTENDANCE_LINE_BYTES_MAX;
        judge_reading(scan, delimiters[i], reading);
        if (i > 0 && is_better(reading, &readings[best]))
            best = i;
    }
    scan->phase = PHASE_BODY;
    scan->delimiter = delimiters[best];
    scan->csv = readings[best].csv;
    *ret_used = (size_t)(scan->csv.offset - scan->head_offset);
    line = nul_line(scan, *ret_used);
    if (line > 0)
        scan_refuse_now(scan, (struct attendance_refusal){.code = CODE_NOT_TEXT_NUL, .line = line});
    else if (readings[best].readable)
        take_header(scan, &readings[best]);
    else
        give_up_header(scan, &readings[best]);
}
