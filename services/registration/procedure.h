/*
 * procedure: what the files about procedures of membership share.
 *
 *   procedure_rules.c    stages, moves, who may
 *   membership_rules.c   what a decided procedure does to memberships
 *   membership_filing.c  what may be asked for
 *   procedure_file.c     a procedure is filed
 *   procedure_act.c      everything that happens to it afterwards
 *   procedure_bulk.c     many plain ones are approved at once
 *   procedure_apply.c    its day has come: memberships, codes of the doctor, events
 *   procedure_clock.c    days that come, daily digests, reminders
 *   training_rules.c     the end of clinical training: reminders, and that they end
 *   training_dismiss.c   nobody is to be reminded
 *   training_remind.c    reminders
 *   procedure_case.c     one doctor and one procedure as every flow needs them
 *   procedure_job.c      the flow of every command
 *   procedure_store.c    SQL; procedure_tell.c: events and answers; procedure_wish.c: fields
 */
#pragma once
#include "registration/membership_rules.h"
#include "registration/registration.h"

enum {
    PROCEDURE_READ_MS = 5000,
    PROCEDURE_WRITE_MS = 10000,
    PROCEDURE_ROUTE_MAX = 8,
};

/* A procedure as it is stored. */
struct stored {
    struct procedure procedure;
    struct wishes wishes;
    struct str before; /* JSON, as stored */
    struct str filed_role, filed_reason, told_reason;
    bool loses_insurance;
    day_t due_on, applied_on;
};

/* What is known of a doctor; the account is there when record.version > 0. */
struct procedure_case {
    struct db_batch *batch;
    struct db_query *doctor, *memberships, *open, *association, *procedure;

    bool doctor_found;
    struct record record;
    struct membership rows[MEMBERSHIPS_MAX];
    size_t row_count;
    struct standing standing;
    bool stored_found;
    struct stored stored;
};

/* Step 1: the doctor by his id, or by both numbers (doctor_id 0); or the procedure's. */
struct db_query *case_find_doctor(struct db_batch *batch, int64_t doctor_id, struct str register_no,
                                  day_t birth_on);
struct db_query *case_find_procedure(struct db_batch *batch, struct uuid procedure_id);
/* Step 2: everything. `l1_code` may have data NULL. */
void case_read(struct registration *registration, struct arena *arena, int64_t doctor_id,
               struct uuid procedure_id, struct str l1_code, struct procedure_case *found,
               struct flow *flow);
/* After a good read. */
void case_take(struct procedure_case *found, struct uuid procedure_id);
/* The open procedure of a family; false: there is none. */
bool case_open(const struct procedure_case *found, const char *family, struct uuid *ret_id);
/* The prefecture of the L1 that was asked for; data NULL: no such L1. */
struct str case_home(const struct procedure_case *found);

/* ---- procedure_job.c ---- */

/* A command: whose it is, what is known of the doctor, and what comes of it. Begins a struct. */
struct procedure_job {
    struct flow flow;
    struct registration *registration;
    struct work_batch *batch;
    const struct procedure_job_kind *kind;
    struct db_query *doctor;
    struct procedure_case found;
    struct actor actor;
    struct uuid operation_id, procedure_id;
    struct str l1_code; /* of an association whose prefecture is asked for; data may be NULL */
};
struct procedure_job_kind {
    /* Reads the event, fills actor and ids. Errors: ERR_SCHEMA. */
    enum err (*take)(struct procedure_job *job, struct err_note *note);
    struct db_query *(*find)(struct procedure_job *job, struct db_batch *batch);
    void (*nobody)(struct procedure_job *job); /* no such doctor or procedure */
    void (*decide)(struct procedure_job *job); /* `found` is taken */
};
/* `job`, zeroed, lives in the batch's arena. */
void procedure_job_start(void *service, struct work_batch *batch,
                         const struct procedure_job_kind *kind, struct procedure_job *job);
/* Who acts, by the fields that all these events share by name. */
#define PROCEDURE_ACTOR(event)                                                                     \
    {                                                                                              \
        .role = (event)->role, .account_id = (event)->account_id,                                  \
        .doctor_id = (event)->has_doctor_id ? (event)->doctor_id : 0,                              \
        .office = office_of_role((event)->role, (event)->actor_l1, (event)->actor_l2),             \
    }

/* ---- procedure_store.c ---- */

struct procedure_step {
    const char *action;
    enum procedure_stage from;
    const struct actor *actor; /* NULL: the clock */
    struct str reason;         /* data NULL: none */
    int64_t now_us;
};

/* A new row. ERR_DB_CONFLICT when one of the family is open. */
void store_insert_procedure(struct db_batch *batch, const struct stored *stored,
                            const struct procedure_step *step);
/* The form of that kind that the doctor kept is sent: it goes with this transaction. */
void store_draft_filed(struct db_batch *batch, int64_t doctor_id, struct str kind);
/* Guarded by the version that was read, which is raised by one; with its history. */
void store_update_procedure(struct db_batch *batch, struct stored *stored,
                            const struct procedure_step *step);
void store_memberships(struct db_batch *batch, int64_t doctor_id, const struct procedure *procedure,
                       const struct membership_plan *plan);
/* Codes, names, workplace and whether My Page is closed; guarded by the doctor's version. */
void store_member(struct db_batch *batch, const struct record *record, int64_t now_us);
/* State and name of the account; guarded by its version. */
void store_member_account(struct db_batch *batch, const struct record *record, int64_t now_us);
/* All other procedures of a doctor who has died or whose licence was revoked (R-PROC-15). */
void store_cancel_others(struct db_batch *batch, const struct procedure *procedure, int64_t now_us);
/* The applicant was asked again to answer a return. */
void store_reminded(struct db_batch *batch, struct uuid procedure_id, day_t today);

/* ---- procedure_wish.c ---- */

struct wish_field {
    const char *name;
    size_t offset; /* in struct wishes */
};
/* Ends with name NULL. */
extern const struct wish_field wish_fields[];
/* What an event wishes. */
#define PROCEDURE_WISHES(event)                                                                    \
    {                                                                                              \
        .category =                                                                                \
            {[1] = (event)->category_l1, [2] = (event)->category_l2, [3] = (event)->category_l3},  \
        .name = (event)->name, .name_kana = (event)->name_kana,                                    \
        .former_name = (event)->former_name, .former_name_kana = (event)->former_name_kana,        \
        .workplace_name = (event)->workplace_name,                                                 \
        .workplace_postcode = (event)->workplace_postcode,                                         \
        .workplace_address = (event)->workplace_address, .phone = (event)->phone,                  \
    }
/* One field; data NULL: left as it is. */
struct str wish_of(const struct wishes *wishes, const struct wish_field *field);
/* What the doctor has in that field now. */
struct str wish_present(const struct record *record, const struct standing *standing,
                        const struct wish_field *field);
/* JSON texts in the arena: {field: value} of all that is wished, and of what stands there now. */
struct str wishes_asked(struct arena *arena, const struct wishes *wishes);
struct str wishes_before(struct arena *arena, const struct wishes *wishes,
                         const struct record *record, const struct standing *standing);
/* From JSON as stored; texts live in the arena. */
void wishes_read(struct arena *arena, struct str json, struct wishes *ret);
/* `later` wins where it says something. */
void wishes_merge(struct wishes *wishes, const struct wishes *later);

/* ---- procedure_apply.c ---- */

/* Is there something to do today for what was decided? */
bool apply_is_due(const struct stored *stored, day_t today);
/*
 * Memberships, the doctor's codes and events into `batch`; the procedure becomes effective, which
 * the caller stores. `record` is of the same doctor.
 */
void apply_procedure(struct registration *registration, struct db_batch *batch,
                     struct procedure_case *found, const char *trace);

/* Names, workplace and codes of `record`, with what is wished of them; true: a name changes. */
bool apply_wishes(struct registration *registration, struct db_batch *batch, struct record *record,
                  const struct wishes *wishes, const char *trace);
/* State and name of the doctor's account, which is there. */
void apply_account(struct registration *registration, struct db_batch *batch, struct record *record,
                   const char *trace);

/* ---- procedure_tell.c ---- */

/* procedure.state. */
void tell_state(struct registration *registration, struct db_batch *batch,
                const struct stored *stored, const char *action, int layer, const char *trace);
void tell_doctor(struct registration *registration, struct db_batch *batch,
                 const struct record *record, const char *trace);
void tell_account(struct registration *registration, struct db_batch *batch,
                  const struct record *record, const char *trace);
/* Answers: the procedure's id, or why not. `extra` is stolen and may be NULL. */
void tell_done(const struct procedure_job *job);
/* The id of another kind of thing. */
void tell_id(const struct procedure_job *job, const char *name, struct uuid id);
void tell_refused(struct registration *registration, struct work_batch *batch,
                  struct uuid operation_id, enum code code, json_t *extra);
/* {"params": {name: value}}, added to `extra` (NULL: a new one). */
json_t *tell_param(json_t *extra, const char *name, const char *value);
/* {"errors": [{pointer, code}], "params": {"field": name}}, added to `extra`. */
json_t *tell_pointer(json_t *extra, const char *pointer, enum code code);
/* ---- procedure_file.c, procedure_act.c, procedure_bulk.c: handlers of commands ---- */

void procedure_file_handle(void *service, struct work_batch *batch);
void procedure_act_handle(void *service, struct work_batch *batch);
void procedure_bulk_handle(void *service, struct work_batch *batch);
/*
 * A move that was made is recorded: row, history, event, and what it effects when its day has come.
 * `step` has an actor.
 */
void procedure_record(struct registration *registration, struct work_batch *batch,
                      struct procedure_case *found, const struct procedure_step *step);
/* What a filing says of its day when it is no good. */
json_t *filing_extra(const struct filing_verdict *verdict);

/* ---- procedure_clock.c ---- */

struct procedure_clock;
struct procedure_clock *procedure_clock_open(struct registration *registration, struct loop *loop);
/* `closed` from the loop, when what runs has ended. */
void procedure_clock_close(struct procedure_clock *clock, void (*closed)(void *arg), void *arg);

/* ---- training_dismiss.c, training_remind.c ---- */

void training_dismiss_handle(void *service, struct work_batch *batch);

/* Trainees who are to be reminded now; none outside of `open`. */
struct db_query *training_find(struct db_batch *batch, day_t today, bool open);
/* Their reminders (M14) into `batch`; true: there may be more of them. */
bool training_remind(struct registration *registration, struct db_batch *batch,
                     const struct db_query *found, day_t today);
