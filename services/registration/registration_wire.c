/* registration_wire: commands from the bus, events to it. */
#include <string.h>

#include "gen/events.h"
#include "registration/registration.h"

static enum err agree_terms(struct arena *arena, json_t *data, struct command *out,
                            struct err_note *note)
{
    struct event_account_agree_terms event;
    enum err err;

    TRY(event_account_agree_terms_decode(arena, data, &event, note));
    *out = (struct command){.kind = COMMAND_AGREE_TERMS,
                            .operation_id = event.operation_id,
                            .account_id = event.account_id,
                            .text = event.terms_version};
cleanup:
    return err;
}

static enum err set_email(struct arena *arena, json_t *data, struct command *out,
                          struct err_note *note)
{
    struct event_account_set_email event;
    enum err err;

    TRY(event_account_set_email_decode(arena, data, &event, note));
    *out = (struct command){.kind = COMMAND_SET_EMAIL,
                            .operation_id = event.operation_id,
                            .account_id = event.account_id,
                            .text = event.email};
cleanup:
    return err;
}

static enum err confirm_email(struct arena *arena, json_t *data, struct command *out,
                              struct err_note *note)
{
    struct event_account_confirm_email event;
    enum err err;

    TRY(event_account_confirm_email_decode(arena, data, &event, note));
    *out = (struct command){.kind = COMMAND_CONFIRM_EMAIL,
                            .operation_id = event.operation_id,
                            .account_id = event.account_id,
                            .text = event.email};
cleanup:
    return err;
}

static struct str or_empty(struct str text)
{
    return text.data == NULL ? STR("") : text;
}

static enum err set_profile(struct arena *arena, json_t *data, struct command *out,
                            struct err_note *note)
{
    struct event_account_set_profile event;
    enum err err;

    TRY(event_account_set_profile_decode(arena, data, &event, note));
    *out = (struct command){
        .kind = COMMAND_SET_PROFILE,
        .operation_id = event.operation_id,
        .account_id = event.account_id,
        .profile = {.name = event.profile.name,
                    .name_kana = event.profile.name_kana,
                    .former_name = event.profile.former_name,
                    .former_name_kana = event.profile.former_name_kana,
                    .sex = event.profile.sex,
                    .birth_on = event.profile.birth_on,
                    .workplace_name = event.profile.workplace_name,
                    .workplace_postcode = event.profile.workplace_postcode,
                    .workplace_address = event.profile.workplace_address,
                    .residence_prefecture = or_empty(event.profile.residence_prefecture),
                    .residence_municipality = or_empty(event.profile.residence_municipality),
                    .phone = event.profile.phone},
    };
cleanup:
    return err;
}

static enum err complete(struct arena *arena, json_t *data, struct command *out,
                         struct err_note *note)
{
    struct event_account_complete event;
    enum err err;

    TRY(event_account_complete_decode(arena, data, &event, note));
    *out = (struct command){.kind = COMMAND_COMPLETE,
                            .operation_id = event.operation_id,
                            .account_id = event.account_id};
cleanup:
    return err;
}

static enum err decline_terms(struct arena *arena, json_t *data, struct command *out,
                              struct err_note *note)
{
    struct event_account_decline_terms event;
    enum err err;

    TRY(event_account_decline_terms_decode(arena, data, &event, note));
    *out = (struct command){.kind = COMMAND_DECLINE_TERMS,
                            .operation_id = event.operation_id,
                            .account_id = event.account_id};
cleanup:
    return err;
}

static enum err time_out(struct arena *arena, json_t *data, struct command *out,
                         struct err_note *note)
{
    struct event_account_time_out event;
    enum err err;

    TRY(event_account_time_out_decode(arena, data, &event, note));
    *out = (struct command){.kind = COMMAND_TIME_OUT, .account_id = event.account_id};
cleanup:
    return err;
}

static enum err desk(struct arena *arena, json_t *data, struct command *out, struct err_note *note)
{
    struct event_account_desk event;
    enum desk_action action;
    enum err err;

    TRY(event_account_desk_decode(arena, data, &event, note));
    if (!desk_action_parse(event.action, &action))
        return err_say(note, ERR_SCHEMA, "/action");
    *out = (struct command){
        .kind = COMMAND_DESK,
        .operation_id = event.operation_id,
        .account_id = event.account_id,
        .desk = {.actor_id = event.actor_id,
                 .role = event.actor_role,
                 .reason = event.reason,
                 .action = action,
                 .has_link = event.has_link_id,
                 .link_id = event.link_id,
                 .link_purpose = or_empty(event.link_purpose),
                 .link_email = or_empty(event.link_email),
                 .link_expires_us = event.link_expires_at},
    };
cleanup:
    return err;
}

enum err wire_command(struct arena *arena, const struct work_message *message,
                      struct command *ret_command, struct err_note *note)
{
    static const struct {
        const char *type;
        enum err (*read)(struct arena *arena, json_t *data, struct command *out,
                         struct err_note *note);
    } readers[] = {
        {EVENT_ACCOUNT_AGREE_TERMS, agree_terms},     {EVENT_ACCOUNT_SET_EMAIL, set_email},
        {EVENT_ACCOUNT_CONFIRM_EMAIL, confirm_email}, {EVENT_ACCOUNT_SET_PROFILE, set_profile},
        {EVENT_ACCOUNT_COMPLETE, complete},           {EVENT_ACCOUNT_DECLINE_TERMS, decline_terms},
        {EVENT_ACCOUNT_TIME_OUT, time_out},           {EVENT_ACCOUNT_DESK, desk},
    };

    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (strcmp(readers[i].type, message->type) == 0)
            return readers[i].read(arena, message->data, ret_command, note);
    }
    return err_say(note, ERR_VERSION_UNKNOWN, "%s", message->type);
}

static struct str or_none(struct str text)
{
    return text.len > 0 ? text : STR_NONE;
}

json_t *wire_account_state(const struct record *record)
{
    const struct person *person = &record->person;
    const struct event_account_state event = {
        .account_id = record->account_id,
        .version = record->version,
        .role = person->role,
        .state = person->state,
        .step = str_of(account_step_name(person->step)),
        .name = person->account_name,
        .email = person->email,
        .email_confirmed = person->email_confirmed,
        .doctor_id = person->doctor_id,
        .has_doctor_id = person->doctor_id != 0,
        .organiser_code = or_none(record->organiser_code),
        .l1_code = or_none(record->l1_code),
        .l2_code = or_none(record->l2_code),
    };

    return event_account_state_encode(&event);
}

json_t *wire_doctor_state(const struct record *record)
{
    const struct person *person = &record->person;
    const struct event_doctor_state event = {
        .doctor_id = person->doctor_id,
        .version = record->doctor_version,
        .register_no = record->register_no,
        .mamis_no = person->mamis_no,
        .name = person->profile.name,
        .name_kana = person->profile.name_kana,
        .former_name = person->profile.former_name,
        .former_name_kana = person->profile.former_name_kana,
        .my_page = person->my_page,
        .email = person->doctor_email,
        .l1_code = record->doctor_l1_code,
        .l2_code = record->doctor_l2_code,
        .l3_category = record->l3_category,
    };

    return event_doctor_state_encode(&event);
}

json_t *wire_my_page_created(const struct record *record)
{
    const struct event_my_page_created event = {
        .account_id = record->account_id,
        .doctor_id = record->person.doctor_id,
        .name = record->person.profile.name,
        .email = record->person.email,
    };

    return event_my_page_created_encode(&event);
}

json_t *wire_certification_linked(const struct record *record)
{
    const struct event_certification_linked event = {
        .account_id = record->account_id,
        .doctor_id = record->person.doctor_id,
        .name = record->person.profile.name,
        .email = record->person.email,
    };

    return event_certification_linked_encode(&event);
}

json_t *wire_email_changed(const struct record *record, struct str old_email)
{
    const struct event_email_changed event = {
        .account_id = record->account_id,
        .version = record->version,
        .name = record->person.account_name,
        .old_email = old_email,
    };

    return event_email_changed_encode(&event);
}

json_t *wire_link_issued(const struct record *record, const struct desk *desk)
{
    const struct event_link_issued event = {
        .link_id = desk->link_id,
        .purpose = desk->link_purpose,
        .account_id = record->account_id,
        .email = desk->link_email,
        .expires_at = desk->link_expires_us,
    };

    return event_link_issued_encode(&event);
}
