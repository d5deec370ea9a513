/*
 * gateway_result: what the files of result.csv share. It is made piece by piece, each of rows of
 * one chunk.
 */
#pragma once
#include "attendance/attendance_cells.h"
#include "attendance/attendance_result.h"
#include "attendance/attendance_rows.h"
#include "gateway/gateway_call.h"

enum {
    RESULT_PIECE_BYTES = 224 * 1024, /* the row that comes to so many ends a piece */
    RESULT_TOLD_MAX = 640,           /* rows read for a piece, of each of `rows` and `fixes` */
};

struct result {
    bool only_fix;
    int64_t upload_no; /* another one once a dry run is posted */
    struct attendance_header header;
    uint32_t more; /* columns which the file lacks and rows were mended in */
    int32_t chunks_total;
    int32_t chunk_no;
    struct attendance_chunk rest; /* of that chunk, behind earlier pieces; no rows: all of it */
    struct arena *arena;          /* of one piece */
    struct db_batch *batch;
    struct db_query *pointer, *parts, *rows, *fixes;
    struct buf lines; /* the piece */
    size_t written;   /* of these lines */
};

/* What was written over a row, as the database keeps it. Memory: lives in the arena. */
void result_fix(struct arena *arena, struct str kept, struct attendance_fix *ret_fix);
/*
 * Appends rows to result->lines until the piece is full; `*ret_count`: how many of these rows came
 * to their turn. False: a row was mended meanwhile in a column that the header line does not have.
 */
bool result_put(const struct call *call, struct result *result, const struct attendance_rows *rows,
                size_t *ret_count);
