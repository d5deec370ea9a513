/* gateway_upload_source: the file in a body, whichever way it came. */
#include <string.h>

#include "gateway/gateway_upload.h"
#include "text/csv.h"

/* Neither a body nor a word about one: no file was meant. */
static bool nothing_sent(const struct call *call)
{
    struct str length = http_header(call->request, "Content-Length");

    return length.data == NULL ? http_header(call->request, "Transfer-Encoding").data == NULL
                               : str_eq_c(length, "0");
}

enum code source_init(struct source *source, const struct call *call)
{
    struct str type = http_header(call->request, "Content-Type");
    struct str encoding = http_header(call->request, "Content-Encoding");

    *source = (struct source){.kind = SOURCE_RAW};
    if (encoding.data != NULL && !str_eq_nocase(encoding, STR("identity")))
        return CODE_CONTENT_TYPE_BAD;
    if (type.data == NULL && nothing_sent(call))
        return CODE_CONTENT_TYPE_BAD;
    if (call_content_type(call, "application/json")) {
        source->kind = SOURCE_JSON;
    } else if (type.len >= 10 && str_eq_nocase((struct str){type.data, 10}, STR("multipart/"))) {
        source->kind = SOURCE_MULTIPART;
        return multipart_init(&source->multipart, type) ? CODE_NONE : CODE_MULTIPART_BAD;
    } else if (call_content_type(call, "application/x-www-form-urlencoded")) {
        return CODE_CONTENT_TYPE_BAD; /* what tools send unasked: the file would be garbled */
    }
    return CODE_NONE;
}

void source_fini(struct source *source)
{
    multipart_fini(&source->multipart);
    buf_free(&source->json);
}

enum code source_feed(struct source *source, struct str bytes, struct buf *out)
{
    switch (source->kind) {
    case SOURCE_RAW:
        buf_add_str(out, bytes);
        return CODE_NONE;
    case SOURCE_MULTIPART:
        return multipart_feed(&source->multipart, bytes, out) ? CODE_NONE : CODE_MULTIPART_BAD;
    case SOURCE_JSON:
        buf_add_str(&source->json, bytes);
        return source->json.len > UPLOAD_JSON_BYTES_MAX ? CODE_BODY_TOO_LARGE : CODE_NONE;
    }
    must(false);
    return CODE_INTERNAL;
}

/* ---- JSON rows become the file they stand for ---- */

static void put_line(struct buf *out, struct str *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        csv_put(out, cells[i]);
    }
    buf_add_c(out, "\r\n");
}

/* Every name that occurs, in the order of first appearance; false: more than a file may have. */
static bool collect_names(const struct body_post_attendance *body, struct str *names, size_t most,
                          size_t *ret_count)
{
    size_t count = 0;

    for (size_t row = 0; row < body->rows_count; row++) {
        const char *name;
        json_t *value;

        json_object_foreach(body->rows[row], name, value)
        {
            size_t i = 0;

            while (i < count && !str_eq_c(names[i], name))
                i++;
            if (i < count)
                continue;
            if (count == most)
                return false;
            names[count++] = str_of(name);
        }
    }
    *ret_count = count;
    return true;
}

bool source_rows(const struct body_post_attendance *body, struct buf *out)
{
    enum { COLUMNS_MAX = 64 };
    struct str names[COLUMNS_MAX], cells[COLUMNS_MAX];
    size_t count;

    if (!collect_names(body, names, COLUMNS_MAX, &count))
        return false;
    put_line(out, names, count);
    for (size_t row = 0; row < body->rows_count; row++) {
        for (size_t i = 0; i < count; i++) {
            const json_t *value = json_object_get(body->rows[row], names[i].data);

            cells[i] = value == NULL
                           ? STR("")
                           : (struct str){json_string_value(value), json_string_length(value)};
        }
        put_line(out, cells, count);
    }
    return true;
}

static bool end_json(struct source *source, struct call *call, struct buf *out)
{
    struct body_post_attendance body;

    if (!call_json_parse(call, source->json.len == 0 ? STR("") : buf_str(&source->json)))
        return false;
    if (!call_body_checked(call, body_post_attendance_decode(call->flow.arena, call->body, &body,
                                                             call->problems, CALL_PROBLEMS_MAX,
                                                             &call->problem_count)))
        return false;
    if (source_rows(&body, out))
        return true;
    call_field_problem(call, "/rows", CODE_FIELD_TOO_LONG);
    return false;
}

bool source_end(struct source *source, struct call *call, struct buf *out)
{
    switch (source->kind) {
    case SOURCE_RAW:
        return true;
    case SOURCE_MULTIPART:
        if (multipart_end(&source->multipart))
            return true;
        call_problem(call, CODE_MULTIPART_BAD);
        return false;
    case SOURCE_JSON:
        return end_json(source, call, out);
    }
    must(false);
    return false;
}

struct str source_file_name(const struct source *source, struct call *call)
{
    struct arena *arena = call->flow.arena;

    if (source->kind == SOURCE_MULTIPART)
        return disposition_file_name(arena, buf_str(&source->multipart.disposition),
                                     "attendance.csv");
    return disposition_file_name(arena, http_header(call->request, "Content-Disposition"),
                                 source->kind == SOURCE_JSON ? "rows.json" : "attendance.csv");
}
