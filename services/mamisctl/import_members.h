/*
 * import_members: what checking, loading and writing of doctors share. One line is one doctor; the
 * register number is the key.
 */
#pragma once
#include "domain/numbers.h"
#include "mamisctl/import.h"

enum {
    MAMIS_NO,
    REGISTER_NO,
    LICENSED_ON,
    NAME,
    NAME_KANA,
    FORMER_NAME,
    FORMER_NAME_KANA,
    SEX,
    BIRTH_ON,
    EMAIL,
    L1_CODE,
    L2_CODE,
    L3_CATEGORY,
    MY_PAGE,
    OP_NO,
    OP_FROM,
    OP_TO,
    SP_NO,
    SP_FROM,
    SP_TO,
    MEMBER_COLUMNS
};

/* In this order a My Page goes forward; it never goes back, and `closed` is for good. */
enum my_page { MY_PAGE_NONE, MY_PAGE_TEMP, MY_PAGE_PENDING, MY_PAGE_ACTIVE, MY_PAGE_CLOSED };

const char *my_page_name(enum my_page my_page);
enum my_page my_page_of(struct str name);

enum { OP, SP, PROGRAMMES };

struct certificate {
    size_t column;     /* of the number */
    struct str number; /* empty: none */
    day_t from;
    day_t to;
    /* from the database */
    int64_t version; /* 0: not there */
    day_t first_from;
    bool differs; /* has to be written */
};

struct member {
    char register_no[REGISTER_NO_BYTES]; /* without leading zeros */
    struct str mamis_no;                 /* given, found or issued */
    day_t licensed_on;
    day_t birth_on;
    struct str email;
    struct certificate certificates[PROGRAMMES];
    enum my_page my_page; /* what it will be */
    /* from the database */
    int64_t doctor_id;       /* found, or given to a new doctor */
    int64_t version;         /* 0: a new doctor */
    struct str old_names[4]; /* name, kana, former name, former kana */
    bool doctor_differs;
    bool name_differs;
    struct uuid account_id;
    int64_t account_version; /* 0: none yet */
    bool account_differs;    /* has to be written */
    bool wants_account;
    struct str account_state;
    struct str account_step;
    struct str account_name;
    struct str account_email;
    bool account_email_confirmed;
    bool has_postcard; /* a temporary password that is not dead */
};

void members_check(struct import_file *file);
enum err members_load(struct import_file *file, struct arena *arena, struct err_note *note);
enum err members_write(struct import_file *file, const struct import_options *options,
                       struct db_batch *batch, struct err_note *note);
/* Statements for credentials, and the postcards file, which is on disk before this returns. */
enum err members_write_secrets(struct import_file *file, const struct import_options *options,
                               struct db_batch *batch, struct err_note *note);
/* The part is committed, and so are its postcards. */
void members_written(struct import_file *file);

static inline struct member *member_of(const struct import_row *row)
{
    return row->item;
}

/* Values for import_texts(). */
struct str member_register_no(const struct import_row *row);
struct str member_mamis_no(const struct import_row *row);
