/* notification_mail: one row for each occasion; its Message-ID follows from the occasion alone. */
#include <sodium.h>

#include "notification/notification.h"

static const struct db_stmt insert_mail = {
    "notification_insert_mail",
    "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, upload_id, to_doctor, "
    "to_account,"
    "                               to_address, data, state, created_at, next_try_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)"
    " ON CONFLICT (occasion) DO NOTHING",
};

const char *notification_message_id(struct arena *arena, const char *kind, const char *occasion)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char text[2 * sizeof(digest) + 1];

    (void)crypto_hash_sha256(digest, (const unsigned char *)occasion, str_of(occasion).len);
    hex_encode(digest, sizeof(digest), text);
    return arena_printf(arena, "%s.%.40s@%s", kind, text, notification_settings.mail_domain);
}

static void to_columns(struct db_query *query, const struct notification_mail *mail)
{
    if (mail->to_doctor > 0)
        db_i64(query, mail->to_doctor);
    else
        db_null(query);
    if (mail->has_account)
        db_uuid(query, mail->to_account);
    else
        db_null(query);
    if (mail->to_address.data != NULL)
        db_text(query, mail->to_address);
    else
        db_null(query);
}

void notification_mail_add(struct notification *notification, struct work_batch *batch,
                           const struct notification_mail *mail)
{
    const char *occasion = arena_printf(batch->arena, "%s:%s", mail->kind, mail->occasion);
    char *data = json_dumps(mail->data, JSON_COMPACT);
    struct db_query *query = db_add(batch->effect, &insert_mail);

    (void)notification;
    must(data != NULL);
    db_uuid(query, uuid_new());
    db_text_c(query, mail->kind);
    db_text_c(query, occasion);
    db_text_c(query, notification_message_id(batch->arena, mail->kind, occasion));
    if (mail->gather)
        db_uuid(query, mail->upload_id);
    else
        db_null(query);
    to_columns(query, mail);
    db_json(query, str_of(data));
    db_text_c(query, mail->gather ? "gathering" : "ready");
    db_time(query, clock_now_us());
    json_decref(mail->data);
    free(data);
}
