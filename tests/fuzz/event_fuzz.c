/*
 * What comes from a topic: an envelope of any bytes, and in it the data of any event. Whatever is
 * taken can be sent again, and comes back as the same.
 */
#include <string.h>

#include "fuzz.h"
#include "gen/events.h"
#include "work/work_private.h"

/* Decode, encode what was decoded, and once more: nothing may get lost on the way. */
#define TRIP(name, type)                                                                           \
    static void name##_trip(struct arena *arena, json_t *data, struct err_note *note)              \
    {                                                                                              \
        struct name event;                                                                         \
        json_t *first;                                                                             \
        json_t *second;                                                                            \
                                                                                                   \
        if (name##_decode(arena, data, &event, note) != ERR_OK)                                    \
            return;                                                                                \
        first = name##_encode(&event);                                                             \
        must(name##_decode(arena, first, &event, note) == ERR_OK);                                 \
        second = name##_encode(&event);                                                            \
        must(json_equal(first, second));                                                           \
        json_decref(first);                                                                        \
        json_decref(second);                                                                       \
    }
EVENTS(TRIP)
#undef TRIP

#define CODEC(name, type) {type, name##_trip},
static const struct {
    const char *type;
    void (*trip)(struct arena *arena, json_t *data, struct err_note *note);
} codecs[] = {EVENTS(CODEC)};
#undef CODEC

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct work_message message = {.type = NULL};
    char trace[WORK_TRACE_BYTES];
    struct err_note note = {""};
    json_t *root = NULL;
    struct arena *arena;

    if (work_envelope_decode(body, &message, trace, &root, &note) != ERR_OK)
        return 0;
    must(json_is_object(message.data) && strlen(message.type) <= WORK_TYPE_BYTES_MAX);
    must(strlen(trace) == 0 || strlen(trace) == WORK_TRACE_BYTES - 1);
    arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
        if (strcmp(message.type, codecs[i].type) == 0)
            codecs[i].trip(arena, message.data, &note);
    arena_free(arena);
    json_decref(root);
    return 0;
}
