/* csv: finding rows. One byte at a time where it matters, in leaps where it does not. */
#include "text/csv.h"

#include <string.h>

/* Within a field: before its first character, in it, in its quotes, behind a quote in its quotes.
 */
enum place { PLACE_START, PLACE_PLAIN, PLACE_QUOTED, PLACE_QUOTE };

/* How far a blank of several bytes has come: U+3000 or U+00A0 in UTF-8, U+3000 in CP932. */
enum { PART_NONE, PART_E3, PART_E380, PART_C2, PART_81 };

static bool is_delimiter(const struct csv_scan *scan, char c)
{
    if (scan->delimiter == CSV_ANY)
        return c == ',' || c == '\t' || c == ';';
    return c == scan->delimiter;
}

static void row_begin(struct csv_scan *scan)
{
    scan->row_offset = scan->offset;
    scan->line_offset = scan->offset;
    scan->row_line = scan->line;
    scan->line_bytes = 0;
    scan->longest_line = scan->line;
    scan->place = PLACE_START;
    scan->blank = CSV_BLANK_UTF8 | CSV_BLANK_CP932;
    scan->utf8_part = PART_NONE;
    scan->cp932_part = PART_NONE;
}

void csv_scan_init(struct csv_scan *scan, char delimiter, uint64_t offset, uint32_t line)
{
    memset(scan, 0, sizeof(*scan));
    scan->offset = offset;
    scan->line = line;
    scan->delimiter = delimiter;
    scan->previous = '\n';
    row_begin(scan);
}

/* A physical line ends before the byte at scan->offset. */
static void line_end(struct csv_scan *scan)
{
    const uint64_t bytes = scan->offset - scan->line_offset;

    if (bytes > scan->line_bytes) {
        scan->line_bytes = bytes;
        scan->longest_line = scan->line;
    }
}

static void row_end(struct csv_scan *scan, struct csv_row *ret_row)
{
    line_end(scan);
    if (scan->utf8_part != PART_NONE)
        scan->blank &= (uint8_t)~CSV_BLANK_UTF8;
    if (scan->cp932_part != PART_NONE)
        scan->blank &= (uint8_t)~CSV_BLANK_CP932;
    *ret_row = (struct csv_row){
        .offset = scan->row_offset,
        .length = scan->offset - scan->row_offset,
        .line = scan->row_line,
        .blank = scan->blank,
        .line_bytes = scan->line_bytes,
        .longest_line = scan->longest_line,
    };
}

/* Whether the row may still be blank as UTF-8 after `byte`; `part` is what came of it so far. */
static bool blank_utf8(uint8_t *part, uint8_t byte, bool space)
{
    const uint8_t was = *part;

    *part = PART_NONE;
    if (was == PART_NONE && byte == 0xE3)
        *part = PART_E3;
    else if (was == PART_NONE && byte == 0xC2)
        *part = PART_C2;
    else if (was == PART_E3 && byte == 0x80)
        *part = PART_E380;
    else
        return (was == PART_NONE && space) || (was == PART_E380 && byte == 0x80) ||
               (was == PART_C2 && byte == 0xA0);
    return true;
}

static bool blank_cp932(uint8_t *part, uint8_t byte, bool space)
{
    const uint8_t was = *part;

    *part = PART_NONE;
    if (was == PART_NONE && byte == 0x81)
        *part = PART_81;
    else
        return (was == PART_NONE && space) || (was == PART_81 && byte == 0x40);
    return true;
}

/* The row holds `c`: what may it still be? */
static void blank_step(struct csv_scan *scan, char c, bool separator)
{
    const bool space = separator || c == ' ' || c == '\t';

    if (!blank_utf8(&scan->utf8_part, (uint8_t)c, space))
        scan->blank &= (uint8_t)~CSV_BLANK_UTF8;
    if (!blank_cp932(&scan->cp932_part, (uint8_t)c, space))
        scan->blank &= (uint8_t)~CSV_BLANK_CP932;
    if (scan->blank == 0) {
        scan->utf8_part = PART_NONE;
        scan->cp932_part = PART_NONE;
    }
}

/* A line end at scan->offset: LF after CR is part of the one before. */
static enum csv_event break_step(struct csv_scan *scan, char c, struct csv_row *ret_row)
{
    const bool quoted = scan->place == PLACE_QUOTED;
    const bool pair = c == '\n' && scan->previous == '\r';

    if (!pair) {
        if (quoted)
            line_end(scan);
        else
            row_end(scan, ret_row);
        scan->line++;
    }
    scan->previous = c;
    scan->offset++;
    scan->line_offset = scan->offset;
    if (quoted) {
        scan->blank = 0; /* a line break in a value is no blank */
        return CSV_MORE;
    }
    row_begin(scan);
    return pair ? CSV_MORE : CSV_ROW;
}

/* One byte, whatever it is. */
static enum csv_event byte_step(struct csv_scan *scan, char c, struct csv_row *ret_row)
{
    if (scan->place == PLACE_QUOTE && c != '"')
        scan->place = PLACE_PLAIN; /* that quote closed the field */
    if (c == '\n' || c == '\r')
        return break_step(scan, c, ret_row);
    if (scan->place == PLACE_QUOTED && c == '"') {
        scan->place = PLACE_QUOTE;
    } else if (scan->place == PLACE_QUOTED) {
        blank_step(scan, c, false);
    } else if (scan->place == PLACE_QUOTE) {
        scan->place = PLACE_QUOTED; /* two quotes are one */
        blank_step(scan, c, false);
    } else if (scan->place == PLACE_START && c == '"') {
        scan->place = PLACE_QUOTED;
        scan->quote_line = scan->line;
    } else {
        const bool separator = is_delimiter(scan, c);

        scan->place = separator ? PLACE_START : PLACE_PLAIN;
        blank_step(scan, c, separator);
    }
    scan->previous = c;
    scan->offset++;
    if (c != '\0')
        return CSV_MORE;
    *ret_row = (struct csv_row){.offset = scan->offset - 1, .length = 1, .line = scan->line};
    return CSV_NUL;
}

/* The bytes a leap has to stop at; all others only fill a field. */
static bool is_stop(char c)
{
    return c == '"' || c == '\n' || c == '\r' || c == '\0';
}

/* First stop in the slice, or its end. */
static size_t leap(const char *data, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t at = 0;

    for (;;) {
        /* Eight bytes at once while none of them is below '#', as all stops are. */
        for (uint64_t word; len - at >= sizeof(word); at += sizeof(word)) {
            memcpy(&word, data + at, sizeof(word));
            if (((word - ones * '#') & ~word & ones * 0x80) != 0)
                break;
        }
        const size_t stop = len - at > sizeof(uint64_t) ? at + sizeof(uint64_t) : len;

        while (at < stop && !is_stop(data[at]))
            at++;
        if (at == len || at < stop)
            return at;
    }
}

/* Leap over what changes nothing. The row is not blank, so only quotes and ends matter. */
static void leap_step(struct csv_scan *scan, struct str *slice)
{
    const size_t len = leap(slice->data, slice->len);

    if (len == 0)
        return;
    scan->previous = slice->data[len - 1];
    scan->offset += len;
    slice->data += len;
    slice->len -= len;
    if (scan->place != PLACE_QUOTED)
        scan->place = is_delimiter(scan, scan->previous) ? PLACE_START : PLACE_PLAIN;
}

enum csv_event csv_scan_next(struct csv_scan *scan, struct str *slice, struct csv_row *ret_row)
{
    while (slice->len > 0) {
        if (scan->blank == 0 && scan->place != PLACE_QUOTE) {
            leap_step(scan, slice);
            if (slice->len == 0)
                return CSV_MORE;
        }
        const char c = *slice->data;

        slice->data++;
        slice->len--;
        const enum csv_event event = byte_step(scan, c, ret_row);

        if (event != CSV_MORE)
            return event;
    }
    return CSV_MORE;
}

enum csv_event csv_scan_end(struct csv_scan *scan, struct csv_row *ret_row)
{
    if (scan->place == PLACE_QUOTED)
        return CSV_UNCLOSED;
    if (scan->offset == scan->row_offset)
        return CSV_MORE;
    row_end(scan, ret_row);
    row_begin(scan);
    return CSV_ROW;
}
