/* renewal_ruleset: rule files to structs, each field checked and unknown ones refused. */
#include "renewal/renewal_ruleset.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 1024, FILES_MAX = RULE_SETS_MAX + CYCLE_RULES_MAX };

/* One JSON object being read; fields asked for are counted, so that unknown ones are found. */
struct reader {
    const char *file;
    const json_t *object;
    size_t known;
    struct err_note *note;
};

static const json_t *field(struct reader *reader, const char *name)
{
    const json_t *value = json_object_get(reader->object, name);

    if (value != NULL)
        reader->known++;
    return value;
}

static enum err refuse(const struct reader *reader, const char *name, const char *why)
{
    return err_say(reader->note, ERR_SETTINGS, "%s: %s %s", reader->file, name, why);
}

static enum err read_int(struct reader *reader, const char *name, int64_t low, int64_t high,
                         int32_t *ret)
{
    const json_t *value = field(reader, name);

    if (!json_is_integer(value) || json_integer_value(value) < low ||
        json_integer_value(value) > high)
        return refuse(reader, name, "wants a whole number within its limits");
    *ret = (int32_t)json_integer_value(value);
    return ERR_OK;
}

static enum err read_text(struct reader *reader, const char *name, char *out, size_t bytes)
{
    const json_t *value = field(reader, name);

    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) >= bytes)
        return refuse(reader, name, "wants a text that is not too long");
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return ERR_OK;
}

static enum err read_day(struct reader *reader, const char *name, bool optional, day_t *ret)
{
    const json_t *value = field(reader, name);
    day_t day = DAY_NONE;

    if (value == NULL && optional) {
        *ret = DAY_NONE;
        return ERR_OK;
    }
    if (json_is_string(value))
        day = day_parse(str_of(json_string_value(value)));
    if (day == DAY_NONE)
        return refuse(reader, name, "wants a day YYYY-MM-DD");
    *ret = day;
    return ERR_OK;
}

static enum err read_array(struct reader *reader, const char *name, size_t most, const json_t **ret)
{
    const json_t *value = field(reader, name);

    if (!json_is_array(value) || json_array_size(value) > most)
        return refuse(reader, name, "wants a list that is not too long");
    *ret = value;
    return ERR_OK;
}

/* Notes are for people. */
static enum err read_end(struct reader *reader)
{
    (void)field(reader, "note");
    if (json_object_size(reader->object) != reader->known)
        return refuse(reader, "the file", "holds a field that is not known");
    return ERR_OK;
}

static enum err open_file(const char *folder, const char *name, json_t **ret, struct err_note *note)
{
    char path[PATH_BYTES];
    json_error_t error;
    json_t *root;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return err_say(note, ERR_SETTINGS, "%s: the path is too long", name);
    root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_say(note, ERR_SETTINGS, "%s:%d: %.150s", path, error.line,
                       error.text[0] != '\0' ? error.text : "no object");
    }
    *ret = root;
    return ERR_OK;
}

/* ---- *-renewal-*.json ---- */

static enum err read_web(struct reader *reader, enum rules_web *ret)
{
    static const char *const names[] = {"counts", "capped", "never"};
    const json_t *value = field(reader, "web");

    for (size_t i = 0; i < ARRAY_LEN(names) && json_is_string(value); i++) {
        if (strcmp(json_string_value(value), names[i]) == 0) {
            *ret = (enum rules_web)i;
            return ERR_OK;
        }
    }
    return refuse(reader, "web", "wants counts, capped or never");
}

static enum err read_kinds(struct reader *reader, struct rule_set *set)
{
    const json_t *list;
    enum err err;

    TRY(read_array(reader, "kinds", RULES_KINDS_MAX, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct rules_kind *kind = &set->kinds[i];
        struct reader inner = {reader->file, json_array_get(list, i), 0, reader->note};

        TRY(read_text(&inner, "kind", kind->code, sizeof(kind->code)));
        TRY(read_text(&inner, "name", kind->name, sizeof(kind->name)));
        TRY(read_int(&inner, "needed_half_units", 0, 1000, &kind->needed_half_units));
        TRY(read_web(&inner, &kind->web));
        TRY(read_end(&inner));
        if (rules_kind_index(set, kind->code) >= 0)
            return refuse(&inner, kind->code, "stands twice");
        set->kind_count++;
    }
    if (set->kind_count == 0)
        err = refuse(reader, "kinds", "is empty");
cleanup:
    return err;
}

static enum err read_rule_set(struct reader *reader, struct rule_set *set)
{
    enum err err;

    TRY(read_text(reader, "rule_set", set->name, sizeof(set->name)));
    TRY(read_text(reader, "programme", set->programme, sizeof(set->programme)));
    TRY(read_day(reader, "periods_from", false, &set->periods_from));
    TRY(read_int(reader, "validity_years", 1, 50, &set->validity_years));
    TRY(read_int(reader, "needed_half_units", 0, 10000, &set->needed_half_units));
    TRY(read_kinds(reader, set));
    TRY(read_int(reader, "web_cap_half_units", 0, 10000, &set->web_cap_half_units));
    TRY(read_int(reader, "step_half_units", 1, 2, &set->step_half_units));
    TRY(read_day(reader, "handbook_until", false, &set->handbook_until));
    TRY(read_int(reader, "fee_yen", 0, 10000000, &set->fee_yen));
    TRY(read_int(reader, "opens_months_before", 0, 600, &set->opens_months_before));
    TRY(read_int(reader, "closes_months_after", 0, 600, &set->closes_months_after));
    TRY(read_day(reader, "late_from", true, &set->late_from));
    TRY(read_day(reader, "late_until", set->late_from == DAY_NONE, &set->late_until));
    TRY(read_end(reader));
cleanup:
    return err;
}

/* ---- calendar.json ---- */

static enum err read_calendar(struct reader *reader, struct calendar *calendar)
{
    const json_t *list;
    enum err err;

    TRY(read_day(reader, "holidays_to", false, &calendar->holidays_to));
    TRY(read_array(reader, "holidays", CALENDAR_HOLIDAYS_MAX, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        day_t day = day_parse(str_of(json_string_value(json_array_get(list, i))));

        if (day == DAY_NONE || (i > 0 && day <= calendar->holidays[i - 1]))
            return refuse(reader, "holidays", "wants days in ascending order");
        calendar->holidays[i] = day;
        calendar->holiday_count++;
    }
    TRY(read_end(reader));
cleanup:
    return err;
}

/* ---- cycles-*.json ---- */

static enum err read_months(struct reader *reader, struct cycle_rules *rules)
{
    const json_t *list;
    enum err err;

    TRY(read_array(reader, "months", 12, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t month = json_integer_value(json_array_get(list, i));

        if (month < 1 || month > 12)
            return refuse(reader, "months", "wants numbers from 1 to 12");
        rules->months |= 1u << (unsigned)month;
    }
    if (rules->months == 0)
        err = refuse(reader, "months", "is empty");
cleanup:
    return err;
}

static enum err read_exceptions(struct reader *reader, struct cycle_rules *rules)
{
    const json_t *list;
    enum err err;

    TRY(read_array(reader, "exceptions", CYCLES_EXCEPTIONS_MAX, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct cycle_exception *exception = &rules->exceptions[i];
        struct reader inner = {reader->file, json_array_get(list, i), 0, reader->note};

        TRY(read_text(&inner, "cycle", exception->cycle, sizeof(exception->cycle)));
        if (json_object_get(inner.object, "l2_code") != NULL)
            TRY(read_text(&inner, "l2_code", exception->l2_code, sizeof(exception->l2_code)));
        TRY(read_day(&inner, "l2", false, &exception->l2));
        TRY(read_end(&inner));
        rules->exception_count++;
    }
cleanup:
    return err;
}

static enum err read_cycles(struct reader *reader, struct cycle_rules *rules)
{
    enum err err;

    TRY(read_text(reader, "programme", rules->programme, sizeof(rules->programme)));
    TRY(read_months(reader, rules));
    TRY(read_int(reader, "l3_month_shift", 0, 11, &rules->l3_month_shift));
    TRY(read_int(reader, "l3_day", 1, 28, &rules->l3_day));
    TRY(read_int(reader, "l2_months_before", 0, 11, &rules->l2_months_before));
    TRY(read_int(reader, "l1_days_before", 0, 60, &rules->l1_days_before));
    TRY(read_exceptions(reader, rules));
    TRY(read_end(reader));
cleanup:
    return err;
}

/* ---- the folder ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static enum err take_file(struct rule_book *book, const char *folder, const char *name,
                          struct err_note *note)
{
    struct reader reader = {.file = name, .note = note};
    json_t *root = NULL;
    enum err err;

    TRY(open_file(folder, name, &root, note));
    reader.object = root;
    if (strcmp(name, "calendar.json") == 0) {
        TRY(read_calendar(&reader, &book->calendar));
    } else if (strcmp(name, "retention.json") == 0 || strcmp(name, "fees.json") == 0) {
        goto cleanup; /* lib/retention's, lib/fees' */
    } else if (strncmp(name, "cycles-", 7) == 0) {
        if (book->cycles_count == CYCLE_RULES_MAX)
            TRY(refuse(&reader, "the folder", "holds too many cycle files"));
        TRY(read_cycles(&reader, &book->cycles[book->cycles_count]));
        book->cycles_count++;
    } else {
        if (book->set_count == RULE_SETS_MAX)
            TRY(refuse(&reader, "the folder", "holds too many rule sets"));
        TRY(read_rule_set(&reader, &book->sets[book->set_count]));
        book->set_count++;
    }
cleanup:
    json_decref(root);
    return err;
}

const struct cycle_rules *rule_book_cycles(const struct rule_book *book, const char *programme)
{
    for (size_t i = 0; i < book->cycles_count; i++) {
        if (strcmp(book->cycles[i].programme, programme) == 0)
            return &book->cycles[i];
    }
    return NULL;
}

/* What only shows when all files are together. */
static enum err check_book(const struct rule_book *book, struct err_note *note)
{
    if (book->set_count == 0 || book->calendar.holiday_count == 0)
        return err_say(note, ERR_SETTINGS, "no rule set or no calendar.json");
    for (size_t i = 0; i < book->set_count; i++) {
        const struct rule_set *set = &book->sets[i];

        if (rule_book_cycles(book, set->programme) == NULL)
            return err_say(note, ERR_SETTINGS, "%s has no cycles", set->programme);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(book->sets[j].name, set->name) == 0 ||
                (strcmp(book->sets[j].programme, set->programme) == 0 &&
                 book->sets[j].periods_from == set->periods_from))
                return err_say(note, ERR_SETTINGS, "%s stands twice", set->name);
        }
    }
    return ERR_OK;
}

enum err rule_book_load(struct rule_book *book, const char *folder, struct err_note *note)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    enum err err = ERR_OK;

    memset(book, 0, sizeof(*book));
    if (dir == NULL)
        return err_say(note, ERR_SETTINGS, "%s: %s", folder, strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, ".json"))
            TRY(take_file(book, folder, entry->d_name, note));
    }
    TRY(check_book(book, note));
cleanup:
    (void)closedir(dir);
    return err;
}
