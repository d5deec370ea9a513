/* tiny: the smallest service, for the tests of lib/proc. It behaves as its setting `way` says. */
#include <string.h>

#include "proc/proc.h"

struct tiny_settings {
#define SETTING(name, type, fallback, least, most, unit, flags, help) SETTING_FIELD_##type name;
#include "tiny_settings.def"
#undef SETTING
};

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct tiny_settings, name),                               \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
static const struct setting table[] = {
#include "tiny_settings.def"
};
#undef SETTING

static struct tiny_settings settings;

static bool way_is(const char *way)
{
    return strcmp(settings.way, way) == 0;
}

static void blocked_run(struct flow *flow)
{
    (void)flow;
    while (true)
        ;
}

static void blocked_done(struct flow *flow)
{
    flow_fini(flow);
}

static enum err start(struct proc *proc, void *state, struct err_note *note)
{
    static struct flow flow;

    *(uint64_t *)state = settings.tiny_number;
    if (way_is("blocked")) {
        flow_init(&flow, proc_loop(proc), blocked_run, blocked_done, NULL);
        flow_start(&flow, 0);
    }
    return way_is("refuses") ? err_say(note, ERR_PORT, "the tiny step failed") : ERR_OK;
}

static void stop(struct proc *proc, void *state)
{
    (void)state;
    while (way_is("stuck")) /* as a library does that waits for somebody who never comes */
        ;
    if (!way_is("late"))
        proc_stopped(proc);
}

static bool ready(struct proc *proc, void *state, struct err_note *why)
{
    (void)proc;
    (void)state;
    if (way_is("unready"))
        (void)err_say(why, ERR_DB_DOWN, "waits for the moon");
    return !way_is("unready");
}

static void metrics(struct proc *proc, void *state, struct buf *out)
{
    (void)proc;
    metric_add(out, "tiny_things", "", (int64_t) * (uint64_t *)state);
}

int main(int argc, char **argv)
{
    static const struct proc_service service = {
        .name = "tiny",
        .settings = table,
        .setting_count = ARRAY_LEN(table),
        .settings_out = &settings,
        .state_bytes = sizeof(uint64_t),
        .start = start,
        .stop = stop,
        .ready = ready,
        .metrics = metrics,
    };

    return proc_main(argc, argv, &service);
}
