/*
 * notification_text: templates are plain files, `M23.txt`: the first line is the subject, the rest
 * the body; {name} is replaced from the mail's data. Nothing is interpreted in what is put in.
 */
#include <stdio.h>
#include <string.h>

#include "notification/notification.h"

enum { TEMPLATE_BYTES_MAX = 16 * 1024 };

static const char *const template_kinds[] = {"M01", "M02", "M04",        "M22", "M23",
                                             "M28", "M33", "M28-office", "M42", "footer"};

struct notification_text {
    char *templates[ARRAY_LEN(template_kinds)];
};

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
    if (err == ERR_OK) {
        *ret_text = text;
        return ERR_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(template_kinds); i++)
        free(text->templates[i]);
    free(text);
    return err;
}

static const char *find(const struct notification_text *text, const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(template_kinds); i++) {
        if (strcmp(template_kinds[i], kind) == 0)
            return text->templates[i];
    }
    return NULL;
}

/* The value of a placeholder; an unknown one stays empty. */
static const char *value_of(const json_t *data, const char *name, size_t len)
{
    char key[40];
    const char *value;

    if (len >= sizeof(key))
        return "";
    memcpy(key, name, len);
    key[len] = '\0';
    value = json_string_value(json_object_get(data, key));
    return value == NULL ? "" : value;
}

static void fill(struct buf *out, const char *template_text, const json_t *data)
{
    const char *at = template_text;

    while (*at != '\0') {
        const char *open = strchr(at, '{');
        const char *close = open == NULL ? NULL : strchr(open, '}');

        if (close == NULL) {
            buf_add_c(out, at);
            return;
        }
        buf_add(out, at, (size_t)(open - at));
        buf_add_c(out, value_of(data, open + 1, (size_t)(close - open) - 1));
        at = close + 1;
    }
}

enum err notification_text_render(const struct notification_text *text, struct arena *arena,
                                  const char *kind, const json_t *data, const char **ret_subject,
                                  const char **ret_body)
{
    const char *template_text = find(text, kind);
    struct buf filled = {0};
    struct str rest;
    struct str subject;

    if (template_text == NULL)
        return ERR_INTERNAL;
    fill(&filled, template_text, data);
    fill(&filled, find(text, "footer"), data);
    rest = buf_str(&filled);
    (void)str_cut(&rest, '\n', &subject);
    *ret_subject = arena_str(arena, subject).data;
    *ret_body = rest.data == NULL ? "" : arena_str(arena, rest).data;
    buf_free(&filled);
    return ERR_OK;
}
