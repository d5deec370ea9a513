/*
 * shape: JSON of a known shape to and from C structs, by tables that scripts/gen_proto.py makes
 * from proto/. Every limit of the contract is checked: nothing longer, larger or other than it says
 * comes through. No I/O; any thread, one thread at a time for one document.
 */
#pragma once
#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "gen/codes.h"

enum {
    SHAPE_DEPTH_MAX = 16,     /* levels of arrays and objects */
    SHAPE_TOKENS_MAX = 20000, /* values and keys of one request body */
    SHAPE_PARAMS_MAX = 3,
    SHAPE_POINTER_BYTES_MAX = 300,
};

/* What is wrong with one place of a document. */
struct body_problem {
    const char *pointer; /* JSON pointer, "" for the whole; lives in the arena */
    enum code code;
    struct code_param params[SHAPE_PARAMS_MAX]; /* for code_render(); values live in the arena */
    size_t params_count;
};

/*
 * Read JSON text: UTF-8, no key twice, at most SHAPE_DEPTH_MAX levels and `tokens_max` tokens,
 * which are counted before anything is built.
 *
 * Memory: the document lives as long as the arena.
 * Errors: ERR_JSON with `*ret_problem` filled (json_syntax, json_too_deep, ...).
 */
CHECKED enum err shape_parse(struct arena *arena, struct str text, size_t tokens_max,
                             json_t **ret_json, struct body_problem *ret_problem);

/* ---- the tables ---- */

enum shape_type {
    SHAPE_TEXT,   /* struct str; absent or null: data NULL */
    SHAPE_UUID,   /* struct uuid */
    SHAPE_DAY,    /* day_t; absent or null: DAY_NONE */
    SHAPE_TIME,   /* int64_t microseconds; absent or null: INT64_MIN */
    SHAPE_INT,    /* int64_t */
    SHAPE_BOOL,   /* bool */
    SHAPE_OBJECT, /* the struct itself, or with SHAPE_POINTER a pointer to it, NULL when absent */
    SHAPE_LIST,   /* pointer to the items, and a size_t */
    SHAPE_JSON,   /* json_t *, any object, borrowed from the document; NULL when absent or null */
};

enum shape_flag {
    SHAPE_REQUIRED = 1,
    SHAPE_NULLABLE = 2,
    SHAPE_HAS = 4,        /* a bool at `beside` says whether there is a value */
    SHAPE_POINTER = 8,    /* see SHAPE_OBJECT */
    SHAPE_MULTILINE = 16, /* line breaks and tabs may stand in the text */
    SHAPE_CONTROL = 32,   /* any character may stand in the text */
};

/* A run of characters of a pattern: which ASCII characters, how many. */
struct shape_run {
    uint64_t low, high; /* bit n: character n, character 64 + n */
    uint16_t least, most;
};

struct shape_pattern {
    const struct shape_run *runs;
    size_t count;
};

struct shape;

struct shape_field {
    const char *name;
    enum shape_type type;
    unsigned flags;
    size_t offset; /* in the struct */
    size_t beside; /* of the bool of SHAPE_HAS, or of a list's count */
    int64_t least; /* characters, value or items; for SHAPE_JSON members */
    int64_t most;
    const struct shape_pattern *pattern;
    const char *const *values;      /* the only texts allowed, ended by NULL */
    const char *example;            /* of a well-formed text */
    const struct shape *object;     /* of SHAPE_OBJECT */
    const struct shape_field *item; /* of SHAPE_LIST; of SHAPE_JSON: all members are such texts */
    size_t item_bytes;              /* of SHAPE_LIST */
};

/* Two lists of one struct that are equally long: fields, by place in the table. */
struct shape_rule {
    size_t left;
    size_t right;
};

struct shape {
    const char *name;
    size_t bytes; /* of the struct */
    const struct shape_field *fields;
    size_t count;
    const struct shape_rule *rules;
    size_t rule_count;
    bool closed; /* members beside the fields are a problem; otherwise ignored */
};

/*
 * Fill `out` (of shape->bytes) from `json`. All problems are looked for; the first `problems_max`
 * are described. With problems `out` is not to be used.
 *
 * Memory: texts are copied into the arena when the shape is closed, otherwise borrowed from `json`.
 * Errors: ERR_SCHEMA.
 */
CHECKED enum err shape_decode(struct arena *arena, const struct shape *shape, json_t *json,
                              void *out, struct body_problem *problems, size_t problems_max,
                              size_t *ret_count);
/* The same for events: the first problem goes into `note` (may be NULL). */
CHECKED enum err shape_decode_event(struct arena *arena, const struct shape *shape, json_t *json,
                                    void *out, struct err_note *note);
/*
 * A new document from a struct. Optional fields without a value are left out, required ones that
 * may be null are null. Texts have to be UTF-8. JSON members are borrowed from the struct.
 */
json_t *shape_encode(const struct shape *shape, const void *value);
/* A document as compact JSON text in the arena; takes the reference to `json`. */
struct str shape_print(struct arena *arena, json_t *json);

/*
 * One text against a field of SHAPE_TEXT, SHAPE_UUID, SHAPE_DAY, SHAPE_TIME, SHAPE_INT or
 * SHAPE_BOOL, as it stands in an address: CODE_NONE when it fits.
 */
enum code shape_text_check(const struct shape_field *field, struct str text);
