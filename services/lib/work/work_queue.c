/*
 * work_queue: records of a partition between Kafka and their turn. Fetching stops above a limit, of
 * the partition or of all together, and goes on well below it: each stop throws away what
 * librdkafka had fetched ahead.
 */
#include <stdlib.h>
#include <string.h>

#include "work/work_private.h"

static bool is_full(const struct work_part *part)
{
    return part->count >= WORK_PART_MESSAGES_MAX || part->bytes >= WORK_PART_BYTES_MAX ||
           part->work->queued_bytes >= WORK_QUEUED_BYTES_MAX;
}

static bool has_room(const struct work_part *part)
{
    return part->count <= WORK_PART_MESSAGES_LOW && part->bytes <= WORK_PART_BYTES_LOW &&
           part->work->queued_bytes < WORK_QUEUED_BYTES_MAX / 2;
}

void work_queues_refill(struct work *work)
{
    for (struct work_part *part = work->parts; part != NULL; part = part->next) {
        if (!part->paused || !has_room(part) || work->consumer == NULL)
            continue;
        part->paused = false;
        bus_continue(work->consumer, part->topic, part->part);
    }
}

static struct work_record *record_new(const struct bus_message *message)
{
    size_t bytes = sizeof(struct work_record) + message->key.len + message->value.len;
    struct work_record *record = heap_zero(bytes);

    record->offset = message->offset;
    record->bytes = bytes;
    record->key = (struct str){record->data, message->key.len};
    record->value = (struct str){record->data + message->key.len, message->value.len};
    if (message->key.len > 0)
        memcpy(record->data, message->key.data, message->key.len);
    if (message->value.len > 0)
        memcpy(record->data + message->key.len, message->value.data, message->value.len);
    return record;
}

bool work_queue_add(struct work_part *part, const struct bus_message *message)
{
    struct work_record *record;

    if (part->state != WORK_PART_RUNNING || message->offset < part->place)
        return false;
    record = record_new(message);
    if (part->tail != NULL)
        part->tail->next = record;
    else
        part->head = record;
    part->tail = record;
    part->count++;
    part->bytes += record->bytes;
    part->work->queued_bytes += record->bytes;
    if (!part->paused && is_full(part)) {
        part->paused = true;
        bus_pause(part->work->consumer, part->topic, part->part);
    }
    return true;
}

void work_record_parse(struct work_part *part, struct work_record *record)
{
    struct err_note note = {0};

    if (record->parsed)
        return;
    record->parsed = true;
    record->message = (struct work_message){
        .topic = part->topic, .part = part->part, .offset = record->offset, .key = record->key};
    record->err =
        work_envelope_decode(record->value, &record->message, record->trace, &record->root, &note);
    if (record->err != ERR_OK) {
        record->note = heap_alloc(sizeof(note));
        *record->note = note;
    }
}

struct work_record *work_queue_take(struct work_part *part, size_t count)
{
    struct work_record *first = part->head;
    struct work_record *last = NULL;

    for (size_t i = 0; i < count; i++) {
        last = part->head;
        part->head = last->next;
        part->count--;
        part->bytes -= last->bytes;
    }
    if (part->head == NULL)
        part->tail = NULL;
    last->next = NULL;
    return first;
}

struct work_record *work_queue_take_one(struct work_part *part, struct work_record *record)
{
    struct work_record *before = NULL;

    for (struct work_record *at = part->head; at != record; at = at->next)
        before = at;
    if (before != NULL)
        before->next = record->next;
    else
        part->head = record->next;
    if (part->tail == record)
        part->tail = before;
    part->count--;
    part->bytes -= record->bytes;
    record->next = NULL;
    return record;
}

void work_queue_return(struct work_part *part, struct work_record *records)
{
    struct work_record **link = &part->head;

    while (records != NULL) {
        struct work_record *record = records;

        records = record->next;
        while (*link != NULL && (*link)->offset < record->offset)
            link = &(*link)->next;
        record->next = *link;
        *link = record;
        if (record->next == NULL)
            part->tail = record;
        part->count++;
        part->bytes += record->bytes;
        link = &record->next;
    }
}

void work_records_free(struct work *work, struct work_record *records)
{
    while (records != NULL) {
        struct work_record *record = records;

        records = record->next;
        work->queued_bytes -= record->bytes;
        json_decref(record->root);
        free(record->note);
        free(record);
    }
}

void work_queue_drop(struct work_part *part)
{
    struct work_record *records = part->head;

    part->head = part->tail = NULL;
    part->count = 0;
    part->bytes = 0;
    part->paused = false; /* it is assigned anew, if at all */
    work_records_free(part->work, records);
}
