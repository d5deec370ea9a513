/* renewal_standing: a computed standing as JSON. */
#include <stdlib.h>

#include "renewal/renewal_standing.h"

static void set(json_t *object, const char *name, json_t *value)
{
    must(json_object_set_new(object, name, value) == 0);
}

static struct str dump(struct arena *arena, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    struct str copy;

    must(text != NULL);
    copy = str_of(arena_strdup(arena, text));
    free(text);
    json_decref(value);
    return copy;
}

static json_t *render_lines(const struct rule_set *rules, const struct standing *standing)
{
    json_t *list = json_array();

    for (size_t i = 0; i < rules->kind_count; i++) {
        const struct rules_line *line = &standing->lines[i];
        json_t *item = json_object();

        set(item, "kind", json_string(rules->kinds[i].code));
        set(item, "kind_name", json_string(rules->kinds[i].name));
        set(item, "needed_half_units", json_integer(line->needed_half_units));
        set(item, "posted_half_units", json_integer(line->posted_half_units));
        set(item, "declared_half_units", json_integer(line->declared_half_units));
        set(item, "verified_half_units",
            line->verified_half_units < 0 ? json_null() : json_integer(line->verified_half_units));
        set(item, "counted_half_units", json_integer(line->counted_half_units));
        must(json_array_append_new(list, item) == 0);
    }
    return list;
}

static json_t *render_entries(const struct rules_credit *credits, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const char *reason = not_counted_name(credits[i].reason);
        json_t *item = json_array();

        must(json_array_append_new(item, json_integer(credits[i].session_id)) == 0);
        must(json_array_append_new(item, json_integer(credits[i].revision)) == 0);
        must(json_array_append_new(item, json_integer(credits[i].counted_half_units)) == 0);
        must(json_array_append_new(item, reason == NULL ? json_null() : json_string(reason)) == 0);
        must(json_array_append_new(list, item) == 0);
    }
    return list;
}

static void add_missing(json_t *list, const char *kind, const char *name, int32_t half_units)
{
    json_t *item = json_object();

    set(item, "kind", kind == NULL ? json_null() : json_string(kind));
    set(item, "kind_name", name == NULL ? json_null() : json_string(name));
    set(item, "half_units", json_integer(half_units));
    must(json_array_append_new(list, item) == 0);
}

json_t *standing_missing(const struct rule_set *rules, const struct standing *standing)
{
    json_t *list = json_array();

    for (size_t i = 0; i < rules->kind_count; i++) {
        if (standing->lines[i].missing_half_units > 0)
            add_missing(list, rules->kinds[i].code, rules->kinds[i].name,
                        standing->lines[i].missing_half_units);
    }
    if (standing->missing_half_units > 0)
        add_missing(list, NULL, NULL, standing->missing_half_units);
    return list;
}

struct standing_json standing_render(struct arena *arena, const struct rule_set *rules,
                                     const struct standing *standing,
                                     const struct rules_credit *credits, size_t credit_count)
{
    return (struct standing_json){
        .lines = dump(arena, render_lines(rules, standing)),
        .entries = dump(arena, render_entries(credits, credit_count)),
        .missing = dump(arena, standing_missing(rules, standing)),
    };
}

void standing_handbook(const struct rule_set *rules, struct period period,
                       const struct rules_handbook *lines, size_t count, bool *ret_any,
                       bool *ret_unverified)
{
    *ret_any = false;
    *ret_unverified = false;
    for (size_t i = 0; i < count; i++) {
        if (lines[i].declared_half_units == 0 ||
            rules_handbook_check(rules, period, &lines[i]) != HANDBOOK_FINE)
            continue;
        *ret_any = true;
        if (lines[i].verified_half_units < 0)
            *ret_unverified = true;
    }
}

void standing_rows_init(struct standing_rows *rows, struct arena *arena, size_t most)
{
    *rows = (struct standing_rows){
        .doctor_id = arena_array(arena, int64_t, most),
        .mark = arena_array(arena, int64_t, most),
        .programme = arena_array(arena, struct str, most),
        .rule_set = arena_array(arena, struct str, most),
        .lines = arena_array(arena, struct str, most),
        .entries = arena_array(arena, struct str, most),
        .missing = arena_array(arena, struct str, most),
        .needed = arena_array(arena, int32_t, most),
        .counted = arena_array(arena, int32_t, most),
        .eligible = arena_array(arena, int32_t, most),
        .depends = arena_array(arena, int32_t, most),
        .opens_on = arena_array(arena, day_t, most),
        .closes_on = arena_array(arena, day_t, most),
    };
}

void standing_put(struct standing_rows *rows, struct arena *arena,
                  const struct standing_input *input)
{
    const struct rule_set *rules = input->rules;
    struct period window = rules_window(rules, input->period);
    struct standing standing;
    struct standing_json json;
    size_t at = rows->count++;

    rules_standing(rules, input->period, input->credits, input->credit_count, input->lines,
                   input->line_count, &standing);
    json = standing_render(arena, rules, &standing, input->credits, input->credit_count);
    rows->doctor_id[at] = input->doctor_id;
    rows->mark[at] = input->mark;
    rows->programme[at] = input->programme;
    rows->rule_set[at] = str_of(rules->name);
    rows->lines[at] = json.lines;
    rows->entries[at] = json.entries;
    rows->missing[at] = json.missing;
    rows->needed[at] = rules->needed_half_units;
    rows->counted[at] = standing.counted_half_units;
    rows->eligible[at] = standing.eligible;
    rows->depends[at] = standing.depends_on_declared;
    rows->opens_on[at] = window.from;
    rows->closes_on[at] = window.to;
}
