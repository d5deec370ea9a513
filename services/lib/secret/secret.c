/* secret: key files, temporary passwords, links, tokens. */
#include "secret/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 32 characters that nobody takes for one another: 5 bits each. */
static const char TEMP_ALPHABET[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

_Static_assert(sizeof(TEMP_ALPHABET) == 33, "5 bits a character");

enum { BASE64_DIGEST_BYTES = 44 };

enum err secret_key_load(const char *path, struct secret_key *ret_key, struct err_note *note)
{
    struct stat status;
    uint8_t bytes[SECRET_KEY_BYTES + 1];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_say(note, ERR_SETTINGS, "key file %s: %s", path, strerror(errno));
    if (fstat(fd, &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)close(fd);
        return err_say(note, ERR_SETTINGS,
                       "key file %s: others than its owner have rights; chmod 0400", path);
    }
    got = read(fd, bytes, sizeof(bytes));
    (void)close(fd);
    if (got != SECRET_KEY_BYTES) {
        secret_wipe(bytes, sizeof(bytes));
        return err_say(note, ERR_SETTINGS, "key file %s: wants exactly %d bytes", path,
                       SECRET_KEY_BYTES);
    }
    memcpy(ret_key->bytes, bytes, SECRET_KEY_BYTES);
    secret_wipe(bytes, sizeof(bytes));
    return ERR_OK;
}

void secret_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}

/* `count` random characters of the alphabet with a hyphen after each `group`, but for the last. */
static void random_text(char *out, size_t count, size_t group, size_t hyphens)
{
    uint8_t bytes[16];
    size_t at = 0;

    must(count <= sizeof(bytes));
    random_bytes(bytes, count);
    for (size_t i = 0; i < count; i++) {
        out[at++] = TEMP_ALPHABET[bytes[i] & 31];
        if ((i + 1) % group == 0 && hyphens > 0) {
            out[at++] = '-';
            hyphens--;
        }
    }
    out[at] = '\0';
    secret_wipe(bytes, sizeof(bytes));
}

void temp_password_new(char out[TEMP_PASSWORD_BYTES])
{
    random_text(out, 13, 4, 2);
}

void temp_login_new(char out[TEMP_LOGIN_BYTES])
{
    random_text(out, 10, 5, 1);
}

/* The next character of UTF-8 folded to ASCII width; -1 for what has no ASCII form. */
static int next_ascii(struct str text, size_t *at)
{
    const uint8_t *bytes = (const uint8_t *)text.data + *at;
    size_t left = text.len - *at;

    if (bytes[0] < 0x80) {
        *at += 1;
        return bytes[0];
    }
    if (left < 3)
        return -1;
    *at += 3;
    if (bytes[0] == 0xE3 && bytes[1] == 0x80 && bytes[2] == 0x80) /* U+3000, full-width blank */
        return ' ';
    if (bytes[0] == 0xEF && bytes[1] == 0xBC && bytes[2] >= 0x81 && bytes[2] <= 0xBF)
        return bytes[2] - 0x81 + '!'; /* U+FF01.. */
    if (bytes[0] == 0xEF && bytes[1] == 0xBD && bytes[2] >= 0x80 && bytes[2] <= 0x9E)
        return bytes[2] - 0x80 + '`'; /* U+FF40.. */
    return -1;
}

bool temp_fold(struct str text, char out[TEMP_TEXT_BYTES])
{
    size_t len = 0;
    size_t at = 0;

    while (at < text.len) {
        int c = next_ascii(text, &at);

        if (c == ' ' || c == '\t' || c == '-')
            continue;
        if (c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) || len + 1 >= TEMP_TEXT_BYTES)
            return false;
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return len > 0;
}

void temp_hmac(const struct secret_key *key, const char *folded, uint8_t out[SECRET_DIGEST_BYTES])
{
    (void)crypto_auth_hmacsha256(out, (const uint8_t *)folded, strlen(folded), key->bytes);
}

/* Purpose and id are told apart by the NUL between them, which neither holds. */
static void link_mac(const struct secret_key *key, const char *purpose, struct uuid id,
                     char out[BASE64_DIGEST_BYTES])
{
    crypto_auth_hmacsha256_state state;
    uint8_t mac[crypto_auth_hmacsha256_BYTES];

    (void)crypto_auth_hmacsha256_init(&state, key->bytes, sizeof(key->bytes));
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)purpose, strlen(purpose) + 1);
    (void)crypto_auth_hmacsha256_update(&state, id.bytes, sizeof(id.bytes));
    (void)crypto_auth_hmacsha256_final(&state, mac);
    (void)sodium_bin2base64(out, BASE64_DIGEST_BYTES, mac, sizeof(mac),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void link_text(const struct secret_key *key, const char *purpose, struct uuid id,
               char out[LINK_TEXT_BYTES])
{
    char mac[BASE64_DIGEST_BYTES];

    uuid_format(id, out);
    link_mac(key, purpose, id, mac);
    out[UUID_TEXT_BYTES - 1] = '.';
    memcpy(out + UUID_TEXT_BYTES, mac, sizeof(mac));
}

bool link_id(struct str text, struct uuid *ret_id)
{
    struct str id;

    if (text.len != LINK_TEXT_BYTES - 1 || text.data[UUID_TEXT_BYTES - 1] != '.')
        return false;
    id = (struct str){text.data, UUID_TEXT_BYTES - 1};
    return uuid_parse(id, ret_id);
}

bool link_check(const struct secret_key *key, const char *purpose, struct str text)
{
    struct uuid id;
    char mac[BASE64_DIGEST_BYTES];

    if (!link_id(text, &id))
        return false;
    link_mac(key, purpose, id, mac);
    return sodium_memcmp(mac, text.data + UUID_TEXT_BYTES, sizeof(mac) - 1) == 0;
}

void token_new(char out[TOKEN_TEXT_BYTES])
{
    uint8_t bytes[32];

    random_bytes(bytes, sizeof(bytes));
    (void)sodium_bin2base64(out, TOKEN_TEXT_BYTES, bytes, sizeof(bytes),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    secret_wipe(bytes, sizeof(bytes));
}

void token_digest(struct str token, uint8_t out[SECRET_DIGEST_BYTES])
{
    (void)crypto_hash_sha256(out, (const uint8_t *)token.data, token.len);
}
