/* notification_occasions: events of accounts and applications that become a mail. */
#include <string.h>

#include "gen/events.h"
#include "notification/notification.h"

static json_t *text_json(struct str text)
{
    return json_stringn(text.data == NULL ? "" : text.data, text.len);
}

static json_t *day_json(day_t day)
{
    char text[11] = "";

    if (day != DAY_NONE)
        day_format(day, text);
    return json_string(text);
}

/* ---- M01, M04: links ---- */

void notification_link_handle(void *service, struct work_batch *batch)
{
    struct notification *notification = service;
    struct event_link_issued event;
    struct notification_mail mail = {0};
    char id[UUID_TEXT_BYTES];
    char expires[CLOCK_TEXT_BYTES];
    enum err err;

    TRY(event_link_issued_decode(batch->arena, batch->messages[0].data, &event,
                                 &batch->flow->note));
    uuid_format(event.link_id, id);
    time_format(event.expires_at, expires);
    expires[16] = '\0'; /* minutes are enough */
    expires[10] = ' ';
    mail.kind = str_eq_c(event.purpose, "email_confirm") ? "M01" : "M04";
    mail.occasion = id;
    mail.to_address = event.email;
    mail.to_account = event.account_id;
    mail.has_account = true;
    mail.data = json_object();
    /* Only the id is kept; the link itself is made when the mail is. */
    (void)json_object_set_new(mail.data, "link_id", json_string(id));
    (void)json_object_set_new(mail.data, "purpose", text_json(event.purpose));
    (void)json_object_set_new(mail.data, "expires_at", json_string(expires));
    notification_mail_add(notification, batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M02: My Page is there ---- */

void notification_my_page_handle(void *service, struct work_batch *batch)
{
    struct notification *notification = service;
    struct event_my_page_created event;
    struct notification_mail mail = {.kind = "M02", .has_account = true};
    char id[UUID_TEXT_BYTES];
    enum err err;

    TRY(event_my_page_created_decode(batch->arena, batch->messages[0].data, &event,
                                     &batch->flow->note));
    uuid_format(event.account_id, id);
    mail.occasion = id;
    mail.to_account = event.account_id;
    mail.to_address = event.email;
    mail.data = json_object();
    (void)json_object_set_new(mail.data, "name", text_json(event.name));
    notification_mail_add(notification, batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M28, M33, M42: applications ---- */

/* The offices of the application's prefecture, one mail an account. */
static const struct db_stmt insert_office_mails = {
    "notification_insert_office_mails",
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_account, data, state,"
    "                               created_at, next_try_at)"
    " SELECT gen_random_uuid(), 'M28-office', 'M28-office:' || $1 || ':' || account_id,"
    "        'M28-office.' || $1 || '.' || account_id || '@' || $2, account_id, $3, 'ready', $4, $4"
    " FROM notification.account"
    " WHERE role = 'office_l2' AND l2_code = $5 AND state = 'active' AND email IS NOT NULL"
    " LIMIT 50 ON CONFLICT (occasion) DO NOTHING",
};

static const char *programme_name(struct str programme)
{
    return str_eq_c(programme, "SP") ? "認定健康スポーツ医" : "認定産業医";
}

static json_t *application_data(const struct event_application_state *event, const char *id)
{
    json_t *data = json_object();

    (void)json_object_set_new(data, "application_id", json_string(id));
    (void)json_object_set_new(data, "programme", json_string(programme_name(event->programme)));
    (void)json_object_set_new(data, "cycle", text_json(event->cycle));
    (void)json_object_set_new(data, "number", text_json(event->number));
    (void)json_object_set_new(data, "valid_from", day_json(event->valid_from));
    (void)json_object_set_new(data, "valid_to", day_json(event->valid_to));
    (void)json_object_set_new(data, "reason", text_json(event->reason));
    if (event->declared)
        (void)json_object_set_new(data, "declared",
                                  json_string("\n手帳の単位を申告されています。研修手帳の原本を、都"
                                              "道府県医師会へお送りください。\n"));
    if (event->return_until != DAY_NONE) {
        char until[11];
        json_t *line;

        day_format(event->return_until, until);
        line = json_sprintf("\n期限: %s\n", until);
        (void)json_object_set_new(data, "until", line);
    }
    return data;
}

static const char *kind_of_status(struct str status)
{
    static const struct {
        const char *status;
        const char *kind;
    } kinds[] = {
        {"submitted", "M28"}, {"l1_review", "M28"}, {"l2_review", "M28"},
        {"approved", "M33"},  {"returned", "M42"},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq_c(status, kinds[i].status))
            return kinds[i].kind;
    }
    return NULL;
}

static void add_office_mails(struct work_batch *batch, const struct event_application_state *event,
                             const char *id)
{
    json_t *json = application_data(event, id);
    char *data = json_dumps(json, JSON_COMPACT);
    struct db_query *query = db_add(batch->effect, &insert_office_mails);

    must(data != NULL);
    db_text_c(query, id);
    db_text_c(query, notification_settings.mail_domain);
    db_json(query, str_of(data));
    db_time(query, clock_now_us());
    db_text(query, event->l2_code);
    free(data);
    json_decref(json);
}

void notification_application_handle(void *service, struct work_batch *batch)
{
    struct notification *notification = service;
    struct event_application_state event;
    struct notification_mail mail = {0};
    char id[UUID_TEXT_BYTES];
    enum err err;

    TRY(event_application_state_decode(batch->arena, batch->messages[0].data, &event,
                                       &batch->flow->note));
    mail.kind = kind_of_status(event.status);
    if (mail.kind == NULL)
        goto cleanup;
    uuid_format(event.application_id, id);
    /* Received and approved happen once; each return is an occasion of its own. */
    mail.occasion = strcmp(mail.kind, "M42") == 0
                        ? arena_printf(batch->arena, "%s:%lld", id, (long long)event.version)
                        : id;
    mail.to_doctor = event.doctor_id;
    mail.data = application_data(&event, id);
    notification_mail_add(notification, batch, &mail);
    if (strcmp(mail.kind, "M28") == 0)
        add_office_mails(batch, &event, id);
cleanup:
    flow_resume(batch->flow, err);
}
