/* What the subcommands share: the command line, servers, files, words for people. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mamisctl/mamisctl.h"

#ifndef MAMIS_SOURCE_DIR
#error "the build names its source tree"
#endif

enum { CLOSE_MS = 5000 };

/* ---- words of the command line ---- */

static void take_words(struct tool_args *args, int at, int count)
{
    for (int i = at; i + count < args->count; i++)
        args->words[i] = args->words[i + count];
    args->count -= count;
}

const char *args_option(struct tool_args *args, const char *name)
{
    for (int i = 0; i + 1 < args->count; i++) {
        if (strcmp(args->words[i], name) == 0) {
            const char *value = args->words[i + 1];

            take_words(args, i, 2);
            return value;
        }
    }
    return NULL;
}

bool args_flag(struct tool_args *args, const char *name)
{
    for (int i = 0; i < args->count; i++) {
        if (strcmp(args->words[i], name) == 0) {
            take_words(args, i, 1);
            return true;
        }
    }
    return false;
}

const char *args_word(struct tool_args *args)
{
    const char *word;

    if (args->count == 0 || args->words[0][0] == '-')
        return NULL;
    word = args->words[0];
    take_words(args, 0, 1);
    return word;
}

bool args_done(const struct tool_args *args)
{
    if (args->count > 0)
        tool_say("\"%s\" is not understood here", args->words[0]);
    return args->count == 0;
}

/* ---- servers ---- */

void tool_db_open(struct tool *tool)
{
    const struct db_options options = {
        .dsn = tool->settings->database,
        .application = "mamisctl",
        .connections = 1,
        .waiting_max = 64,
        .statement_timeout_ms = TOOL_DEADLINE_MS,
    };

    if (tool->db == NULL)
        tool->db = db_open(tool->loop, &options);
}

static struct bus_tls bus_tls_of(const struct tool_settings *settings)
{
    return (struct bus_tls){.ca = settings->kafka_ca,
                            .certificate = settings->kafka_certificate,
                            .key = settings->kafka_key};
}

enum err tool_bus_admin_open(struct tool *tool, struct bus_admin **ret_admin, struct err_note *note)
{
    const struct bus_tls tls = bus_tls_of(tool->settings);
    enum err err = bus_tls_check(&tls, note);

    if (err != ERR_OK)
        return err;
    return bus_admin_open(tool->settings->kafka_bootstrap, &tls, ret_admin, note);
}

void tool_bus_open(struct tool *tool)
{
    const struct bus_options options = {.bootstrap = tool->settings->kafka_bootstrap,
                                        .client_id = "mamisctl",
                                        .tls = bus_tls_of(tool->settings)};

    if (tool->bus == NULL)
        tool->bus = bus_open(tool->loop, &options);
}

void tool_work_open(struct tool *tool, const char *service)
{
    const struct work_options options = {.service = service, .source = "/mamis/mamisctl"};

    must(tool->work == NULL);
    tool_db_open(tool);
    tool_bus_open(tool);
    tool->work = work_open(tool->loop, tool->db, tool->bus, &options);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

void tool_close(struct tool *tool)
{
    bool closed = false;

    if (tool->work != NULL) {
        work_close(tool->work, set_flag, &closed);
        (void)loop_run_until(tool->loop, &closed, CLOSE_MS);
    }
    if (tool->bus != NULL) {
        closed = false;
        bus_close(tool->bus, set_flag, &closed);
        (void)loop_run_until(tool->loop, &closed, CLOSE_MS);
    }
    if (tool->db != NULL) {
        closed = false;
        db_close(tool->db, set_flag, &closed);
        (void)loop_run_until(tool->loop, &closed, CLOSE_MS);
    }
}

/* A flow of one step, for waiting. */
struct waiter {
    struct flow flow;
    struct tool *tool;
    struct db_batch *batch;
    bool as_work;
    bool done;
};

static void waiter_run(struct flow *flow)
{
    struct waiter *waiter = FLOW_OF(flow, struct waiter, flow);

    flow_wait(flow, FLOW_END);
    if (waiter->as_work)
        work_run(waiter->tool->work, waiter->batch, TOOL_DEADLINE_MS, flow);
    else
        db_run(waiter->tool->db, waiter->batch, TOOL_DEADLINE_MS, flow);
}

static void waiter_done(struct flow *flow)
{
    FLOW_OF(flow, struct waiter, flow)->done = true;
}

static enum err run_batch(struct tool *tool, struct db_batch *batch, bool as_work,
                          struct err_note *note)
{
    struct waiter waiter = {.tool = tool, .batch = batch, .as_work = as_work};
    enum err err;

    flow_init(&waiter.flow, tool->loop, waiter_run, waiter_done, NULL);
    flow_start(&waiter.flow, 0);
    /* db_run() keeps its own deadline; this one only makes a hang visible. */
    must(loop_run_until(tool->loop, &waiter.done, TOOL_DEADLINE_MS + CLOSE_MS));
    err = waiter.flow.err;
    if (err != ERR_OK)
        (void)err_say(note, err, "%s", waiter.flow.note.text);
    flow_fini(&waiter.flow);
    return err;
}

enum err tool_run(struct tool *tool, struct db_batch *batch, struct err_note *note)
{
    return run_batch(tool, batch, false, note);
}

enum err tool_run_work(struct tool *tool, struct db_batch *batch, struct err_note *note)
{
    return run_batch(tool, batch, true, note);
}

bool tool_flush(struct tool *tool, uint64_t wait_ms)
{
    uint64_t end_ms = clock_mono_ms() + wait_ms;
    bool never = false;

    while (!work_idle(tool->work)) {
        if (clock_mono_ms() >= end_ms)
            return false;
        (void)loop_run_until(tool->loop, &never, 5);
    }
    return true;
}

/* ---- words and files ---- */

void tool_say(const char *format, ...)
{
    va_list args;

    (void)fputs("mamisctl: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

static const char *cure_of(enum err err)
{
    switch (err_class(err)) {
    case ERR_CLASS_RETRY:
        return "; is the server up? Then try again";
    case ERR_CLASS_OK:
    case ERR_CLASS_INPUT:
    case ERR_CLASS_STATE:
    case ERR_CLASS_BUG:
        return "";
    }
    must(false);
    return "";
}

enum tool_exit tool_fail(const char *step, enum err err, const struct err_note *note)
{
    tool_say("%s: %s (%s)%s", step, note->text, err_name(err), cure_of(err));
    return err_class(err) == ERR_CLASS_INPUT || err_class(err) == ERR_CLASS_STATE ? TOOL_REFUSED
                                                                                  : TOOL_FAILED;
}

enum err tool_read_file(const char *path, size_t bytes_max, struct buf *out, struct err_note *note)
{
    FILE *file = fopen(path, "re");
    char piece[64 * 1024];
    size_t got;
    bool bad;

    if (file == NULL)
        return err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0 && out->len <= bytes_max)
        buf_add(out, piece, got);
    bad = ferror(file) != 0;
    (void)fclose(file);
    if (bad)
        return err_say(note, ERR_SETTINGS, "%s: cannot be read", path);
    if (out->len > bytes_max)
        return err_say(note, ERR_BODY_TOO_LARGE, "%s: more than %zu bytes", path, bytes_max);
    return ERR_OK;
}

const char *tool_data_path(struct tool *tool, const char *name)
{
    const char *top =
        tool->settings->data_dir[0] != '\0' ? tool->settings->data_dir : MAMIS_SOURCE_DIR;

    return arena_printf(tool->arena, "%s/deploy/%s", top, name);
}
