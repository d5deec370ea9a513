/* work_states: reading many states of subjects from one message. */
#include "work/work_private.h"

/* Those of a list, or the message's own. */
static size_t count_of(const struct work_message *message)
{
    const json_t *list = json_object_get(message->data, "states");

    return list == NULL ? 1 : json_array_size(list);
}

enum err work_states(const struct work_batch *batch, struct work_states *ret_states,
                     struct err_note *note)
{
    struct work_states states = {.count = 0};

    for (size_t i = 0; i < batch->count; i++) {
        size_t count = count_of(&batch->messages[i]);

        if (count == 0 || count > WORK_STATES_MAX)
            return err_say(note, ERR_SCHEMA, "states: 1 to %d of them", (int)WORK_STATES_MAX);
        states.count += count;
    }
    states.list = arena_array(batch->arena, json_t *, states.count + 1);
    states.count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        json_t *data = batch->messages[i].data;
        json_t *list = json_object_get(data, "states");

        if (list == NULL)
            states.list[states.count++] = data;
        for (size_t k = 0; k < json_array_size(list); k++)
            states.list[states.count++] = json_array_get(list, k);
    }
    *ret_states = states;
    return ERR_OK;
}
