/* credit_start: opens what the process needs, in one visible order; figures; orphans of uploads. */
#include <string.h>

#include "attendance/attendance.h"
#include "credit/credit.h"
#include "gen/events.h"
#include "gen/topics.h"

struct credit_settings credit_settings;

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct credit_settings, name),                             \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
const struct setting credit_setting_table[CREDIT_SETTING_COUNT] = {
#include "credit/credit_settings.def"
};
#undef SETTING

enum {
    CREDIT_STATE_BATCH_MAX = 500,
    CREDIT_ORPHAN_EVERY_MS = 10 * 60 * 1000,
    CREDIT_ORPHAN_AGE_S = 3600,
    CREDIT_DEADLINE_MS = 10000,
};

static const char *const topics[] = {TOPIC_CREDIT_WORK, TOPIC_DOCTOR_EVENTS,
                                     TOPIC_CERTIFICATE_EVENTS};

static const struct work_route routes[] = {
    {.type = EVENT_UPLOAD_READ,
     .handle = credit_read_handle,
     .batch_max = 1,
     .dead = credit_upload_dead},
    {.type = EVENT_UPLOAD_CHUNK,
     .handle = credit_post_handle,
     .batch_max = 1,
     .committed = credit_post_committed,
     .dead = credit_upload_dead},
    {.type = EVENT_DOCTOR_STATE,
     .handle = credit_doctor_handle,
     .batch_max = CREDIT_STATE_BATCH_MAX},
    {.type = EVENT_CERTIFICATE_STATE,
     .handle = credit_certificate_handle,
     .batch_max = CREDIT_STATE_BATCH_MAX},
};

/* ---- parts of uploads that were never finished ---- */

static const struct db_stmt delete_orphans = {
    "credit_delete_orphans",
    "DELETE FROM credit.upload_part p WHERE p.ctid = ANY (ARRAY("
    "  SELECT q.ctid FROM credit.upload_part q WHERE q.created_at < $1"
    "   AND NOT EXISTS (SELECT FROM credit.upload u WHERE u.upload_id = q.upload_id) LIMIT 100))",
};

struct orphan_sweep {
    struct flow flow;
    struct credit *credit;
};

static void orphan_run(struct flow *flow)
{
    struct orphan_sweep *sweep = FLOW_OF(flow, struct orphan_sweep, flow);
    struct db_batch *batch = db_batch_new(flow->arena);

    db_time(db_add(batch, &delete_orphans), clock_now_us() - CREDIT_ORPHAN_AGE_S * CLOCK_SECOND_US);
    flow_wait(flow, FLOW_END);
    db_run(sweep->credit->db, batch, CREDIT_DEADLINE_MS, flow);
}

static void orphan_done(struct flow *flow)
{
    struct orphan_sweep *sweep = FLOW_OF(flow, struct orphan_sweep, flow);

    if (flow->err != ERR_OK)
        LOG_WARN("orphans_kept", F_ERR(flow->err), F_STR("note", flow->note.text));
    flow_fini(flow);
    free(sweep);
}

static void orphans(void *arg)
{
    struct credit *credit = arg;
    struct orphan_sweep *sweep = heap_zero(sizeof(*sweep));

    sweep->credit = credit;
    flow_init(&sweep->flow, credit->loop, orphan_run, orphan_done, NULL);
    flow_start(&sweep->flow, 0);
}

/* ---- the process ---- */

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
    timer_open(&credit->orphan_timer, credit->loop, orphans, credit);
    timer_start(&credit->orphan_timer, CREDIT_ORPHAN_EVERY_MS, CREDIT_ORPHAN_EVERY_MS);
    work_subscribe(credit->work, topics, ARRAY_LEN(topics), routes, ARRAY_LEN(routes), credit);
    return ERR_OK;
}

static void timer_gone(void *arg)
{
    struct credit *credit = arg;

    proc_stopped(credit->proc);
}

void credit_stop(struct proc *proc, void *state)
{
    struct credit *credit = state;

    (void)proc;
    timer_close(&credit->orphan_timer, timer_gone);
}

bool credit_ready(struct proc *proc, void *state, struct err_note *why)
{
    const struct credit *credit = state;

    (void)proc;
    if (!db_up(credit->db))
        (void)err_say(why, ERR_DB_DOWN, "PostgreSQL does not answer");
    return db_up(credit->db);
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
    metric_histogram_add(out, "chunk", "", &credit->figures.chunk);
    metric_histogram_add(out, "upload_visible", "", &credit->figures.visible);
}
