/* scan_answer: see the header. */
#include "scan/scan_answer.h"

#include <string.h>

static bool ends(struct str text, struct str end)
{
    return text.len >= end.len && memcmp(text.data + text.len - end.len, end.data, end.len) == 0;
}

/* Names come from the scanner's data: they go into our log and nowhere else. */
static void make_printable(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
}

static enum scan_answer_state judge(struct str line, struct str *ret_words)
{
    static const struct str begin = {"stream: ", 8}, found = {" FOUND", 6}, error = {"ERROR", 5};

    *ret_words = line;
    if (str_eq_c(line, "stream: OK"))
        return SCAN_ANSWER_CLEAN;
    if (ends(line, error))
        return SCAN_ANSWER_FAILED;
    if (!str_starts(line, begin) || !ends(line, found) || line.len <= begin.len + found.len)
        return SCAN_ANSWER_BAD;
    ret_words->data += begin.len;
    ret_words->len -= begin.len + found.len;
    return SCAN_ANSWER_FOUND;
}

enum scan_answer_state scan_answer_take(struct scan_answer *answer, struct str bytes,
                                        struct str *ret_words)
{
    const char *end = bytes.len > 0 ? memchr(bytes.data, '\0', bytes.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - bytes.data) : bytes.len;

    if (len > sizeof(answer->text) - answer->len)
        return SCAN_ANSWER_BAD;
    if (len > 0)
        memcpy(answer->text + answer->len, bytes.data, len);
    make_printable(answer->text + answer->len, len);
    answer->len += len;
    return end == NULL ? SCAN_ANSWER_MORE
                       : judge((struct str){answer->text, answer->len}, ret_words);
}
