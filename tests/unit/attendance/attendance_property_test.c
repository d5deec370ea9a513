/*
 * What holds for every file, tried on random ones: the order of rows does not change what is
 * credited, unless kinds are in conflict or places are few; a file sent in parts, in order, credits
 * what it does in one; nor does it matter how it is cut into chunks. The seed is printed;
 * MAMIS_SEED repeats a run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attendance_run.h"
#include "base/uuid.h"
#include "lib/test.h"

enum { ROUNDS = 300, ROWS_MAX = 60, DOCTORS = 12, PARTS_MAX = 4 };

static struct samples *samples;
static uint64_t seed;

/* xorshift64*: the same numbers everywhere. */
static uint32_t below(uint64_t *random, uint32_t limit)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return (uint32_t)((*random * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static int open_samples(void **state)
{
    const char *given = getenv("MAMIS_SEED");

    (void)state;
    samples = samples_load();
    if (given != NULL)
        seed = strtoull(given, NULL, 10);
    else
        random_bytes(&seed, sizeof(seed));
    seed = seed == 0 ? 1 : seed; /* the generator would stay at 0 */
    print_message("MAMIS_SEED=%llu\n", (unsigned long long)seed);
    return 0;
}

static int close_samples(void **state)
{
    (void)state;
    samples_free(samples);
    return 0;
}

/* ---- files ---- */

struct lines {
    const char *list[ROWS_MAX];
    size_t count;
};

/* Few doctors, so that they come again: all kinds of them, and numbers that nobody has. */
static int64_t some_number(uint64_t *random)
{
    uint32_t which = below(random, DOCTORS + 1);

    if (which == DOCTORS)
        return 9999999;
    return samples->doctors[which * (samples->doctor_count / DOCTORS)].register_no;
}

/* The kinds that rows name. */
enum naming {
    NAME_STEADILY, /* all rows of a doctor and a session the same, or all none */
    NAME_RIVALS,   /* any where a session gives credits of one programme, else steadily */
    NAME_ANY,
};

static bool one_programme(const struct offers *offers)
{
    for (size_t i = 1; i < offers->count; i++)
        if (kind_programme((enum kind)offers->list[i].kind) !=
            kind_programme((enum kind)offers->list[0].kind))
            return false;
    return true;
}

static const char *some_kind(uint64_t *random, const struct offers *offers, int64_t number,
                             enum naming naming)
{
    uint32_t which;

    if (below(random, 20) == 0)
        return "ZZ-1"; /* refused, whatever stands */
    if (naming == NAME_ANY || (naming == NAME_RIVALS && one_programme(offers)))
        which = below(random, offers->count * 3U);
    else
        which = (uint32_t)number % (offers->count * 3U);
    return which < offers->count ? kind_code((enum kind)offers->list[which].kind) : "";
}

/* One row: register number, session, kind, attended. */
static const char *some_line(struct arena *arena, uint64_t *random,
                             const struct attendance_seminar *seminar, enum naming naming)
{
    static const char *const attended[] = {"", "", "", "", "出席", "欠席", "?"};
    const struct attendance_session *session =
        &seminar->sessions[below(random, (uint32_t)seminar->count)];
    const int64_t number = some_number(random);
    const char *kind = some_kind(random, &session->offers, number, naming);

    return arena_printf(arena, "%lld,%.*s,%s,%s\r\n", (long long)number,
                        STR_ARG(session->session_no), kind,
                        attended[below(random, ARRAY_LEN(attended))]);
}

static struct lines some_lines(struct arena *arena, uint64_t *random, const char *seminar_no,
                               enum naming naming)
{
    const struct attendance_seminar *seminar = samples_seminar(samples, str_of(seminar_no));
    struct lines lines = {.count = 1 + below(random, ROWS_MAX)};

    for (size_t i = 0; i < lines.count; i++)
        lines.list[i] = some_line(arena, random, seminar, naming);
    return lines;
}

static void shuffle(struct lines *lines, uint64_t *random)
{
    for (size_t i = lines->count; i > 1; i--) {
        size_t other = below(random, (uint32_t)i);
        const char *line = lines->list[i - 1];

        lines->list[i - 1] = lines->list[other];
        lines->list[other] = line;
    }
}

/* Lines `from` to before `to`, below a header. */
static struct str file_of(struct arena *arena, const struct lines *lines, size_t from, size_t to)
{
    struct buf file = {0};
    struct str made;

    buf_add_c(&file, "医籍登録番号,回,種別,出欠\r\n");
    for (size_t i = from; i < to; i++)
        buf_add_c(&file, lines->list[i]);
    made = arena_str(arena, buf_str(&file));
    buf_free(&file);
    return made;
}

/* ---- what they credit ---- */

struct credits {
    char **list; /* "doctor session kind half units", sorted */
    size_t count;
};

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_credits(struct arena *arena, struct credits *credits, const struct run *run)
{
    assert_int_equal(run->status, SCAN_DONE);
    for (const struct run_chunk *chunk = run->first; chunk != NULL; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->verdicts.count; i++) {
            const struct attendance_verdict *verdict = &chunk->verdicts.list[i];

            for (uint32_t at = 0; verdict->outcome == OUTCOME_POSTED && at < verdict->credit_count;
                 at++) {
                const struct attendance_credit *credit =
                    &chunk->verdicts.credits[verdict->credit + at];

                must(credits->count < ROWS_MAX * OFFERS_MAX);
                credits->list[credits->count++] =
                    arena_printf(arena, "%d %d %s %d", verdict->doctor, verdict->session,
                                 kind_code((enum kind)credit->kind), credit->half_units);
            }
        }
    }
}

static struct credits credits_new(struct arena *arena)
{
    return (struct credits){arena_array(arena, char *, ROWS_MAX *OFFERS_MAX), 0};
}

static void assert_same(struct credits *left, struct credits *right, uint64_t round_seed)
{
    bool same = left->count == right->count;

    qsort(left->list, left->count, sizeof(left->list[0]), by_text);
    qsort(right->list, right->count, sizeof(right->list[0]), by_text);
    for (size_t i = 0; same && i < left->count; i++)
        same = strcmp(left->list[i], right->list[i]) == 0;
    if (!same)
        fail_msg("MAMIS_SEED=%llu: %zu and %zu credits", (unsigned long long)round_seed,
                 left->count, right->count);
}

static struct run_options options_of(const char *seminar_no)
{
    struct run_options options = {.seminar_no = str_of(seminar_no)};

    must(time_parse(STR("2026-12-20T12:00:00+09:00"), &options.received_us));
    return options;
}

static struct credits credits_of(struct arena *arena, struct str file,
                                 const struct run_options *options)
{
    struct credits credits = credits_new(arena);
    struct run *run = run_upload(samples, file, options);

    add_credits(arena, &credits, run);
    run_free(run);
    return credits;
}

/* ---- the properties ---- */

static const char *const without_visits[] = {"S2026-0001", "S2026-0003", "S2026-0004"};
static const char *const with_visits[] = {"S2026-0001", "S2026-0003", "S2026-0004", "S2026-0007",
                                          "S2026-0008"};

static size_t order_does_not_matter_to(uint64_t *random)
{
    uint64_t round_seed = *random;
    struct arena *arena = arena_new();
    const char *seminar_no = without_visits[below(random, ARRAY_LEN(without_visits))];
    const struct run_options options = options_of(seminar_no);
    struct lines lines = some_lines(arena, random, seminar_no, NAME_STEADILY);
    struct credits before = credits_of(arena, file_of(arena, &lines, 0, lines.count), &options);
    struct credits after;
    size_t count = before.count;

    shuffle(&lines, random);
    after = credits_of(arena, file_of(arena, &lines, 0, lines.count), &options);
    assert_same(&before, &after, round_seed);
    arena_free(arena);
    return count;
}

static size_t parts_credit_what_the_whole_does(uint64_t *random)
{
    uint64_t round_seed = *random;
    struct arena *arena = arena_new();
    const char *seminar_no = with_visits[below(random, ARRAY_LEN(with_visits))];
    const struct run_options options = options_of(seminar_no);
    struct lines lines = some_lines(arena, random, seminar_no, NAME_RIVALS);
    struct credits whole = credits_of(arena, file_of(arena, &lines, 0, lines.count), &options);
    struct credits parts = credits_new(arena);
    struct run *before = NULL;
    size_t count = whole.count;

    for (size_t from = 0; from < lines.count;) {
        size_t to = from + 1 + below(random, (uint32_t)(lines.count / PARTS_MAX + 1));
        struct run *run;

        to = to < lines.count ? to : lines.count;
        run = before == NULL ? run_upload(samples, file_of(arena, &lines, from, to), &options)
                             : run_again(before, file_of(arena, &lines, from, to), &options);
        add_credits(arena, &parts, run);
        if (before != NULL)
            run_free(before);
        before = run;
        from = to;
    }
    run_free(before);
    assert_same(&whole, &parts, round_seed);
    arena_free(arena);
    return count;
}

static size_t chunks_credit_what_the_whole_does(uint64_t *random)
{
    uint64_t round_seed = *random;
    struct arena *arena = arena_new();
    const char *seminar_no = with_visits[below(random, ARRAY_LEN(with_visits))];
    struct run_options options = options_of(seminar_no);
    struct lines lines = some_lines(arena, random, seminar_no, NAME_ANY);
    struct str file = file_of(arena, &lines, 0, lines.count);
    struct credits whole = credits_of(arena, file, &options);
    struct credits chunks;
    size_t count = whole.count;

    options.chunk_rows_max = 1 + below(random, 20);
    options.slice_bytes = 1 + below(random, 200);
    options.keep_state = below(random, 2) == 0;
    chunks = credits_of(arena, file, &options);
    assert_same(&whole, &chunks, round_seed);
    arena_free(arena);
    return count;
}

/* The property on many files, most of which credit something. */
static void hold(size_t (*property)(uint64_t *random))
{
    uint64_t random = seed;
    size_t credits = 0;

    for (int round = 0; round < ROUNDS; round++)
        credits += property(&random);
    assert_true(credits > ROUNDS);
}

static void order_does_not_matter(void **state)
{
    (void)state;
    hold(order_does_not_matter_to);
}

static void a_file_may_come_in_parts(void **state)
{
    (void)state;
    hold(parts_credit_what_the_whole_does);
}

static void chunks_do_not_matter(void **state)
{
    (void)state;
    hold(chunks_credit_what_the_whole_does);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(a_file_may_come_in_parts),
        cmocka_unit_test(chunks_do_not_matter),
    };

    return cmocka_run_group_tests(tests, open_samples, close_samples);
}
