/* attendance_cases: a small seminar, and verdicts as text. */
#include "attendance_cases.h"

#include "lib/test.h"

int64_t us(const char *text)
{
    int64_t time_us;

    assert_true(time_parse(str_of(text), &time_us));
    return time_us;
}

void set_offers(struct attendance_session *session, const char *text)
{
    assert_int_equal(offers_parse(str_of(text), session->delivery, &session->offers), OFFERS_FINE);
}

void set_session(struct attendance_session *session, const char *no, const char *starts,
                 const char *ends, const char *offers)
{
    *session = (struct attendance_session){
        .session_no = str_of(no),
        .starts_us = us(starts),
        .ends_us = us(ends),
        .leader_register_no = NUMBER_NONE,
    };
    set_offers(session, offers);
}

static void set_doctors(struct fixture *fixture)
{
    for (int i = 0; i < DOCTORS; i++) {
        fixture->doctors[i] = (struct attendance_doctor){
            .doctor_id = 1000 + i,
            .register_no = FIRST_REGISTER_NO + i,
            .mamis_no = mamis_no_make(FIRST_REGISTER_NO + i),
            .kana = STR("サトウケンイチ"),
            .my_page = MY_PAGE_ACTIVE,
            .op_from = DAY_NONE,
            .op_to = DAY_NONE,
            .sp_from = DAY_NONE,
            .sp_to = DAY_NONE,
        };
    }
    fixture->doctors[0].op_from = day_parse(STR("2025-10-10"));
    fixture->doctors[0].op_to = day_parse(STR("2030-10-09"));
    fixture->doctors[0].sp_from = day_parse(STR("2020-10-11"));
    fixture->doctors[0].sp_to = day_parse(STR("2025-10-10"));
    fixture->doctors[1].kana = STR("シヤルマリヨウコ");
    fixture->doctors[1].former_kana = STR("スミスータナカリョウコ");
    fixture->doctors[2].my_page = MY_PAGE_NONE;
    fixture->doctors[3].my_page = MY_PAGE_CLOSED;
    fixture->doctors[4].my_page = MY_PAGE_TEMP_ISSUED;
    fixture->doctors[5].my_page = MY_PAGE_LINK_PENDING;
}

int cases_set_up(void **state)
{
    struct arena *arena = arena_new();
    struct fixture *fixture = arena_new_of(arena, struct fixture);

    fixture->arena = arena;
    set_doctors(fixture);
    set_session(&fixture->sessions[0], "1", "2025-10-10T13:00:00+09:00",
                "2025-10-10T15:00:00+09:00", "OPB-K:2|OPL-S:2;CME-007:1.5");
    fixture->seminar = (struct attendance_seminar){STR("S2025-0001"), fixture->sessions, 1};
    fixture->received_us = us("2025-11-01T09:00:00+09:00");
    *state = fixture;
    return 0;
}

int cases_tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_free(fixture->arena);
    return 0;
}

static void describe(struct buf *out, const struct fixture *fixture, size_t row)
{
    const struct attendance_verdicts *verdicts = &fixture->verdicts;
    const struct attendance_verdict *verdict = &verdicts->list[row];

    buf_add_c(out, outcome_name((enum outcome)verdict->outcome));
    if (verdict->reason != CODE_NONE)
        buf_printf(out, " %s", code_name(verdict->reason));
    if (verdict->same_as_row > 0)
        buf_printf(out, " =%u", verdict->same_as_row);
    if (verdict->waits_already)
        buf_add_c(out, " again");
    for (uint32_t i = 0; i < verdict->credit_count; i++) {
        const struct attendance_credit *credit = &verdicts->credits[verdict->credit + i];

        buf_printf(out, " %s:%d", kind_code((enum kind)credit->kind), credit->half_units);
    }
    for (uint32_t i = 0; i < verdict->problem_count; i++) {
        const struct attendance_problem *problem = &verdicts->problems[verdict->problem + i];

        buf_printf(out, " !%s", code_name(problem->code));
        if (problem->column.len > 0)
            buf_printf(out, " %.*s=%.*s", STR_ARG(problem->column), STR_ARG(problem->value));
        if (problem->expected.len > 0)
            buf_printf(out, ">%.*s", STR_ARG(problem->expected));
    }
    if (verdict->note != CODE_NONE)
        buf_printf(out, " ~%s", code_name(verdict->note));
}

/* Judge rows below this header; rows are numbered from 1. */
static void judge(struct fixture *fixture, const char *head, const char *rows)
{
    const struct attendance_chunk chunk = {.first_row = 1, .first_line = 2};
    struct attendance_header header;
    struct attendance_rows read;
    struct attendance_numbers numbers;
    struct attendance_case judged = {
        .header = &header,
        .rows = &read,
        .numbers = &numbers,
        .seminar = &fixture->seminar,
        .doctors = fixture->doctors,
        .doctor_count = DOCTORS,
        .facts = fixture->facts,
        .fact_count = fixture->fact_count,
        .choices = fixture->choices,
        .choice_count = fixture->choice_count,
        .received_us = fixture->received_us,
        .reject_no_my_page = fixture->reject_no_my_page,
    };

    attendance_header_read(fixture->arena, str_of(head), ENCODING_UTF8, ',', &header);
    attendance_rows_read(fixture->arena, &header, &chunk, str_of(rows), &read);
    attendance_numbers_read(fixture->arena, &read, &numbers);
    judged.places = attendance_places(fixture->arena, &read, &fixture->seminar);
    attendance_judge(fixture->arena, &judged, &fixture->verdicts);
}

void expect(struct fixture *fixture, const char *head, const char *rows, const char *want)
{
    struct str left = str_of(want);
    struct str line;
    size_t row = 0;

    judge(fixture, head, rows);
    for (; left.len > 0 && str_cut(&left, '\n', &line); row++) {
        struct buf got = {0};

        assert_in_range(row + 1, 1, fixture->verdicts.count);
        describe(&got, fixture, row);
        if (!str_eq(buf_str(&got), line))
            fail_msg("row %zu: got \"%.*s\" want \"%.*s\"", row + 1, STR_ARG(buf_str(&got)),
                     STR_ARG(line));
        buf_free(&got);
    }
    assert_int_equal(row, fixture->verdicts.count);
}
