/*
 * import_seminars: what checking and writing of seminars share. One line is one session; lines of
 * one seminar stand together.
 */
#pragma once
#include "mamisctl/import.h"

enum {
    SEMINAR_NO,
    TITLE,
    ORGANISER,
    SESSION_NO,
    SESSION_TITLE,
    STARTS_AT,
    ENDS_AT,
    DELIVERY,
    GRACE,
    CAPACITY,
    OFFERS,
    LEADER,
    STATUS,
    SEMINAR_COLUMNS
};

#define SESSION_NONE INT64_MIN /* an empty capacity or leader */

/* One session as the database keeps it. */
struct session {
    int64_t starts_us;
    int64_t ends_us;
    int64_t grace_minutes;
    int64_t capacity;
    int64_t leader;
    struct str key;           /* seminar and session number, for finding repeats */
    struct import_row *first; /* first line of its seminar */
    int64_t version;          /* of the seminar in the database, 0: not there */
    bool seminar_differs;
};

void seminars_check(struct import_file *file);
/* "published" or "cancelled". */
struct str seminar_status_of(const struct import_row *row);
