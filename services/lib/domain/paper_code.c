/*
 * paper_code: characters are elements of GF(32). The sum of each times a power of its own of the
 * generator is zero, so one wrong character, or two exchanged ones, never go unseen.
 */
#include "domain/paper_code.h"

#include <string.h>

#include "text/fold.h"

enum {
    FIELD_POLYNOMIAL = 0x25, /* x^5 + x^2 + 1 */
    FIELD_SIZE = 32,
    GROUP_CHARS = 4,
};

static const char letters[FIELD_SIZE + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static unsigned times_generator(unsigned value)
{
    value <<= 1;
    return (value & FIELD_SIZE) != 0 ? value ^ FIELD_POLYNOMIAL : value;
}

/* Horner's rule: the last value counts once, the one before it times the generator, and so on. */
static unsigned check_sum(const uint8_t *values, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = times_generator(sum) ^ values[i];
    return sum;
}

static void write_out(const uint8_t values[PAPER_CODE_CHARS], char out[PAPER_CODE_BYTES])
{
    for (size_t i = 0; i < PAPER_CODE_CHARS; i++) {
        if (i > 0 && i % GROUP_CHARS == 0)
            *out++ = '-';
        *out++ = letters[values[i]];
    }
    *out = '\0';
}

void paper_code_make(const uint8_t random[PAPER_CODE_RANDOM_BYTES], char out[PAPER_CODE_BYTES])
{
    uint8_t values[PAPER_CODE_CHARS] = {0};

    for (size_t i = 0; i < PAPER_CODE_RANDOM_BYTES; i++)
        values[i] = random[i] % FIELD_SIZE;
    values[PAPER_CODE_CHARS - 1] = (uint8_t)check_sum(values, PAPER_CODE_CHARS);
    write_out(values, out);
}

/* FIELD_SIZE for what is no character of a code. */
static unsigned value_of(char c)
{
    const char *found;

    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        c = '0';
    if (c == 'I' || c == 'L')
        c = '1';
    found = c == '\0' ? NULL : strchr(letters, c);
    return found == NULL ? FIELD_SIZE : (unsigned)(found - letters);
}

static bool between(char c)
{
    return c == ' ' || c == '\t' || c == '-';
}

bool paper_code_read(struct arena *arena, struct str typed, char out[PAPER_CODE_BYTES])
{
    const struct str text = fold_width(arena, typed);
    uint8_t values[PAPER_CODE_CHARS];
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned value;

        if (between(text.data[i]))
            continue;
        value = value_of(text.data[i]);
        if (value == FIELD_SIZE || count == PAPER_CODE_CHARS)
            return false;
        values[count++] = (uint8_t)value;
    }
    if (count != PAPER_CODE_CHARS || check_sum(values, PAPER_CODE_CHARS) != 0)
        return false;
    write_out(values, out);
    return true;
}
