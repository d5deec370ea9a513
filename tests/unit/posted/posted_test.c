/* posted: entries to lots and back. */
#include "posted/posted.h"

#include "lib/test.h"

static struct event_credits_posted_session sessions[3];

static struct event_credits_posted event_of(const struct posted_entries *entries,
                                            struct arena *arena)
{
    struct event_credits_posted event = {.sessions = sessions, .sessions_count = 3};

    posted_entries_write(entries, arena, &event);
    return event;
}

static void the_same_credit_is_named_once(void **state)
{
    struct arena *arena = arena_new();
    struct posted_entries entries;
    struct event_credits_posted event;

    (void)state;
    posted_entries_init(&entries, arena, 1000);
    for (int64_t doctor = 1; doctor <= 500; doctor++) {
        posted_entry_add(&entries, doctor, 0, KIND_OPL_S, 4, 0);
        posted_entry_add(&entries, doctor, 0, KIND_CME_015, 2, 0);
    }
    event = event_of(&entries, arena);
    assert_int_equal(event.lots_count, 2);
    assert_int_equal(event.doctor_ids_count, 1000);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(event.lots[i].doctors, 500);
        assert_int_equal(event.doctor_ids[i * 500], 1);
        assert_int_equal(event.doctor_ids[i * 500 + 499], 500);
    }
    assert_true(str_eq_c(event.lots[0].kind, "OPL-S"));
    assert_int_equal(event.lots[1].half_units, 2);
    arena_free(arena);
}

static int64_t checksum(const struct posted_entries *entries, size_t at)
{
    return entries->doctor_ids[at] * 1000003 + entries->places[at] * 10007 +
           (int64_t)entries->kind_nos[at] * 1009 + entries->half_units[at] * 101 +
           entries->revisions[at];
}

/* Whatever was posted comes back, in another order. */
static void entries_survive(void **state)
{
    struct arena *arena = arena_new();
    struct posted_entries entries, back;
    struct event_credits_posted event;
    struct err_note note = {""};
    int64_t before = 0, after = 0;
    uint32_t random = 7;

    (void)state;
    posted_entries_init(&entries, arena, 3000);
    for (int i = 0; i < 3000; i++) {
        random = random * 1664525 + 1013904223;
        posted_entry_add(&entries, 1 + random % 400, random / 512 % 3,
                         random >> 31 ? KIND_OPL_S : KIND_OPB_K, (int16_t)(random / 64 % 9) - 4,
                         (int16_t)(random / 4096 % 4));
        before += checksum(&entries, (size_t)i);
    }
    event = event_of(&entries, arena);
    assert_true(event.lots_count < 3000);
    assert_int_equal(posted_entries_read(&back, arena, &event, &note), ERR_OK);
    assert_int_equal(back.count, 3000);
    for (size_t i = 0; i < back.count; i++) {
        after += checksum(&back, i);
        assert_true(str_eq_c(back.programmes[i], "OP"));
        assert_true(str_eq_c(back.kinds[i], kind_code(back.kind_nos[i])));
    }
    assert_int_equal(before, after);
    arena_free(arena);
}

static void nothing_posted_is_no_lot(void **state)
{
    struct arena *arena = arena_new();
    struct posted_entries entries, back;
    struct event_credits_posted event;
    struct err_note note = {""};

    (void)state;
    posted_entries_init(&entries, arena, 0);
    event = event_of(&entries, arena);
    assert_int_equal(event.lots_count, 0);
    assert_int_equal(posted_entries_read(&back, arena, &event, &note), ERR_OK);
    assert_int_equal(back.count, 0);
    arena_free(arena);
}

static void lots_have_to_fit(void **state)
{
    static const int64_t doctors[] = {41, 42};
    static const struct {
        struct event_credits_posted_lot lot;
        const char *note;
    } cases[] = {
        {{0, STR("OPL-S"), 4, 0, 3}, "lots[0].doctors is more than doctor_ids has"},
        {{0, STR("OPL-S"), 4, 0, 1}, "doctor_ids has 1 more than the lots"},
        {{3, STR("OPL-S"), 4, 0, 2}, "lots[0].place is beyond the sessions"},
        {{0, STR("OPL-?"), 4, 0, 2}, "lots[0].kind is unknown"},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct event_credits_posted event = {
            .sessions = sessions,
            .sessions_count = 3,
            .lots = &cases[i].lot,
            .lots_count = 1,
            .doctor_ids = doctors,
            .doctor_ids_count = 2,
        };
        struct posted_entries entries;
        struct err_note note = {""};

        assert_int_equal(posted_entries_read(&entries, arena, &event, &note), ERR_SCHEMA);
        assert_string_equal(note.text, cases[i].note);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_credit_is_named_once),
        cmocka_unit_test(entries_survive),
        cmocka_unit_test(nothing_posted_is_no_lot),
        cmocka_unit_test(lots_have_to_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
