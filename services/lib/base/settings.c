/* settings: default, then file, then environment; every value is checked against its table row. */
#include "base/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static enum err set_u32(const struct setting *setting, void *field, struct str value,
                        const char *place, struct err_note *note)
{
    int64_t number;

    if (!str_to_i64(value, &number) || number < setting->least || number > setting->most)
        return err_say(note, ERR_SETTINGS, "%s: %s wants a whole number from %u to %u (%s)", place,
                       setting->name, setting->least, setting->most, setting->unit);
    *(uint32_t *)field = (uint32_t)number;
    return ERR_OK;
}

static enum err set_text(const struct setting *setting, void *field, struct str value,
                         const char *place, struct err_note *note)
{
    char *copy;

    /* Nothing is what stands where nothing was set, and no value beside. */
    bool unset = value.len == 0 && setting->fallback[0] == '\0';

    if (value.len > setting->most || (value.len < setting->least && !unset))
        return err_say(note, ERR_SETTINGS, "%s: %s wants %u to %u bytes (%s)", place, setting->name,
                       setting->least, setting->most, setting->unit);
    if (value.len > 0 && memchr(value.data, '\0', value.len) != NULL)
        return err_say(note, ERR_SETTINGS, "%s: %s holds a NUL", place, setting->name);
    copy = heap_alloc(value.len + 1);
    if (value.len > 0)
        memcpy(copy, value.data, value.len);
    copy[value.len] = '\0';
    free(*(char **)field);
    *(char **)field = copy; /* the last one lives until the process ends */
    return ERR_OK;
}

static enum err set_bool(const struct setting *setting, void *field, struct str value,
                         const char *place, struct err_note *note)
{
    bool yes = str_eq_c(value, "true") || str_eq_c(value, "yes") || str_eq_c(value, "1");

    if (!yes && !str_eq_c(value, "false") && !str_eq_c(value, "no") && !str_eq_c(value, "0"))
        return err_say(note, ERR_SETTINGS, "%s: %s wants true or false", place, setting->name);
    *(bool *)field = yes;
    return ERR_OK;
}

static enum err set_value(const struct settings_table *table, const struct setting *setting,
                          struct str value, const char *place, struct err_note *note)
{
    void *field = (char *)table->out + setting->offset;

    switch (setting->type) {
    case SETTING_U32:
        return set_u32(setting, field, value, place, note);
    case SETTING_TEXT:
        return set_text(setting, field, value, place, note);
    case SETTING_BOOL:
        return set_bool(setting, field, value, place, note);
    }
    must(false);
    return ERR_SETTINGS;
}

static enum err set_fallbacks(const struct settings_table *tables, size_t count,
                              struct err_note *note)
{
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct setting *setting = &tables[t].settings[i];
            enum err err;

            if (setting->type == SETTING_TEXT)
                *(char **)((char *)tables[t].out + setting->offset) = NULL;
            err = set_value(&tables[t], setting, str_of(setting->fallback), "default", note);

            if (err != ERR_OK)
                return err;
        }
    }
    return ERR_OK;
}

static enum err set_by_name(const struct settings_table *tables, size_t count, struct str name,
                            struct str value, const char *place, struct err_note *note)
{
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            if (str_eq_c(name, tables[t].settings[i].name))
                return set_value(&tables[t], &tables[t].settings[i], value, place, note);
        }
    }
    return err_say(note, ERR_SETTINGS, "%s: there is no setting \"%.*s\"", place, STR_ARG(name));
}

static enum err read_file(const char *path, struct buf *out, struct err_note *note)
{
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t got;
    bool bad;

    if (file == NULL)
        return err_say(note, ERR_SETTINGS, "%s: cannot be opened", path);
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0 && out->len <= SETTINGS_FILE_BYTES_MAX)
        buf_add(out, piece, got);
    bad = ferror(file) != 0;
    (void)fclose(file);
    if (bad || out->len > SETTINGS_FILE_BYTES_MAX)
        return err_say(note, ERR_SETTINGS, "%s: cannot be read or is over %d bytes", path,
                       SETTINGS_FILE_BYTES_MAX);
    return ERR_OK;
}

static enum err set_from_file(const struct settings_table *tables, size_t count, const char *path,
                              struct err_note *note)
{
    struct buf content = {0};
    struct str rest;
    struct str line;
    enum err err;

    TRY(read_file(path, &content, note));
    rest = buf_str(&content);
    for (int number = 1; str_cut(&rest, '\n', &line); number++) {
        char place[600];
        struct str name;

        line = str_trim(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        (void)snprintf(place, sizeof(place), "%s line %d", path, number);
        if (memchr(line.data, '=', line.len) == NULL) {
            err = err_say(note, ERR_SETTINGS, "%s: wants `name = value`", place);
            goto cleanup;
        }
        (void)str_cut(&line, '=', &name);
        TRY(set_by_name(tables, count, str_trim(name), str_trim(line), place, note));
    }
cleanup:
    buf_free(&content);
    return err;
}

static enum err set_from_environment(const struct settings_table *tables, size_t count,
                                     struct err_note *note)
{
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct setting *setting = &tables[t].settings[i];
            char name[80];
            const char *value;
            enum err err;

            (void)snprintf(name, sizeof(name), "MAMIS_%s", setting->name);
            for (char *c = name; *c != '\0'; c++)
                *c = (char)toupper((unsigned char)*c);
            value = getenv(name);
            if (value == NULL)
                continue;
            err = set_value(&tables[t], setting, str_of(value), name, note);
            if (err != ERR_OK)
                return err;
        }
    }
    return ERR_OK;
}

static enum err check_required(const struct settings_table *tables, size_t count,
                               struct err_note *note)
{
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct setting *setting = &tables[t].settings[i];
            const char *text;

            if ((setting->flags & SETTING_REQUIRED) == 0 || setting->type != SETTING_TEXT)
                continue;
            text = *(const char **)((char *)tables[t].out + setting->offset);
            if (text[0] == '\0')
                return err_say(note, ERR_SETTINGS, "the setting %s is missing (%s)", setting->name,
                               setting->help);
        }
    }
    return ERR_OK;
}

enum err settings_load(const struct settings_table *tables, size_t count, const char *file,
                       struct err_note *note)
{
    enum err err;

    TRY(set_fallbacks(tables, count, note));
    if (file != NULL)
        TRY(set_from_file(tables, count, file, note));
    TRY(set_from_environment(tables, count, note));
    TRY(check_required(tables, count, note));
cleanup:
    return err;
}

void settings_print(const struct settings_table *tables, size_t count)
{
    static const char *const types[] = {"number", "text", "true/false"};

    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct setting *setting = &tables[t].settings[i];
            bool secret = (setting->flags & SETTING_SECRET) != 0;
            bool none = setting->fallback[0] == '\0' || secret;

            printf("%-28s %-10s default %-24s %s (%s)\n", setting->name, types[setting->type],
                   none ? "-" : setting->fallback, setting->help, setting->unit);
        }
    }
}
