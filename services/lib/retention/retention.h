/*
 * retention: what is kept how long and why, from deploy/rules/retention.json. The sweeps ask here,
 * mamisctl shows what is overdue, and who wants to know reads the file.
 */
#pragma once
#include "base/base.h"

enum { RETENTION_RULES_MAX = 200, RETENTION_DAYS_MAX = 36500, RETENTION_FOR_EVER = 0 };

struct retention_rule {
    /* "gateway.session"; "gateway.*": tables of the schema without a rule of their own */
    const char *table;
    const char *since; /* the column that the days count from; NULL when it is kept for ever */
    uint32_t days;     /* RETENTION_FOR_EVER: no end */
    bool server_clock; /* the days count by the server's clock, not by business time */
    const char *by;    /* what deletes it; NULL: nothing does */
    const char *what;
    const char *why;
};

struct retention;

/* Errors: ERR_SETTINGS, naming the rule that is wrong. */
CHECKED enum err retention_load(const char *path, struct retention **ret_rules,
                                struct err_note *note);
/* NULL is allowed. */
void retention_free(struct retention *rules);
size_t retention_count(const struct retention *rules);
const struct retention_rule *retention_at(const struct retention *rules, size_t index);
/* Errors: ERR_SETTINGS when there is no such rule, or one that keeps for ever. */
CHECKED enum err retention_days(const struct retention *rules, const char *table,
                                uint32_t *ret_days, struct err_note *note);
