/* handler_bench: see the header. Its work_emit(), work_run() and work_reply() take the place of
 * lib/work's. */
#include "lib/handler_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct work {
    struct bench *bench;
};

void bench_open(struct bench *bench, const char *role)
{
    char dsn[320];
    const char *rest;
    struct db_options options = {
        .dsn = dsn,
        .application = "bench",
        .connections = 2,
        .waiting_max = 16,
        .statement_timeout_ms = 10000,
    };

    memset(bench, 0, sizeof(*bench));
    pg_server_start_migrated(&bench->server);
    rest = strstr(bench->server.dsn, "user=postgres");
    must(rest != NULL);
    (void)snprintf(dsn, sizeof(dsn), "%.*suser=%s%s", (int)(rest - bench->server.dsn),
                   bench->server.dsn, role, rest + strlen("user=postgres"));
    bench->loop = loop_new();
    bench->db = db_open(bench->loop, &options);
    bench->work = heap_zero(sizeof(*bench->work));
    bench->work->bench = bench;
}

static void db_closed(void *arg)
{
    *(bool *)arg = true;
}

void bench_forget(struct bench *bench)
{
    for (size_t i = 0; i < bench->event_count; i++)
        json_decref(bench->events[i].data);
    bench->event_count = 0;
    json_decref(bench->answer);
    bench->answer = NULL;
    bench->answered = false;
    bench->answer_code[0] = '\0';
}

void bench_close(struct bench *bench)
{
    bool closed = false;

    bench_forget(bench);
    db_close(bench->db, db_closed, &closed);
    must(loop_run_until(bench->loop, &closed, BENCH_WAIT_MS));
    loop_free(bench->loop);
    free(bench->work);
    pg_server_stop(&bench->server);
}

void bench_clock(const char *time)
{
    int64_t wanted;

    clock_set_offset(0);
    must(time_parse(str_of(time), &wanted));
    clock_set_offset(wanted - clock_now_us());
}

/* ---- one message ---- */

enum step { STEP_HANDLE, STEP_COMMIT };

struct drive {
    struct flow flow;
    struct bench *bench;
    work_handler_fn handler;
    void *service;
    struct work_batch batch;
    enum err err;
    bool done;
};

static void drive_run(struct flow *flow)
{
    struct drive *drive = FLOW_OF(flow, struct drive, flow);

    switch ((enum step)flow->step) {
    case STEP_HANDLE:
        flow_wait(flow, STEP_COMMIT);
        drive->handler(drive->service, &drive->batch);
        return;
    case STEP_COMMIT:
        if (drive->bench->meanwhile != NULL)
            pg_server_exec(&drive->bench->server, drive->bench->meanwhile);
        if (db_batch_count(drive->batch.effect) == 0) {
            flow_end(flow, ERR_OK);
            return;
        }
        flow_wait(flow, FLOW_END);
        db_run(drive->bench->db, drive->batch.effect, BENCH_WAIT_MS, flow);
        return;
    }
    must(false);
}

static void drive_done(struct flow *flow)
{
    struct drive *drive = FLOW_OF(flow, struct drive, flow);

    drive->err = flow->err;
    drive->bench->note = flow->note;
    drive->done = true;
}

enum err bench_handle_all(struct bench *bench, work_handler_fn handler, void *service,
                          const char *type, json_t *const *data, size_t count)
{
    struct drive drive = {.bench = bench, .handler = handler, .service = service};
    struct arena *arena = arena_new();
    struct work_message *messages = arena_array(arena, struct work_message, count);

    bench_forget(bench);
    flow_init(&drive.flow, bench->loop, drive_run, drive_done, NULL);
    for (size_t i = 0; i < count; i++)
        messages[i] = (struct work_message){.id = uuid_new(),
                                            .type = type,
                                            .topic = "bench",
                                            .trace = "",
                                            .time_us = clock_now_us(),
                                            .data = data[i]};
    drive.batch = (struct work_batch){.work = bench->work,
                                      .messages = messages,
                                      .count = count,
                                      .arena = arena,
                                      .effect = db_batch_new(arena),
                                      .flow = &drive.flow,
                                      .conflicted = bench->conflicted};
    flow_start(&drive.flow, STEP_HANDLE);
    must(loop_run_until(bench->loop, &drive.done, BENCH_WAIT_MS));
    bench->conflicted = drive.err == ERR_DB_CONFLICT;
    if (drive.err == ERR_OK && bench->committed != NULL)
        bench->committed(service, &drive.batch);
    flow_fini(&drive.flow);
    arena_free(arena);
    return drive.err;
}

enum err bench_handle(struct bench *bench, work_handler_fn handler, void *service, const char *type,
                      const char *json, ...)
{
    char text[16384];
    va_list list;
    json_t *data;
    enum err err;
    int len;

    va_start(list, json);
    len = vsnprintf(text, sizeof(text), json, list);
    va_end(list);
    must(len > 0 && len < (int)sizeof(text));
    data = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    must(data != NULL);
    err = bench_handle_all(bench, handler, service, type, &data, 1);
    json_decref(data);
    return err;
}

void bench_give_up(struct bench *bench,
                   void (*dead)(void *service, struct work_batch *batch, const char *reason),
                   void *service, const char *json)
{
    struct arena *arena = arena_new();
    struct work_message message = {.type = "bench", .topic = "bench", .trace = ""};
    struct work_batch batch = {
        .work = bench->work, .messages = &message, .count = 1, .arena = arena};

    message.data = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    must(message.data != NULL);
    batch.effect = db_batch_new(arena);
    bench_forget(bench);
    dead(service, &batch, "internal");
    json_decref(message.data);
    arena_free(arena);
}

/* ---- in place of lib/work ---- */

static void keep_in_outbox(struct bench *bench, struct db_batch *batch,
                           const struct work_event *event, struct uuid id)
{
    char *text = json_dumps(event->data, JSON_COMPACT);
    struct db_query *query = db_add(batch, bench->outbox);

    must(text != NULL);
    db_uuid(query, id);
    db_text_c(query, event->type);
    db_text_c(query, event->topic);
    db_text(query, event->key);
    db_text_c(query, text);
    free(text);
}

struct uuid work_emit(struct work *work, struct db_batch *batch, const struct work_event *event,
                      const char *trace)
{
    struct bench *bench = work->bench;
    struct bench_event *kept = &bench->events[bench->event_count];
    struct uuid id = uuid_new();

    (void)trace;
    must(bench->event_count < BENCH_EVENTS_MAX);
    bench->event_count++;
    if (bench->outbox != NULL)
        keep_in_outbox(bench, batch, event, id);
    (void)snprintf(kept->type, sizeof(kept->type), "%s", event->type);
    (void)snprintf(kept->topic, sizeof(kept->topic), "%s", event->topic);
    (void)snprintf(kept->key, sizeof(kept->key), "%.*s", STR_ARG(event->key));
    kept->data = event->data;
    return id;
}

void work_run(struct work *work, struct db_batch *batch, uint64_t deadline_ms, struct flow *flow)
{
    db_run(work->bench->db, batch, deadline_ms, flow);
}

void work_reply(struct work *work, struct db_batch *batch, const struct work_reply *reply,
                const char *trace)
{
    struct bench *bench = work->bench;
    const char *code = "";

    (void)batch;
    (void)trace;
    must(!bench->answered);
    bench->answered = true;
    bench->answer_err = reply->err;
    if (reply->err != ERR_OK)
        code = reply->problem_code != NULL ? reply->problem_code : err_name(reply->err);
    (void)snprintf(bench->answer_code, sizeof(bench->answer_code), "%s", code);
    bench->answer = reply->err == ERR_OK ? reply->result : reply->problem_extra;
}

/* ---- looking ---- */

json_t *bench_event(const struct bench *bench, const char *type)
{
    for (size_t i = 0; i < bench->event_count; i++) {
        if (strcmp(bench->events[i].type, type) == 0)
            return bench->events[i].data;
    }
    return NULL;
}

size_t bench_emitted(const struct bench *bench, const char *type)
{
    size_t count = 0;

    for (size_t i = 0; i < bench->event_count; i++)
        count += strcmp(bench->events[i].type, type) == 0;
    return count;
}

const char *bench_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

int64_t bench_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void bench_sql(struct bench *bench, const char *sql)
{
    pg_server_exec(&bench->server, sql);
}

int64_t bench_i64(struct bench *bench, const char *sql)
{
    return pg_server_i64(&bench->server, sql);
}
