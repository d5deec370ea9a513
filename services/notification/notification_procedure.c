/* notification_procedure: mails about procedures of membership and the end of training,
 * M08 to M14. */
#include <stdio.h>

#include "gen/events.h"
#include "notification/notification.h"

static const struct {
    const char *kind;
    const char *text;
} kinds[] = {
    {"admission", "入会"},
    {"withdrawal_all", "退会（全ての医師会）"},
    {"withdrawal_l2_l3", "退会（都道府県医師会と全国の医師会）"},
    {"withdrawal_l3", "退会（全国の医師会）"},
    {"change", "異動（会員情報の変更）"},
    {"transfer", "異動（都道府県内の移籍）"},
    {"transfer_away", "異動（他の都道府県への移籍）"},
    {"death", "死亡による退会"},
    {"revocation", "免許取消による退会"},
};

static const char *const layers[] = {"医師会", "郡市区等医師会", "都道府県医師会", "全国の医師会"};
static const char *const roles[] = {"", "office_l1", "office_l2", "office_l3"};

static void set_text(json_t *data, const char *name, struct str text)
{
    (void)json_object_set_new(data, name, notification_text_json(text));
}

static void set_number(json_t *data, const char *name, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)value);
    set_text(data, name, str_of(text));
}

static void set_day(json_t *data, const char *name, day_t day)
{
    struct buf text = {0};

    notification_day_add(&text, day);
    set_text(data, name, buf_str(&text));
    buf_free(&text);
}

static struct str kind_text(struct str kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq_c(kind, kinds[i].kind))
            return str_of(kinds[i].text);
    }
    return kind;
}

/* What a procedure came to, as the doctor is told. */
static struct str result_text(struct arena *arena, const struct event_procedure_state *event)
{
    if (str_eq_c(event->stage, "done"))
        return STR("手続きが承認されました。");
    if (str_eq_c(event->stage, "rejected"))
        return STR("手続きは承認されませんでした。");
    return str_of(arena_printf(arena,
                               "%sまでの入会が承認され、それより上の医師会への入会は承認されませ"
                               "んでした。",
                               layers[event->granted]));
}

static json_t *data_of(struct arena *arena, const struct event_procedure_state *event)
{
    json_t *data = json_object();
    char id[UUID_TEXT_BYTES];

    uuid_format(event->procedure_id, id);
    set_text(data, "procedure_id", str_of(id));
    set_text(data, "procedure", kind_text(event->kind));
    set_text(data, "layer", str_of(layers[event->layer]));
    set_day(data, "effective_on", event->effective_on);
    set_text(data, "result", result_text(arena, event));
    set_text(data, "entered",
             event->by_office
                 ? STR("\n医師会の担当者が、届けの用紙をもとに代わって入力しました。\n")
                 : STR(""));
    set_text(
        data, "insurance",
        event->has_loses_insurance && event->loses_insurance && !str_eq_c(event->stage, "rejected")
            ? STR("\nご注意: A会員でなくなる日から、会員の賠償責任保険とその特約は使えなくなりま"
                  "す。\n続けて必要なときは、ほかの保険を先にご用意ください。\n")
            : STR(""));
    set_text(data, "reason",
             event->reason.len > 0
                 ? str_of(arena_printf(arena, "\n理由:\n%.*s\n", STR_ARG(event->reason)))
                 : STR(""));
    return data;
}

/* ---- the doctor ---- */

static bool is_end(const struct event_procedure_state *event)
{
    return str_eq_c(event->stage, "done") || str_eq_c(event->stage, "partial") ||
           str_eq_c(event->stage, "rejected");
}

static void tell_doctor(struct work_batch *batch, const struct event_procedure_state *event,
                        const char *kind, const char *occasion)
{
    struct notification_mail mail = {.kind = kind,
                                     .occasion = occasion,
                                     .to_doctor = event->doctor_id,
                                     .data = data_of(batch->arena, event)};

    notification_mail_add(batch, &mail);
}

static void tell_doctor_all(struct work_batch *batch, const struct event_procedure_state *event)
{
    struct arena *arena = batch->arena;
    char id[UUID_TEXT_BYTES], day[11];
    const char *version;

    uuid_format(event->procedure_id, id);
    version = arena_printf(arena, "%s:%lld", id, (long long)event->version);
    if (str_eq_c(event->action, "submit"))
        tell_doctor(batch, event, "M08", id);
    if (str_eq_c(event->action, "approve"))
        tell_doctor(batch, event, "M11", version);
    /* What an office entered comes back to the office. */
    if (str_eq_c(event->action, "return") && !event->by_office)
        tell_doctor(batch, event, "M10", version);
    if (str_eq_c(event->action, "remind") && !event->by_office) {
        day_format(day_of_us(batch->messages[0].time_us), day);
        tell_doctor(batch, event, "M10", arena_printf(arena, "%s:%s", version, day));
    }
    if ((str_eq_c(event->action, "approve") || str_eq_c(event->action, "reject")) && is_end(event))
        tell_doctor(batch, event, "M12", id);
}

/* ---- offices ---- */

static struct notification_staff staff_of(int64_t layer, struct str code)
{
    return (struct notification_staff){
        .role = roles[layer],
        .l1_code = layer == 1 ? code : STR_NONE,
        .l2_code = layer == 2 ? code : STR_NONE,
    };
}

/* M13: their members end without their doing. */
static void tell_offices(struct work_batch *batch, const struct event_procedure_state *event)
{
    for (size_t i = 0; i < event->notices_count; i++) {
        struct notification_staff staff = staff_of(event->notices[i].layer, event->notices[i].code);
        struct notification_mail mail = {.kind = "M13", .data = data_of(batch->arena, event)};
        char id[UUID_TEXT_BYTES];

        uuid_format(event->procedure_id, id);
        mail.occasion = id;
        notification_mail_add_to_staff(batch, &mail, &staff);
    }
}

void notification_procedure_handle(void *service, struct work_batch *batch)
{
    struct event_procedure_state event;
    enum err err;

    (void)service;
    TRY(event_procedure_state_decode(batch->arena, batch->messages[0].data, &event,
                                     &batch->flow->note));
    if (!str_eq_c(event.kind, "death"))
        tell_doctor_all(batch, &event);
    tell_offices(batch, &event);
cleanup:
    flow_resume(batch->flow, err);
}

static json_t *digest_data(const struct event_procedure_digest *event)
{
    json_t *data = json_object();

    set_number(data, "waiting", event->waiting);
    set_number(data, "overdue", event->overdue);
    set_number(data, "oldest_days", event->oldest_days);
    set_day(data, "day", event->day);
    set_text(data, "layer", str_of(layers[event->layer]));
    set_text(data, "code", event->code);
    return data;
}

static const char *desk_text(struct arena *arena, const struct event_procedure_digest *event)
{
    return arena_printf(arena, "l%lld:%.*s", (long long)event->layer, STR_ARG(event->code));
}

/* Where nobody sits, the national office hears of it: at once, then weekly while the same waits. */
static void tell_of_absent(struct work_batch *batch, const struct event_procedure_digest *event,
                           const struct notification_staff *staff)
{
    struct notification_mail mail = {.kind = "M09-nobody", .data = digest_data(event)};
    char since[11];

    day_format(event->day - (day_t)event->oldest_days, since);
    mail.occasion = arena_printf(batch->arena, "%s:%s:%lld", desk_text(batch->arena, event), since,
                                 (long long)event->oldest_days / 7);
    notification_mail_add_of_absent(batch, &mail, staff);
}

/* M09: what waits at a desk, once a day. */
void notification_digest_handle(void *service, struct work_batch *batch)
{
    struct event_procedure_digest event;
    struct notification_mail mail = {.kind = "M09"};
    struct notification_staff staff;
    char day[11];
    enum err err;

    (void)service;
    TRY(event_procedure_digest_decode(batch->arena, batch->messages[0].data, &event,
                                      &batch->flow->note));
    day_format(event.day, day);
    staff = staff_of(event.layer, event.code);
    mail.occasion = arena_printf(batch->arena, "%s:%s", desk_text(batch->arena, &event), day);
    mail.data = digest_data(&event);
    notification_mail_add_to_staff(batch, &mail, &staff);
    tell_of_absent(batch, &event, &staff);
cleanup:
    flow_resume(batch->flow, err);
}

/* M14: training ends, another category follows. */
static const struct {
    const char *category;
    const char *text;
} categories[] = {{"A2B", "A2(B)"}, {"A2C", "A2(C)"}};

static struct str category_text(struct str category)
{
    for (size_t i = 0; i < ARRAY_LEN(categories); i++) {
        if (str_eq_c(category, categories[i].category))
            return str_of(categories[i].text);
    }
    return category;
}

void notification_training_handle(void *service, struct work_batch *batch)
{
    struct event_training_ends event;
    struct notification_mail mail = {.kind = "M14"};
    char day[11];
    enum err err;

    (void)service;
    TRY(event_training_ends_decode(batch->arena, batch->messages[0].data, &event,
                                   &batch->flow->note));
    day_format(event.ends_on, day);
    mail.occasion = arena_printf(batch->arena, "%lld:%s:%lld", (long long)event.doctor_id, day,
                                 (long long)event.notice);
    mail.to_doctor = event.doctor_id;
    mail.data = json_object();
    set_day(mail.data, "ends_on", event.ends_on);
    set_text(mail.data, "category", category_text(event.category));
    set_text(mail.data, "category_after", category_text(event.category_after));
    notification_mail_add(batch, &mail);
cleanup:
    flow_resume(batch->flow, err);
}
