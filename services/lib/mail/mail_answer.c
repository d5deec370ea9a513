/* mail_answer: see the header. */
#include "mail/mail_answer.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool parse(struct str line, int *ret_code)
{
    const char *text = line.data;

    if (line.len < 3 || text[0] < '2' || text[0] > '5' || !is_digit(text[1]) || !is_digit(text[2]))
        return false;
    *ret_code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return line.len == 3 || text[3] == ' ' || text[3] == '-';
}

enum mail_answer_state mail_answer_take(struct mail_answer *answer, struct str *bytes,
                                        struct str *ret_line, int *ret_code)
{
    const char *end = bytes->len == 0 ? NULL : memchr(bytes->data, '\n', bytes->len);
    size_t piece = end == NULL ? bytes->len : (size_t)(end - bytes->data);
    size_t room = sizeof(answer->text) - answer->len;
    size_t kept = piece < room ? piece : room;
    size_t used = end == NULL ? piece : piece + 1;

    if (kept > 0)
        memcpy(answer->text + answer->len, bytes->data, kept);
    answer->len += kept;
    answer->bytes += used;
    bytes->data += used;
    bytes->len -= used;
    if (answer->bytes > MAIL_ANSWER_BYTES_MAX)
        return MAIL_ANSWER_BAD;
    if (end == NULL)
        return MAIL_ANSWER_MORE;
    *ret_line = (struct str){answer->text, answer->len};
    if (ret_line->len > 0 && answer->text[ret_line->len - 1] == '\r')
        ret_line->len--;
    answer->len = 0;
    if (!parse(*ret_line, ret_code))
        return MAIL_ANSWER_BAD;
    if (ret_line->len > 3 && ret_line->data[3] == '-')
        return MAIL_ANSWER_LINE;
    answer->bytes = 0;
    return MAIL_ANSWER_LAST;
}
