/* credit_fault_cases: the ways that credit_fault_test walks, each named in credit_faults.json. */
#pragma once
#include "gen/events.h"
#include "lib/fault_walk.h"

#define NOW "2026-11-22T12:00:00+09:00"
#define UPLOAD "0190a000-0000-7000-8000-0000000000cc"
#define OF_UPLOAD ",\"upload_id\":\"" UPLOAD "\""
#define WHO                                                                                        \
    "\"operation_id\":\"0190a000-0000-7000-8000-000000000001\",\"role\":\"organiser\","            \
    "\"actor_id\":\"0190a000-0000-7000-8000-000000000002\",\"office_code\":\"P13\","
#define NOBODY "UPDATE credit.doctor SET my_page = 'none' WHERE doctor_id = 2;"
#define SOMEBODY "UPDATE credit.doctor SET my_page = 'active' WHERE doctor_id = 2"

/* A file of credit.fault_file as the gateway accepts it. */
#define ACCEPTED(file, dry_run)                                                                    \
    "INSERT INTO credit.upload_part (upload_id, part_no, bytes, created_at)"                       \
    " SELECT '" UPLOAD "', n, substr(bytes, 1 + n * 262144, 262144), '" NOW "'"                    \
    " FROM credit.fault_file, generate_series(0, (length(bytes) - 1) / 262144) AS n"               \
    " WHERE name = '" file "';"                                                                    \
    "INSERT INTO credit.upload (upload_id, seminar_no, organiser_code, file_name, sha256, bytes,"  \
    " received_at, dry_run) SELECT '" UPLOAD "', 'S1', 'P13', 'f.csv', '\\x00', length(bytes),"    \
    " '" NOW "', " dry_run " FROM credit.fault_file WHERE name = '" file "'"
/* So it is in the end, with so many entries in the ledger. */
#define ENDED(status, entries)                                                                     \
    "SELECT count(*) FROM credit.upload WHERE status = '" status "'"                               \
    " AND (SELECT count(*) FROM credit.ledger) = " #entries

/* The first message of a file, from its acceptance to its last chunk. */
#define READ(before, file, dry_run, status, entries)                                               \
    {                                                                                              \
        before ACCEPTED(file, dry_run), EVENT_UPLOAD_READ, "\"step\":0" OF_UPLOAD,                 \
            ENDED(status, entries)                                                                 \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        .type = NULL                                                                               \
    }

/* Doctor 2 is merged into 8, who is in no file. */
#define MERGED                                                                                     \
    "\"merge_id\":\"0190a000-0000-7000-8000-0000000000c1\",\"kept_id\":8,\"closed_id\":2,"         \
    "\"actor_id\":\"0190a000-0000-7000-8000-000000000002\",\"actor_role\":\"office_l3\","          \
    "\"reason\":\"why\",\"name\":\"A\",\"kept_email\":\"\",\"closed_email\":\"\","                 \
    "\"names_kana\":[\"ア\"]"

/* Doctors 1 and 3 want the one place of a seminar that is still to come; 3 waits. */
#define SIGNUP(doctor, deed)                                                                       \
    "\"operation_id\":\"0190a000-0000-7000-8000-000000000001\",\"role\":\"doctor\","               \
    "\"actor_id\":\"0190a000-0000-7000-8000-000000000002\",\"delegation_id\":null,"                \
    "\"seminar_no\":\"S1\",\"doctor_id\":" #doctor ",\"action\":\"" deed "\""
#define COMING                                                                                     \
    "UPDATE credit.session SET starts_at = '2026-12-06T10:00:00+09:00', capacity = 1;"             \
    "INSERT INTO credit.signup VALUES ('S1', 1, 1, 'applied', 1, '" NOW                            \
    "', '0190a000-0000-7000-8000-000000000002')"
#define HELD "UPDATE credit.session SET starts_at = '2026-11-15T10:00:00+09:00', capacity = NULL;"
#define PLACE(doctor)                                                                              \
    "SELECT count(*) FROM credit.signup WHERE doctor_id = " #doctor " AND state = 'applied'"

static const struct fault_case cases[] = {
    /* one step, three chunks */
    {"posted", READ("", "eleven", "false", "done", 14), NOTHING},
    /* two steps, then no posting */
    {"refused", READ("", "open_quote", "false", "refused", 0), NOTHING},
    {"cancelled",
     READ("", "eight", "false", "done", 14),
     {NULL, EVENT_CREDIT_CANCEL,
      WHO "\"reason\":\"why\",\"entry_id\":\"entry\",\"doctor_id\":2,\"session_id\":1,"
          "\"programme\":\"OP\",\"revision\":0" OF_UPLOAD,
      ENDED("done", 15)}},
    {"undone",
     READ("", "eight", "false", "done", 14),
     {NULL, EVENT_UPLOAD_UNDO, WHO "\"reason\":\"why\"" OF_UPLOAD, ENDED("undone", 28)}},
    {"mended",
     READ("", "eight", "false", "done", 14),
     {NULL, EVENT_ROW_FIX,
      WHO "\"row_no\":8,\"columns\":[\"register_no\"],\"values\":[\"460008\"]" OF_UPLOAD,
      ENDED("done", 16)}},
    {"released",
     READ(NOBODY, "eight", "false", "done", 12),
     {SOMEBODY, EVENT_ROW_JUDGE, "\"row_no\":1" OF_UPLOAD, ENDED("done", 14)}},
    {"expired",
     READ(NOBODY, "eight", "false", "done", 12),
     {"UPDATE credit.upload_row SET waiting_since = '2000-01-01' WHERE waiting_since IS NOT NULL",
      EVENT_UPLOAD_EXPIRE, "\"v\":1" OF_UPLOAD, ENDED("done", 12)}},
    {"merged",
     READ("", "eight", "false", "done", 14),
     {NULL, EVENT_DOCTOR_MERGED, MERGED, ENDED("done", 18)}},
    {"signed_up",
     {COMING, EVENT_SEMINAR_SIGNUP, SIGNUP(3, "apply"),
      "SELECT count(*) FROM credit.signup WHERE state = 'waitlist'"},
     {NULL, EVENT_SEMINAR_SIGNUP, SIGNUP(1, "cancel"), PLACE(3)}},
    {"signup_moved",
     {COMING, EVENT_SEMINAR_SIGNUP, SIGNUP(2, "apply"),
      "SELECT count(*) FROM credit.signup WHERE state = 'waitlist'"},
     {NULL, EVENT_DOCTOR_MERGED, MERGED,
      "SELECT count(*) FROM credit.signup WHERE doctor_id = 8 AND state = 'waitlist'"}},
    {"tried",
     READ("", "eight", "true", "done", 0),
     {NULL, EVENT_UPLOAD_POST, WHO "\"v\":1" OF_UPLOAD, ENDED("done", 14)}},
};

/* Long rows, four in a chunk of 256 KiB: chunks and steps cost few rows. */
static const struct fault_file {
    const char *name;
    int rows;
    const char *end;
} files[] = {{"eleven", 11, ""}, {"open_quote", 71, "460001,\"open"}, {"eight", 8, ""}};
