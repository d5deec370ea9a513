/* renewal_reply: answers to commands, and the end of a handler's flow. */
#include <string.h>

#include "renewal/renewal.h"

json_t *renewal_param(const char *name, const char *value)
{
    json_t *extra = json_object();
    json_t *params = json_object();

    must(json_object_set_new(params, name, json_string(value)) == 0);
    must(json_object_set_new(extra, "params", params) == 0);
    return extra;
}

json_t *renewal_pointer(const char *pointer, enum code code)
{
    /* The field's name for the text: the last part of the pointer. */
    json_t *extra = renewal_param("field", strrchr(pointer, '/') + 1);
    json_t *errors = json_array();
    json_t *item = json_object();

    must(json_object_set_new(item, "pointer", json_string(pointer)) == 0);
    must(json_object_set_new(item, "code", json_string(code_name(code))) == 0);
    must(json_array_append_new(errors, item) == 0);
    must(json_object_set_new(extra, "errors", errors) == 0);
    return extra;
}

void renewal_refuse(struct renewal *renewal, struct work_batch *batch, struct uuid operation_id,
                    enum code code, json_t *extra)
{
    const struct work_reply reply = {
        .operation_id = operation_id,
        .err = ERR_STATE_CONFLICT,
        .problem_code = code_name(code),
        .problem_extra = extra,
    };

    renewal->figures.refused++;
    work_reply(renewal->work, batch->effect, &reply, batch->messages[0].trace);
}

void renewal_answer(struct renewal *renewal, struct work_batch *batch, struct uuid operation_id,
                    const char *name, const char *value)
{
    struct work_reply reply = {.operation_id = operation_id, .result = json_object()};

    must(json_object_set_new(reply.result, name, json_string(value)) == 0);
    work_reply(renewal->work, batch->effect, &reply, batch->messages[0].trace);
}

void renewal_dead(void *service, struct work_batch *batch, const char *reason)
{
    const struct renewal *renewal = service;
    const struct work_message *message = &batch->messages[0];
    struct work_reply reply = {.err = ERR_INTERNAL};
    const json_t *id = json_object_get(message->data, "operation_id");

    (void)reason; /* stands in the dead letter; people are told that it is our fault */
    if (uuid_parse(str_of(json_string_value(id)), &reply.operation_id))
        work_reply(renewal->work, batch->effect, &reply, message->trace);
}
