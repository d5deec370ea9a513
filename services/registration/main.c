/* registration: persons and accounts, first login's steps, profiles, what time brings about. */
#include "gen/events.h"
#include "registration/procedure.h"
#include "registration/registration.h"

static enum err start(struct proc *proc, void *state, struct err_note *note)
{
    static const char *const topics[] = {TOPIC_REGISTRATION_COMMANDS, TOPIC_CERTIFICATE_EVENTS};
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
    work_subscribe(registration->work, topics, ARRAY_LEN(topics), registration_routes,
                   registration_route_count, registration);
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
