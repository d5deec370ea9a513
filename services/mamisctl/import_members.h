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
    TRAINING_ENDS_ON,
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
    day_t training_ends_on; /* DAY_NONE: as it is */
    struct str email;
    struct certificate certificates[PROGRAMMES];
    enum my_page my_page; /* what it will be */
    /* from the database */
    int64_t doctor_id;       /* found, or given to a new doctor */
    int64_t version;         /* 0: a new doctor */
    struct str old_names[4]; /* name, kana, former name, former kana */
    bool doctor_differs;
    bool name_differs;
    bool email_left; /* the line names another one than its doctor confirmed, which stays */
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

/* Columns of the doctors that load finds; 0 is the place of the row. */
enum {
    FIND_DOCTOR_ID = 1,
    FIND_VERSION,
    FIND_MAMIS_NO,
    FIND_LICENSED_ON,
    FIND_NAME,
    FIND_NAME_KANA,
    FIND_FORMER_NAME,
    FIND_FORMER_NAME_KANA,
    FIND_SEX,
    FIND_BIRTH_ON,
    FIND_EMAIL,
    FIND_L1_CODE,
    FIND_L2_CODE,
    FIND_L3_CATEGORY,
    FIND_MY_PAGE,
    FIND_ACCOUNT_ID,
    FIND_ACCOUNT_VERSION,
    FIND_STATE,
    FIND_STEP,
    FIND_ACCOUNT_NAME,
    FIND_ACCOUNT_EMAIL,
    FIND_EMAIL_CONFIRMED,
    FIND_POSTCARD,
    FIND_TRAINING_ENDS_ON,
    FIND_MERGED_INTO,
    FIND_CONFIRMED_BY_DOCTOR,
};
/* Columns of the certificates. */
enum { HELD_PROGRAMME = 1, HELD_VERSION, HELD_NUMBER, HELD_FIRST_FROM, HELD_FROM, HELD_TO };

void members_check(struct import_file *file);
enum err members_load(struct import_file *file, struct arena *arena, struct err_note *note);
enum err members_write(struct import_file *file, const struct import_options *options,
                       struct db_batch *batch, struct err_note *note);
/* Statements for credentials, and the postcards file, which is on disk before this returns. */
enum err members_write_secrets(struct import_file *file, const struct import_options *options,
                               struct db_batch *batch, struct err_note *note);
/* Whether the doctor gets a temporary password. */
bool members_wants_postcard(const struct import_row *row);
/* In a preview: what the row makes of what was found at `at`. */
void members_note_doctor(struct import_file *file, struct import_row *row,
                         const struct db_query *query, size_t at);
void members_note_certificate(struct import_file *file, struct import_row *row,
                              const struct db_query *query, size_t at);
void members_preview(const struct import_file *file);
/* Which lines' e-mail was left aside. */
void members_left(const struct import_file *file);
/* The part is committed, and so are its postcards. */
void members_written(struct import_file *file);

static inline struct member *member_of(const struct import_row *row)
{
    return row->item;
}

/* Values for import_texts(). */
struct str member_register_no(const struct import_row *row);
struct str member_mamis_no(const struct import_row *row);
