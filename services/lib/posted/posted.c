/* posted: see posted.h. */
#include "posted/posted.h"

#include <stdlib.h>

void posted_entries_init(struct posted_entries *entries, struct arena *arena, size_t most)
{
    *entries = (struct posted_entries){
        .doctor_ids = arena_array(arena, int64_t, most),
        .places = arena_array(arena, int64_t, most),
        .kind_nos = arena_array(arena, enum kind, most),
        .kinds = arena_array(arena, struct str, most),
        .programmes = arena_array(arena, struct str, most),
        .half_units = arena_array(arena, int64_t, most),
        .revisions = arena_array(arena, int64_t, most),
    };
}

static void put(struct posted_entries *entries, int64_t doctor_id,
                const struct event_credits_posted_lot *lot, enum kind kind)
{
    const size_t at = entries->count++;

    entries->doctor_ids[at] = doctor_id;
    entries->places[at] = lot->place;
    entries->kind_nos[at] = kind;
    entries->kinds[at] = str_of(kind_code(kind));
    entries->programmes[at] = str_of(programme_code(kind_programme(kind)));
    entries->half_units[at] = lot->half_units;
    entries->revisions[at] = lot->revision;
}

void posted_entry_add(struct posted_entries *entries, int64_t doctor_id, size_t place,
                      enum kind kind, int16_t half_units, int16_t revision)
{
    const struct event_credits_posted_lot lot = {
        .place = (int64_t)place, .half_units = half_units, .revision = revision};

    put(entries, doctor_id, &lot, kind);
}

/* ---- to lots ---- */

struct sorted {
    uint64_t lot; /* place, kind, revision, half units */
    int64_t doctor_id;
    size_t at;
};

static int by_lot(const void *left, const void *right)
{
    const struct sorted *one = left;
    const struct sorted *other = right;

    if (one->lot != other->lot)
        return one->lot < other->lot ? -1 : 1;
    return (one->doctor_id > other->doctor_id) - (one->doctor_id < other->doctor_id);
}

static uint64_t lot_key(const struct posted_entries *entries, size_t at)
{
    return (uint64_t)entries->places[at] << 40 | (uint64_t)entries->kind_nos[at] << 32 |
           (uint64_t)(uint16_t)entries->revisions[at] << 16 |
           (uint64_t)(uint16_t)entries->half_units[at];
}

void posted_entries_write(const struct posted_entries *entries, struct arena *arena,
                          struct event_credits_posted *event)
{
    const size_t count = entries->count;
    struct sorted *sorted = arena_array(arena, struct sorted, count);
    struct event_credits_posted_lot *lots =
        arena_array(arena, struct event_credits_posted_lot, count);
    int64_t *doctor_ids = arena_array(arena, int64_t, count);
    size_t lot_count = 0;

    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct sorted){lot_key(entries, i), entries->doctor_ids[i], i};
    qsort(sorted, count, sizeof(*sorted), by_lot);
    for (size_t i = 0; i < count; i++) {
        const size_t at = sorted[i].at;

        if (i == 0 || sorted[i].lot != sorted[i - 1].lot)
            lots[lot_count++] = (struct event_credits_posted_lot){
                .place = entries->places[at],
                .kind = entries->kinds[at],
                .half_units = entries->half_units[at],
                .revision = entries->revisions[at],
            };
        lots[lot_count - 1].doctors++;
        doctor_ids[i] = sorted[i].doctor_id;
    }
    event->lots = lots;
    event->lots_count = lot_count;
    event->doctor_ids = doctor_ids;
    event->doctor_ids_count = count;
}

/* ---- from lots ---- */

enum err posted_check(const struct event_credits_posted *event, struct err_note *note)
{
    size_t left = event->doctor_ids_count;

    for (size_t i = 0; i < event->lots_count; i++) {
        const struct event_credits_posted_lot *lot = &event->lots[i];

        if (kind_of_code(lot->kind) == KIND_NONE)
            return err_say(note, ERR_SCHEMA, "lots[%zu].kind is unknown", i);
        if ((size_t)lot->place >= event->sessions_count)
            return err_say(note, ERR_SCHEMA, "lots[%zu].place is beyond the sessions", i);
        if ((size_t)lot->doctors > left)
            return err_say(note, ERR_SCHEMA, "lots[%zu].doctors is more than doctor_ids has", i);
        left -= (size_t)lot->doctors;
    }
    if (left > 0)
        return err_say(note, ERR_SCHEMA, "doctor_ids has %zu more than the lots", left);
    return ERR_OK;
}

enum err posted_entries_read(struct posted_entries *ret_entries, struct arena *arena,
                             const struct event_credits_posted *event, struct err_note *note)
{
    enum err err;

    TRY(posted_check(event, note));
    posted_entries_init(ret_entries, arena, event->doctor_ids_count);
    for (size_t i = 0; i < event->lots_count; i++) {
        const struct event_credits_posted_lot *lot = &event->lots[i];
        const enum kind kind = kind_of_code(lot->kind);

        for (int64_t n = 0; n < lot->doctors; n++)
            put(ret_entries, event->doctor_ids[ret_entries->count], lot, kind);
    }
cleanup:
    return err;
}
