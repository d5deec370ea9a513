/*
 * attendance_result: lines of result.csv. The original columns as they stood, with the cells that
 * were mended since, then what became of the row; UTF-8 with a byte order mark, commas, CRLF. It
 * may be sent again as it is.
 */
#pragma once
#include "attendance/attendance_fix.h"

/* The byte order mark and the header line. `arena` is for passing needs. */
void attendance_result_head(struct buf *out, struct arena *arena,
                            const struct attendance_header *header);

struct attendance_result {
    const struct attendance_row *row;              /* as it stands in the file */
    const struct attendance_fix *fix;              /* what was written over it; NULL: nothing */
    struct str columns[ATTENDANCE_RESULT_COLUMNS]; /* values of 結果, 理由, 説明, 直し方 */
};

/*
 * A row, padded or cut to the header. What cannot be read becomes U+FFFD. Mended cells without a
 * column in the file are not there.
 */
void attendance_result_line(struct buf *out, struct arena *arena,
                            const struct attendance_header *header,
                            const struct attendance_result *result);
