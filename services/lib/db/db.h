/*
 * db: a pool of PostgreSQL connections on one event loop, libpq in pipeline mode. Loop thread only.
 * Batches run in arrival order on the first idle connection, patient ones after all others; of
 * either kind at most `waiting_max` may wait.
 * Results and parameters are binary; PGconn and PGresult never leave this library.
 *
 * Sessions have TimeZone Asia/Tokyo, so a cast of timestamptz to date gives the day in Japan.
 */
#pragma once
#include "base/clock.h"
#include "base/metric.h"
#include "base/uuid.h"
#include "flow/flow.h"

struct db_pool;

struct db_options {
    const char *dsn;         /* libpq connection string: Unix socket or hostaddr, no host names */
    const char *application; /* application_name */
    unsigned connections;
    unsigned waiting_max;
    uint32_t statement_timeout_ms;
};

/*
 * Connects from the loop: one connection at once, the others when batches wait for them; and again,
 * with jittered back-off, whenever one is lost. The options are copied.
 */
struct db_pool *db_open(struct loop *loop, const struct db_options *options);
/*
 * Ends connections; `closed(arg)` from the loop when all handles are gone. Batches that wait end
 * with ERR_STOPPING, those that run as if the connection were lost.
 */
void db_close(struct db_pool *pool, void (*closed)(void *arg), void *arg);
/* True while some connection is up. */
bool db_up(const struct db_pool *pool);
/* Figures for the metrics. */
struct db_stats {
    unsigned connections; /* at most */
    unsigned connections_up, busy, waiting;
    uint64_t batches, errors;     /* ended, and how many of them with an error */
    uint64_t deadlocks;           /* of the errors: the server broke a deadlock by ending ours */
    struct metric_histogram wait; /* for a connection, by the batches that got one */
};
void db_stats(const struct db_pool *pool, struct db_stats *ret_stats);
/* How many patient batches run at once: one connection is left to the others if there are more. */
unsigned db_patient_max(const struct db_pool *pool);

/*
 * For tests: asked for each batch (numbered from 1 in the order of db_run()) before it is sent,
 * when an error makes it fail without effect, and after it worked, when an error hides that it has
 * taken effect. NULL turns it off.
 */
typedef enum err (*db_fault_fn)(void *arg, uint64_t batch_number, bool after_commit);
void db_set_fault(struct db_pool *pool, db_fault_fn fault, void *arg);

/* Memory that lives as long as the pool: for statements whose text is known only when running. */
struct arena *db_arena(struct db_pool *pool);

/* A named statement, prepared on each connection at first use. Static storage, or db_arena(). */
struct db_stmt {
    const char *name; /* unique in the process */
    const char *sql;  /* with casts where a type is not plain: $1::bigint[] */
};

/* Statements that run together: explicit BEGIN .. COMMIT in one pipeline, one round trip. */
struct db_batch;
struct db_query;
struct db_result;

struct db_batch *db_batch_new(struct arena *arena);
/* Without BEGIN/COMMIT: for a single read. */
struct db_batch *db_batch_read(struct arena *arena);
/*
 * For work in bulk, before db_run(): it runs after all others that wait, and all such batches
 * together leave one connection to the others, as the others leave one to them.
 */
void db_batch_patient(struct db_batch *batch);
/* Append a statement; parameters follow in order. The query lives in the batch's arena. */
struct db_query *db_add(struct db_batch *batch, const struct db_stmt *stmt);
size_t db_batch_count(const struct db_batch *batch);
/* The arena that the batch, its queries and its results live in. */
struct arena *db_batch_arena(struct db_batch *batch);
/* A pointer that belongs to the library above (lib/work keeps emitted events there); NULL at first.
 */
void **db_batch_tag(struct db_batch *batch);

/*
 * Parameters, copied into the batch's arena, at most 64 a statement. Types must equal what the
 * statement expects: each is sent with its type, so cast in the SQL where a column differs. Only
 * db_null() has no type; the server takes it from the statement. Views with data NULL give NULL.
 */
void db_null(struct db_query *query);
void db_bool(struct db_query *query, bool value);
void db_i16(struct db_query *query, int16_t value);
void db_i32(struct db_query *query, int32_t value);
void db_i64(struct db_query *query, int64_t value);
void db_text(struct db_query *query, struct str value);
void db_text_c(struct db_query *query, const char *value); /* NULL gives NULL */
void db_bytes(struct db_query *query, struct str value);
void db_uuid(struct db_query *query, struct uuid value);
void db_day(struct db_query *query, day_t value);       /* date; DAY_NONE gives NULL */
void db_time(struct db_query *query, int64_t time_us);  /* timestamptz; INT64_MIN gives NULL */
void db_json(struct db_query *query, struct str value); /* jsonb */
void db_i16_array(struct db_query *query, const int16_t *values, size_t count);
void db_i32_array(struct db_query *query, const int32_t *values, size_t count);
void db_i64_array(struct db_query *query, const int64_t *values, size_t count);
void db_day_array(struct db_query *query, const day_t *values, size_t count); /* DAY_NONE: NULL */
void db_time_array(struct db_query *query, const int64_t *values, size_t count);
void db_text_array(struct db_query *query, const struct str *values,
                   size_t count); /* data NULL: NULL */
void db_uuid_array(struct db_query *query, const struct uuid *values, size_t count);
void db_json_array(struct db_query *query, const struct str *values, size_t count); /* jsonb[] */
/* An i64 array whose INT64_MIN entries are NULL. */
void db_i64_null_array(struct db_query *query, const int64_t *values, size_t count);

/*
 * Run a batch and resume `flow` when it ends: all statements worked and (unless a read) COMMIT was
 * answered, or none has an effect. The same batch may be run again after an error. Without a
 * statement it ends well and the server hears nothing.
 *
 * Units:   `deadline_ms` counts from now and includes time spent waiting.
 * Memory:  borrows `batch` until resume; results live in its arena.
 * Errors:  ERR_BUSY (queue full), ERR_TIMEOUT (also the server's limits on statements and locks),
 *          ERR_DB_CONFLICT (serialization, deadlock, unique violation; the note names the
 *          constraint), ERR_DB_DOWN (also out of disk, connections), ERR_DB_UNKNOWN (connection
 * lost or deadline passed after COMMIT was sent: the effect may or may not be there),
 *          ERR_DB_REFUSED (any other server error), ERR_FENCED (SQLSTATE MA001: another worker owns
 *          the partition), ERR_STOPPING (after db_close()).
 *          While nothing is connected and the last attempt failed, ERR_DB_DOWN comes at once.
 */
void db_run(struct db_pool *pool, struct db_batch *batch, uint64_t deadline_ms, struct flow *flow);
/* Constraint or SQLSTATE of the last failed run of this batch, "" when none. */
const char *db_batch_error_detail(const struct db_batch *batch);

/* Results after a good run. A getter stops the process when the column has another type. */
const struct db_result *db_result(const struct db_query *query);
size_t db_rows(const struct db_query *query);
int64_t db_affected(const struct db_query *query);
bool db_is_null(const struct db_query *query, size_t row, int column);
bool db_get_bool(const struct db_query *query, size_t row, int column);
int16_t db_get_i16(const struct db_query *query, size_t row, int column);
int32_t db_get_i32(const struct db_query *query, size_t row, int column);
/* Also reads int2 and int4 columns. NULL gives 0: ask db_is_null() first where that matters. */
int64_t db_get_i64(const struct db_query *query, size_t row, int column);
struct str db_get_text(const struct db_query *query, size_t row, int column); /* NULL: STR_NONE */
struct str db_get_bytes(const struct db_query *query, size_t row, int column);
struct str db_get_json(const struct db_query *query, size_t row, int column); /* text of jsonb */
struct uuid db_get_uuid(const struct db_query *query, size_t row, int column);
day_t db_get_day(const struct db_query *query, size_t row, int column);    /* NULL: DAY_NONE */
int64_t db_get_time(const struct db_query *query, size_t row, int column); /* NULL: INT64_MIN */
/* An int8[], int4[] or int2[] column, without NULLs, in the batch's arena. */
size_t db_get_i64_array(const struct db_query *query, size_t row, int column, const int64_t **ret);
