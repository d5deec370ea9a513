/*
 * A server's answers: cut into pieces as the first byte says, they give the same lines as in one
 * piece, within the limits.
 */
#include <string.h>

#include "fuzz.h"
#include "mail/mail_answer.h"

enum { LINES_MAX = 64 };

struct seen {
    size_t count;
    enum mail_answer_state last;
    int codes[LINES_MAX];
    size_t lengths[LINES_MAX];
};

static bool take(struct mail_answer *answer, struct str piece, struct seen *seen)
{
    for (;;) {
        struct str line;
        int code = 0;

        seen->last = mail_answer_take(answer, &piece, &line, &code);
        if (seen->last == MAIL_ANSWER_MORE)
            return true;
        if (seen->last == MAIL_ANSWER_BAD)
            return false;
        must(code >= 200 && code < 600 && line.len >= 3 && line.len <= sizeof(answer->text));
        must(memchr(line.data, '\n', line.len) == NULL);
        if (seen->count == LINES_MAX)
            return false;
        seen->codes[seen->count] = code;
        seen->lengths[seen->count++] = line.len;
    }
}

static void take_all(struct str bytes, size_t step, struct seen *seen)
{
    struct mail_answer answer = {0};

    *seen = (struct seen){.last = MAIL_ANSWER_MORE};
    for (size_t at = 0; at < bytes.len; at += step) {
        struct str piece = {bytes.data + at, bytes.len - at < step ? bytes.len - at : step};

        if (!take(&answer, piece, seen))
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct seen whole;
    struct seen pieces;

    if (size < 2)
        return 0;
    take_all(bytes, size, &whole);
    take_all(bytes, (size_t)data[0] % 16 + 1, &pieces);
    must(whole.count == pieces.count && whole.last == pieces.last);
    must(memcmp(whole.codes, pieces.codes, sizeof(whole.codes)) == 0);
    must(memcmp(whole.lengths, pieces.lengths, sizeof(whole.lengths)) == 0);
    return 0;
}
