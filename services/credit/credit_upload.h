/*
 * credit_upload: an upload's row and what belongs to it, as the reading step and the chunks need
 * it.
 */
#pragma once
#include "attendance/attendance_judge.h"
#include "credit/credit.h"

enum {
    UPLOAD_PART_BYTES = 256 * 1024, /* as the gateway cuts the file; the last part may be shorter */
    UPLOAD_READ_DEADLINE_MS = 10000,
};

/* Statements of one read, and where their answers lie. */
struct upload_query {
    struct db_query *upload;
    struct db_query *sessions;
};

/* What judging does not need of a session, but events do. */
struct session_words {
    struct str title;
    day_t held_on;
};

struct upload {
    struct uuid id;
    int64_t no;
    struct str seminar_no;
    struct str seminar_title;
    struct str organiser_code;
    struct str file_name;
    bool has_account; /* false: a token sent it */
    struct uuid account_id;
    int64_t received_us;
    int64_t bytes;
    bool dry_run; /* judged only: nothing is posted, nobody is told */
    struct str status;
    bool undo;             /* accepted: nothing of it posts any more */
    struct str header;     /* the header row as it stands, once the file was read */
    struct str scan_state; /* data NULL before the first step */
    struct str encoding;
    struct str delimiter;
    int64_t rows_total;
    int32_t chunks_total;
    int32_t next_chunk;
    int32_t early_chunk;           /* -1: none */
    int64_t counts[OUTCOME_COUNT]; /* by enum outcome */
    bool only;                     /* no other upload has come to posting in this seminar */
    bool cancelled;                /* the seminar */
    struct attendance_seminar seminar;
    const struct session_words *words; /* beside seminar.sessions, both in the order of their ids */
};

/* Append the statements that read upload `id`, its seminar and its sessions. */
void upload_query_add(struct upload_query *query, struct db_batch *batch, struct uuid id);
/* The same; row `row_no` holds no place of a visit, for it is judged again. */
void upload_query_add_without(struct upload_query *query, struct db_batch *batch, struct uuid id,
                              int64_t row_no);
/*
 * Take the answers up; texts borrow them. Errors: ERR_SCHEMA when there is no such upload, or
 * what is stored of its seminar cannot be understood; the note says what.
 */
CHECKED enum err upload_take(const struct upload_query *query, struct uuid id, struct arena *arena,
                             struct upload *ret_upload, struct err_note *note);

/* Place of a session in the seminar; false when it has no such session. */
bool upload_session_place(const struct attendance_seminar *seminar, int64_t session_id,
                          uint32_t *ret_place);

/*
 * Append the statement that reads `length` bytes of the file from `offset` on (both above or equal
 * 0). Its rows are pieces of at most UPLOAD_PART_BYTES in the order of the file.
 */
struct db_query *upload_bytes_add(struct db_batch *batch, struct uuid id, int64_t offset,
                                  int64_t length);
size_t upload_pieces(const struct db_query *query);
struct str upload_piece(const struct db_query *query, size_t at);
/* Errors: ERR_SCHEMA when the file has not as many bytes as were asked for. */
CHECKED enum err upload_bytes_check(const struct db_query *query, int64_t length,
                                    struct err_note *note);
/* All pieces as one; a single one is borrowed. Errors: as upload_bytes_check(). */
CHECKED enum err upload_bytes_take(const struct db_query *query, int64_t length,
                                   struct arena *arena, struct str *ret_bytes,
                                   struct err_note *note);

/* Before it runs: work on a long file, or on so many bytes of it, gives way to others'. */
void upload_give_way(struct db_batch *batch, int64_t bytes);

/* Append the read of the pointers of chunks `first` to `last`. */
struct db_query *upload_chunks_add(struct db_batch *batch, struct uuid id, int64_t first,
                                   int64_t last);
/* The pointer of chunk `chunk_no` among those read; false when it is not there. */
bool upload_chunk_take(const struct db_query *query, int64_t chunk_no,
                       struct attendance_chunk *ret_chunk);
