/* gateway_result_rows: lines of result.csv, with the words on each row. */
#include "gateway/gateway_result.h"
#include "gateway/gateway_transcript.h"

/* The texts of a row's problems, one after the other. */
static struct str joined(struct arena *arena, const json_t *problems, const char *member)
{
    struct buf text = {0};
    struct str copy;
    const json_t *problem;
    size_t i;

    json_array_foreach(problems, i, problem)
    {
        const char *words = json_string_value(json_object_get(problem, member));

        if (words == NULL || words[0] == '\0')
            continue;
        if (text.len > 0)
            buf_add_char(&text, ' ');
        buf_add_c(&text, words);
    }
    copy = arena_str(arena, buf_str(&text));
    buf_free(&text);
    return copy;
}

/* One text, then the other. */
static struct str both(struct arena *arena, struct str one, struct str other)
{
    if (one.len == 0 || other.len == 0)
        return one.len == 0 ? other : one;
    return str_of(arena_printf(arena, "%.*s %.*s", STR_ARG(one), STR_ARG(other)));
}

static struct str rendered(struct arena *arena, const char *text, const struct code_param *params,
                           size_t count)
{
    struct buf out = {0};
    struct str copy;

    problem_text(&out, text, params, count);
    copy = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return copy;
}

/* The four columns of a row that did not post. */
static void describe(const struct call *call, struct result *result, size_t at,
                     struct str columns[ATTENDANCE_RESULT_COLUMNS])
{
    enum code outcome = code_of_name(db_get_text(result->rows, at, 1));
    enum code reason = code_of_name(db_get_text(result->rows, at, 2));
    struct str kept = db_get_json(result->rows, at, 3);
    const struct code_param params[] = {
        {"value", str_of(arena_printf(result->arena, "%d", db_get_i32(result->rows, at, 4)))},
        {"until",
         db_is_null(result->rows, at, 5)
             ? STR("")
             : transcript_time(result->arena, db_get_time(result->rows, at, 5), call->english)}};
    json_t *problems = json_loadb(kept.data, kept.len, 0, NULL);

    columns[0] = str_of(code_text(outcome, call->english)->title);
    columns[1] = columns[2] = columns[3] = STR("");
    if (reason != CODE_NONE) {
        const struct code_text *text = code_text(reason, call->english);

        columns[1] = str_of(text->title);
        if (json_array_size(problems) > 0) {
            columns[2] = joined(result->arena, problems, call->english ? "detail_en" : "detail");
            columns[3] = joined(result->arena, problems, call->english ? "cure_en" : "cure");
        } else {
            columns[2] = rendered(result->arena, text->detail, params, ARRAY_LEN(params));
            columns[3] = rendered(result->arena, text->cure, params, ARRAY_LEN(params));
        }
    }
    json_decref(problems);
}

static void free_cells(void *object)
{
    json_decref(object);
}

void result_fix(struct arena *arena, struct str kept, struct attendance_fix *ret_fix)
{
    json_t *cells = json_loadb(kept.data, kept.len, 0, NULL);
    const char *name;
    json_t *value;

    must(cells != NULL);
    arena_defer(arena, free_cells, cells);
    *ret_fix = (struct attendance_fix){0};
    json_object_foreach(cells, name, value)(void) attendance_fix_set(
        ret_fix, str_of(name), (struct str){json_string_value(value), json_string_length(value)});
}

/* Before what is told of the row: what stood in the file, which is kept as it came. */
static void tell_fix(const struct call *call, struct result *result, struct attendance_result *line)
{
    const char *detail = code_text(CODE_CELL_MENDED, call->english)->detail;
    struct buf text = {0};

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const bool read = !attendance_fix_is_whole(line->row) && line->row->cells[i].data != NULL;
        const struct code_param params[] = {
            {"column", attendance_header_name(&result->header, (enum column)i)},
            {"value", read ? line->row->cells[i] : STR("")},
            {"now", line->fix->cells[i]}};

        if (line->fix->cells[i].data == NULL)
            continue;
        if (text.len > 0)
            buf_add_char(&text, ' ');
        code_render(&text, detail, params, ARRAY_LEN(params));
    }
    line->columns[2] =
        both(result->arena, arena_str(result->arena, buf_str(&text)), line->columns[2]);
    buf_free(&text);
}

/* Behind what is told of the row: its name lost a character before the file came. */
static void tell_lost(const struct call *call, struct result *result,
                      struct attendance_result *line)
{
    const struct code_text *text = code_text(CODE_LOST_CHARACTER, call->english);
    const bool mended = line->fix != NULL && line->fix->cells[COLUMN_NAME].data != NULL;
    const struct code_param params[] = {
        {"column", attendance_header_name(&result->header, COLUMN_NAME)},
        {"value", (mended ? line->fix->cells : line->row->cells)[COLUMN_NAME]}};

    if (!name_is_lost(params[1].value))
        return;
    line->columns[2] = both(result->arena, line->columns[2],
                            rendered(result->arena, text->detail, params, ARRAY_LEN(params)));
    line->columns[3] = both(result->arena, line->columns[3],
                            rendered(result->arena, text->cure, params, ARRAY_LEN(params)));
}

static bool to_fix(struct str outcome)
{
    return str_eq_c(outcome, "rejected") || str_eq_c(outcome, "unmatched");
}

/* The last row that this tells everything of. */
static uint32_t last_told(const struct db_query *told)
{
    return db_rows(told) < RESULT_TOLD_MAX ? UINT32_MAX
                                           : (uint32_t)db_get_i32(told, RESULT_TOLD_MAX - 1, 0);
}

/* Whether the piece ends before this row. */
static bool is_enough(const struct result *result, const struct attendance_row *row)
{
    return result->lines.len >= RESULT_PIECE_BYTES || row->row_no > last_told(result->rows) ||
           row->row_no > last_told(result->fixes);
}

bool result_put(const struct call *call, struct result *result, const struct attendance_rows *rows,
                size_t *ret_count)
{
    size_t other = 0; /* the next row that did not post */
    size_t fixed = 0; /* the next one that was written over */
    size_t i;

    for (i = 0; i < rows->count && !is_enough(result, &rows->list[i]); i++) {
        bool posted = other >= db_rows(result->rows) ||
                      db_get_i32(result->rows, other, 0) != (int32_t)rows->list[i].row_no;
        struct attendance_fix fix;
        struct attendance_result line = {
            .row = &rows->list[i],
            .columns = {str_of(code_text(CODE_POSTED, call->english)->title), STR(""), STR(""),
                        STR("")}};
        bool wanted = !result->only_fix;
        bool absent = false; /* nothing else is told of such a row */

        if (!posted) {
            absent = str_eq_c(db_get_text(result->rows, other, 1), "absent");
            wanted = wanted || to_fix(db_get_text(result->rows, other, 1));
            if (wanted)
                describe(call, result, other, line.columns);
            other++;
        }
        if (fixed < db_rows(result->fixes) &&
            db_get_i32(result->fixes, fixed, 0) == (int32_t)rows->list[i].row_no) {
            result_fix(result->arena, db_get_json(result->fixes, fixed++, 1), &fix);
            if ((attendance_result_more(&result->header, &fix) & ~result->more) != 0)
                return false;
            line.fix = &fix;
            tell_fix(call, result, &line);
        }
        if (wanted && !absent)
            tell_lost(call, result, &line);
        if (wanted)
            attendance_result_line(&result->lines, result->arena, &result->header, result->more,
                                   &line);
    }
    *ret_count = i;
    return true;
}
