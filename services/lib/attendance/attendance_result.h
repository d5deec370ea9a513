/*
 * attendance_result: lines of result.csv. The original columns as they stood, with the cells that
 * were mended since, then what became of the row; UTF-8 with a byte order mark, commas, CRLF. It
 * may be sent again as it is: where rows were mended in columns that the file lacks, these stand
 * between the two.
 */
#pragma once
#include "attendance/attendance_fix.h"

/* The columns, as bits 1 << enum column, which the file lacks and the fix has values for. */
uint32_t attendance_result_more(const struct attendance_header *header,
                                const struct attendance_fix *fix);

/*
 * The byte order mark and the header line. `arena` is for passing needs. `more`: the columns which
 * the file lacks and some row was given a value for, all bits of attendance_result_more().
 */
void attendance_result_head(struct buf *out, struct arena *arena,
                            const struct attendance_header *header, uint32_t more);

struct attendance_result {
    const struct attendance_row *row;              /* as it stands in the file */
    const struct attendance_fix *fix;              /* what was written over it; NULL: nothing */
    struct str columns[ATTENDANCE_RESULT_COLUMNS]; /* values of 結果, 理由, 説明, 直し方 */
};

/*
 * A row, padded or cut to the header. What cannot be read becomes U+FFFD. `more` as for the header
 * line; a cell of none of these columns is not there.
 */
void attendance_result_line(struct buf *out, struct arena *arena,
                            const struct attendance_header *header, uint32_t more,
                            const struct attendance_result *result);
