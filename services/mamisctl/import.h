/*
 * import: what the three kinds of import share. A file is read whole and checked line by line;
 * everything wrong is shown with line, column, value and cure; nothing is taken unless all lines
 * are good, or --keep-good takes the good ones and writes the others to a file.
 */
#pragma once
#include "mamisctl/mamisctl.h"
#include "text/csv.h"

enum {
    IMPORT_FILE_BYTES_MAX = 256 * 1024 * 1024,
    IMPORT_COLUMNS_MAX = 32,
    IMPORT_PROBLEMS_SHOWN_MAX = 10000,
    IMPORT_SLICE_ROWS = 1000, /* of one statement's arrays */
    /* Of one transaction: its events, up to four a row, find room in the queues of lib/work and
       bus. */
    IMPORT_PART_ROWS = 5000,
    IMPORT_TRIES_MAX = 5, /* when somebody changed the same rows meanwhile */
};

struct import_column {
    const char *name;
    bool needed;      /* the header must name it */
    size_t bytes_max; /* of a value */
};

/* What a good row does to the database; IMPORT_SAME rows are not written. */
enum import_change { IMPORT_SAME, IMPORT_CHANGED, IMPORT_NEW };

struct import_postcards;

struct import_problem {
    uint32_t line;
    uint32_t order; /* in which it was found */
    const char *words;
};

struct import_row {
    uint32_t line;
    bool bad;
    enum import_change change; /* set by load() */
    struct str raw;            /* the line as it stands, for --keep-good */
    struct str *fields;        /* one for each column of the table, trimmed; empty when absent */
    void *item;                /* what check() made of the fields */
    const char *changes;       /* in a preview: what it changes, for people; NULL: nothing */
};

struct import_file {
    struct tool *tool;
    struct arena *arena; /* lives as long as the file */
    const struct import_column *columns;
    size_t column_count;
    struct import_row *rows;
    size_t row_count;
    struct str header;               /* as it stands */
    struct import_problem *problems; /* at most IMPORT_PROBLEMS_SHOWN_MAX */
    size_t problem_count;            /* found, also beyond what is kept */
    size_t bad_rows;
    /* The rows that write() looks at: one transaction. */
    size_t part_first;
    size_t part_end;
    struct str seminar_written;         /* the last one, since its lines may lie in two parts */
    const char *password_hash;          /* of --password-for-tests, hashed once */
    struct import_postcards *postcards; /* NULL until one is made */
    bool preview;                       /* nothing is written: what changes is noted */
};

/* What the command line asked for. */
struct import_options {
    const char *path;
    const char *keep_good; /* where bad lines go; NULL: nothing is taken unless all are good */
    const char *postcards; /* NULL: none */
    const char *password_for_tests; /* NULL: none */
    bool resume;                    /* the postcards' file is there: go on in it */
};

/* One kind of import. */
struct import_kind {
    const char *name; /* "members" */
    const struct import_column *columns;
    size_t column_count;
    const char *service;       /* whose outbox takes the events */
    const char *const *topics; /* where they go */
    size_t topic_count;
    /* Look at every line by itself and at lines together; rows get their items. */
    void (*check)(struct import_file *file);
    /*
     * Read what the database has, check the good rows against it and decide what changes. Comes
     * again with another arena when somebody changed the same rows before write() could.
     */
    enum err (*load)(struct import_file *file, struct arena *arena, struct err_note *note);
    /* Append statements and events of the good rows of the part to `batch`. */
    enum err (*write)(struct import_file *file, const struct import_options *options,
                      struct db_batch *batch, struct err_note *note);
    /* The part is committed for certain. May be NULL. */
    void (*written)(struct import_file *file);
    /* Lines about what good rows say and was not taken. May be NULL. */
    void (*left)(const struct import_file *file);
    /* More lines for the end of a preview. May be NULL. */
    void (*preview)(const struct import_file *file);
};

extern const struct import_kind import_kind_organisers;
extern const struct import_kind import_kind_seminars;
extern const struct import_kind import_kind_members;

/* ---- import_read.c ---- */

/*
 * Read `bytes` into rows. Problems of single lines are noted; a file that cannot be read at all
 * gives ERR_SCHEMA with words in `note`. Memory: everything lives in the file's arena.
 */
CHECKED enum err import_read(struct import_file *file, struct str bytes, struct err_note *note);
/* Note a problem and mark the row bad. `column` is the index in the table. */
void import_problem(struct import_file *file, struct import_row *row, size_t column,
                    const char *what, const char *cure);
/* The same for the line as a whole. */
void import_line_problem(struct import_file *file, struct import_row *row, const char *what,
                         const char *cure);
/* Print what was noted on standard error, in the order of the lines, and forget it. */
void import_show_problems(struct import_file *file);

/* ---- import_preview.c: what a file would change; only in a preview is anything noted ---- */

/* `old` and `new` may be equal: then nothing is noted. */
void import_note_change(struct import_file *file, struct import_row *row, const char *what,
                        struct str old, struct str new);
void import_note_day(struct import_file *file, struct import_row *row, const char *what, day_t old,
                     day_t new);
/* One line for each row that is new or changes. */
void import_show_changes(const struct import_file *file);

/* ---- import_check.c: checks of single values; each notes its problem and gives false ---- */

#define IMPORT_FIELD(row, column) ((row)->fields[column])

bool import_need(struct import_file *file, struct import_row *row, size_t column);
/* Empty gives DAY_NONE. */
bool import_day(struct import_file *file, struct import_row *row, size_t column, day_t *ret_day);
/* "YYYY-MM-DD HH:MM" in Japan. */
bool import_minute(struct import_file *file, struct import_row *row, size_t column,
                   int64_t *ret_us);
bool import_number(struct import_file *file, struct import_row *row, size_t column, int64_t least,
                   int64_t most, int64_t *ret_number);
/* One of the words in `list`, which ends with NULL; "" stands for an empty field. */
bool import_word(struct import_file *file, struct import_row *row, size_t column,
                 const char *const *list);
/* "01".."47"; empty is fine. */
bool import_l2_code(struct import_file *file, struct import_row *row, size_t column);
/* Letters, digits, - and _; empty is fine. */
bool import_code(struct import_file *file, struct import_row *row, size_t column);
/*
 * No two rows may have the same value, as `value` gives it (empty: not looked at). All but the
 * first get the problem.
 */
void import_unique(struct import_file *file, size_t column,
                   struct str (*value)(const struct import_row *row), const char *cure);
/* The column's field as it stands, for import_unique(): see IMPORT_VALUE. */
#define IMPORT_VALUE(name, column)                                                                 \
    static struct str name(const struct import_row *row)                                           \
    {                                                                                              \
        return IMPORT_FIELD(row, column);                                                          \
    }

/* ---- slices of rows, for statements over arrays ---- */

/* The next rows from `*cursor` on, good or bad, at most IMPORT_SLICE_ROWS. 0 at the end. */
size_t import_slice_all(struct import_file *file, size_t *cursor,
                        struct import_row *out[IMPORT_SLICE_ROWS]);
/* The next good rows of the part that change at least so much; `*cursor` begins at 0. */
size_t import_slice(struct import_file *file, size_t *cursor, enum import_change least,
                    struct import_row *out[IMPORT_SLICE_ROWS]);
/* An array parameter: `value` of each row; what is no UTF-8 is sent empty. */
void import_texts(struct db_query *query, struct import_row *const *rows, size_t count,
                  struct str (*value)(const struct import_row *row));
