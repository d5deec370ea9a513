/*
 * work_outbox: an event's way after its commit. Its row is durable, so nothing here has to be: what
 * finds no room, or is not acknowledged, is left to the sweep.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "work/work_private.h"

/* The event as it will be published, and remembered with its batch. */
static struct work_emitted *emitted_new(struct work *work, struct db_batch *batch,
                                        const struct work_event *event, const char *trace)
{
    struct arena *arena = db_batch_arena(batch);
    struct work_emitted *emitted = arena_new_of(arena, struct work_emitted);
    struct work_emitted **first = (struct work_emitted **)db_batch_tag(batch);

    emitted->id = uuid_new();
    emitted->topic = arena_strdup(arena, event->topic);
    emitted->key = event->key.len > 0 ? arena_str(arena, event->key) : STR("");
    emitted->body = work_envelope_encode(arena, work, emitted->id, event, trace);
    if (*first == NULL)
        *first = emitted;
    else
        (*first)->last->next = emitted;
    (*first)->last = emitted;
    return emitted;
}

struct uuid work_emit(struct work *work, struct db_batch *batch, const struct work_event *event,
                      const char *trace)
{
    const struct work_emitted *emitted = emitted_new(work, batch, event, trace);
    struct db_query *query = db_add(batch, &work->sql[WORK_SQL_EMIT]);

    db_uuid(query, emitted->id);
    db_text_c(query, event->type);
    db_text_c(query, event->topic);
    db_text(query, emitted->key);
    db_text(query, emitted->body);
    return emitted->id;
}

void work_emit_all(struct work *work, struct db_batch *batch, const struct work_event *events,
                   size_t count)
{
    struct arena *arena = db_batch_arena(batch);
    struct uuid *ids = arena_array(arena, struct uuid, count);
    struct str *texts[4];
    struct db_query *query;

    if (count == 0)
        return;
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        texts[k] = arena_array(arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        const struct work_emitted *emitted = emitted_new(work, batch, &events[i], NULL);

        ids[i] = emitted->id;
        texts[0][i] = str_of(events[i].type);
        texts[1][i] = str_of(emitted->topic);
        texts[2][i] = emitted->key;
        texts[3][i] = emitted->body;
    }
    query = db_add(batch, &work->sql[WORK_SQL_EMIT_ALL]);
    db_uuid_array(query, ids, count);
    for (size_t k = 0; k < ARRAY_LEN(texts); k++)
        db_text_array(query, texts[k], count);
}

static struct work_item **bucket_of(struct work *work, struct uuid id)
{
    uint32_t hash;

    memcpy(&hash, id.bytes + UUID_BYTES - sizeof(hash), sizeof(hash)); /* the random end */
    return &work->outbox.buckets[hash % WORK_ITEM_BUCKETS];
}

static bool on_its_way(struct work *work, struct uuid id)
{
    for (const struct work_item *item = *bucket_of(work, id); item != NULL; item = item->hash_next)
        if (uuid_eq(item->id, id))
            return true;
    return false;
}

static struct work_item *item_new(struct work *work, struct uuid id)
{
    struct work_item *item = heap_zero(sizeof(*item));
    struct work_item **bucket = bucket_of(work, id);

    item->work = work;
    item->id = id;
    item->hash_next = *bucket;
    *bucket = item;
    return item;
}

void work_item_end(struct work_item *item)
{
    struct work_item **link = bucket_of(item->work, item->id);

    while (*link != item)
        link = &(*link)->hash_next;
    *link = item->hash_next;
    free(item->topic);
    free(item);
}

static void publish_waiting(struct work *work);

static void on_ack(void *arg, enum err err)
{
    struct work_item *item = arg;
    struct work *work = item->work;

    if (work == NULL) {
        free(item);
        return;
    }
    work->outbox.unacked--;
    if (err == ERR_OK) {
        work->stats.emitted++;
        item->acked = true;
        work_mark_sent(work, item);
    } else {
        if (err == ERR_BUS_TOO_LARGE)
            work_park(work, item->id, "", err_name(err));
        work_item_end(item); /* the sweep sends it again */
    }
    if (work->outbox.waiting > 0)
        publish_waiting(work);
}

/* ERR_OK: it is in the bus. ERR_BUSY: no room. Anything else: not now, or never. */
static enum err give_to_bus(struct work_item *item, const char *topic, struct str key,
                            struct str body)
{
    enum err err = bus_produce(item->work->bus, topic, key, body, on_ack, item);

    if (err == ERR_OK)
        item->work->outbox.unacked++;
    return err;
}

static void keep_waiting(struct work_item *item, const char *topic, struct str key, struct str body)
{
    struct work_outbox *outbox = &item->work->outbox;
    size_t topic_len = strlen(topic) + 1;
    char *text = heap_alloc(topic_len + key.len + body.len + 1);

    memcpy(text, topic, topic_len);
    item->topic = text; /* key and body lie behind it */
    item->key = (struct str){text + topic_len, key.len};
    item->body = (struct str){text + topic_len + key.len, body.len};
    if (key.len > 0)
        memcpy(text + topic_len, key.data, key.len);
    memcpy(text + topic_len + key.len, body.data, body.len);
    if (outbox->waiting_tail != NULL)
        outbox->waiting_tail->waiting_next = item;
    else
        outbox->waiting_head = item;
    outbox->waiting_tail = item;
    outbox->waiting++;
    outbox->waiting_bytes += body.len;
}

/* An acknowledgement made room. In order, until there is none again. */
static void publish_waiting(struct work *work)
{
    struct work_outbox *outbox = &work->outbox;

    while (outbox->waiting_head != NULL) {
        struct work_item *item = outbox->waiting_head;
        enum err err = give_to_bus(item, item->topic, item->key, item->body);

        if (err == ERR_BUSY)
            return;
        outbox->waiting_head = item->waiting_next;
        if (outbox->waiting_head == NULL)
            outbox->waiting_tail = NULL;
        outbox->waiting--;
        outbox->waiting_bytes -= item->body.len;
        free(item->topic);
        item->topic = NULL;
        if (err != ERR_OK)
            work_item_end(item);
    }
}

bool work_publish(struct work *work, struct uuid id, const char *topic, struct str key,
                  struct str body)
{
    struct work_outbox *outbox = &work->outbox;
    struct work_item *item;
    enum err err = ERR_BUSY;

    if (on_its_way(work, id))
        return true;
    if (body.len > WORK_EVENT_BYTES_MAX) { /* no receiver would take it */
        work_park(work, id, topic, err_name(ERR_BUS_TOO_LARGE));
        return true;
    }
    if (outbox->waiting >= WORK_WAITING_MAX || outbox->waiting_bytes >= WORK_WAITING_BYTES_MAX)
        return false;
    item = item_new(work, id);
    if (outbox->waiting == 0) /* nobody is overtaken */
        err = give_to_bus(item, topic, key, body);
    if (err == ERR_OK)
        return true;
    if (err == ERR_BUSY) {
        keep_waiting(item, topic, key, body);
        return true;
    }
    work_item_end(item);
    if (err == ERR_BUS_TOO_LARGE) {
        work_park(work, id, topic, err_name(err));
        return true;
    }
    return false;
}

void work_publish_emitted(struct work *work, struct db_batch *batch)
{
    for (const struct work_emitted *emitted = *db_batch_tag(batch); emitted != NULL;
         emitted = emitted->next)
        (void)work_publish(work, emitted->id, emitted->topic, emitted->key, emitted->body);
}

void work_outbox_drop(struct work *work)
{
    struct work_outbox *outbox = &work->outbox;

    while (outbox->waiting_head != NULL) {
        struct work_item *item = outbox->waiting_head;

        outbox->waiting_head = item->waiting_next;
        work_item_end(item);
    }
    for (size_t i = 0; i < WORK_ITEM_BUCKETS; i++) {
        for (struct work_item *item = outbox->buckets[i]; item != NULL;) {
            struct work_item *next = item->hash_next;

            if (item->acked)
                free(item);
            else
                item->work = NULL; /* freed by its acknowledgement */
            item = next;
        }
        outbox->buckets[i] = NULL;
    }
}

/* ---- work_run() ---- */

struct run {
    struct flow flow;
    struct work *work;
    struct db_batch *batch;
    struct flow *caller;
    uint64_t deadline_ms;
};

static void run_run(struct flow *flow)
{
    struct run *run = FLOW_OF(flow, struct run, flow);

    flow_wait(flow, FLOW_END);
    db_run(run->work->db, run->batch, run->deadline_ms, flow);
}

static void run_done(struct flow *flow)
{
    struct run *run = FLOW_OF(flow, struct run, flow);
    struct flow *caller = run->caller;
    enum err err = flow->err;

    if (err == ERR_OK)
        work_publish_emitted(run->work, run->batch);
    run->work->flows--;
    if (err == ERR_OK)
        flow_resume(caller, ERR_OK);
    else
        flow_fail(caller, err, "%s", flow->note.text);
    flow_fini(flow);
    free(run);
}

void work_run(struct work *work, struct db_batch *batch, uint64_t deadline_ms, struct flow *flow)
{
    struct run *run;

    if (*db_batch_tag(batch) == NULL) {
        db_run(work->db, batch, deadline_ms, flow);
        return;
    }
    run = heap_zero(sizeof(*run));
    run->work = work;
    run->batch = batch;
    run->caller = flow;
    run->deadline_ms = deadline_ms;
    work->flows++;
    flow_init(&run->flow, work->loop, run_run, run_done, flow->trace);
    flow_start(&run->flow, 0);
}
