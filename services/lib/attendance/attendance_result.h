/*
 * attendance_result: lines of result.csv. The original columns as they stood, then what became of
 * the row; UTF-8 with a byte order mark, commas, CRLF. It may be sent again as it is.
 */
#pragma once
#include "attendance/attendance_header.h"

enum { ATTENDANCE_RESULT_COLUMNS = 4 };

/* The byte order mark and the header line. `arena` is for passing needs. */
void attendance_result_head(struct buf *out, struct arena *arena,
                            const struct attendance_header *header);

/*
 * A row as it stands in the file (attendance_row.raw), padded or cut to the header, and the values
 * of 結果, 理由, 説明, 直し方. What cannot be read becomes U+FFFD.
 */
void attendance_result_line(struct buf *out, struct arena *arena,
                            const struct attendance_header *header, struct str raw,
                            const struct str result[ATTENDANCE_RESULT_COLUMNS]);
