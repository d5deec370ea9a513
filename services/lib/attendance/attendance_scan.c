/*
 * attendance_scan: the phases of reading a file. Sniff its first bytes, find the header, then go
 * through the rows. Most refusals count only at the end, for a graver one may still come.
 */
#include "attendance/attendance_scan.h"

#include <string.h>

#include "attendance/attendance_scan_private.h"

/* Another build's struct is of another size or version. */
enum { SCAN_LAYOUT = 0x53430000 + (int)(sizeof(struct attendance_scan) % 0x8000) };

/* Whom to tell of chunks. */
struct listener {
    attendance_chunk_fn chunk;
    void *arg;
};

void attendance_scan_init(struct attendance_scan *scan,
                          const struct attendance_scan_options *options)
{
    memset(scan, 0, sizeof(*scan));
    scan->layout = SCAN_LAYOUT;
    scan->options = *options;
    scan->head_line = 1;
    must(options->chunk_rows_max > 0);
}

void scan_refuse_now(struct attendance_scan *scan, struct attendance_refusal refusal)
{
    scan->refusal = refusal;
    scan->phase = PHASE_REFUSED;
    scan->encoding = ENCODING_UNKNOWN;
    scan->delimiter = '\0';
    scan->header_offset = 0;
    scan->header_line = 0;
    scan->header_len = 0;
    scan->rows_total = 0;
    scan->chunks_total = 0;
}

void scan_refuse(struct attendance_scan *scan, struct attendance_refusal refusal)
{
    /* The codes of refusals stand in their order of precedence. */
    if (refusal.code == CODE_NONE || scan->header_unreadable)
        return;
    if (scan->refusal.code == CODE_NONE || refusal.code < scan->refusal.code)
        scan->refusal = refusal;
}

static void tell_chunk(struct attendance_scan *scan, const struct listener *listener)
{
    if (scan->chunk.rows > 0 && scan->refusal.code == CODE_NONE) {
        scan->chunk.chunk_no = scan->chunks_total++;
        listener->chunk(listener->arg, &scan->chunk);
    }
    memset(&scan->chunk, 0, sizeof(scan->chunk));
}

/* A row of data: into the open chunk, or into a new one. */
static void add_row(struct attendance_scan *scan, const struct csv_row *row,
                    const struct listener *listener)
{
    struct attendance_chunk *chunk = &scan->chunk;
    const uint64_t end = row->offset + row->length;

    scan->rows_total++;
    if (chunk->rows > 0 && (chunk->rows >= scan->options.chunk_rows_max ||
                            end - chunk->offset > scan->options.chunk_bytes_max))
        tell_chunk(scan, listener);
    if (chunk->rows == 0) {
        chunk->offset = row->offset;
        chunk->first_row = scan->rows_total;
        chunk->first_line = row->line;
    }
    chunk->rows++;
    chunk->length = (uint32_t)(end - chunk->offset);
}

static void take_row(struct attendance_scan *scan, const struct csv_row *row,
                     const struct listener *listener)
{
    const bool blank = scan_is_blank(scan, row);

    if (row->length > ATTENDANCE_LINE_BYTES_MAX) {
        const bool line = row->line_bytes > ATTENDANCE_LINE_BYTES_MAX;

        scan_refuse(scan,
                    (struct attendance_refusal){.code = CODE_LINE_TOO_LONG,
                                                .line = line ? row->longest_line : row->line});
    }
    if (!blank)
        scan->only_blanks = false;
    scan->header_open = false;
    if (!blank && scan->refusal.code == CODE_NONE)
        add_row(scan, row, listener);
}

static void feed_body(struct attendance_scan *scan, struct str slice,
                      const struct listener *listener)
{
    struct csv_row row;
    enum csv_event event;

    while ((event = csv_scan_next(&scan->csv, &slice, &row)) != CSV_MORE) {
        if (event == CSV_NUL) {
            scan_refuse_now(
                scan, (struct attendance_refusal){.code = CODE_NOT_TEXT_NUL, .line = row.line});
            return;
        }
        take_row(scan, &row, listener);
    }
}

/* Look for the header in what the head holds; the rest of it may be rows already. */
static void try_head(struct attendance_scan *scan, bool at_end, const struct listener *listener)
{
    size_t used;

    scan_head(scan, at_end, &used);
    if (scan->phase == PHASE_BODY)
        feed_body(scan, (struct str){scan->head + used, scan->head_len - used}, listener);
    if (scan->phase != PHASE_HEAD)
        scan->head_len = 0;
}

/* The first bytes are there: are they text, and do they begin with a byte order mark? */
static void sniff(struct attendance_scan *scan)
{
    const struct str start = {scan->head, scan->head_len};
    const enum not_text kind = attendance_sniff(start);

    if (kind != NOT_TEXT_NONE) {
        scan_refuse_now(scan, (struct attendance_refusal){
                                  .code = CODE_NOT_TEXT, .line = 1, .not_text = (uint8_t)kind});
        return;
    }
    if (str_starts(start, STR("\xEF\xBB\xBF"))) {
        scan->detect.encoding = ENCODING_UTF8;
        scan->head_offset = 3;
        scan->head_len -= 3;
        memmove(scan->head, scan->head + 3, scan->head_len);
    }
    encoding_detect_feed(&scan->detect, (struct str){scan->head, scan->head_len});
    scan->phase = PHASE_HEAD;
}

/* Move what fits from the slice into the head. */
static void fill_head(struct attendance_scan *scan, struct str *slice, size_t most)
{
    size_t len = most - scan->head_len;

    if (len > slice->len)
        len = slice->len;
    memcpy(scan->head + scan->head_len, slice->data, len);
    scan->head_len += (uint32_t)len;
    slice->data += len;
    slice->len -= len;
}

/* Only a line's end or a full head can change what the head says. */
static bool head_is_worth_a_look(const struct attendance_scan *scan, uint32_t from)
{
    if (scan->head_len == sizeof(scan->head))
        return true;
    for (uint32_t i = from; i < scan->head_len; i++) {
        if (scan->head[i] == '\n' || scan->head[i] == '\r')
            return true;
    }
    /* A CR that was held back for its LF. */
    return from > 0 && scan->head[from - 1] == '\r';
}

enum attendance_scan_status attendance_scan_feed(struct attendance_scan *scan, struct str slice,
                                                 attendance_chunk_fn chunk, void *arg)
{
    const struct listener listener = {chunk, arg};

    must(scan->phase != PHASE_DONE);
    if (scan->phase == PHASE_SNIFF) {
        fill_head(scan, &slice, ATTENDANCE_SNIFF_BYTES);
        if (scan->head_len < ATTENDANCE_SNIFF_BYTES)
            return SCAN_MORE;
        sniff(scan);
        if (scan->phase == PHASE_HEAD)
            try_head(scan, false, &listener);
    }
    /* Ahead of the rows, so that a row's end finds its line's encoding settled. */
    if (scan->phase != PHASE_REFUSED)
        encoding_detect_feed(&scan->detect, slice);
    while (scan->phase == PHASE_HEAD && slice.len > 0) {
        const uint32_t from = scan->head_len;

        fill_head(scan, &slice, sizeof(scan->head));
        if (head_is_worth_a_look(scan, from))
            try_head(scan, false, &listener);
    }
    if (scan->phase == PHASE_BODY)
        feed_body(scan, slice, &listener);
    return scan->phase == PHASE_REFUSED ? SCAN_REFUSED : SCAN_MORE;
}

/* The last row, and what only the end can show. */
static void end_body(struct attendance_scan *scan, const struct listener *listener)
{
    const bool header_open = scan->header_open;
    struct csv_row row;
    enum csv_event event = csv_scan_end(&scan->csv, &row);

    if (event == CSV_ROW)
        take_row(scan, &row, listener);
    if (event == CSV_UNCLOSED) {
        const struct attendance_refusal refusal = {.code = CODE_UNCLOSED_QUOTE,
                                                   .line = scan->csv.quote_line};

        scan->only_blanks = false;
        scan_refuse(scan, refusal);
        if (header_open)
            scan->refusal = refusal;
    }
    if (scan->header_unreadable && scan->only_blanks)
        scan->refusal = (struct attendance_refusal){.code = CODE_FILE_EMPTY};
}

enum attendance_scan_status attendance_scan_end(struct attendance_scan *scan,
                                                attendance_chunk_fn chunk, void *arg)
{
    const struct listener listener = {chunk, arg};

    must(scan->phase != PHASE_DONE);
    if (scan->phase == PHASE_SNIFF)
        sniff(scan);
    if (scan->phase == PHASE_REFUSED)
        return SCAN_REFUSED;
    scan->encoding = encoding_detect_end(&scan->detect);
    if (scan->phase == PHASE_HEAD)
        try_head(scan, true, &listener);
    if (scan->phase == PHASE_HEAD) /* nothing but blanks */
        scan->refusal = (struct attendance_refusal){.code = CODE_FILE_EMPTY};
    if (scan->phase == PHASE_BODY)
        end_body(scan, &listener);
    if (scan->refusal.code != CODE_NONE) {
        scan_refuse_now(scan, scan->refusal);
        return SCAN_REFUSED;
    }
    tell_chunk(scan, &listener);
    scan->phase = PHASE_DONE;
    return SCAN_DONE;
}

struct str attendance_scan_save(const struct attendance_scan *scan)
{
    return (struct str){(const char *)scan,
                        offsetof(struct attendance_scan, head) + scan->head_len};
}

bool attendance_scan_load(struct attendance_scan *scan, struct str saved)
{
    const size_t least = offsetof(struct attendance_scan, head);

    if (saved.len < least || saved.len > sizeof(*scan))
        return false;
    memset(scan, 0, sizeof(*scan));
    memcpy(scan, saved.data, saved.len);
    return scan->layout == SCAN_LAYOUT && saved.len == least + scan->head_len;
}
