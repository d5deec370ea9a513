/*
 * registration: what the files of this process share.
 *
 * One command is one flow (registration_step.c): read the person, let the rules decide, record the
 * change with its events and the answer in the transaction that passes the command.
 */
#pragma once
#include "proc/proc.h"
#include "registration/registration_rules.h"
#include "registration/registration_signup_rules.h"

enum { REGISTRATION_READ_MS = 5000, REGISTRATION_FEED_MAX = 100, REGISTRATION_LISTS_MAX = 4 };

struct procedure_clock;

struct registration {
    struct proc *proc; /* set when it stops */
    struct loop *loop;
    struct db_pool *db;
    struct work *work;
    struct upkeep *upkeep;
    struct procedure_clock *clock;
    struct registration_figures {
        uint64_t commands, refused, my_pages;
    } figures;
};

/* For work_subscribe(), with the process as their argument. */
extern const struct work_route registration_routes[];
extern const size_t registration_route_count;

/* One account as it is stored; texts live in the arena of the batch that read it. */
struct record {
    struct uuid account_id;
    int64_t version, doctor_version;
    struct str organiser_code, l1_code, l2_code; /* of the account */
    struct str register_no, doctor_l1_code, doctor_l2_code, l3_category;
    int64_t reissue_version; /* of the request for new temporary credentials; 0: none waits */
    struct uuid reissue_id;
    struct str reissue_l2;
    struct person person;
};

/* Who acts on somebody else's account, and why; role NULL: the person acts. */
struct desk {
    struct uuid actor_id;
    struct str role, reason;
    enum desk_action action;
    bool has_link;
    struct uuid link_id; /* of the mail that is to go out */
    struct str link_purpose, link_email;
    int64_t link_expires_us;
};

enum command_kind {
    COMMAND_AGREE_TERMS,
    COMMAND_SET_EMAIL,
    COMMAND_CONFIRM_EMAIL,
    COMMAND_SET_PROFILE,
    COMMAND_COMPLETE,
    COMMAND_DECLINE_TERMS,
    COMMAND_TIME_OUT, /* nobody waits for its answer */
    COMMAND_DESK,
};

/* A command as it came; texts live in the batch's arena. */
struct command {
    enum command_kind kind;
    struct uuid operation_id, account_id;
    struct str text; /* terms version or e-mail address */
    struct profile profile;
    struct desk desk;
};

/* Handler of every command: see work_handler_fn. */
void registration_step_handle(void *service, struct work_batch *batch);
/* A command was given up: whoever waits for its answer is told. See work_route.dead. */
void registration_step_dead(void *service, struct work_batch *batch, const char *reason);
/* registration_signup.c: people without a postcard come in, and are decided on. */
void registration_signup_handle(void *service, struct work_batch *batch);
void registration_signup_decide_handle(void *service, struct work_batch *batch);
/* registration_feed.c: who has certification data. */
void registration_certificate_handle(void *service, struct work_batch *batch);

/* ---- registration_upkeep.c: what time brings about ---- */

struct upkeep *upkeep_open(struct registration *registration);
/* One round now, unless one is under way; `done` (may be NULL) runs when it is over. */
void upkeep_run(struct upkeep *upkeep, void (*done)(void *arg), void *arg);
void upkeep_close(struct upkeep *upkeep, void (*closed)(void *arg), void *arg);

/* Handlers of staff.create and staff.change. */
void registration_staff_create(void *service, struct work_batch *batch);
void registration_staff_change(void *service, struct work_batch *batch);
/* ---- registration_job.c: what the flows of all commands have in common ---- */

struct registration_flow {
    void (*run)(struct flow *flow);
    void (*done)(struct flow *flow); /* calls flow_pass_on() with the batch's flow */
};
/*
 * Begins the flow of one command at its first step, 0. `taken` is what reading the command gave: an
 * error ends the handling of the message with it.
 */
void registration_job_begin(struct registration *registration, struct work_batch *batch,
                            enum err taken, const struct registration_flow *steps,
                            struct flow *flow);
/* An event about an account, in the order of its events; `data` is stolen. */
void registration_emit(struct registration *registration, struct work_batch *batch,
                       const char *type, struct uuid account_id, json_t *data);

/* ---- registration_wire.c: contracts from and to the bus ---- */

/* Errors: ERR_SCHEMA, with the place in `note`. */
CHECKED enum err wire_command(struct arena *arena, const struct work_message *message,
                              struct command *ret_command, struct err_note *note);
/* New references, as the contracts want them. */
json_t *wire_account_state(const struct record *record);
json_t *wire_doctor_state(const struct record *record);
json_t *wire_my_page_created(const struct record *record);
json_t *wire_certification_linked(const struct record *record);
json_t *wire_email_changed(const struct record *record, struct str old_email);
json_t *wire_link_issued(const struct record *record, const struct desk *desk);

/* ---- registration_store.c: all SQL of this service ---- */

struct store_read {
    struct db_batch *batch;
    struct db_query *person, *terms, *shared;
};
/* `email` may be empty: whether somebody else has it is told with the person. */
void store_read(struct registration *registration, struct arena *arena, struct uuid account_id,
                struct str email, struct store_read *read, struct flow *flow);
/* After a good read. False: there is no such account. */
bool store_record(const struct store_read *read, struct uuid account_id, struct record *ret_record);

struct store_number {
    struct db_query *query;
};
/* A MAMIS number that nobody had before (R-ACC-19). */
void store_issue_number(struct registration *registration, struct arena *arena,
                        struct store_number *number, struct flow *flow);
struct str store_number(const struct store_number *number);

/* Effects. `desk`: whose act it is; NULL: the person's. The versions in `record` are those that
 * were read; ERR_DB_CONFLICT when they moved. */
void store_save_account(struct db_batch *batch, const struct record *record, const char *action,
                        const struct desk *desk, int64_t now_us);
void store_save_doctor(struct db_batch *batch, const struct record *record, bool my_page_created,
                       int64_t now_us);
void store_add_history(struct db_batch *batch, struct uuid account_id, int64_t version,
                       const char *action, const struct desk *desk, int64_t now_us);
/* A request for new temporary credentials is answered; guarded by its version. */
struct reissue_answer {
    struct uuid reissue_id, actor_id;
    int64_t version;
    const char *state;
    struct str reason, role;
};
void store_answer_reissue(struct db_batch *batch, const struct reissue_answer *answer,
                          int64_t now_us);
/* Keep the names that are replaced; before store_save_doctor(). */
void store_keep_names(struct db_batch *batch, const struct record *record, int64_t now_us);
/* Until the commit nobody else's store_take_email() or accepted sign-up goes on with the address.
 */
void store_lock_email(struct db_batch *batch, struct str email);
/* Locks the address confirmed just now; ERR_DB_CONFLICT when it came to be shared meanwhile. */
void store_take_email(struct db_batch *batch, const struct record *record);

/* ---- registration_staff_store.c ---- */

struct staff_row {
    struct str login_id;
    bool administrator;
    int32_t unused_days;
    struct uuid made_by;
};
void store_add_staff(struct db_batch *batch, const struct record *record,
                     const struct staff_row *row, int64_t now_us);

struct store_staff {
    struct db_query *query;
};
void store_read_staff(struct registration *registration, struct arena *arena,
                      struct uuid account_id, struct store_staff *staff, struct flow *flow);
/* After a good read. False: the account is none of staff, or older than these rows. */
bool store_staff_found(const struct store_staff *staff, bool *ret_expired);
void store_save_staff(struct db_batch *batch, struct uuid account_id, bool expired,
                      struct str reason);
/* ---- registration_signup_store.c: SQL of sign-ups ---- */

struct event_signup_submit;
struct event_signup_decide;

/* A sign-up, and the doctor on record under its register number, or the id of one to be made. */
struct signup_record {
    struct str status, name, name_kana, sex, register_no, email;
    day_t birth_on, licensed_on;
    bool known, has_account, closed;
    int64_t doctor_id, doctor_version;
    day_t known_birth_on;
    struct str known_name, known_name_kana;
    struct str l1_code, l2_code, l3_category, mamis_no, former_name, former_name_kana;
};

struct signup_read {
    struct db_query *signup, *doctor_id;
    struct signup_record record;
};
void store_read_signup(struct registration *registration, struct arena *arena,
                       struct uuid signup_id, struct signup_read *read, struct flow *flow);
/* After a good read: fills the record. False: there is no such sign-up. */
bool store_signup(struct signup_read *read);
void store_add_signup(struct db_batch *batch, const struct event_signup_submit *event,
                      int64_t now_us);
/* ERR_DB_CONFLICT when somebody else decided meanwhile. */
void store_decide_signup(struct db_batch *batch, const struct event_signup_decide *event,
                         const char *status, int64_t now_us);
/* Ends sign-ups that were refused long enough ago. */
void store_forget_refused(struct db_batch *batch, int64_t now_us);
void store_accept_signup(struct db_batch *batch, const struct signup_record *found,
                         const struct record *record, const struct desk *desk, int64_t now_us);
