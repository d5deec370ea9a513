/* proc: start in one visible order, stop in reverse. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc_private.h"

enum {
    PROC_EXIT_USAGE = 64,
    PROC_EXIT_FAULT = 70,
    PROC_EXIT_SETTINGS = 78,
    PROC_STOP_MS = 2500,
    PROC_STOP_HARD_MS = 2800, /* when the loop itself hangs */
    PROC_LAG_SAMPLE_MS = 5000,
};

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct proc_settings, name),                               \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
static const struct setting common_settings[] = {
#include "proc/proc_settings.def"
};
#undef SETTING

struct arguments {
    const char *settings_file;
    bool help_settings;
    bool check;
};

static bool arguments_parse(int argc, char **argv, struct arguments *out)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--settings") == 0 && i + 1 < argc)
            out->settings_file = argv[++i];
        else if (strcmp(argv[i], "--help-settings") == 0)
            out->help_settings = true;
        else if (strcmp(argv[i], "--check") == 0)
            out->check = true;
        else
            return false;
    }
    return true;
}

static bool level_parse(const char *name, enum log_level *ret_level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *ret_level = (enum log_level)i;
        return true;
    }
    return false;
}

/* ---- stopping: the service, then its clients, then the loop ---- */

static void loop_may_end(struct proc *proc)
{
    if (proc->closing == 0)
        loop_stop(proc->loop);
}

static void part_closed(void *arg)
{
    struct proc *proc = arg;

    must(proc->closing > 0);
    proc->closing--;
    loop_may_end(proc);
}

static void work_closed(void *arg)
{
    struct proc *proc = arg;

    if (proc->bus != NULL) {
        proc->closing++;
        bus_close(proc->bus, part_closed, proc);
    }
    if (proc->cache != NULL) {
        proc->closing++;
        cache_close(proc->cache, part_closed, proc);
    }
    if (proc->db != NULL) {
        proc->closing++;
        db_close(proc->db, part_closed, proc);
    }
    loop_may_end(proc);
}

void proc_stopped(struct proc *proc)
{
    if (proc->work != NULL)
        work_close(proc->work, work_closed, proc);
    else
        work_closed(proc);
}

static void too_late(void *arg)
{
    (void)arg;
    /* Nothing is lost: what counts is committed, the rest comes again. */
    LOG_WARN("stopped_late");
    _exit(0);
}

static void stop(struct proc *proc)
{
    const struct itimerval hard = {.it_value.tv_sec = PROC_STOP_HARD_MS / 1000,
                                   .it_value.tv_usec = PROC_STOP_HARD_MS % 1000 * 1000};

    if (proc->stopping)
        return;
    proc->stopping = true;
    LOG_INFO("stopping");
    timer_start(&proc->deadline, PROC_STOP_MS, 0);
    (void)setitimer(ITIMER_REAL, &hard, NULL); /* SIGALRM ends the process */
    if (proc->service->stop != NULL)
        proc->service->stop(proc, proc->state);
    else
        proc_stopped(proc);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    stop(handle->data);
}

/* ---- starting ---- */

static void sample_lag(void *arg)
{
    struct proc *proc = arg;

    proc->lag_us = loop_lag_max_us(proc->loop);
    if (proc->lag_us > proc->lag_worst_us)
        proc->lag_worst_us = proc->lag_us;
}

static void loop_open(struct proc *proc)
{
    proc->loop = loop_new();
    must(uv_signal_init(loop_uv(proc->loop), &proc->on_term) == 0);
    must(uv_signal_init(loop_uv(proc->loop), &proc->on_int) == 0);
    proc->on_term.data = proc;
    proc->on_int.data = proc;
    must(uv_signal_start(&proc->on_term, on_signal, SIGTERM) == 0);
    must(uv_signal_start(&proc->on_int, on_signal, SIGINT) == 0);
    timer_open(&proc->deadline, proc->loop, too_late, proc);
    timer_open(&proc->lag_sample, proc->loop, sample_lag, proc);
    timer_start(&proc->lag_sample, PROC_LAG_SAMPLE_MS, PROC_LAG_SAMPLE_MS);
}

static struct bus_tls bus_tls_of(const struct proc_settings *settings)
{
    return (struct bus_tls){.ca = settings->kafka_ca,
                            .certificate = settings->kafka_certificate,
                            .key = settings->kafka_key};
}

/* What a table cannot say. */
static enum err settings_check(const struct proc *proc, struct err_note *note)
{
    const struct proc_settings *settings = &proc->settings;
    const struct bus_tls tls = bus_tls_of(settings);
    bool production = strcmp(settings->env, "production") == 0;
    enum log_level level;
    int64_t offset;

    if (!production && strcmp(settings->env, "development") != 0)
        return err_say(note, ERR_SETTINGS, "env wants development or production");
    if (!level_parse(settings->log_level, &level))
        return err_say(note, ERR_SETTINGS, "log_level wants debug, info, warn or error");
    if (!str_to_i64(str_of(settings->now_offset_us), &offset))
        return err_say(note, ERR_SETTINGS, "now_offset_us wants a whole number of microseconds");
    if (offset != 0 && production)
        return err_say(note, ERR_SETTINGS, "now_offset_us is a test aid: refused in production");
    if (bus_tls_check(&tls, note) != ERR_OK)
        return ERR_SETTINGS;
    clock_set_offset(offset);
    log_init(proc->service->name, level);
    return ERR_OK;
}

static enum err settings_read(struct proc *proc, const struct settings_table *tables, size_t count,
                              const char *file, struct err_note *note)
{
    enum err err = settings_load(tables, count, file, note);

    return err == ERR_OK ? settings_check(proc, note) : err;
}

static int run(struct proc *proc)
{
    struct err_note note = {.text = ""};
    enum err err;

    proc->state = heap_zero(proc->service->state_bytes);
    /* Before there are threads, which inherit it. Only ever nicer, so it cannot fail. */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + proc->service->nice_level);
    loop_open(proc);
    err = admin_open(proc, &note);
    if (err == ERR_OK)
        err = proc->service->start(proc, proc->state, &note);
    if (err != ERR_OK) {
        LOG_ERROR("start_failed", F_ERR(err), F_STR("note", note.text));
        return PROC_EXIT_FAULT;
    }
    proc->started = true;
    LOG_INFO("started", F_I64("pid", getpid()));
    watch_open(&proc->watch, proc->loop, proc->settings.loop_stuck_ms);
    loop_run(proc->loop);
    watch_close(&proc->watch);
    LOG_INFO("stopped");
    return 0;
}

int proc_main(int argc, char **argv, const struct proc_service *service)
{
    static struct proc proc;
    struct settings_table tables[] = {
        {common_settings, ARRAY_LEN(common_settings), &proc.settings},
        {service->settings, service->setting_count, service->settings_out},
    };
    struct arguments arguments = {0};
    struct err_note note = {.text = ""};

    log_init(service->name, LOG_LEVEL_INFO);
    proc.service = service;
    if (!arguments_parse(argc, argv, &arguments)) {
        fprintf(stderr, "usage: %s [--settings FILE] [--check] [--help-settings]\n", argv[0]);
        return PROC_EXIT_USAGE;
    }
    if (arguments.help_settings) {
        settings_print(tables, ARRAY_LEN(tables));
        return 0;
    }
    if (settings_read(&proc, tables, ARRAY_LEN(tables), arguments.settings_file, &note) != ERR_OK) {
        LOG_ERROR("settings_refused", F_STR("note", note.text));
        return PROC_EXIT_SETTINGS;
    }
    if (arguments.check)
        return 0;
    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0); /* reads the kernel's generator now, not in the middle of a request */
    return run(&proc);
}

struct loop *proc_loop(struct proc *proc)
{
    return proc->loop;
}

const struct proc_settings *proc_settings(const struct proc *proc)
{
    return &proc->settings;
}

struct db_pool *proc_db(struct proc *proc)
{
    const struct db_options options = {
        .dsn = proc->settings.database,
        .application = proc->service->name,
        .connections = proc->settings.db_connections,
        .waiting_max = proc->settings.db_waiting_max,
        .statement_timeout_ms = proc->settings.db_statement_timeout_ms,
    };

    if (proc->db == NULL)
        proc->db = db_open(proc->loop, &options);
    return proc->db;
}

struct bus *proc_bus(struct proc *proc)
{
    const struct bus_options options = {
        .bootstrap = proc->settings.kafka_bootstrap,
        .tls = bus_tls_of(&proc->settings),
        .client_id = proc->service->name,
    };

    if (proc->bus == NULL)
        proc->bus = bus_open(proc->loop, &options);
    return proc->bus;
}

struct work *proc_work(struct proc *proc)
{
    if (proc->work == NULL) {
        static char source[64];
        struct work_options options = {.service = proc->service->name, .source = source};

        (void)snprintf(source, sizeof(source), "/mamis/%s", proc->service->name);
        proc->work = work_open(proc->loop, proc_db(proc), proc_bus(proc), &options);
    }
    return proc->work;
}

struct cache *proc_cache(struct proc *proc)
{
    const struct proc_settings *settings = &proc->settings;
    const struct cache_options options = {
        .socket_path = settings->redis_socket[0] == '\0' ? NULL : settings->redis_socket,
        .host = settings->redis_host,
        .port = (uint16_t)settings->redis_port,
        .user = settings->redis_user[0] == '\0' ? NULL : settings->redis_user,
        .password = settings->redis_password[0] == '\0' ? NULL : settings->redis_password,
        .connect_timeout_ms = 500,
        .command_timeout_ms = 250,
        .pending_max = 1024,
    };

    if (proc->cache == NULL)
        proc->cache = cache_open(proc->loop, &options);
    return proc->cache;
}

_Noreturn void proc_die(const char *event, const struct err_note *note)
{
    LOG_ERROR(event, F_STR("note", note == NULL ? "" : note->text));
    _exit(PROC_EXIT_FAULT);
}
