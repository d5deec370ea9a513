/* fees: the rule file, each field checked. */
#include <jansson.h>
#include <string.h>

#include "domain/calendar.h"
#include "fees/fees.h"

enum { YEN_MAX = 10000000, AGE_MAX = 120, YEARS_MAX = 50 };

static const char *const categories[] = {"A1", "A2B", "A2C", "B", "C"};

/* False when it is missing, none or beyond its limits. */
static bool read_int(const json_t *object, const char *name, json_int_t least, json_int_t most,
                     json_int_t *ret)
{
    const json_t *value = json_object_get(object, name);

    *ret = json_integer_value(value);
    return json_is_integer(value) && *ret >= least && *ret <= most;
}

static bool read_category(const json_t *value, char out[FEE_CATEGORY_BYTES])
{
    const char *text = json_string_value(value);

    for (size_t i = 0; text != NULL && i < ARRAY_LEN(categories); i++) {
        if (strcmp(text, categories[i]) != 0)
            continue;
        memcpy(out, text, strlen(text) + 1);
        return true;
    }
    return false;
}

static bool read_line(const json_t *item, struct fee_line *line)
{
    json_int_t age = 0, yen;

    if (!read_category(json_object_get(item, "category"), line->category) ||
        !read_int(item, "yen", 0, YEN_MAX, &yen))
        return false;
    if (json_object_get(item, "age_max") != NULL && !read_int(item, "age_max", 1, AGE_MAX, &age))
        return false;
    line->age_max = (int)age;
    line->yen = yen;
    return true;
}

static bool read_lines(const json_t *list, struct fee_line *lines, size_t *ret_count)
{
    if (!json_is_array(list) || json_array_size(list) > FEE_LINES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_line(json_array_get(list, i), &lines[i]))
            return false;
    }
    *ret_count = json_array_size(list);
    return true;
}

static bool read_waiver(const json_t *waiver, struct fee_table *table)
{
    const json_t *list = json_object_get(waiver, "categories");
    json_int_t years;

    if (waiver == NULL)
        return true;
    if (!read_int(waiver, "years", 1, YEARS_MAX, &years) || !json_is_array(list) ||
        json_array_size(list) > FEE_LINES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_category(json_array_get(list, i), table->waived[i]))
            return false;
    }
    table->waived_years = (int)years;
    table->waived_count = json_array_size(list);
    return read_lines(json_object_get(waiver, "insurance"), table->insurance,
                      &table->insurance_count);
}

/* "04-01"; a day that every year has. */
static bool read_reference(const json_t *value, struct fee_table *table)
{
    const char *text = json_string_value(value);
    char day[11] = "2023-";
    int year;

    if (text == NULL || strlen(text) != 5)
        return false;
    memcpy(day + 5, text, 6);
    if (day_parse(str_of(day)) == DAY_NONE)
        return false;
    day_to_ymd(day_parse(str_of(day)), &year, &table->month, &table->mday);
    return true;
}

static enum err read_table(const json_t *json, struct fee_table *table, struct err_note *note)
{
    const char *from = json_string_value(json_object_get(json, "from"));

    *table = (struct fee_table){.from = from == NULL ? DAY_NONE : day_parse(str_of(from))};
    if (table->from == DAY_NONE)
        return err_say(note, ERR_SETTINGS, "a table of fees without the day from which it holds");
    if (!read_reference(json_object_get(json, "reference_day"), table))
        return err_say(note, ERR_SETTINGS, "fees from %s: reference_day is MM-DD", from);
    if (!read_lines(json_object_get(json, "fees"), table->fees, &table->fee_count))
        return err_say(note, ERR_SETTINGS, "fees from %s: fees", from);
    if (!read_waiver(json_object_get(json, "waiver"), table))
        return err_say(note, ERR_SETTINGS, "fees from %s: waiver", from);
    return ERR_OK;
}

enum err fees_load(const char *path, struct fee_book *book, struct err_note *note)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *list = json_object_get(json, "tables");
    enum err err = ERR_OK;

    *book = (struct fee_book){0};
    if (json == NULL)
        return err_say(note, ERR_SETTINGS, "%s: %s", path, error.text);
    if (json_array_size(list) == 0 || json_array_size(list) > FEE_TABLES_MAX) {
        err = err_say(note, ERR_SETTINGS, "%s: \"tables\" is a list of 1 to %d", path,
                      FEE_TABLES_MAX);
        goto cleanup;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(read_table(json_array_get(list, i), &book->tables[i], note));
        if (i > 0 && book->tables[i].from <= book->tables[i - 1].from) {
            err = err_say(note, ERR_SETTINGS, "%s: tables ascend by the day", path);
            goto cleanup;
        }
    }
    book->count = json_array_size(list);
cleanup:
    json_decref(json);
    return err;
}
