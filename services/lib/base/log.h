/*
 * log: one line is one fact, as JSON on standard error: a fixed event name, then typed fields.
 * Log ids; never names, addresses, register numbers, tokens or bodies. Any thread.
 */
#pragma once
#include "base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum log_field_type { LOG_FIELD_STR, LOG_FIELD_I64, LOG_FIELD_BOOL };

struct log_field {
    const char *name;
    enum log_field_type type;
    struct str text;
    int64_t number;
};

#define F_STR(name, text) ((struct log_field){(name), LOG_FIELD_STR, str_of(text), 0})
#define F_TEXT(name, view) ((struct log_field){(name), LOG_FIELD_STR, (view), 0})
#define F_I64(name, number)                                                                        \
    ((struct log_field){(name), LOG_FIELD_I64, {NULL, 0}, (int64_t)(number)})
#define F_BOOL(name, flag) ((struct log_field){(name), LOG_FIELD_BOOL, {NULL, 0}, (flag)})
#define F_ERR(err) F_STR("err", err_name(err))

/* Once at start; `process` is borrowed for ever. */
void log_init(const char *process, enum log_level lowest);
/* The correlation id (W3C trace id) that following lines carry; NULL for none. Copied. */
void log_set_trace(const char *trace);
void log_line(enum log_level level, const char *event, const struct log_field *fields,
              size_t count);

/* The first, empty field keeps the list from being empty. */
#define LOG_AT(level, event, ...)                                                                  \
    log_line(                                                                                      \
        (level), (event),                                                                          \
        (const struct log_field[]){{NULL, LOG_FIELD_STR, {NULL, 0}, 0}, ##__VA_ARGS__},            \
        sizeof((const struct log_field[]){{NULL, LOG_FIELD_STR, {NULL, 0}, 0}, ##__VA_ARGS__}) /   \
            sizeof(struct log_field))
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, ##__VA_ARGS__)
#define LOG_INFO(event, ...) LOG_AT(LOG_LEVEL_INFO, event, ##__VA_ARGS__)
#define LOG_WARN(event, ...) LOG_AT(LOG_LEVEL_WARN, event, ##__VA_ARGS__)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, ##__VA_ARGS__)
