/* notification_render: a row's data becomes the words of its mail. */
#include "domain/kinds.h"
#include "notification/notification_queue.h"

/* One line of the mail for each credit: [day, kind, half units]. */
static void add_line(struct buf *out, const json_t *line)
{
    const char *day = json_string_value(json_array_get(line, 0));
    struct str kind = str_of(json_string_value(json_array_get(line, 1)));
    json_int_t half_units = json_integer_value(json_array_get(line, 2));
    enum kind known;

    if (day == NULL || kind.data == NULL)
        return;
    buf_add_c(out, "・");
    notification_day_add(out, day_parse(str_of(day)));
    known = kind_of_code(kind);
    buf_printf(out, "　%s　%lld%s単位\n", known == KIND_NONE ? kind.data : kind_name(known, false),
               (long long)half_units / 2, half_units % 2 != 0 ? ".5" : "");
}

static void set_lines(json_t *data)
{
    const json_t *lines = json_object_get(data, "lines");
    struct buf text = {0};
    size_t i;
    const json_t *line;

    if (!json_is_array(lines))
        return;
    json_array_foreach(lines, i, line)
    {
        add_line(&text, line);
    }
    (void)json_object_set_new(data, "lines", notification_text_json(buf_str(&text)));
    buf_free(&text);
}

static void set_link(struct notification *notification, json_t *data)
{
    const char *id = json_string_value(json_object_get(data, "link_id"));
    const char *purpose = json_string_value(json_object_get(data, "purpose"));
    struct uuid link_id;
    char link[LINK_TEXT_BYTES];

    if (id == NULL || purpose == NULL || !uuid_parse(str_of(id), &link_id))
        return;
    link_text(&notification->link_key, purpose, link_id, link);
    /* In the fragment: it is never sent by opening the page, only by its button. */
    (void)json_object_set_new(data, "link",
                              json_sprintf("%s/link#%s", notification->public_url, link));
    secret_wipe(link, sizeof(link));
}

enum err queue_render(struct notification *notification, struct arena *arena,
                      const struct due_mail *mail, struct mail_message *message)
{
    json_t *data = mail->data;

    if (json_object_get(data, "name") == NULL)
        (void)json_object_set_new(data, "name", json_string(mail->to_name));
    (void)json_object_set_new(data, "public_url", json_string(notification->public_url));
    (void)json_object_set_new(data, "help_phone", json_string(notification_settings.help_phone));
    (void)json_object_set_new(data, "help_hours", json_string(notification_settings.help_hours));
    set_lines(data);
    set_link(notification, data);
    *message = (struct mail_message){
        .message_id = mail->message_id,
        .from_name = notification_settings.mail_from_name,
        .from_address = notification_settings.mail_from,
        .to_name = notification_text_line(arena, mail->to_name),
        .to_address = mail->to_address,
        .date_us = mail->created_us, /* each attempt gives the same bytes */
    };
    return notification_text_render(notification->text, arena, mail->kind, data, &message->subject,
                                    &message->text);
}
