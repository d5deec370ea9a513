/*
 * work_overtake: which message goes before its turn. Its effect is committed under the same
 * compare-and-set, which leaves the partition's place where it is; its id in the inbox lets its
 * offset be passed later without another effect. Whatever goes wrong, it waits for its turn.
 */
#include "work/work_private.h"

/* What is large is not quickly done; parsed it takes eight times the room, uncounted. */
static bool is_urgent(struct work_part *part, struct work_record *record)
{
    const struct work_route *route;

    if (record->done || record->in_turn ||
        (!record->parsed && record->value.len > WORK_URGENT_BYTES_MAX))
        return false;
    work_record_parse(part, record);
    if (record->err != ERR_OK)
        return false;
    route = work_route_of(part->work, record->message.type);
    return route != NULL && route->urgent != NULL && route->urgent(&record->message);
}

/* Messages with one key keep their order, also behind one that nobody can read. */
static bool has_free_way(const struct work_part *part, const struct work_record *record)
{
    for (const struct work_record *ahead = part->head; ahead != record; ahead = ahead->next)
        if (!ahead->done && str_eq(ahead->key, record->key))
            return false;
    return true;
}

struct work_record *work_overtaking(struct work_part *part)
{
    bool first = true;

    if (!part->work->has_urgent || part->overtakes >= WORK_OVERTAKES_MAX || part->from_beginning ||
        part->head->offset <= part->single_until)
        return NULL;
    for (struct work_record *record = part->head; record != NULL; record = record->next) {
        if (is_urgent(part, record)) {
            if (first)
                return NULL; /* its turn has come */
            if (has_free_way(part, record))
                return record;
        }
        first = first && record->done;
    }
    return NULL;
}

bool work_is_long(struct work_part *part)
{
    const struct work_route *route;
    struct work_record *record = part->head;

    if (!part->work->has_urgent)
        return false;
    while (record->next != NULL && record->done)
        record = record->next;
    work_record_parse(part, record);
    if (record->done || record->err != ERR_OK)
        return false;
    route = work_route_of(part->work, record->message.type);
    return route != NULL && route->urgent != NULL && !route->urgent(&record->message);
}
