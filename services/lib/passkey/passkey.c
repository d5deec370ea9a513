/* passkey: what the browser sends, taken apart and judged. */
#include "passkey/passkey.h"

#include <sodium.h>
#include <string.h>

#include "shape/shape.h"

enum {
    FLAG_PRESENT = 0x01,
    FLAG_VERIFIED = 0x04,
    FLAG_ATTESTED = 0x40,
    HEAD_BYTES = 37,    /* SHA-256 of the host name, flags, counter */
    AAGUID_BYTES = 16,  /* which make it is; not looked at */
    LENGTH_BYTES = 2,   /* of the credential's id */
    CLIENT_TOKENS = 64, /* keys and values of the client data */
};

/* libsodium takes some bytes of 128 and above for letters: two texts would be the same bytes. */
static bool is_base64url(struct str text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(letters, text.data[i]) == NULL)
            return false;
    return true;
}

bool passkey_bytes(struct arena *arena, struct str text, size_t most, struct str *ret_bytes)
{
    size_t room = text.len / 4 * 3 + 3, len = 0;
    char *out;

    if (text.len == 0 || text.len > most / 3 * 4 + 4 || !is_base64url(text))
        return false;
    out = arena_alloc(arena, room);
    if (sodium_base642bin((unsigned char *)out, room, text.data, text.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len > most)
        return false;
    *ret_bytes = (struct str){out, len};
    return true;
}

/* The public key behind the id is not read: it comes as SubjectPublicKeyInfo beside this. */
bool passkey_data_parse(struct str bytes, struct passkey_data *ret_data)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    struct passkey_data data = {.rp_id_sha256 = at};
    uint8_t flags;
    size_t id_len;

    if (bytes.len < HEAD_BYTES || bytes.len > PASSKEY_DATA_BYTES_MAX)
        return false;
    flags = at[PASSKEY_RP_ID_BYTES];
    data.present = (flags & FLAG_PRESENT) != 0;
    data.verified = (flags & FLAG_VERIFIED) != 0;
    data.sign_count =
        (uint32_t)at[33] << 24 | (uint32_t)at[34] << 16 | (uint32_t)at[35] << 8 | (uint32_t)at[36];
    if ((flags & FLAG_ATTESTED) != 0) {
        if (bytes.len < HEAD_BYTES + AAGUID_BYTES + LENGTH_BYTES)
            return false;
        id_len = (size_t)at[HEAD_BYTES + AAGUID_BYTES] << 8 | at[HEAD_BYTES + AAGUID_BYTES + 1];
        data.credential_id =
            (struct str){bytes.data + HEAD_BYTES + AAGUID_BYTES + LENGTH_BYTES, id_len};
        if (id_len < PASSKEY_ID_BYTES_MIN || id_len > PASSKEY_ID_BYTES_MAX ||
            bytes.len - (HEAD_BYTES + AAGUID_BYTES + LENGTH_BYTES) < id_len)
            return false;
    }
    *ret_data = data;
    return true;
}

static bool take_text(const json_t *object, const char *name, struct str *ret_text)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value))
        return false;
    *ret_text = (struct str){json_string_value(value), json_string_length(value)};
    return true;
}

bool passkey_client_parse(struct arena *arena, struct str json, struct passkey_client *ret_client)
{
    struct body_problem problem;
    json_t *object = NULL;

    if (json.len == 0 || json.len > PASSKEY_CLIENT_BYTES_MAX ||
        shape_parse(arena, json, CLIENT_TOKENS, &object, &problem) != ERR_OK ||
        !json_is_object(object))
        return false;
    ret_client->cross_origin = json_is_true(json_object_get(object, "crossOrigin"));
    return take_text(object, "type", &ret_client->type) &&
           take_text(object, "challenge", &ret_client->challenge) &&
           take_text(object, "origin", &ret_client->origin);
}

enum passkey_fault passkey_judge(const struct passkey_wanted *wanted,
                                 const struct passkey_client *client,
                                 const struct passkey_data *data)
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    if (!str_eq_c(client->type, wanted->type))
        return PASSKEY_TYPE;
    if (client->cross_origin || !wanted->origin_good(wanted->context, client->origin))
        return PASSKEY_ORIGIN;
    (void)crypto_hash_sha256(digest, (const uint8_t *)wanted->rp_id, strlen(wanted->rp_id));
    if (memcmp(digest, data->rp_id_sha256, sizeof(digest)) != 0)
        return PASSKEY_RP_ID;
    if (!data->present)
        return PASSKEY_NOT_PRESENT;
    return data->verified ? PASSKEY_GOOD : PASSKEY_NOT_VERIFIED;
}

const char *passkey_fault_name(enum passkey_fault fault)
{
    switch (fault) {
    case PASSKEY_GOOD:
        return "none";
    case PASSKEY_NO_CLIENT:
        return "client_data";
    case PASSKEY_TYPE:
        return "type";
    case PASSKEY_ORIGIN:
        return "origin";
    case PASSKEY_NO_DATA:
        return "authenticator_data";
    case PASSKEY_RP_ID:
        return "rp_id";
    case PASSKEY_NOT_PRESENT:
        return "not_present";
    case PASSKEY_NOT_VERIFIED:
        return "not_verified";
    }
    must(false);
    return "";
}

bool passkey_count_good(int64_t kept, uint32_t given)
{
    return (kept == 0 && given == 0) || (int64_t)given > kept;
}
