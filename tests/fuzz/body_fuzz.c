/*
 * A JSON body of any bytes for any operation: the first line is the operation. What is wrong is
 * named and can be explained; JSON rows become a CSV with the same cells.
 */
#include <string.h>

#include "fuzz.h"
#include "gateway/gateway_upload.h"
#include "text/csv.h"

enum { BODY_BYTES_MAX = 64 * 1024, OPERATION_BYTES_MAX = 64 };

static void check_problems(const struct body_problem *problems, size_t count, enum err err)
{
    must((err == ERR_OK) == (count == 0) && (err == ERR_OK || err == ERR_SCHEMA));
    for (size_t i = 0; i < count && i < CALL_PROBLEMS_MAX; i++) {
        const struct body_problem *problem = &problems[i];
        struct buf text = {0};

        must(problem->pointer[0] == '\0' || problem->pointer[0] == '/');
        must(problem->code != CODE_NONE && problem->params_count <= SHAPE_PARAMS_MAX);
        code_render(&text, code_text(problem->code, false)->detail, problem->params,
                    problem->params_count);
        must(text.len > 0);
        buf_free(&text);
    }
}

/* How often the texts of the rows stand in the CSV, one field after the other. */
static void check_csv(struct arena *arena, const struct body_post_attendance *body, struct str file)
{
    struct csv_scan scan;
    struct csv_row row;
    size_t cells = 0, found = 0, rows = 0;
    struct str slice = file;

    for (size_t i = 0; i < body->rows_count; i++) {
        const char *name;
        json_t *value;

        json_object_foreach(body->rows[i], name, value)
        {
            cells += json_string_length(value) > 0;
        }
    }
    csv_scan_init(&scan, ',', 0, 1);
    for (enum csv_event event; (event = csv_scan_next(&scan, &slice, &row)) != CSV_MORE;) {
        struct csv_fields fields;
        struct csv_field field;

        must(event == CSV_ROW); /* no NUL came through */
        fields = csv_fields_of((struct str){file.data + row.offset, row.length}, ',');
        while (rows > 0 && csv_fields_next(&fields, &field))
            found += csv_field_text(arena, &field).len > 0;
        rows++;
    }
    must(csv_scan_end(&scan, &row) == CSV_MORE);
    must(rows == body->rows_count + 1 && found == cells);
}

static void check_post_attendance(struct arena *arena, const struct body_post_attendance *body)
{
    struct buf file = {0};

    if (source_rows(body, &file))
        check_csv(arena, body, buf_str(&file));
    buf_free(&file);
}

#define DECODE(operation)                                                                          \
    static void decode_##operation(struct arena *arena, json_t *json)                              \
    {                                                                                              \
        struct body_problem problems[CALL_PROBLEMS_MAX];                                           \
        struct body_##operation body;                                                              \
        size_t count = 0;                                                                          \
        enum err err =                                                                             \
            body_##operation##_decode(arena, json, &body, problems, CALL_PROBLEMS_MAX, &count);    \
                                                                                                   \
        check_problems(problems, count, err);                                                      \
        if (err == ERR_OK && strcmp(#operation, "post_attendance") == 0)                           \
            check_post_attendance(arena, (const void *)&body);                                     \
    }
BODIES(DECODE)
#undef DECODE

#define DECODER(operation) {#operation, decode_##operation},
static const struct {
    const char *operation;
    void (*decode)(struct arena *arena, json_t *json);
} decoders[] = {BODIES(DECODER)};
#undef DECODER

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, operation;
    struct body_problem problem = {.pointer = ""};
    struct arena *arena;
    json_t *json = NULL;

    if (size == 0 || size > BODY_BYTES_MAX || !str_cut(&text, '\n', &operation) ||
        operation.len > OPERATION_BYTES_MAX || text.data == NULL)
        return 0;
    arena = arena_new();
    if (shape_parse(arena, text, SHAPE_TOKENS_MAX, &json, &problem) == ERR_OK) {
        for (size_t i = 0; i < ARRAY_LEN(decoders); i++)
            if (str_eq_c(operation, decoders[i].operation))
                decoders[i].decode(arena, json);
    } else {
        check_problems(&problem, 1, ERR_SCHEMA);
    }
    arena_free(arena);
    return 0;
}
