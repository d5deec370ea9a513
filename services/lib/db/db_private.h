/*
 * db_private: what the files of lib/db share. Nobody else includes it.
 *
 *   db.c          the pool: queue of batches, which connection runs what, figures
 *   db_connect.c  making connections, one at a time, with back-off
 *   db_conn.c     one connection: bytes in and out, deadline, loss
 *   db_run.c      one batch on one connection: what is sent, which answer belongs to what
 *   db_stmt.c     prepared statements by parameter types
 *   db_batch.c, db_array.c   parameters        db_result.c   answers
 *   db_error.c    SQLSTATE to enum err
 */
#pragma once
#include <libpq-fe.h>

#include "db/db.h"

enum {
    DB_PARAMS_MAX = 64,
    /* Of one parameter; far below what libpq can count. */
    DB_PARAM_BYTES_MAX = 256 * 1024 * 1024,
    DB_DETAIL_BYTES = 128,
    DB_STMT_NAME_BYTES = 60, /* PostgreSQL cuts names at 63 */
    DB_STMT_BUCKETS = 256,
    DB_STMT_VARIANTS_MAX = 32, /* of one statement */
};

/* Type numbers of PostgreSQL; fixed for ever. */
enum db_type {
    DB_TYPE_UNKNOWN = 0,
    DB_TYPE_BOOL = 16,
    DB_TYPE_BYTEA = 17,
    DB_TYPE_CHAR = 18,
    DB_TYPE_NAME = 19,
    DB_TYPE_INT8 = 20,
    DB_TYPE_INT2 = 21,
    DB_TYPE_INT4 = 23,
    DB_TYPE_TEXT = 25,
    DB_TYPE_JSON = 114,
    DB_TYPE_UNKNOWN_TEXT = 705,
    DB_TYPE_INT2_ARRAY = 1005,
    DB_TYPE_INT4_ARRAY = 1007,
    DB_TYPE_TEXT_ARRAY = 1009,
    DB_TYPE_INT8_ARRAY = 1016,
    DB_TYPE_BPCHAR = 1042,
    DB_TYPE_VARCHAR = 1043,
    DB_TYPE_DATE = 1082,
    DB_TYPE_DATE_ARRAY = 1182,
    DB_TYPE_TIMESTAMPTZ = 1184,
    DB_TYPE_TIMESTAMPTZ_ARRAY = 1185,
    DB_TYPE_UUID = 2950,
    DB_TYPE_UUID_ARRAY = 2951,
    DB_TYPE_JSONB = 3802,
    DB_TYPE_JSONB_ARRAY = 3807,
    DB_TYPE_FIRST_OWN = 16384, /* types that the database itself defines: enums */
};

/* PostgreSQL counts days and microseconds from 2000-01-01. */
enum { DB_EPOCH_DAYS = 10957 };
#define DB_EPOCH_US (INT64_C(10957) * CLOCK_DAY_S * CLOCK_SECOND_US)

/* A statement together with the parameter types it is prepared with. */
struct db_variant {
    struct db_variant *next; /* in its bucket, newest first */
    const struct db_stmt *stmt;
    unsigned id; /* index into each connection's `prepared` */
    int param_count;
    Oid types[DB_PARAMS_MAX];
    char name[DB_STMT_NAME_BYTES];
};

struct db_query {
    struct db_query *next;
    struct db_batch *batch;
    const struct db_stmt *stmt;
    const struct db_variant *variant; /* chosen when it is sent */
    PGresult *result;                 /* released with the batch's arena */
    int param_count;
    int param_room;
    Oid *types;
    const char **values;
    int *lengths;
};

struct db_batch {
    struct arena *arena;
    struct db_query *head;
    struct db_query *tail;
    size_t count;
    bool transaction; /* BEGIN and COMMIT around it */
    bool patient;     /* gives way */
    bool counted;     /* patient, and holds a connection */
    void *tag;        /* of the library above */
    char detail[DB_DETAIL_BYTES];
    /* while it runs */
    struct flow *flow;
    struct db_batch *waiting_next;
    uint64_t number;      /* counts from 1 in its pool */
    uint64_t deadline_ms; /* monotonic */
    uint64_t queued_us;
};

/* Oldest first. */
struct db_queue {
    struct db_batch *head;
    struct db_batch *tail;
    unsigned count;
};

enum conn_state {
    CONN_NONE, /* not connected */
    CONN_CONNECTING,
    CONN_IDLE,
    CONN_BUSY,     /* runs a batch */
    CONN_CLEANING, /* ends the transaction that a failed batch left open */
};

/* Whose answer comes next. */
enum conn_phase { PHASE_PREPARE, PHASE_BEGIN, PHASE_QUERY, PHASE_COMMIT, PHASE_SYNC };

struct db_conn {
    struct db_pool *pool;
    enum conn_state state;
    PGconn *pg;
    struct evfd *evfd;
    struct timer timer; /* of connecting, of the batch, of cleaning */
    bool *prepared;     /* by variant id */
    size_t prepared_count;
    /* while BUSY or CLEANING */
    struct db_batch *batch;
    enum conn_phase phase;
    const struct db_variant **preparing; /* sent in this batch, in order */
    size_t preparing_count;
    size_t preparing_room;
    size_t prepared_next;   /* of `preparing`: whose answer comes next */
    struct db_query *query; /* PHASE_QUERY: whose answer comes next */
    bool null_next;         /* libpq ends each answer with a NULL */
    bool commit_sent;       /* COMMIT was given to libpq: it may reach the server */
    bool committed;         /* ... and was answered */
    bool stale;             /* prepared statements went bad: connect again */
    enum err err;           /* first error of the batch */
    struct err_note note;
};

struct db_pool {
    struct loop *loop;
    char *dsn;
    char *application;
    char *pg_options;    /* -c ... for the server */
    struct arena *arena; /* statements made while running */
    unsigned connections;
    unsigned waiting_max;
    struct db_conn *conns; /* `connections` of them */
    unsigned wanted;       /* the first so many are kept connected */
    unsigned up;
    struct db_conn *connecting;
    bool reconnect_armed;
    bool lost;         /* a connection was lost since the last attempt */
    unsigned failures; /* attempts to connect that failed in a row */
    struct timer reconnect;
    struct timer expiry; /* of the batches that wait */
    uint64_t expiry_ms;  /* when it fires; 0 when it is stopped */
    struct err_note last_error;
    struct db_queue waiting[2]; /* ordinary batches; those that give way */
    unsigned patient_busy;      /* connections that those have */
    uint64_t batches_begun;
    uint64_t batches; /* ended */
    uint64_t errors;
    uint64_t deadlocks;
    struct metric_histogram wait;
    struct db_variant *variants[DB_STMT_BUCKETS];
    unsigned variant_count;
    db_fault_fn fault;
    void *fault_arg;
    bool closing;
    unsigned timers_open;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* db.c */
/* A connection became idle: give it the next batch. */
void db_pool_idle(struct db_pool *pool);
/* Nothing is connected and the last attempt failed: those who wait go away with ERR_DB_DOWN. */
void db_pool_down(struct db_pool *pool);
/* Count and resume; `err` may be ERR_OK. */
void db_batch_end(struct db_pool *pool, struct db_batch *batch, enum err err,
                  const struct err_note *note);

/* db_connect.c */
char *db_connect_options(const struct db_options *options);
/* Connect what is wanted and missing, now or when the back-off is over. */
void db_connect_more(struct db_pool *pool);
void db_connect_timer(void *arg);
void db_connect_poll(struct db_conn *conn);
/* The attempt failed; `why` may be NULL. */
void db_connect_failed(struct db_conn *conn, const char *why);

/* db_conn.c */
void db_conn_init(struct db_conn *conn, struct db_pool *pool);
void db_conn_ready(void *arg, int events);
void db_conn_flush(struct db_conn *conn);
/* The connection is of no use any more: its batch ends, it is made anew. */
void db_conn_lost(struct db_conn *conn, enum err err, const char *why);
/* Let go of socket and session. */
void db_conn_drop(struct db_conn *conn);

/* db_run.c */
void db_run_start(struct db_conn *conn, struct db_batch *batch);
/* Take what has arrived. */
void db_run_results(struct db_conn *conn);

/* db_stmt.c */
const struct db_variant *db_variant_of(struct db_pool *pool, const struct db_query *query);
void db_variants_free(struct db_pool *pool);
bool db_prepared(const struct db_conn *conn, const struct db_variant *variant);
void db_prepared_set(struct db_conn *conn, const struct db_variant *variant, bool prepared);

/* db_batch.c */
/* NULL bytes: SQL NULL. The bytes are borrowed from the arena. */
void db_param(struct db_query *query, enum db_type type, const void *bytes, size_t len);

/* db_error.c */
/* What a failed answer means, the words for the log and the detail of the batch. */
enum err db_error_read(const struct db_conn *conn, const PGresult *result, const char *what,
                       struct err_note *note, char detail[DB_DETAIL_BYTES]);
/* The session's prepared statements do not fit the tables any more. */
bool db_error_is_stale(const PGresult *result);
