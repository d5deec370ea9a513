/*
 * work_envelope: CloudEvents 1.0 in structured JSON mode. What comes from outside is measured
 * before a parser sees it: nesting costs stack, tokens cost memory and time on the loop.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "work/work_private.h"

enum { TRACEPARENT_BYTES = 55, SPAN_BYTES = 8 };

static void set(json_t *object, const char *name, json_t *value)
{
    must(value != NULL && json_object_set_new(object, name, value) == 0);
}

/* "00-<trace>-<span>-01" (W3C). A trace that is none begins a new one. */
static void format_traceparent(const char *trace, char out[TRACEPARENT_BYTES + 1])
{
    uint8_t bytes[(WORK_TRACE_BYTES - 1) / 2];
    uint8_t span[SPAN_BYTES];
    char trace_text[WORK_TRACE_BYTES];
    char span_text[SPAN_BYTES * 2 + 1];

    if (!hex_decode(str_of(trace), bytes, sizeof(bytes)))
        random_bytes(bytes, sizeof(bytes));
    random_bytes(span, sizeof(span));
    hex_encode(bytes, sizeof(bytes), trace_text);
    hex_encode(span, sizeof(span), span_text);
    snprintf(out, TRACEPARENT_BYTES + 1, "00-%s-%s-01", trace_text, span_text);
}

struct str work_envelope_encode(struct arena *arena, const struct work *work, struct uuid id,
                                const struct work_event *event, const char *trace)
{
    json_t *root = json_object();
    char id_text[UUID_TEXT_BYTES];
    char time_text[CLOCK_TEXT_BYTES];
    char traceparent[TRACEPARENT_BYTES + 1];
    struct str body;
    char *text;

    uuid_format(id, id_text);
    time_format(clock_now_us(), time_text);
    format_traceparent(trace, traceparent);
    set(root, "specversion", json_string("1.0"));
    set(root, "id", json_string(id_text));
    set(root, "source", json_string(work->source));
    set(root, "type", json_string(event->type));
    set(root, "time", json_string(time_text));
    if (event->subject.len > 0)
        set(root, "subject", json_stringn(event->subject.data, event->subject.len));
    set(root, "datacontenttype", json_string("application/json"));
    set(root, "traceparent", json_string(traceparent));
    set(root, "data", event->data);
    text = json_dumps(root, JSON_COMPACT); /* once: a large event takes milliseconds */
    must(text != NULL);
    body = arena_str(arena, str_of(text));
    free(text);
    json_decref(root);
    return body;
}

enum err work_json_scan(struct str text, struct err_note *note)
{
    size_t depth = 0;
    size_t tokens = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        if (c == '{' || c == '[') {
            if (++depth > WORK_JSON_DEPTH_MAX)
                return err_say(note, ERR_JSON, "nested deeper than %d", WORK_JSON_DEPTH_MAX);
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else if (c == '"') {
            in_string = true;
        } else if (c != ',') {
            continue;
        }
        if (++tokens > WORK_JSON_TOKENS_MAX)
            return err_say(note, ERR_JSON, "more than %d tokens", WORK_JSON_TOKENS_MAX);
    }
    return ERR_OK;
}

/* A member that has to be a string of at most `bytes_max` bytes, without NUL. */
static enum err read_text(json_t *root, const char *name, size_t bytes_max, bool required,
                          const char **ret_text, struct err_note *note)
{
    const json_t *value = json_object_get(root, name);

    if (value == NULL && !required) {
        *ret_text = "";
        return ERR_OK;
    }
    if (!json_is_string(value))
        return err_say(note, ERR_SCHEMA, "%s: a text is missing", name);
    if (json_string_length(value) > bytes_max ||
        strlen(json_string_value(value)) != json_string_length(value))
        return err_say(note, ERR_SCHEMA, "%s: too long or with NUL", name);
    *ret_text = json_string_value(value);
    return ERR_OK;
}

static void read_trace(const char *traceparent, char trace[WORK_TRACE_BYTES])
{
    uint8_t bytes[(WORK_TRACE_BYTES - 1) / 2];

    trace[0] = '\0';
    if (strlen(traceparent) != TRACEPARENT_BYTES || strncmp(traceparent, "00-", 3) != 0 ||
        !hex_decode((struct str){traceparent + 3, WORK_TRACE_BYTES - 1}, bytes, sizeof(bytes)))
        return;
    hex_encode(bytes, sizeof(bytes), trace);
}

static enum err read_members(json_t *root, struct work_message *message,
                             char trace[WORK_TRACE_BYTES], struct err_note *note)
{
    const char *text;
    enum err err = ERR_OK;

    if (!json_is_object(root))
        return err_say(note, ERR_SCHEMA, "not an object");
    TRY(read_text(root, "specversion", 8, true, &text, note));
    if (strcmp(text, "1.0") != 0)
        return err_say(note, ERR_VERSION_UNKNOWN, "specversion is not 1.0");
    TRY(read_text(root, "id", UUID_TEXT_BYTES - 1, true, &text, note));
    if (!uuid_parse(str_of(text), &message->id))
        return err_say(note, ERR_SCHEMA, "id: not a UUID");
    TRY(read_text(root, "type", WORK_TYPE_BYTES_MAX, true, &message->type, note));
    TRY(read_text(root, "source", 200, true, &text, note));
    TRY(read_text(root, "subject", 200, false, &text, note));
    message->subject = str_of(text);
    TRY(read_text(root, "time", CLOCK_TEXT_BYTES, true, &text, note));
    if (!time_parse(str_of(text), &message->time_us))
        return err_say(note, ERR_SCHEMA, "time: not RFC 3339");
    TRY(read_text(root, "traceparent", TRACEPARENT_BYTES, false, &text, note));
    read_trace(text, trace);
    message->trace = trace;
    message->data = json_object_get(root, "data");
    if (!json_is_object(message->data))
        err = err_say(note, ERR_SCHEMA, "data: not an object");
cleanup:
    return err;
}

enum err work_envelope_decode(struct str body, struct work_message *message,
                              char trace[WORK_TRACE_BYTES], json_t **ret_root,
                              struct err_note *note)
{
    json_t *root = NULL;
    json_error_t where;
    enum err err;

    if (body.len > WORK_EVENT_BYTES_MAX)
        return err_say(note, ERR_SCHEMA, "larger than %d bytes", WORK_EVENT_BYTES_MAX);
    TRY(work_json_scan(body, note));
    root = json_loadb(body.len > 0 ? body.data : "", body.len, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) /* not where.text: it quotes */
        return err_say(note, ERR_JSON, "line %d, column %d", where.line, where.column);
    TRY(read_members(root, message, trace, note));
    *ret_root = root;
    root = NULL;
cleanup:
    json_decref(root);
    return err;
}

enum err work_identify(struct str body, struct arena *arena, struct uuid *ret_id,
                       const char **ret_type, struct err_note *note)
{
    struct work_message message = {0};
    char trace[WORK_TRACE_BYTES];
    json_t *root = NULL;
    enum err err = work_envelope_decode(body, &message, trace, &root, note);

    if (err != ERR_OK)
        return err;
    *ret_id = message.id;
    *ret_type = arena_strdup(arena, message.type);
    json_decref(root);
    return ERR_OK;
}
