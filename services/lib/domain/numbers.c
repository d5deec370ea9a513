/* numbers: reading digits strictly, ISO/IEC 7064 MOD 11,10. */
#include "domain/numbers.h"

#include <stdio.h>

#include "text/fold.h"
#include "text/utf8.h"

enum { FULL_WIDTH_ZERO = 0xFF10 };

/* Value of the digit at *at, which moves behind it; -1 for anything else. */
static int digit_next(struct str text, size_t *at)
{
    const uint8_t byte = (uint8_t)text.data[*at];
    uint32_t point;

    if (byte < 0x80) {
        (*at)++;
        return byte >= '0' && byte <= '9' ? byte - '0' : -1;
    }
    point = utf8_next(text, at);
    return point >= FULL_WIDTH_ZERO && point <= FULL_WIDTH_ZERO + 9 ? (int)(point - FULL_WIDTH_ZERO)
                                                                    : -1;
}

int64_t register_no_parse(struct str text)
{
    int64_t number = 0;

    text = text_trim(text);
    for (size_t at = 0; at < text.len;) {
        const int digit = digit_next(text, &at);

        if (digit < 0 || number > 999999)
            return NUMBER_NONE;
        number = number * 10 + digit;
    }
    return number > 0 ? number : NUMBER_NONE;
}

/* The check digit after nine digits. */
static int check_digit(int64_t first)
{
    int product = 10;

    for (int64_t unit = 100000000; unit > 0; unit /= 10) {
        int sum = (int)(first / unit % 10 + product) % 10;

        product = (sum == 0 ? 10 : sum) * 2 % 11;
    }
    return (11 - product) % 10;
}

int64_t mamis_no_parse(struct str text)
{
    int64_t number = 0;
    int digits = 0;

    text = text_trim(text);
    for (size_t at = 0; at < text.len; digits++) {
        const int digit = digit_next(text, &at);

        if (digit < 0 || digits == MAMIS_NO_DIGITS)
            return NUMBER_NONE;
        number = number * 10 + digit;
    }
    if (digits != MAMIS_NO_DIGITS || check_digit(number / 10) != number % 10)
        return NUMBER_NONE;
    return number;
}

void register_no_format(int64_t number, char out[REGISTER_NO_BYTES])
{
    must(number > 0 && number <= 9999999);
    (void)snprintf(out, REGISTER_NO_BYTES, "%d", (int)number);
}

void mamis_no_format(int64_t number, char out[MAMIS_NO_BYTES])
{
    must(number >= 0 && number <= INT64_C(9999999999));
    for (int i = MAMIS_NO_DIGITS - 1; i >= 0; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    out[MAMIS_NO_DIGITS] = '\0';
}

int64_t mamis_no_make(int64_t first)
{
    must(first >= 0 && first <= 999999999);
    return first * 10 + check_digit(first);
}
