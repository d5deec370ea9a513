/* log: one JSON object a line, written with one write(2) so that lines never mix. */
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { LOG_LINE_BYTES = 4096, LOG_TRACE_BYTES = 40 };

static const char *process_name = "mamis";
static enum log_level lowest_level = LOG_LEVEL_INFO;
static _Thread_local char trace_id[LOG_TRACE_BYTES];

void log_init(const char *process, enum log_level lowest)
{
    process_name = process;
    lowest_level = lowest;
}

void log_set_trace(const char *trace)
{
    (void)snprintf(trace_id, sizeof(trace_id), "%s", trace == NULL ? "" : trace);
}

/* A line that is being put together; what does not fit is cut. */
struct line {
    char text[LOG_LINE_BYTES];
    size_t len;
};

static void put(struct line *line, const char *text)
{
    for (; *text != '\0' && line->len < sizeof(line->text) - 8; text++)
        line->text[line->len++] = *text;
}

static void put_quoted(struct line *line, struct str text)
{
    put(line, "\"");
    for (size_t i = 0; i < text.len && line->len < sizeof(line->text) - 16; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '"' || c == '\\') {
            line->text[line->len++] = '\\';
            line->text[line->len++] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            line->len += (size_t)snprintf(line->text + line->len, 8, "\\u%04x", (unsigned)c);
        } else {
            line->text[line->len++] = (char)c;
        }
    }
    put(line, "\"");
}

static void put_field(struct line *line, const struct log_field *field)
{
    char number[24];

    put(line, ",");
    put_quoted(line, str_of(field->name));
    put(line, ":");
    switch (field->type) {
    case LOG_FIELD_STR:
        put_quoted(line, field->text);
        break;
    case LOG_FIELD_I64:
        (void)snprintf(number, sizeof(number), "%lld", (long long)field->number);
        put(line, number);
        break;
    case LOG_FIELD_BOOL:
        put(line, field->number != 0 ? "true" : "false");
        break;
    }
}

void log_line(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct line line;
    char time[CLOCK_TEXT_BYTES];

    if (level < lowest_level)
        return;
    line.len = 0;
    time_format(clock_now_us(), time);
    put(&line, "{\"time\":\"");
    put(&line, time);
    put(&line, "\",\"level\":\"");
    put(&line, names[level]);
    put(&line, "\",\"process\":");
    put_quoted(&line, str_of(process_name));
    put(&line, ",\"event\":");
    put_quoted(&line, str_of(event));
    if (trace_id[0] != '\0') {
        put(&line, ",\"trace\":");
        put_quoted(&line, str_of(trace_id));
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name != NULL)
            put_field(&line, &fields[i]);
    }
    put(&line, "}");
    line.text[line.len++] = '\n';
    /* A full disk must not stop the service; there is nowhere to report it. */
    if (write(STDERR_FILENO, line.text, line.len) < 0)
        return;
}
