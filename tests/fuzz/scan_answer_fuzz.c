/*
 * A scanner's answer: cut into pieces as the first byte says, it says the same as in one piece, and
 * its words are printable.
 */
#include "scan/scan_answer.h"

#include "fuzz.h"

static enum scan_answer_state take(struct scan_answer *answer, struct str bytes, size_t step,
                                   struct str *words)
{
    enum scan_answer_state state = SCAN_ANSWER_MORE;

    for (size_t at = 0; at < bytes.len && state == SCAN_ANSWER_MORE; at += step) {
        struct str piece = {bytes.data + at, bytes.len - at < step ? bytes.len - at : step};

        state = scan_answer_take(answer, piece, words);
    }
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scan_answer whole = {.len = 0};
    struct scan_answer pieces = {.len = 0};
    struct str bytes = {(const char *)data, size};
    struct str words = STR_NONE;
    struct str same = STR_NONE;
    enum scan_answer_state state;

    if (size < 2)
        return 0;
    state = take(&whole, bytes, size, &words);
    must(state == take(&pieces, bytes, (size_t)data[0] % 16 + 1, &same));
    if (state == SCAN_ANSWER_FOUND || state == SCAN_ANSWER_FAILED) {
        must(words.len > 0 && words.len <= SCAN_ANSWER_BYTES_MAX && str_eq(words, same));
        for (size_t i = 0; i < words.len; i++)
            must(words.data[i] >= ' ' && words.data[i] <= '~');
    }
    return 0;
}
