/* credit_start: opens what the process needs, in one visible order; its figures. */
#include <string.h>

#include "attendance/attendance.h"
#include "credit/credit_directory.h"
#include "gen/events.h"
#include "gen/topics.h"

enum { CREDIT_STATE_BATCH_MAX = 500, CREDIT_STATES_BATCH_MAX = 4 };

static const char *const topics[] = {TOPIC_CREDIT_WORK, TOPIC_DOCTOR_EVENTS,
                                     TOPIC_CERTIFICATE_EVENTS};

static bool is_short(const json_t *bytes)
{
    return json_is_integer(bytes) && !attendance_is_long(json_integer_value(bytes));
}

/* A short file does not stand behind the long ones of other seminars. */
static bool is_short_read(const struct work_message *message)
{
    return is_short(json_object_get(message->data, "bytes"));
}

static bool is_short_chunk(const struct work_message *message)
{
    return is_short(json_object_get(message->data, "length"));
}

/* Somebody waits for the answer. */
static bool is_command(const struct work_message *message)
{
    (void)message;
    return true;
}

/* Now, not when the next file is in a hurry. */
static void doctors_committed(void *service, const struct work_batch *batch)
{
    (void)batch;
    credit_directory_follow(service);
}

const struct work_route credit_routes[] = {
    {.type = EVENT_UPLOAD_READ,
     .handle = credit_read_handle,
     .batch_max = 1,
     .urgent = is_short_read,
     .dead = credit_upload_dead},
    {.type = EVENT_UPLOAD_CHUNK,
     .handle = credit_post_handle,
     .batch_max = 1,
     .urgent = is_short_chunk,
     .committed = credit_post_committed,
     .dead = credit_upload_dead},
    {.type = EVENT_CREDIT_CANCEL,
     .handle = credit_cancel_handle,
     .batch_max = 1,
     .urgent = is_command,
     .committed = credit_tally_committed,
     .dead = credit_command_dead},
    {.type = EVENT_UPLOAD_UNDO,
     .handle = credit_undo_handle,
     .batch_max = 1,
     .urgent = is_command,
     .committed = credit_tally_committed,
     .dead = credit_undo_dead},
    {.type = EVENT_UPLOAD_UNDO_SLICE,
     .handle = credit_undo_slice_handle,
     .batch_max = 1,
     .committed = credit_tally_committed,
     .dead = credit_undo_dead},
    {.type = EVENT_UPLOAD_POST,
     .handle = credit_trial_handle,
     .batch_max = 1,
     .urgent = is_command,
     .committed = credit_tally_committed,
     .dead = credit_command_dead},
    {.type = EVENT_ROW_FIX,
     .handle = credit_fix_handle,
     .batch_max = 1,
     .urgent = is_command,
     .committed = credit_tally_committed,
     .dead = credit_command_dead},
    {.type = EVENT_ROW_JUDGE,
     .handle = credit_again_handle,
     .batch_max = 1,
     .committed = credit_tally_committed,
     .dead = credit_waiting_dead},
    {.type = EVENT_UPLOAD_EXPIRE,
     .handle = credit_expire_handle,
     .batch_max = 1,
     .committed = credit_tally_committed,
     .dead = credit_waiting_dead},
    {.type = EVENT_CREDITS_MOVE,
     .handle = credit_move_handle,
     .batch_max = 1,
     .committed = credit_tally_committed},
    {.type = EVENT_SEMINAR_SIGNUP,
     .handle = credit_signup_handle,
     .batch_max = 1,
     .urgent = is_command,
     .dead = credit_command_dead},
    {.type = EVENT_SIGNUP_MOVE, .handle = credit_signup_move_handle, .batch_max = 1},
    {.type = EVENT_DOCTOR_MERGED,
     .handle = credit_merge_handle,
     .batch_max = 1,
     .committed = doctors_committed},
    {.type = EVENT_DOCTOR_STATE,
     .handle = credit_doctor_handle,
     .batch_max = CREDIT_STATE_BATCH_MAX,
     .committed = doctors_committed},
    {.type = EVENT_DOCTORS_STATE,
     .handle = credit_doctor_handle,
     .batch_max = CREDIT_STATES_BATCH_MAX,
     .committed = doctors_committed},
    {.type = EVENT_CERTIFICATE_STATE,
     .handle = credit_certificate_handle,
     .batch_max = CREDIT_STATE_BATCH_MAX},
    {.type = EVENT_CERTIFICATES_STATE,
     .handle = credit_certificate_handle,
     .batch_max = CREDIT_STATES_BATCH_MAX},
};

const size_t credit_route_count = ARRAY_LEN(credit_routes);

/* Rows are matched with the doctors in memory: no message is taken before they are all there. */
static void directory_filled(struct credit *credit)
{
    work_subscribe(credit->work, topics, ARRAY_LEN(topics), credit_routes, credit_route_count,
                   credit);
}

enum err credit_start(struct proc *proc, void *state, struct err_note *note)
{
    struct credit *credit = state;

    if (strcmp(credit_settings.no_my_page, "wait") != 0 &&
        strcmp(credit_settings.no_my_page, "reject") != 0)
        return err_say(note, ERR_SETTINGS, "no_my_page wants wait or reject");
    credit->proc = proc;
    credit->loop = proc_loop(proc);
    credit->db = proc_db(proc);
    credit->work = proc_work(proc);
    credit_orphans_open(credit);
    credit_release_open(credit);
    credit_ledger_open(credit);
    credit_directory_open(credit, directory_filled);
    return ERR_OK;
}

static void directory_gone(void *arg)
{
    struct credit *credit = arg;

    proc_stopped(credit->proc);
}

static void timer_gone(void *arg)
{
    credit_directory_close(arg, directory_gone);
}

static void ledger_gone(void *arg)
{
    credit_orphans_close(arg, timer_gone);
}

static void release_gone(void *arg)
{
    credit_ledger_close(arg, ledger_gone);
}

void credit_stop(struct proc *proc, void *state)
{
    struct credit *credit = state;

    (void)proc;
    credit_release_close(credit, release_gone);
}

bool credit_ready(struct proc *proc, void *state, struct err_note *why)
{
    const struct credit *credit = state;

    (void)proc;
    if (!db_up(credit->db))
        (void)err_say(why, ERR_DB_DOWN, "PostgreSQL does not answer");
    else if (!credit->directory_filled)
        (void)err_say(why, ERR_BUSY, "the doctors are being read");
    return db_up(credit->db) && credit->directory_filled;
}

void credit_metrics(struct proc *proc, void *state, struct buf *out)
{
    static const char *const labels[OUTCOME_COUNT] = {
        [OUTCOME_POSTED] = "outcome=\"posted\"",
        [OUTCOME_ALREADY_POSTED] = "outcome=\"already_posted\"",
        [OUTCOME_WAITING] = "outcome=\"waiting\"",
        [OUTCOME_UNMATCHED] = "outcome=\"unmatched\"",
        [OUTCOME_ABSENT] = "outcome=\"absent\"",
        [OUTCOME_REJECTED] = "outcome=\"rejected\"",
    };
    const struct credit *credit = state;

    (void)proc;
    for (size_t i = 0; i < ARRAY_LEN(labels); i++)
        metric_add(out, "rows_total", labels[i], (int64_t)credit->figures.outcomes[i]);
    metric_add(out, "ledger_entries_total", "", (int64_t)credit->figures.entries);
    metric_add(out, "ledger_parts", "", (int64_t)credit->figures.ledger_parts);
    metric_add(out, "commands_refused_total", "", (int64_t)credit->figures.refused);
    metric_histogram_add(out, "chunk", "", &credit->figures.chunk);
    metric_histogram_add(out, "upload_visible", "", &credit->figures.visible);
}
