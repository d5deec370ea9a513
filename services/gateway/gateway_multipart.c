/* gateway_multipart: see gateway_multipart.h. */
#include <string.h>

#include "gateway/gateway_multipart.h"

/* ---- beginning ---- */

static bool boundary_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

/* The value of a parameter; quotes are taken off. Empty when there is none. */
static struct str parameter(struct str header, struct str name)
{
    struct str part, key;

    (void)str_cut(&header, ';', &part);
    while (header.len > 0) {
        bool quoted;

        header = str_trim(header);
        if (!str_cut(&header, '=', &key))
            break;
        quoted = header.len > 0 && header.data[0] == '"';
        if (quoted) {
            header.data++;
            header.len--;
        }
        (void)str_cut(&header, quoted ? '"' : ';', &part);
        if (str_eq_nocase(str_trim(key), name))
            return quoted ? part : str_trim(part);
        if (quoted && header.len > 0)
            (void)str_cut(&header, ';', &part);
    }
    return STR("");
}

bool multipart_init(struct multipart *multipart, struct str content_type)
{
    struct str boundary = parameter(content_type, STR("boundary"));
    struct str type = content_type, name;

    *multipart = (struct multipart){.place = MULTIPART_BEFORE};
    (void)str_cut(&type, ';', &name);
    if (!str_eq_nocase(str_trim(name), STR("multipart/form-data")) || boundary.len == 0 ||
        boundary.len > MULTIPART_BOUNDARY_MAX || boundary.data[boundary.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < boundary.len; i++)
        if (!boundary_char(boundary.data[i]))
            return false;
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary.data, boundary.len);
    multipart->delimiter_len = boundary.len + 4;
    buf_add_c(&multipart->hold, "\r\n"); /* the first delimiter begins the body */
    return true;
}

void multipart_fini(struct multipart *multipart)
{
    buf_free(&multipart->hold);
    buf_free(&multipart->disposition);
}

/* ---- going on: each function says whether there is more to do with what is held ---- */

enum go { GO_ON, GO_WAIT, GO_BAD };

static void drop(struct multipart *multipart, size_t len)
{
    struct buf *hold = &multipart->hold;

    memmove(hold->data, hold->data + len, hold->len - len);
    hold->len -= len;
}

static const char *find(const struct multipart *multipart, const char *what, size_t len)
{
    return memmem(multipart->hold.data, multipart->hold.len, what, len);
}

/* Bytes up to the next delimiter, or as many as can be none. */
static enum go take_until_delimiter(struct multipart *multipart, struct buf *out)
{
    const struct buf *hold = &multipart->hold;
    const char *found = find(multipart, multipart->delimiter, multipart->delimiter_len);
    size_t len = found != NULL                          ? (size_t)(found - hold->data)
                 : hold->len > multipart->delimiter_len ? hold->len - multipart->delimiter_len
                                                        : 0;

    if (multipart->in_file)
        buf_add(out, hold->data, len);
    else
        multipart->passed += len;
    if (multipart->passed > MULTIPART_FIELD_BYTES_MAX)
        return GO_BAD;
    drop(multipart, found != NULL ? len + multipart->delimiter_len : len);
    if (found == NULL)
        return GO_WAIT;
    multipart->in_file = false;
    multipart->place = MULTIPART_AFTER;
    return GO_ON;
}

/* After a delimiter: two hyphens end everything, a line end begins a part's head. */
static enum go take_after(struct multipart *multipart)
{
    const struct buf *hold = &multipart->hold;
    size_t blank = 0;

    if (hold->len >= 2 && memcmp(hold->data, "--", 2) == 0) {
        multipart->place = MULTIPART_END;
        return GO_ON;
    }
    while (blank < hold->len && (hold->data[blank] == ' ' || hold->data[blank] == '\t'))
        blank++;
    if (blank > MULTIPART_BOUNDARY_MAX)
        return GO_BAD;
    if (hold->len < blank + 2)
        return GO_WAIT;
    if (memcmp(hold->data + blank, "\r\n", 2) != 0)
        return GO_BAD;
    drop(multipart, blank); /* the CRLF stays: a head may be empty */
    multipart->place = MULTIPART_HEAD;
    return GO_ON;
}

static bool take_line(struct multipart *multipart, struct str line)
{
    struct str name;

    if (!str_cut(&line, ':', &name) || line.data == NULL)
        return false;
    line = str_trim(line);
    if (str_eq_nocase(name, STR("Content-Disposition"))) {
        if (parameter(line, STR("filename")).len > 0 || parameter(line, STR("filename*")).len > 0)
            multipart->in_file = true;
        buf_clear(&multipart->disposition);
        buf_add_str(&multipart->disposition, line);
    } else if (str_eq_nocase(name, STR("Content-Type"))) {
        return line.len < 10 || !str_eq_nocase((struct str){line.data, 10}, STR("multipart/"));
    } else if (str_eq_nocase(name, STR("Content-Transfer-Encoding"))) {
        return str_eq_nocase(line, STR("binary")) || str_eq_nocase(line, STR("8bit")) ||
               str_eq_nocase(line, STR("7bit"));
    }
    return true;
}

static enum go take_head(struct multipart *multipart)
{
    const char *end = find(multipart, "\r\n\r\n", 4);
    struct str head, line;

    if (end == NULL)
        return multipart->hold.len > MULTIPART_HEAD_BYTES_MAX ? GO_BAD : GO_WAIT;
    head = (struct str){multipart->hold.data, (size_t)(end - multipart->hold.data)};
    while (head.len > 0) {
        (void)str_cut(&head, '\n', &line);
        line = str_trim(line);
        if (line.len > 0 && !take_line(multipart, line))
            return GO_BAD;
    }
    drop(multipart, (size_t)(end - multipart->hold.data) + 4);
    multipart->files += multipart->in_file;
    multipart->place = MULTIPART_BODY;
    return multipart->files > 1 ? GO_BAD : GO_ON;
}

bool multipart_feed(struct multipart *multipart, struct str bytes, struct buf *out)
{
    enum go go = GO_ON;

    if (multipart->place != MULTIPART_END)
        buf_add_str(&multipart->hold, bytes);
    while (go == GO_ON) {
        switch (multipart->place) {
        case MULTIPART_BEFORE:
        case MULTIPART_BODY:
            go = take_until_delimiter(multipart, out);
            break;
        case MULTIPART_AFTER:
            go = take_after(multipart);
            break;
        case MULTIPART_HEAD:
            go = take_head(multipart);
            break;
        case MULTIPART_END: /* what follows the end is ignored */
            go = GO_WAIT;
            break;
        }
    }
    return go == GO_WAIT;
}

bool multipart_end(const struct multipart *multipart)
{
    return multipart->place == MULTIPART_END && multipart->files == 1;
}
