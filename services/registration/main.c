/* registration: persons and accounts, first login's steps, profiles, what time brings about. */
#include "gen/events.h"
#include "registration/procedure.h"
#include "registration/registration.h"
#include "registration/registration_correction.h"
#include "registration/registration_delegate.h"
#include "registration/registration_maintenance.h"

static enum err start(struct proc *proc, void *state, struct err_note *note)
{
    static const char *const topics[] = {TOPIC_REGISTRATION_COMMANDS, TOPIC_CERTIFICATE_EVENTS};
#define COMMAND(name)                                                                              \
    {                                                                                              \
        .type = (name), .handle = registration_step_handle, .batch_max = 1,                        \
        .dead = registration_step_dead                                                             \
    }
#define OTHER(name, handler)                                                                       \
    {                                                                                              \
        .type = (name), .handle = (handler), .batch_max = 1, .dead = registration_step_dead        \
    }
    static const struct work_route routes[] = {
        COMMAND(EVENT_ACCOUNT_AGREE_TERMS),
        COMMAND(EVENT_ACCOUNT_SET_EMAIL),
        COMMAND(EVENT_ACCOUNT_CONFIRM_EMAIL),
        COMMAND(EVENT_ACCOUNT_SET_PROFILE),
        COMMAND(EVENT_ACCOUNT_COMPLETE),
        {.type = EVENT_MAINTENANCE_PLAN,
         .handle = registration_maintenance_handle,
         .batch_max = 1,
         .dead = registration_step_dead},
        {.type = EVENT_MAINTENANCE_END,
         .handle = registration_maintenance_handle,
         .batch_max = 1,
         .dead = registration_step_dead},
        COMMAND(EVENT_ACCOUNT_DECLINE_TERMS),
        COMMAND(EVENT_ACCOUNT_DESK),
        {.type = EVENT_SIGNUP_SUBMIT,
         .handle = registration_signup_handle,
         .batch_max = 1,
         .dead = registration_step_dead},
        {.type = EVENT_SIGNUP_DECIDE,
         .handle = registration_signup_decide_handle,
         .batch_max = 1,
         .dead = registration_step_dead},
        {.type = EVENT_ACCOUNT_TIME_OUT, .handle = registration_step_handle, .batch_max = 1},
        {.type = EVENT_CERTIFICATE_STATE,
         .handle = registration_certificate_handle,
         .batch_max = REGISTRATION_FEED_MAX},
        {.type = EVENT_CERTIFICATES_STATE,
         .handle = registration_certificate_handle,
         .batch_max = REGISTRATION_LISTS_MAX},
        OTHER(EVENT_PROCEDURE_SUBMIT, procedure_file_handle),
        OTHER(EVENT_PROCEDURE_ACT, procedure_act_handle),
        OTHER(EVENT_STAFF_CREATE, registration_staff_create),
        OTHER(EVENT_STAFF_CHANGE, registration_staff_change),
        OTHER(EVENT_DELEGATE_INVITE, registration_delegate_handle),
        OTHER(EVENT_DELEGATE_ACCEPT, registration_delegate_handle),
        OTHER(EVENT_DELEGATE_REVOKE, registration_delegate_handle),
        OTHER(EVENT_CORRECTION_ASK, registration_correction_handle),
        OTHER(EVENT_CORRECTION_ANSWER, registration_correction_handle),
    };
#undef OTHER
#undef COMMAND
    struct registration *registration = state;

    (void)note;
    registration->loop = proc_loop(proc);
    registration->db = proc_db(proc);
    registration->work = proc_work(proc);
    bus_warm(proc_bus(proc), TOPIC_REPLIES);
    bus_warm(proc_bus(proc), TOPIC_ACCOUNT_EVENTS);
    bus_warm(proc_bus(proc), TOPIC_DOCTOR_EVENTS);
    bus_warm(proc_bus(proc), TOPIC_PROCEDURE_EVENTS);
    registration->clock = procedure_clock_open(registration, proc_loop(proc));
    bus_warm(proc_bus(proc), TOPIC_MAINTENANCE_EVENTS);
    work_subscribe(registration->work, topics, ARRAY_LEN(topics), routes, ARRAY_LEN(routes),
                   registration);
    registration->upkeep = upkeep_open(registration);
    return ERR_OK;
}

static void clock_closed(void *arg)
{
    proc_stopped(arg);
}

static void upkeep_closed(void *arg)
{
    struct registration *registration = arg;

    procedure_clock_close(registration->clock, clock_closed, registration->proc);
}

static void stop(struct proc *proc, void *state)
{
    struct registration *registration = state;

    registration->proc = proc;
    upkeep_close(registration->upkeep, upkeep_closed, registration);
}

static bool ready(struct proc *proc, void *state, struct err_note *why)
{
    struct registration *registration = state;

    (void)proc;
    if (db_up(registration->db))
        return true;
    (void)err_say(why, ERR_DB_DOWN, "no connection to PostgreSQL");
    return false;
}

static void metrics(struct proc *proc, void *state, struct buf *out)
{
    const struct registration *registration = state;

    (void)proc;
    metric_add(out, "registration_commands_total", "", (int64_t)registration->figures.commands);
    metric_add(out, "registration_refused_total", "", (int64_t)registration->figures.refused);
    metric_add(out, "registration_my_pages_total", "", (int64_t)registration->figures.my_pages);
}

int main(int argc, char **argv)
{
    static const struct proc_service service = {
        .name = "registration",
        .state_bytes = sizeof(struct registration),
        .start = start,
        .stop = stop,
        .ready = ready,
        .metrics = metrics,
    };

    return proc_main(argc, argv, &service);
}
