/*
 * Every sample file against what is expected of it: read whole and in slices of several sizes,
 * judged at once and in small chunks. Nothing of it may depend on how the file is cut.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "attendance_run.h"
#include "lib/test.h"

#define FOLDER "tests/data/attendance"

enum { FILES_EXPECTED = 33 };

static struct samples *samples;

static int load(void **state)
{
    (void)state;
    samples = samples_load();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    samples_free(samples);
    return 0;
}

static struct str text_at(const json_t *object, const char *key)
{
    return str_of(json_string_value(json_object_get(object, key)));
}

static void same_text(const char *what, struct str got, struct str want)
{
    if (!str_eq(got, want))
        fail_msg("%s: got \"%.*s\" want \"%.*s\"", what, STR_ARG(got), STR_ARG(want));
}

static void same_number(const char *what, int64_t got, int64_t want)
{
    if (got != want)
        fail_msg("%s: got %ld want %ld", what, (long)got, (long)want);
}

/* Text of a code, or of null. */
static struct str reason_text(enum code code)
{
    return code == CODE_NONE ? STR("") : str_of(code_name(code));
}

static void check_credits(const char *what, const struct run_chunk *chunk,
                          const struct attendance_verdict *verdict, const json_t *want)
{
    const bool posted = verdict->outcome == OUTCOME_POSTED;

    same_number(what, posted ? verdict->credit_count : 0, (int64_t)json_array_size(want));
    for (uint32_t i = 0; posted && i < verdict->credit_count; i++) {
        const struct attendance_credit *credit = &chunk->verdicts.credits[verdict->credit + i];
        const json_t *one = json_array_get(want, i);
        const enum kind kind = (enum kind)credit->kind;

        same_text(what, str_of(kind_code(kind)), text_at(one, "kind"));
        same_text(what, str_of(programme_code(kind_programme(kind))), text_at(one, "programme"));
        same_number(what, credit->half_units,
                    json_integer_value(json_object_get(one, "half_units")));
        same_number(what, credit->row, verdict - chunk->verdicts.list);
    }
}

static void check_row(const struct run *run, const json_t *want, const char *file)
{
    const uint32_t row_no = (uint32_t)json_integer_value(json_object_get(want, "row_no"));
    const struct attendance_row *row;
    const struct run_chunk *chunk;
    const struct attendance_verdict *verdict = run_verdict(run, row_no, &row, &chunk);
    const json_t *problems = json_object_get(want, "problems");
    char register_no[REGISTER_NO_BYTES] = "";
    char what[128];

    (void)snprintf(what, sizeof(what), "%s row %u", file, row_no);
    assert_non_null(verdict);
    same_number(what, row->line_no, json_integer_value(json_object_get(want, "line_no")));
    same_text(what, str_of(outcome_name((enum outcome)verdict->outcome)), text_at(want, "outcome"));
    same_text(what, reason_text(verdict->reason), text_at(want, "reason"));
    same_number(what, verdict->problem_count, (int64_t)json_array_size(problems));
    for (uint32_t i = 0; i < verdict->problem_count; i++)
        same_text(what, str_of(code_name(chunk->verdicts.problems[verdict->problem + i].code)),
                  str_of(json_string_value(json_array_get(problems, i))));
    if (verdict->doctor >= 0)
        register_no_format(samples->doctors[verdict->doctor].register_no, register_no);
    same_text(what, str_of(register_no), text_at(want, "register_no"));
    same_text(what,
              verdict->session < 0 ? STR("") : run->seminar->sessions[verdict->session].session_no,
              text_at(want, "session_no"));
    check_credits(what, chunk, verdict, json_object_get(want, "credits"));
    if (verdict->reason == CODE_SAME_UPLOAD)
        assert_in_range(verdict->same_as_row, 1, row_no - 1);
}

static void check_counts(const struct run *run, const json_t *want, const char *file)
{
    uint32_t rows = 0;

    for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        uint32_t got = 0;

        for (const struct run_chunk *chunk = run->first; chunk != NULL; chunk = chunk->next)
            got += run->status == SCAN_DONE ? chunk->verdicts.outcomes[outcome] : 0;
        same_number(file, got, json_integer_value(json_object_get(want, outcome_name(outcome))));
        rows += got;
    }
    same_number(file, run->scan->rows_total, rows);
}

static void check_upload(const struct run *run, const json_t *want, const char *file)
{
    const struct attendance_scan *scan = run->scan;
    const json_t *ignored = json_object_get(want, "ignored_columns");
    const json_t *row;
    size_t i;

    same_text(file, run->status == SCAN_DONE ? STR("done") : STR("refused"),
              text_at(want, "status"));
    same_text(file, reason_text(scan->refusal.code), text_at(want, "code"));
    same_number(file, scan->refusal.line, json_integer_value(json_object_get(want, "line")));
    same_text(file, str_of(encoding_name(scan->encoding)), text_at(want, "encoding"));
    same_text(file, (struct str){&scan->delimiter, scan->delimiter == '\0' ? 0 : 1},
              text_at(want, "delimiter"));
    same_number(file, scan->rows_total, json_integer_value(json_object_get(want, "rows_total")));
    same_number(file, (int64_t)run->header.ignored_count, (int64_t)json_array_size(ignored));
    for (i = 0; i < run->header.ignored_count; i++)
        same_text(file, run->header.ignored[i],
                  str_of(json_string_value(json_array_get(ignored, i))));
    check_counts(run, json_object_get(want, "counts"), file);
    json_array_foreach(json_object_get(want, "rows"), i, row)
    {
        check_row(run, row, file);
    }
}

/* All ways of cutting one file. Byte by byte only what is small. */
static void check_file(const char *name, const json_t *want)
{
    static const struct {
        size_t slice_bytes;
        uint32_t chunk_rows_max;
        uint32_t chunk_bytes_max;
        bool keep_state;
    } ways[] = {
        {0, 0, 0, false},  {1, 1, 0, false},   {7, 2, 0, true},
        {64, 0, 1, false}, {4096, 7, 0, true}, {4096, 0, 1000, false},
    };
    struct arena *arena = arena_new();
    const struct str file = samples_file(arena, arena_printf(arena, FOLDER "/%s", name));
    struct run_options options = {.seminar_no = text_at(want, "seminar_no")};

    assert_true(time_parse(text_at(want, "now"), &options.received_us));
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct run *run;

        options.slice_bytes = ways[i].slice_bytes;
        options.chunk_rows_max = ways[i].chunk_rows_max;
        options.chunk_bytes_max = ways[i].chunk_bytes_max;
        options.keep_state = ways[i].keep_state;
        /* A large file cut into single rows would only take long: the judge looks at all facts. */
        if (file.len > 100000 && (ways[i].chunk_rows_max > 0 || ways[i].chunk_bytes_max > 0 ||
                                  ways[i].slice_bytes < 64)) {
            options.chunk_rows_max = 1000;
            options.chunk_bytes_max = 0;
        }
        run = run_upload(samples, file, &options);
        check_upload(run, want, name);
        run_free(run);
    }
    arena_free(arena);
}

static void every_sample_file(void **state)
{
    DIR *folder = opendir(TEST_SOURCE_DIR "/" FOLDER "/expected");
    int files = 0;

    (void)state;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct arena *arena = arena_new();
        const char *path =
            arena_printf(arena, "%s/%s/expected/%s", TEST_SOURCE_DIR, FOLDER, entry->d_name);
        json_t *want;

        if (strstr(entry->d_name, ".json") != NULL) {
            want = json_load_file(path, 0, NULL);
            assert_non_null(want);
            check_file(json_string_value(json_object_get(want, "file")), want);
            json_decref(want);
            files++;
        }
        arena_free(arena);
    }
    closedir(folder);
    assert_int_equal(files, FILES_EXPECTED);
}

/* The same file again: nothing new stands, and nobody is lost. */
static void sent_again(void **state)
{
    struct arena *arena = arena_new();
    const struct str file = samples_file(arena, FOLDER "/13-same-doctor-twice.csv");
    struct run_options options = {.seminar_no = STR("S2026-0001")};
    struct run *first;
    struct run *second;

    (void)state;
    assert_true(time_parse(STR("2026-11-22T12:00:00+09:00"), &options.received_us));
    first = run_upload(samples, file, &options);
    second = run_again(first, file, &options);
    assert_int_equal(second->first->verdicts.outcomes[OUTCOME_POSTED], 0);
    assert_int_equal(second->first->verdicts.outcomes[OUTCOME_ALREADY_POSTED], 19);
    assert_int_equal(second->first->verdicts.list[0].reason, CODE_EARLIER_UPLOAD);
    assert_int_equal(second->first->verdicts.list[12].reason, CODE_SAME_UPLOAD);
    assert_int_equal(second->first->verdicts.list[12].same_as_row, 1);
    run_free(second);
    run_free(first);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_file),
        cmocka_unit_test(sent_again),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
