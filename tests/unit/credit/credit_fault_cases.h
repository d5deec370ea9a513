/* credit_fault_cases: the ways that credit_fault_test walks, each named in credit_faults.json. */
#pragma once
#include <stdbool.h>

#include "gen/events.h"

/* What comes when the upload is through; then only this fails. */
struct later {
    const char *before; /* SQL in front of the upload */
    const char *after;  /* and of the message */
    const char *type;
    const char *data; /* without upload_id */
    const char *status;
    int entries;
};

/* Long rows, four in a chunk of 256 KiB: chunks and steps cost few rows. */
struct upload_case {
    const char *name;
    int rows;
    const char *end; /* of the file */
    const char *status;
    int entries; /* of the ledger */
    bool dry_run;
    struct later later; /* type NULL: nothing; the upload's own way is what fails */
};

#define WHO                                                                                        \
    "\"operation_id\":\"0190a000-0000-7000-8000-000000000001\",\"role\":\"organiser\","            \
    "\"actor_id\":\"0190a000-0000-7000-8000-000000000002\",\"office_code\":\"P13\","
#define NOBODY "UPDATE credit.doctor SET my_page = 'none' WHERE doctor_id = 2"
#define SOMEBODY "UPDATE credit.doctor SET my_page = 'active' WHERE doctor_id = 2"

static const struct upload_case cases[] = {
    {"posted", 11, "", "done", 14, false, {.type = NULL}}, /* one step, three chunks */
    /* two steps, then no posting */
    {"refused", 71, "460001,\"open", "refused", 0, false, {.type = NULL}},
    {"cancelled",
     8,
     "",
     "done",
     14,
     false,
     {NULL, NULL, EVENT_CREDIT_CANCEL,
      WHO "\"reason\":\"why\",\"entry_id\":\"entry\",\"doctor_id\":2,\"session_id\":1,"
          "\"programme\":\"OP\",\"revision\":0",
      "done", 15}},
    {"undone",
     8,
     "",
     "done",
     14,
     false,
     {NULL, NULL, EVENT_UPLOAD_UNDO, WHO "\"reason\":\"why\"", "undone", 28}},
    {"mended",
     8,
     "",
     "done",
     14,
     false,
     {NULL, NULL, EVENT_ROW_FIX,
      WHO "\"row_no\":8,\"columns\":[\"register_no\"],\"values\":[\"460008\"]", "done", 16}},
    {"released",
     8,
     "",
     "done",
     12,
     false,
     {NOBODY, SOMEBODY, EVENT_ROW_JUDGE, "\"row_no\":1", "done", 14}},
    {"expired",
     8,
     "",
     "done",
     12,
     false,
     {NOBODY,
      "UPDATE credit.upload_row SET waiting_since = '2000-01-01'"
      " WHERE waiting_since IS NOT NULL",
      EVENT_UPLOAD_EXPIRE, "\"v\":1", "done", 12}},
    {"tried", 8, "", "done", 0, true, {NULL, NULL, EVENT_UPLOAD_POST, WHO "\"v\":1", "done", 14}},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };
