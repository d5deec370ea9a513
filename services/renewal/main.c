/* renewal: rule sets, standing, applications and their review, certificates. */
#include <stdio.h>
#include <stdlib.h>

#include "gen/events.h"
#include "renewal/renewal.h"

static enum err load_rules(struct renewal *renewal, struct proc *proc, struct err_note *note)
{
    const char *data_dir = proc_settings(proc)->data_dir;
    char folder[600];

    (void)snprintf(folder, sizeof(folder), "%s/deploy/rules",
                   data_dir[0] != '\0' ? data_dir : MAMIS_SOURCE_DIR);
    renewal->book = heap_zero(sizeof(*renewal->book));
    return rule_book_load(renewal->book, folder, note);
}

static enum err start(struct proc *proc, void *state, struct err_note *note)
{
    static const char *const topics[] = {TOPIC_DOCTOR_EVENTS, TOPIC_CERTIFICATE_EVENTS,
                                         TOPIC_CREDIT_EVENTS, TOPIC_RENEWAL_COMMANDS};
    static const struct work_route routes[] = {
        {.type = EVENT_DOCTOR_STATE,
         .handle = renewal_doctor_handle,
         .batch_max = RENEWAL_FEED_MAX},
        {.type = EVENT_CERTIFICATE_STATE,
         .handle = renewal_certificate_handle,
         .batch_max = RENEWAL_FEED_MAX,
         .committed = renewal_marked},
        {.type = EVENT_DOCTORS_STATE,
         .handle = renewal_doctor_handle,
         .batch_max = RENEWAL_LISTS_MAX},
        {.type = EVENT_CERTIFICATES_STATE,
         .handle = renewal_certificate_handle,
         .batch_max = RENEWAL_LISTS_MAX,
         .committed = renewal_marked},
        {.type = EVENT_DOCTOR_MERGED,
         .handle = renewal_merge_handle,
         .batch_max = 1,
         .committed = renewal_marked},
        {.type = EVENT_CREDITS_POSTED,
         .handle = renewal_credits_handle,
         .batch_max = RENEWAL_CREDITS_BATCH_MAX,
         .committed = renewal_marked},
        {.type = EVENT_CREDITS_STATE,
         .handle = renewal_credits_state_handle,
         .batch_max = 1,
         .committed = renewal_marked},
        {.type = EVENT_HANDBOOK_DECLARE,
         .handle = renewal_handbook_handle,
         .batch_max = 1,
         .committed = renewal_marked,
         .dead = renewal_dead},
        {.type = EVENT_APPLICATION_SUBMIT,
         .handle = renewal_submit_handle,
         .batch_max = 1,
         .dead = renewal_dead},
        {.type = EVENT_APPLICATION_REVIEW,
         .handle = renewal_review_handle,
         .batch_max = 1,
         .committed = renewal_marked,
         .dead = renewal_dead},
    };
    struct renewal *renewal = state;
    enum err err;

    TRY(load_rules(renewal, proc, note));
    if (day_of_us(clock_now_us()) > renewal->book->calendar.holidays_to)
        LOG_WARN("holidays_ended");
    renewal->loop = proc_loop(proc);
    renewal->db = proc_db(proc);
    renewal->work = proc_work(proc);
    renewal->recompute = recompute_open(renewal);
    bus_warm(proc_bus(proc), TOPIC_REPLIES);
    bus_warm(proc_bus(proc), TOPIC_CERTIFICATE_EVENTS);
    work_subscribe(renewal->work, topics, ARRAY_LEN(topics), routes, ARRAY_LEN(routes), renewal);
cleanup:
    return err;
}

static void recompute_closed(void *arg)
{
    proc_stopped(arg);
}

static void stop(struct proc *proc, void *state)
{
    struct renewal *renewal = state;

    recompute_close(renewal->recompute, recompute_closed, proc);
}

static bool ready(struct proc *proc, void *state, struct err_note *why)
{
    struct renewal *renewal = state;

    (void)proc;
    if (db_up(renewal->db))
        return true;
    (void)err_say(why, ERR_DB_DOWN, "no connection to PostgreSQL");
    return false;
}

static void metrics(struct proc *proc, void *state, struct buf *out)
{
    const struct renewal *renewal = state;

    (void)proc;
    metric_add(out, "renewal_credits_total", "", (int64_t)renewal->figures.credits);
    metric_add(out, "renewal_standings_total", "", (int64_t)renewal->figures.standings);
    metric_add(out, "renewal_submitted_total", "", (int64_t)renewal->figures.submitted);
    metric_add(out, "renewal_approved_total", "", (int64_t)renewal->figures.approved);
    metric_add(out, "renewal_refused_total", "", (int64_t)renewal->figures.refused);
}

int main(int argc, char **argv)
{
    static const struct proc_service service = {
        .name = "renewal",
        .state_bytes = sizeof(struct renewal),
        .start = start,
        .stop = stop,
        .ready = ready,
        .metrics = metrics,
    };

    return proc_main(argc, argv, &service);
}
