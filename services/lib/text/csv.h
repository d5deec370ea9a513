/*
 * csv: rows and fields of comma, tab or semicolon separated bytes, without knowing what they say.
 *
 * Works on raw UTF-8 and CP932 alike: separators, quotes and line ends are below 40, where no CP932
 * character has its second byte. CRLF, LF and CR each end a line. A quote opens a field only as its
 * first character; inside, two quotes are one; what follows the closing quote up to the separator
 * is appended; anywhere else a quote is an ordinary character.
 */
#pragma once
#include "base/arena.h"

/* Delimiter of a scan that takes any of the three: for rows before the header. */
#define CSV_ANY '\0'

/* Row without any character but blanks, seen as UTF-8 or as CP932: bits of `blank`. */
enum { CSV_BLANK_UTF8 = 1, CSV_BLANK_CP932 = 2 };

/* Reading position in a file. Plain: it may be stored and taken up again in another process. */
struct csv_scan {
    uint64_t offset;       /* of the next byte */
    uint64_t row_offset;   /* where the present row begins */
    uint64_t line_offset;  /* where the present physical line begins */
    uint64_t line_bytes;   /* longest line of the present row that has ended */
    uint32_t line;         /* the present physical line, from 1 */
    uint32_t row_line;     /* where the present row begins */
    uint32_t quote_line;   /* where the open quote opens */
    uint32_t longest_line; /* whose length is line_bytes */
    char delimiter;
    char previous;     /* the last byte, '\n' at the beginning */
    uint8_t place;     /* within a field */
    uint8_t blank;     /* what the present row may still be */
    uint8_t utf8_part; /* of a blank of several bytes */
    uint8_t cp932_part;
};

struct csv_row {
    uint64_t offset;
    uint64_t length; /* without its line end */
    uint32_t line;   /* physical line where it begins; of a NUL: where it stands */
    uint8_t blank;
    uint64_t line_bytes;   /* longest physical line in it, without line end */
    uint32_t longest_line; /* which one that is */
};

enum csv_event {
    CSV_MORE,     /* the slice is used up; the row may go on in the next */
    CSV_ROW,      /* `row` is complete */
    CSV_NUL,      /* a NUL byte, passed as an ordinary character */
    CSV_UNCLOSED, /* only at the end: the quote of quote_line never closes */
};

void csv_scan_init(struct csv_scan *scan, char delimiter, uint64_t offset, uint32_t line);
/* Go on in `*slice`, which moves forward. `*ret_row` is set with CSV_ROW and CSV_NUL. */
enum csv_event csv_scan_next(struct csv_scan *scan, struct str *slice, struct csv_row *ret_row);
/* No more bytes come: the last row, CSV_MORE when there is none, or CSV_UNCLOSED. */
enum csv_event csv_scan_end(struct csv_scan *scan, struct csv_row *ret_row);

/* The fields of one complete row, one after the other. */
struct csv_fields {
    struct str rest;
    char delimiter;
    bool more;
};

struct csv_field {
    struct str text; /* as it stands; within the quotes of a simple quoted field */
    bool quoted;
    bool with_quotes; /* `text` still holds them: use csv_field_text() */
};

struct csv_fields csv_fields_of(struct str row, char delimiter);
bool csv_fields_next(struct csv_fields *fields, struct csv_field *ret_field);
/* Without quotes. Memory: borrows the row when it can, else the arena's. */
struct str csv_field_text(struct arena *arena, const struct csv_field *field);

/* Append a field, quoted when it holds a quote, a comma or a line break. */
void csv_put(struct buf *out, struct str text);
/* The same; what a spreadsheet could take for a formula gets a quote (') in front. */
void csv_put_safe(struct buf *out, struct str text);
