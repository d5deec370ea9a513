/*
 * renewal_store: all SQL of renewal. Statements are added to batches; columns are read by the
 * functions beside them, so that nobody else counts columns.
 */
#pragma once
#include "renewal/renewal.h"

struct standing_json;

/* ---- feed: renewal_store_feed.c ---- */

/* One element a doctor in each array. Marking dirty comes before any write to standing. */
struct doctor_rows {
    size_t count;
    int64_t *id, *version;
    struct str *register_no, *mamis_no, *name, *name_kana, *my_page, *l1_code, *l2_code;
};
void store_doctors(struct db_batch *batch, const struct doctor_rows *rows);

struct session_rows {
    size_t count;
    int64_t *id;
    struct str *seminar_no, *seminar_title, *session_no, *title, *delivery;
    day_t *held_on;
};
void store_sessions(struct db_batch *batch, const struct session_rows *rows);

struct credit_rows {
    size_t count;
    int64_t *doctor_id, *session_id;
    struct str *programme, *kind;
    int32_t *revision, *half_units;
};
void store_credits(struct db_batch *batch, const struct credit_rows *rows);
/* The same, and rows that differ are corrected; each key once. */
void store_credits_state(struct db_batch *batch, const struct credit_rows *rows);

/* Doctors may repeat. */
void store_mark(struct db_batch *batch, const int64_t *doctor_ids, size_t count);

/* ---- standing: renewal_store_standing.c ---- */

struct db_query *store_find_dirty(struct db_batch *batch, int32_t most); /* doctor_id, mark */

struct db_query *store_find_certificates(struct db_batch *batch, const int64_t *doctor_ids,
                                         size_t count);
/* Rows are ordered by doctor, programme. */
struct certificate_row {
    int64_t doctor_id;
    struct str programme;
    struct certificate certificate;
};
void store_certificate_row(const struct db_query *query, size_t row, struct certificate_row *out);

/* Standing credits by doctor, programme, day, session. */
struct db_query *store_find_credits(struct db_batch *batch, const int64_t *doctor_ids,
                                    size_t count);
struct credit_row {
    int64_t doctor_id;
    struct str programme;
    struct rules_credit credit;
};
void store_credit_row(const struct db_query *query, size_t row, struct credit_row *out);

struct db_query *store_find_handbook(struct db_batch *batch, const int64_t *doctor_ids,
                                     size_t count);
struct handbook_row {
    int64_t doctor_id;
    struct str programme;
    struct rules_handbook line;
};
void store_handbook_row(const struct db_query *query, size_t row, struct handbook_row *out);

struct standing_rows {
    size_t count;
    int64_t *doctor_id, *mark;
    struct str *programme, *rule_set, *lines, *entries, *missing;
    int32_t *needed, *counted, *eligible, *depends;
    day_t *opens_on, *closes_on;
};
/* Doctors done up to their marks; before store_standings(). */
void store_clean(struct db_batch *batch, const int64_t *doctor_ids, const int64_t *marks,
                 size_t count);
/* A newer standing stays. `mark` INT64_MIN: the doctor's present one. */
void store_standings(struct db_batch *batch, const struct standing_rows *rows, int64_t now_us);

/* ---- commands: renewal_store_application.c ---- */

struct db_query *store_find_doctor(struct db_batch *batch, int64_t doctor_id);
struct db_query *store_find_open(struct db_batch *batch, int64_t doctor_id);
struct db_query *store_find_application(struct db_batch *batch, struct uuid application_id);
struct db_query *store_find_snapshot(struct db_batch *batch, struct uuid application_id);
/* Open applications whose doctors have moved by what `rows` say; before store_doctors(). */
struct db_query *store_find_moved(struct db_batch *batch, const struct doctor_rows *rows);
/* With where the doctor is now, and the account that applied. */
void store_moved_row(const struct db_query *query, size_t row, struct application *out,
                     struct str *ret_l2_code, struct uuid *ret_account_id);
/* Guarded by the version that was read. */
void store_update_office(struct db_batch *batch, const struct application *application,
                         int64_t now_us);
void store_application_row(const struct db_query *query, size_t row, struct application *out);
/* False for a credit that was cancelled since and not posted again as it was. */
bool store_snapshot_row(const struct db_query *query, size_t row, struct rules_credit *out);

/* The lines of a programme; others of it go. Verified values stay where a line is the same. */
void store_declare(struct db_batch *batch, int64_t doctor_id, struct str programme,
                   const struct rules_handbook *lines, size_t count, int64_t now_us);
void store_verify(struct db_batch *batch, int64_t doctor_id, struct str programme,
                  const struct rules_handbook *lines, size_t count, int64_t now_us);

void store_insert_application(struct db_batch *batch, const struct application *application,
                              const struct actor *actor, const struct standing_json *json,
                              int64_t now_us);
/* Guarded by the version that was read: ERR_DB_CONFLICT when it moved. `json` NULL: unchanged. */
void store_update_application(struct db_batch *batch, const struct application *application,
                              const struct standing_json *json, int64_t now_us);
void store_snapshot(struct db_batch *batch, struct uuid application_id,
                    const struct rules_credit *credits, size_t count);
/* `version` of the application after the action; `reason` may have data NULL. */
void store_history(struct db_batch *batch, struct uuid application_id, int64_t version,
                   const char *action, const struct actor *actor, struct str reason,
                   struct str detail, int64_t now_us);
/* The next period of a certificate, guarded by its version. */
void store_renew(struct db_batch *batch, int64_t doctor_id, struct str programme, int64_t version,
                 struct period next);
