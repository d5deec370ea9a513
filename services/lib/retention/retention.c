/* retention: see retention.h. */
#include "retention/retention.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct retention {
    json_t *json; /* holds the texts */
    size_t count;
    struct retention_rule rules[RETENTION_RULES_MAX];
};

/* A name, or with `dotted` one of a schema and one of a table, or '*' for the schema's others. */
static bool name_ok(const char *name, bool dotted)
{
    size_t dots = 0, len = strlen(name);

    if (dotted && len > 2 && strcmp(name + len - 2, ".*") == 0)
        return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len - 2;

    for (const char *at = name; *at != '\0'; at++) {
        dots += *at == '.';
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", *at) == NULL)
            return false;
    }
    return *name != '\0' && *name != '.' && dots == (dotted ? 1 : 0) && name[len - 1] != '.';
}

static const char *text(const json_t *rule, const char *name)
{
    return json_string_value(json_object_get(rule, name));
}

static enum err read_rule(const json_t *json, struct retention_rule *rule, struct err_note *note)
{
    const json_t *days = json_object_get(json, "days");
    const char *clock = text(json, "clock");
    json_int_t value = json_integer_value(days);

    *rule = (struct retention_rule){.table = text(json, "table"),
                                    .since = text(json, "since"),
                                    .days = RETENTION_FOR_EVER,
                                    .by = text(json, "by"),
                                    .what = text(json, "what"),
                                    .why = text(json, "why")};
    if (rule->table == NULL || !name_ok(rule->table, true))
        return err_say(note, ERR_SETTINGS, "a rule without a table");
    if (rule->what == NULL || rule->why == NULL)
        return err_say(note, ERR_SETTINGS, "%s: what it is and why it is kept", rule->table);
    if (json_is_null(days) && rule->since == NULL && rule->by == NULL)
        return ERR_OK;
    if (!json_is_integer(days) || value < 1 || value > RETENTION_DAYS_MAX)
        return err_say(note, ERR_SETTINGS, "%s: days are 1 to %d, or null for ever", rule->table,
                       RETENTION_DAYS_MAX);
    if (rule->since == NULL || !name_ok(rule->since, false) || rule->by == NULL)
        return err_say(note, ERR_SETTINGS, "%s: since which column, and what deletes it",
                       rule->table);
    if (clock == NULL || (strcmp(clock, "business") != 0 && strcmp(clock, "server") != 0))
        return err_say(note, ERR_SETTINGS, "%s: clock is business or server", rule->table);
    rule->days = (uint32_t)value;
    rule->server_clock = strcmp(clock, "server") == 0;
    return ERR_OK;
}

static const struct retention_rule *find(const struct retention *rules, const char *table)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->rules[i].table, table) == 0)
            return &rules->rules[i];
    }
    return NULL;
}

static enum err read_all(struct retention *rules, struct err_note *note)
{
    const json_t *list = json_object_get(rules->json, "rules");
    const json_t *item;
    enum err err = ERR_OK;
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > RETENTION_RULES_MAX)
        return err_say(note, ERR_SETTINGS, "\"rules\" is a list of at most %d",
                       RETENTION_RULES_MAX);
    json_array_foreach(list, i, item)
    {
        struct retention_rule rule;

        TRY(read_rule(item, &rule, note));
        if (find(rules, rule.table) != NULL) {
            err = err_say(note, ERR_SETTINGS, "%s stands twice", rule.table);
            goto cleanup;
        }
        rules->rules[rules->count++] = rule;
    }
cleanup:
    return err;
}

enum err retention_load(const char *path, struct retention **ret_rules, struct err_note *note)
{
    struct retention *rules = heap_zero(sizeof(*rules));
    json_error_t error;
    enum err err;

    rules->json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (rules->json == NULL) {
        err = err_say(note, ERR_SETTINGS, "%s: %s", path, error.text);
        goto cleanup;
    }
    TRY(read_all(rules, note));
    *ret_rules = rules;
    return ERR_OK;
cleanup:
    retention_free(rules);
    return err;
}

void retention_free(struct retention *rules)
{
    if (rules == NULL)
        return;
    json_decref(rules->json);
    free(rules);
}

size_t retention_count(const struct retention *rules)
{
    return rules->count;
}

const struct retention_rule *retention_at(const struct retention *rules, size_t index)
{
    must(index < rules->count);
    return &rules->rules[index];
}

enum err retention_days(const struct retention *rules, const char *table, uint32_t *ret_days,
                        struct err_note *note)
{
    const struct retention_rule *rule = find(rules, table);

    if (rule == NULL || rule->days == RETENTION_FOR_EVER)
        return err_say(note, ERR_SETTINGS, "retention.json has no days for %s", table);
    *ret_days = rule->days;
    return ERR_OK;
}
