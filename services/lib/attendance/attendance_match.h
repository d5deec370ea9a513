/*
 * attendance_match: the numbers of a chunk's rows, to look their doctors up by.
 */
#pragma once
#include "attendance/attendance_rows.h"
#include "base/clock.h"
#include "domain/numbers.h"

/* The cell is empty or its column missing; NUMBER_NONE: it holds no such number. */
#define NUMBER_EMPTY INT64_C(-2)

struct attendance_numbers {
    int64_t *register_no; /* of each row */
    int64_t *mamis_no;
    /* Each number of the rows whose doctor is to be looked for, once. */
    int64_t *register_nos;
    size_t register_count;
    int64_t *mamis_nos;
    size_t mamis_count;
};

/* Memory: the arena's. Rows with `field_count` or `bad_encoding` have no numbers. */
void attendance_numbers_read(struct arena *arena, const struct attendance_rows *rows,
                             struct attendance_numbers *ret_numbers);

/* My Page of a doctor: the first two wait, `link_pending` counts as complete. */
enum my_page {
    MY_PAGE_NONE,
    MY_PAGE_TEMP_ISSUED,
    MY_PAGE_LINK_PENDING,
    MY_PAGE_ACTIVE,
    MY_PAGE_CLOSED,
};

/* False when there is no such state. */
bool my_page_of_name(struct str name, enum my_page *ret_my_page);

/* What is known of a doctor. One who has several register numbers may stand once for each. */
struct attendance_doctor {
    int64_t doctor_id;
    int64_t register_no;    /* NUMBER_NONE: none */
    int64_t mamis_no;       /* NUMBER_NONE: none */
    struct str kana;        /* folded with fold_kana() */
    struct str former_kana; /* the same; one a line, may be empty */
    enum my_page my_page;
    day_t op_from; /* certificates, whole days; DAY_NONE: none */
    day_t op_to;
    day_t sp_from;
    day_t sp_to;
};

/* Whether a folded name is `kana`, or one of `former`, one a line; "" is none of these. */
bool attendance_kana_fits(struct str name, struct str kana, struct str former);
