/*
 * attendance_rows: the bytes of one chunk as rows of cells, numbered as the scan numbers them.
 */
#pragma once
#include "attendance/attendance_header.h"

struct attendance_row {
    uint32_t row_no;   /* counts rows of data from 1 */
    uint32_t line_no;  /* physical line where the row begins */
    uint32_t fields;   /* without surplus empty ones */
    bool field_count;  /* problem: their number is not the header's */
    bool bad_encoding; /* problem: bytes that are nothing in the file's encoding; cells are empty */
    struct str raw;    /* as it stands in the file, without its line end */
    /*
     * Trimmed, unescaped (attendance_unescape) UTF-8. No data: there is no such column. Only with
     * neither of the two problems.
     */
    struct str cells[COLUMN_COUNT];
};

struct attendance_rows {
    struct attendance_row *list;
    size_t count;
};

/*
 * Memory: the rows live in the arena and borrow `bytes`, the chunk's own.
 * A chunk pointer that does not fit its bytes gives another number of rows than chunk->rows.
 */
void attendance_rows_read(struct arena *arena, const struct attendance_header *header,
                          const struct attendance_chunk *chunk, struct str bytes,
                          struct attendance_rows *ret_rows);
