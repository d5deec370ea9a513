/* notification_occasions: events of accounts and applications that become a mail. */
#include <stdio.h>
#include <string.h>

#include "gen/events.h"
#include "notification/notification.h"

static void set_text(json_t *data, const char *name, struct str text)
{
    (void)json_object_set_new(data, name, notification_text_json(text));
}

static void set_day(json_t *data, const char *name, day_t day)
{
    struct buf text = {0};

    notification_day_add(&text, day);
    set_text(data, name, buf_str(&text));
    buf_free(&text);
}

/* A mail of this kind whose occasion is what happened to `subject`, greeting `name`. */
static struct notification_mail mail_of(struct work_batch *batch, const char *kind,
                                        struct uuid subject, struct str name)
{
    struct notification_mail mail = {.kind = kind, .data = json_object()};
    char id[UUID_TEXT_BYTES];

    uuid_format(subject, id);
    mail.occasion = arena_printf(batch->arena, "%s", id);
    set_text(mail.data, "name", name);
    return mail;
}

/* To a doctor's account, at an address that is known already. */
static void tell_account(struct work_batch *batch, struct notification_mail *mail,
                         struct uuid account_id, int64_t doctor_id, struct str email)
{
    mail->has_account = true;
    mail->to_account = account_id;
    mail->to_doctor = doctor_id;
    mail->to_address = email;
    notification_mail_add(batch, mail);
}

/* ---- M01, M04, M06, M07, M50: links ---- */

static const struct link_mail {
    const char *purpose;
    const char *kind;
} link_mails[] = {
    {"email_confirm", "M01"}, {"password_reset", "M04"},     {"signup_confirm", "M01-signup"},
    {"first_login", "M07"},   {"staff_invite", "M01-staff"}, {"delegate_invite", "M50"},
    {"get_in", "M06"},
};

static const char *kind_of_link(struct str purpose)
{
    size_t i = 0;

    while (!str_eq_c(purpose, link_mails[i].purpose))
        must(++i < ARRAY_LEN(link_mails)); /* the contract knows no other */
    return link_mails[i].kind;
}

/* "2026-11-22 12:30", in Japan. */
static void minutes_text(int64_t time_us, char out[CLOCK_TEXT_BYTES])
{
    time_format(time_us, out);
    out[16] = '\0';
    out[10] = ' ';
}

void notification_link_handle(void *service, struct work_batch *batch)
{
    struct event_link_issued event;
    struct notification_mail mail = {.has_account = true};
    char id[UUID_TEXT_BYTES];
    char expires[CLOCK_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_link_issued_decode(batch->arena, batch->messages[0].data, &event,
                                 &batch->flow->note));
    uuid_format(event.link_id, id);
    minutes_text(event.expires_at, expires);
    mail.kind = kind_of_link(event.purpose);
    mail.occasion = id;
    if (str_eq_c(event.purpose, "get_in")) { /* of a day's links only the first is mailed */
        char account[UUID_TEXT_BYTES];

        uuid_format(event.account_id, account);
        mail.occasion = arena_printf(batch->arena, "%s:%.10s", account, expires);
    }
    mail.to_address = event.email;
    mail.to_account = event.account_id;
    mail.data = json_object();
    /* Only the id is kept; the link itself is made when the mail is. */
    set_text(mail.data, "link_id", str_of(id));
    set_text(mail.data, "purpose", event.purpose);
    set_text(mail.data, "expires_at", str_of(expires));
    if (event.name.data != NULL)
        set_text(mail.data, "name", event.name);
    if (event.from_name.data != NULL)
        set_text(mail.data, "from_name", event.from_name);
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M51, M52: a delegate is there, or is none any more ---- */

static void to_doctor(struct notification_mail *mail, const struct event_delegation_state *event)
{
    mail->has_account = true;
    mail->to_account = event->account_id;
    mail->to_doctor = event->doctor_id;
    set_text(mail->data, "name", event->doctor_name);
}

void notification_delegation_handle(void *service, struct work_batch *batch)
{
    struct event_delegation_state event;
    struct notification_mail mail = {0};
    char id[UUID_TEXT_BYTES];
    bool begun, ended, left, merged;
    enum err err;

    (void)service;
    TRY(event_delegation_state_decode(batch->arena, batch->messages[0].data, &event,
                                      &batch->flow->note));
    begun = str_eq_c(event.state, "active");
    ended = str_eq_c(event.state, "revoked") && event.accepted;
    if (!begun && !ended) /* of an invitation the link's mail tells */
        goto cleanup;
    uuid_format(event.delegation_id, id);
    left = ended && event.has_resigned && event.resigned;
    merged = ended && event.has_merged && event.merged;
    mail.kind = begun ? "M51" : left ? "M52-left" : merged ? "M52-merged" : "M52";
    mail.occasion = id;
    mail.data = json_object();
    set_text(mail.data, "delegate_name", event.name);
    set_text(mail.data, "doctor_name", event.doctor_name);
    if (begun || left) {
        to_doctor(&mail, &event);
    } else {
        mail.to_address = event.email;
        set_text(mail.data, "name", event.name);
    }
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M05: how somebody signs in was changed ---- */

static const struct {
    const char *what, *text;
} changes[] = {
    {"password", "パスワードの変更"},
    {"totp_added", "認証アプリの登録"},
    {"totp_removed", "認証アプリの登録の取り消し"},
    {"passkey_added", "パスキーの登録"},
    {"passkey_removed", "パスキーの登録の取り消し"},
    {"recovery_codes", "回復用コードの作り直し"},
};

void notification_credential_handle(void *service, struct work_batch *batch)
{
    struct event_credential_changed event;
    struct notification_mail mail = {.kind = "M05", .has_account = true};
    char id[UUID_TEXT_BYTES];
    char changed[CLOCK_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_credential_changed_decode(batch->arena, batch->messages[0].data, &event,
                                        &batch->flow->note));
    uuid_format(event.account_id, id);
    mail.occasion = arena_printf(batch->arena, "%s:%.*s:%lld", id, STR_ARG(event.what),
                                 (long long)event.changed_at);
    mail.to_account = event.account_id;
    mail.to_address = event.email;
    mail.data = json_object();
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        if (str_eq_c(event.what, changes[i].what))
            set_text(mail.data, "what", str_of(changes[i].text));
    minutes_text(event.changed_at, changed);
    set_text(mail.data, "changed_at", str_of(changed));
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M02: My Page is there ---- */

void notification_my_page_handle(void *service, struct work_batch *batch)
{
    struct event_my_page_created event;
    struct notification_mail mail;
    enum err err;

    (void)service;
    TRY(event_my_page_created_decode(batch->arena, batch->messages[0].data, &event,
                                     &batch->flow->note));
    mail = mail_of(batch, "M02", event.account_id, event.name);
    tell_account(batch, &mail, event.account_id, event.doctor_id, event.email);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M03: certification data is linked ---- */

void notification_linked_handle(void *service, struct work_batch *batch)
{
    struct event_certification_linked event;
    struct notification_mail mail;
    enum err err;

    (void)service;
    TRY(event_certification_linked_decode(batch->arena, batch->messages[0].data, &event,
                                          &batch->flow->note));
    mail = mail_of(batch, "M03", event.account_id, event.name);
    tell_account(batch, &mail, event.account_id, event.doctor_id, event.email);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M07: a sign-up was refused ---- */

void notification_signup_refused_handle(void *service, struct work_batch *batch)
{
    struct event_signup_refused event;
    struct notification_mail mail;
    enum err err;

    (void)service;
    TRY(event_signup_refused_decode(batch->arena, batch->messages[0].data, &event,
                                    &batch->flow->note));
    mail = mail_of(batch, "M07-refused", event.account_id, event.name);
    mail.to_address = event.email;
    set_text(mail.data, "reason", event.reason);
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M05: another address, told to the one before ---- */

void notification_email_changed_handle(void *service, struct work_batch *batch)
{
    struct event_email_changed event;
    struct notification_mail mail;
    enum err err;

    (void)service;
    TRY(event_email_changed_decode(batch->arena, batch->messages[0].data, &event,
                                   &batch->flow->note));
    mail = mail_of(batch, "M05-email", event.account_id, event.name);
    mail.occasion = arena_printf(batch->arena, "%s:%lld", mail.occasion, (long long)event.version);
    mail.to_address = event.old_email;
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M45: data that is linked late, told to the national association ---- */

void notification_links_late_handle(void *service, struct work_batch *batch)
{
    struct event_links_late event;
    struct notification_mail mail = {.kind = "M45"};
    char day[11], count[24];
    enum err err;

    (void)service;
    TRY(event_links_late_decode(batch->arena, batch->messages[0].data, &event, &batch->flow->note));
    day_format(event.day, day);
    (void)snprintf(count, sizeof(count), "%lld", (long long)event.count);
    mail.occasion = day;
    mail.data = json_object();
    set_text(mail.data, "count", str_of(count));
    set_day(mail.data, "oldest_due_on", event.oldest_due_on);
    notification_mail_add_to_staff(batch, &mail, &(struct notification_staff){.role = "office_l3"});
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M53: a request for correction has come, or was answered ---- */

void notification_correction_handle(void *service, struct work_batch *batch)
{
    struct event_correction_state event;
    struct notification_mail mail = {0};
    char id[UUID_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_correction_state_decode(batch->arena, batch->messages[0].data, &event,
                                      &batch->flow->note));
    uuid_format(event.correction_id, id);
    mail.occasion = id;
    mail.data = json_object();
    if (str_eq_c(event.state, "open")) { /* without a prefecture it is the national office's */
        const struct notification_staff staff = {
            .role = event.l2_code.len == 0 ? "office_l3" : "office_l2", .l2_code = event.l2_code};

        mail.kind = "M53-office";
        notification_mail_add_to_staff(batch, &mail, &staff);
    } else {
        mail.kind = "M53";
        mail.has_account = true;
        mail.to_account = event.account_id;
        mail.to_doctor = event.doctor_id;
        set_text(mail.data, "name", event.name);
        set_text(mail.data, "changed",
                 event.has_changed && event.changed
                     ? STR("登録情報も、返事のとおりに直しました。\n")
                     : STR(""));
        notification_mail_add(batch, &mail);
    }
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M54: two records of one doctor were merged, told at both addresses, or a number ---- */

static void tell_merged(struct work_batch *batch, const struct event_doctor_merged *event,
                        struct str address, const char *which)
{
    struct notification_mail mail;

    if (address.len == 0)
        return;
    mail = mail_of(batch, event->renumbered ? "M54-number" : "M54", event->merge_id, event->name);
    mail.occasion = arena_printf(batch->arena, "%s:%s", mail.occasion, which);
    mail.to_address = address;
    mail.to_doctor = event->kept_id;
    notification_mail_add(batch, &mail);
}

void notification_merged_handle(void *service, struct work_batch *batch)
{
    struct event_doctor_merged event;
    enum err err;

    (void)service;
    TRY(event_doctor_merged_decode(batch->arena, batch->messages[0].data, &event,
                                   &batch->flow->note));
    tell_merged(batch, &event, event.kept_email, "kept");
    if (!str_eq_nocase(event.kept_email, event.closed_email))
        tell_merged(batch, &event, event.closed_email, "closed");
cleanup:
    flow_resume(batch->flow, err);
}

/* ---- M28, M33, M34, M42: applications ---- */

static const struct application_mail {
    const char *status;
    const char *doctor; /* kind */
    const char *office; /* kind; NULL: none */
} application_mails[] = {
    {"submitted", "M28", "M28-office"},
    {"l1_review", "M28", "M28-office"},
    {"l2_review", "M28", "M28-office"},
    {"returned", "M42", NULL},
    {"approved", "M33", NULL},
    {"rejected_l2", "M34", "M34-office"},
    {"rejected_l3", "M34", "M34-office"},
};

static const struct application_mail *mails_of(struct str status)
{
    for (size_t i = 0; i < ARRAY_LEN(application_mails); i++) {
        if (str_eq_c(status, application_mails[i].status))
            return &application_mails[i];
    }
    return NULL;
}

static json_t *application_data(const struct event_application_state *event, const char *id)
{
    json_t *data = json_object();

    set_text(data, "application_id", str_of(id));
    set_text(data, "programme",
             str_eq_c(event->programme, "SP") ? STR("認定健康スポーツ医") : STR("認定産業医"));
    set_text(data, "cycle", event->cycle);
    set_text(data, "number", event->number);
    set_day(data, "valid_from", event->valid_from);
    set_day(data, "valid_to", event->valid_to);
    set_text(data, "reason", event->reason);
    if (event->declared)
        set_text(
            data, "declared",
            STR("\n手帳の単位を申告されています。研修手帳の原本を、都道府県医師会へお送りくださ"
                "い。\n"));
    if (event->return_until != DAY_NONE) {
        struct buf line = {0};

        buf_add_c(&line, "\n期限: ");
        notification_day_add(&line, event->return_until);
        buf_add_char(&line, '\n');
        set_text(data, "until", buf_str(&line));
        buf_free(&line);
    }
    return data;
}

/* ---- M55: the doctor has moved, another prefecture has the application now ---- */

static void tell_handed_over(struct work_batch *batch, const struct event_application_state *event,
                             const char *id)
{
    const struct str offices[] = {event->handed_from, event->l2_code};
    struct notification_mail mail = {
        .kind = "M55",
        .occasion = arena_printf(batch->arena, "%s:%lld", id, (long long)event->version),
        .to_doctor = event->doctor_id,
    };

    for (size_t i = 0; i <= ARRAY_LEN(offices); i++) {
        mail.data = application_data(event, id);
        set_text(mail.data, "from", event->handed_from);
        set_text(mail.data, "to", event->l2_code);
        if (i == ARRAY_LEN(offices)) {
            notification_mail_add(batch, &mail);
            return;
        }
        const struct notification_staff staff = {.role = "office_l2", .l2_code = offices[i]};
        struct notification_mail told = mail;

        told.kind = "M55-office";
        notification_mail_add_to_staff(batch, &told, &staff);
    }
}

void notification_application_handle(void *service, struct work_batch *batch)
{
    struct event_application_state event;
    const struct application_mail *kinds;
    struct notification_mail mail = {0};
    char id[UUID_TEXT_BYTES];
    enum err err;

    (void)service;
    TRY(event_application_state_decode(batch->arena, batch->messages[0].data, &event,
                                       &batch->flow->note));
    uuid_format(event.application_id, id);
    if (event.handed_from.len > 0) {
        tell_handed_over(batch, &event, id);
        goto cleanup;
    }
    kinds = mails_of(event.status);
    if (kinds == NULL)
        goto cleanup;
    mail.kind = kinds->doctor;
    /* An application is received and decided once; each return is an occasion of its own. */
    mail.occasion = str_eq_c(event.status, "returned")
                        ? arena_printf(batch->arena, "%s:%lld", id, (long long)event.version)
                        : id;
    mail.to_doctor = event.doctor_id;
    mail.data = application_data(&event, id);
    notification_mail_add(batch, &mail);
    if (kinds->office != NULL) {
        mail.kind = kinds->office;
        mail.data = application_data(&event, id);
        notification_mail_add_to_staff(
            batch, &mail,
            &(struct notification_staff){.role = "office_l2", .l2_code = event.l2_code});
    }
cleanup:
    flow_resume(batch->flow, err);
}
