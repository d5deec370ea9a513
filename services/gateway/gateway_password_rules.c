/* gateway_password_rules: which passwords are too easy. No I/O. */
#include <string.h>

#include "gateway/gateway_password.h"
#include "text/utf8.h"

enum { FOLDED_BYTES = 512, UNIT_MAX = 6, OWN_BYTES_MIN = 5, LEFT_CHARACTERS_MIN = 8 };

/* What remains when digits and signs are taken away from a password like these is no secret. */
static const char *const words[] = {
    "",
    "a",
    "abc",
    "abcd",
    "admin",
    "administrator",
    "aaaaaaaa",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "changeme",
    "default",
    "doctor",
    "dragon",
    "guest",
    "hello",
    "himitsu",
    "hospital",
    "iloveyou",
    "ishi",
    "ishikai",
    "kaiin",
    "letmein",
    "login",
    "mamis",
    "medical",
    "member",
    "monkey",
    "nichii",
    "nihon",
    "nihonishikai",
    "pass",
    "password",
    "passwd",
    "passw",
    "passwordpassword",
    "qazwsx",
    "qwer",
    "qwerty",
    "qwertyuiop",
    "root",
    "sakura",
    "secret",
    "sensei",
    "superman",
    "test",
    "testtest",
    "user",
    "welcome",
    "zxcvbnm",
};

/* Whole ones, folded: lower case, letters and digits only. */
static const char *const wholes[] = {
    "1q2w3e4r5t6y7u8i", "1q2w3e4r5t6y7",    "1qaz2wsx3edc4rfv",  "1qaz2wsx3edc4",
    "a1b2c3d4e5f6g7",   "abcdefghijklm",    "abcdefghijklmn",    "correcthorsebatterystaple",
    "letmeinplease",    "mypassword1234",   "p4ssw0rdp4ssw0rd",  "passw0rdpassw0rd",
    "q1w2e3r4t5y6u7",   "qazwsxedcrfvtgb",  "qwertyuiopasdf",    "qwertyuiopasdfgh",
    "thisismypassword", "trustno1trustno1", "watashinopassword", "zaq12wsxcde34rfv",
};

/* ASCII letters and digits in lower case, everything else as it is; blanks and signs away. */
static size_t fold(struct str text, bool digits, char out[FOLDED_BYTES])
{
    size_t len = 0;

    for (size_t i = 0; i < text.len && len + 1 < FOLDED_BYTES; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c >= 'A' && c <= 'Z')
            out[len++] = (char)(c - 'A' + 'a');
        else if ((c >= 'a' && c <= 'z') || c >= 0x80 || (digits && c >= '0' && c <= '9'))
            out[len++] = (char)c;
    }
    out[len] = '\0';
    return len;
}

static bool listed(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, list[i]) == 0)
            return true;
    return false;
}

/* The same few characters again and again. */
static bool repeats(struct str text)
{
    for (size_t unit = 1; unit <= UNIT_MAX && unit * 2 <= text.len; unit++) {
        size_t i = unit;

        while (i < text.len && text.data[i] == text.data[i - unit])
            i++;
        if (i == text.len)
            return true;
    }
    return false;
}

/* 0123456789012, abcdefghijklm and backwards, with a few characters around. */
static bool counts(const char *text, size_t len)
{
    size_t run = 1, longest = 1;

    for (size_t i = 1; i < len; i++) {
        int step = text[i] - text[i - 1];

        run = step == 1 || step == -1 || (text[i] == '0' && text[i - 1] == '9') ? run + 1 : 1;
        longest = run > longest ? run : longest;
    }
    return longest + 4 >= len;
}

/* Hardly more than what others know of the person. */
static bool is_own(const char *folded, size_t len, struct str own)
{
    char word[FOLDED_BYTES];
    size_t word_len = fold(own, true, word);

    return word_len >= OWN_BYTES_MIN && strstr(folded, word) != NULL &&
           len - word_len < LEFT_CHARACTERS_MIN;
}

size_t password_characters(struct str password)
{
    size_t characters = 0, at = 0;

    while (at < password.len) {
        (void)utf8_next(password, &at);
        characters++;
    }
    return characters;
}

enum code password_rules(struct str password, struct str list, const struct str *own,
                         size_t own_count)
{
    char folded[FOLDED_BYTES], letters[FOLDED_BYTES];
    size_t len;

    if (password.len > PASSWORD_BYTES_MAX * 2)
        return CODE_PASSWORD_TOO_LONG;
    if (password_characters(password) < PASSWORD_CHARACTERS_MIN)
        return CODE_PASSWORD_TOO_SHORT;
    len = fold(password, true, folded);
    (void)fold(password, false, letters);
    if (repeats(password) || password_listed(list, password) || (len > 0 && counts(folded, len)) ||
        listed(folded, wholes, ARRAY_LEN(wholes)) || listed(letters, words, ARRAY_LEN(words)))
        return CODE_PASSWORD_COMMON;
    for (size_t i = 0; i < own_count; i++)
        if (is_own(folded, len, own[i]))
            return CODE_PASSWORD_COMMON;
    return CODE_NONE;
}
