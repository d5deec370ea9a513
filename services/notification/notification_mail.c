/* notification_mail: one row for each occasion; its Message-ID follows from the occasion alone. */
#include "notification/notification.h"

static const struct db_stmt insert_mail = {
    "notification_insert_mail",
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_doctor, to_account,"
    "                               to_address, data, state, created_at, next_try_at)"
    " VALUES (gen_random_uuid(), $1, $2, " NOTIFICATION_MESSAGE_ID(
        "$1", "$2", "$3") ","
                          "         $4, $5, $6, $7, 'ready', $8, $8)"
                          " ON CONFLICT (occasion) DO NOTHING",
};

#define REACHED "state = 'active' AND email IS NOT NULL"

static const struct db_stmt insert_sender_mail = {
    "notification_insert_sender_mail",
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_account, data, state,"
    "                               created_at, next_try_at)"
    " SELECT gen_random_uuid(), $1, $2, " NOTIFICATION_MESSAGE_ID(
        "$1", "$2", "$3") ","
                          "        account_id, $4, 'ready', $5, $5"
                          " FROM notification.account WHERE account_id = $6 AND " REACHED
                          " ON CONFLICT (occasion) DO NOTHING",
};

/* To accounts that `who` names, when `when` holds. */
#define STAFF_MAILS(who, when)                                                                     \
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_account, data, state," \
    "                               created_at, next_try_at)"                                      \
    " SELECT gen_random_uuid(), $1, occasion, " NOTIFICATION_MESSAGE_ID(                           \
        "$1", "occasion",                                                                          \
        "$3") ","                                                                                  \
              "        account_id, $4, 'ready', $5, $5"                                            \
              " FROM (SELECT account_id, $2 || ':' || account_id AS occasion FROM "                \
              "notification.account WHERE " who " AND " REACHED                                    \
              " ORDER BY account_id LIMIT 50) AS staff"                                            \
              " WHERE " when " ON CONFLICT (occasion) DO NOTHING"
#define STAFF_OF                                                                                   \
    "(organiser_code = $7 OR l2_code = $8 OR l1_code = $9 OR $6 IN ('office_l3', 'call_centre'))"  \
    " AND role = $6"

static const struct db_stmt insert_staff_mails = {
    "notification_insert_staff_mails",
    STAFF_MAILS(STAFF_OF, "true"),
};
static const struct db_stmt insert_absent_mails = {
    "notification_insert_absent_mails",
    STAFF_MAILS("role = 'office_l3'",
                "NOT EXISTS (SELECT FROM notification.account WHERE " STAFF_OF " AND " REACHED ")"),
};
/* Unless the sender has the mail, from now or before: mails are kept longer than events. */
static const struct db_stmt insert_organiser_mails = {
    "notification_insert_organiser_mails",
    STAFF_MAILS(STAFF_OF, "NOT EXISTS (SELECT FROM notification.mail WHERE mail.occasion = $2)"),
};

static void text_or_null(struct db_query *query, struct str text)
{
    db_text(query, text.len > 0 ? text : STR_NONE);
}

static void add_data(struct db_query *query, json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);

    must(text != NULL);
    db_json(query, str_of(text));
    free(text);
    json_decref(data);
}

static struct db_query *begin(struct work_batch *batch, const struct db_stmt *stmt,
                              const struct notification_mail *mail)
{
    struct db_query *query = db_add(batch->effect, stmt);

    db_text_c(query, mail->kind);
    db_text_c(query, arena_printf(batch->arena, "%s:%s", mail->kind, mail->occasion));
    db_text_c(query, notification_settings.mail_domain);
    return query;
}

void notification_mail_add(struct work_batch *batch, const struct notification_mail *mail)
{
    struct db_query *query = begin(batch, &insert_mail, mail);

    if (mail->to_doctor > 0)
        db_i64(query, mail->to_doctor);
    else
        db_null(query);
    if (mail->has_account)
        db_uuid(query, mail->to_account);
    else
        db_null(query);
    text_or_null(query, mail->to_address);
    add_data(query, mail->data);
    db_time(query, clock_now_us());
}

static void add_to_staff(struct work_batch *batch, const struct db_stmt *stmt,
                         const struct notification_mail *mail,
                         const struct notification_staff *staff)
{
    struct db_query *query = begin(batch, stmt, mail);

    add_data(query, mail->data);
    db_time(query, clock_now_us());
    db_text_c(query, staff->role);
    text_or_null(query, staff->organiser_code);
    text_or_null(query, staff->l2_code);
    text_or_null(query, staff->l1_code);
}

void notification_mail_add_to_staff(struct work_batch *batch, const struct notification_mail *mail,
                                    const struct notification_staff *staff)
{
    add_to_staff(batch, &insert_staff_mails, mail, staff);
}

void notification_mail_add_of_absent(struct work_batch *batch, const struct notification_mail *mail,
                                     const struct notification_staff *staff)
{
    add_to_staff(batch, &insert_absent_mails, mail, staff);
}

void notification_mail_add_to_sender(struct work_batch *batch, const struct notification_mail *mail,
                                     struct str organiser_code)
{
    const struct notification_staff staff = {.role = "organiser", .organiser_code = organiser_code};

    if (mail->has_account) {
        struct db_query *query = begin(batch, &insert_sender_mail, mail);

        add_data(query, json_incref(mail->data));
        db_time(query, clock_now_us());
        db_uuid(query, mail->to_account);
    }
    add_to_staff(batch, &insert_organiser_mails, mail, &staff);
}
