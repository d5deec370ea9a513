/*
 * notification_text: templates are plain files, `M23.txt`: the first line is the subject, the rest
 * the body; {name} is replaced from the mail's data. Nothing is interpreted in what is put in.
 */
#include <stdio.h>
#include <string.h>

#include "notification/notification.h"

enum { TEMPLATE_BYTES_MAX = 16 * 1024 };

static const char *const template_kinds[] = {
    "M01",        "M01-staff",  "M02",        "M03",         "M04",     "M05",        "M05-email",
    "M06",        "M01-signup", "M07",        "M07-refused", "M08",     "M09",        "M10",
    "M11",        "M12",        "M13",        "M14",         "M16",     "M17",        "M17-place",
    "M22",        "M23",        "M24",        "M28",         "M33",     "M28-office", "M34",
    "M34-office", "M55",        "M55-office", "M41",         "M41-end", "M41-off",    "M42",
    "M43",        "M45",        "M50",        "M51",         "M52",     "M52-left",   "M52-merged",
    "M53",        "M53-office", "M54",        "M54-number",  "M56",     "M56-desk",   "M09-nobody",
    "footer"};

struct notification_text {
    char *templates[ARRAY_LEN(template_kinds)];
};

/* ---- loading ---- */

static enum err read_template(const char *directory, const char *kind, char **ret_text,
                              struct err_note *note)
{
    char path[600];
    char *text = heap_alloc(TEMPLATE_BYTES_MAX + 1);
    FILE *file;
    size_t got;

    (void)snprintf(path, sizeof(path), "%s/%s.txt", directory, kind);
    file = fopen(path, "re");
    if (file == NULL) {
        free(text);
        return err_say(note, ERR_SETTINGS, "the mail template %s cannot be opened", path);
    }
    got = fread(text, 1, TEMPLATE_BYTES_MAX + 1, file);
    (void)fclose(file);
    if (got > TEMPLATE_BYTES_MAX || memchr(text, '\0', got) != NULL) {
        free(text);
        return err_say(note, ERR_SETTINGS, "the mail template %s is over %d bytes or no text", path,
                       TEMPLATE_BYTES_MAX);
    }
    text[got] = '\0';
    *ret_text = text;
    return ERR_OK;
}

enum err notification_text_load(const char *directory, struct notification_text **ret_text,
                                struct err_note *note)
{
    struct notification_text *text = heap_zero(sizeof(*text));
    enum err err = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(template_kinds) && err == ERR_OK; i++)
        err = read_template(directory, template_kinds[i], &text->templates[i], note);
    if (err == ERR_OK)
        *ret_text = text;
    else
        notification_text_free(text);
    return err;
}

void notification_text_free(struct notification_text *text)
{
    if (text == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(template_kinds); i++)
        free(text->templates[i]);
    free(text);
}

/* ---- filling in ---- */

static const char *find(const struct notification_text *text, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(template_kinds); i++) {
        if (strcmp(template_kinds[i], kind) == 0)
            return text->templates[i];
    }
    return NULL;
}

/* The value of a placeholder; an unknown one stays empty. */
static const char *value_of(const json_t *data, struct str name)
{
    char key[40];
    const char *value;

    if (name.len >= sizeof(key))
        return "";
    (void)snprintf(key, sizeof(key), "%.*s", STR_ARG(name));
    value = json_string_value(json_object_get(data, key));
    return value == NULL ? "" : value;
}

/* Control characters become blanks: in a line all of them, in a body all but the line feed. */
static void add_value(struct buf *out, const char *value, bool one_line)
{
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;

        if (c == '\r' && value[1] == '\n')
            continue;
        buf_add_char(out, (c < ' ' && (c != '\n' || one_line)) || c == 0x7f ? ' ' : *value);
    }
}

static void fill(struct buf *out, struct str rest, const json_t *data, bool one_line)
{
    struct str before;
    struct str name;

    while (str_cut(&rest, '{', &before)) {
        buf_add_str(out, before);
        if (rest.data == NULL)
            return;
        (void)str_cut(&rest, '}', &name);
        add_value(out, value_of(data, name), one_line);
    }
}

enum err notification_text_render(const struct notification_text *text, struct arena *arena,
                                  const char *kind, const json_t *data, const char **ret_subject,
                                  const char **ret_body)
{
    struct str body = str_of(find(text, kind));
    struct str subject;
    struct buf filled = {0};

    if (!str_cut(&body, '\n', &subject))
        return ERR_INTERNAL;
    fill(&filled, subject, data, true);
    *ret_subject = arena_str(arena, buf_str(&filled)).data;
    buf_clear(&filled);
    fill(&filled, body, data, false);
    fill(&filled, str_of(find(text, "footer")), data, false);
    *ret_body = arena_str(arena, buf_str(&filled)).data;
    buf_free(&filled);
    return ERR_OK;
}

const char *notification_text_line(struct arena *arena, const char *text)
{
    struct buf line = {0};
    const char *copy;

    add_value(&line, text, true);
    copy = arena_str(arena, buf_str(&line)).data;
    buf_free(&line);
    return copy == NULL ? "" : copy;
}

json_t *notification_text_json(struct str text)
{
    return json_stringn(text.data == NULL ? "" : text.data, text.len);
}

void notification_day_add(struct buf *out, day_t day)
{
    int year;
    int month;
    int mday;

    if (day == DAY_NONE)
        return;
    day_to_ymd(day, &year, &month, &mday);
    buf_printf(out, "%d年%d月%d日", year, month, mday);
}
