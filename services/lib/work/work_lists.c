/* work_lists: many states of subjects in one message, for imports. */
#include "work/work_private.h"

static json_t *list_of(json_t *const *states, size_t count)
{
    json_t *data = json_object(), *list = json_array();

    for (size_t i = 0; i < count; i++)
        must(json_array_append_new(list, states[i]) == 0);
    must(json_object_set_new(data, "states", list) == 0);
    return data;
}

void work_emit_states(struct work *work, struct db_batch *batch, const char *one, const char *many,
                      const char *topic, json_t *const *states, const char *const *keys,
                      size_t count)
{
    size_t room = count / WORK_STATES_MAX + 1, made = 0;
    struct work_event *events = arena_array(db_batch_arena(batch), struct work_event, room);

    for (size_t first = 0; first < count; first += WORK_STATES_MAX) {
        size_t left = count - first < WORK_STATES_MAX ? count - first : WORK_STATES_MAX;

        events[made++] = (struct work_event){
            .type = left == 1 ? one : many,
            .topic = topic,
            .key = str_of(keys[first]),
            .subject = str_of(keys[first]),
            .data = left == 1 ? states[first] : list_of(states + first, left),
        };
    }
    work_emit_all(work, batch, events, made);
}
