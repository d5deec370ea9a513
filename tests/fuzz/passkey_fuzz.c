/*
 * Passkeys: any bytes as authenticator data, as client data, as base64url and as a public key. The
 * first byte chooses.
 */
#include "fuzz.h"
#include "passkey/passkey.h"
#include "text/utf8.h"

static void check_data(struct str bytes)
{
    struct passkey_data data;

    if (!passkey_data_parse(bytes, &data))
        return;
    must(bytes.len >= 37);
    must(data.rp_id_sha256 == (const uint8_t *)bytes.data);
    if (data.credential_id.data == NULL)
        return;
    must(data.credential_id.len >= PASSKEY_ID_BYTES_MIN);
    must(data.credential_id.len <= PASSKEY_ID_BYTES_MAX);
    must(data.credential_id.data + data.credential_id.len <= bytes.data + bytes.len);
}

static void check_client(struct arena *arena, struct str text)
{
    struct passkey_client client;

    if (!passkey_client_parse(arena, text, &client))
        return;
    must(text.len <= PASSKEY_CLIENT_BYTES_MAX);
    must(utf8_valid_len(client.origin) == client.origin.len);
    must(client.challenge.data != NULL && client.type.data != NULL);
}

static void check_bytes(struct arena *arena, struct str text)
{
    const struct secret_key key = {{7}};
    struct str bytes;

    if (passkey_bytes(arena, text, PASSKEY_ID_BYTES_MAX, &bytes)) {
        must(bytes.len <= PASSKEY_ID_BYTES_MAX);
        must(str_eq(base64url_encode(arena, (const uint8_t *)bytes.data, bytes.len), text));
    }
    must(!passkey_challenge_good(arena, &key, PASSKEY_PROVE, (struct uuid){{0}}, text, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena;
    struct str rest;

    if (size == 0)
        return 0;
    arena = arena_new();
    rest = (struct str){(const char *)data + 1, size - 1};
    switch (data[0] % 4) {
    case 0:
        check_data(rest);
        break;
    case 1:
        check_client(arena, rest);
        break;
    case 2:
        check_bytes(arena, rest);
        break;
    default:
        must(!passkey_signature_good(rest, PASSKEY_ES256, rest, rest, rest));
        break;
    }
    arena_free(arena);
    return 0;
}
