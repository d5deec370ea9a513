/*
 * attendance_judge: the order in which a row is judged. Every problem is found and listed; the
 * first one in the order of the codes decides the outcome.
 */
#include "attendance/attendance_judge.h"

#include <string.h>

#include "attendance/attendance_judge_private.h"

_Static_assert((int)CODE_NO_MY_PAGE_STRICT < PROBLEM_CODES, "problems of rows are bits of 64");

/* The column a problem points at; COLUMN_COUNT: none. The one table of reasons. */
static const struct {
    enum code code;
    enum column column;
} problem_columns[] = {
    {CODE_DOCTOR_UNKNOWN, COLUMN_REGISTER_NO},
    {CODE_KANA_MISMATCH, COLUMN_NAME_KANA},
    {CODE_NUMBERS_DISAGREE, COLUMN_MAMIS_NO},
    {CODE_DOCTOR_CLOSED, COLUMN_REGISTER_NO},
    {CODE_FIELD_COUNT, COLUMN_COUNT},
    {CODE_BAD_ENCODING, COLUMN_COUNT},
    {CODE_NUMBER_MISSING, COLUMN_REGISTER_NO},
    {CODE_REGISTER_NO_FORMAT, COLUMN_REGISTER_NO},
    {CODE_MAMIS_NO_FORMAT, COLUMN_MAMIS_NO},
    {CODE_SEMINAR_MISMATCH, COLUMN_SEMINAR_NO},
    {CODE_SESSION_MISSING, COLUMN_SESSION_NO},
    {CODE_SESSION_UNKNOWN, COLUMN_SESSION_NO},
    {CODE_KIND_UNKNOWN, COLUMN_KIND},
    {CODE_KIND_NOT_OFFERED, COLUMN_KIND},
    {CODE_KIND_TWICE_IN_PROGRAMME, COLUMN_KIND},
    {CODE_UNITS_FORMAT, COLUMN_UNITS},
    {CODE_UNITS_DIFFER, COLUMN_UNITS},
    {CODE_UNITS_DIFFER_SEVERAL, COLUMN_UNITS},
    {CODE_ATTENDED_FORMAT, COLUMN_ATTENDED},
    {CODE_TIME_FORMAT, COLUMN_ENTERED_AT},
    {CODE_TIME_INCOMPLETE, COLUMN_ENTERED_AT},
    {CODE_TIME_ORDER, COLUMN_LEFT_AT},
    {CODE_LATE_ARRIVAL, COLUMN_ENTERED_AT},
    {CODE_EARLY_LEAVE, COLUMN_LEFT_AT},
    {CODE_HELD_BEFORE_CUTOVER, COLUMN_COUNT},
    {CODE_SESSION_NOT_ENDED, COLUMN_COUNT},
    {CODE_CONFLICTS_WITH_POSTED, COLUMN_KIND},
    {CODE_LEADER_EXCLUDED, COLUMN_COUNT},
    {CODE_VISIT_FULL, COLUMN_COUNT},
    {CODE_NO_MY_PAGE_STRICT, COLUMN_COUNT},
};

void judge_problem_in(struct judging *judging, enum code code, enum column column, struct str value,
                      struct str expected)
{
    const uint64_t bit = UINT64_C(1) << code;

    must(code > CODE_NONE && (int)code < PROBLEM_CODES);
    if ((judging->found & bit) != 0)
        return;
    judging->found |= bit;
    judging->problems[code] = (struct attendance_problem){
        .code = code,
        .column =
            column == COLUMN_COUNT ? STR_NONE : attendance_header_name(judging->in->header, column),
        .value = value,
        .expected = expected,
    };
}

void judge_problem(struct judging *judging, enum code code, struct str value, struct str expected)
{
    for (size_t i = 0; i < ARRAY_LEN(problem_columns); i++) {
        if (problem_columns[i].code == code) {
            judge_problem_in(judging, code, problem_columns[i].column, value, expected);
            return;
        }
    }
    must(false);
}

static struct str number_text(struct arena *arena, size_t number)
{
    return str_of(arena_printf(arena, "%zu", number));
}

/* The two problems after which nothing else in the row is judged. */
static void judge_shape(struct judging *judging)
{
    const struct attendance_header *header = judging->in->header;

    if (judging->row->field_count)
        judge_problem(judging, CODE_FIELD_COUNT, number_text(judging->arena, judging->row->fields),
                      number_text(judging->arena, header->count));
    if (judging->row->bad_encoding)
        judge_problem(judging, CODE_BAD_ENCODING, STR_NONE,
                      header->encoding == ENCODING_CP932 ? STR("CP932") : STR("UTF-8"));
}

/* True when the row is marked absent, whatever else it holds. */
static bool judge_absent(struct judging *judging)
{
    const struct str cell = judge_cell(judging, COLUMN_ATTENDED);
    const enum attended attended =
        cell.len == 0 ? ATTENDED_YES : attended_parse(judging->arena, cell);

    if (attended == ATTENDED_UNKNOWN)
        judge_problem(judging, CODE_ATTENDED_FORMAT, cell, STR_NONE);
    return attended == ATTENDED_NO;
}

/* By the number that the session names, or by another one of the same doctor. */
static bool is_leader(const struct judging *judging)
{
    const struct attendance_doctor *doctor = judging->doctor;
    const struct attendance_session *session = judging->session;
    const int64_t *leaders = judging->in->leaders;

    if (session == NULL || session->leader_register_no == NUMBER_NONE)
        return false;
    return session->leader_register_no == doctor->register_no ||
           (leaders != NULL &&
            leaders[session - judging->in->seminar->sessions] == doctor->doctor_id);
}

static void judge_policy(struct judging *judging)
{
    const struct attendance_doctor *doctor = judging->doctor;

    if (doctor == NULL)
        return;
    if (is_leader(judging))
        judge_problem(judging, CODE_LEADER_EXCLUDED, STR_NONE, STR_NONE);
    if (judging->in->reject_no_my_page &&
        (doctor->my_page == MY_PAGE_NONE || doctor->my_page == MY_PAGE_TEMP_ISSUED))
        judge_problem(judging, CODE_NO_MY_PAGE_STRICT, STR_NONE, STR_NONE);
}

/* What became of a name says nothing about the row. */
static void judge_note(struct judging *judging)
{
    if (judging->verdict->note == CODE_NONE && name_is_lost(judge_cell(judging, COLUMN_NAME)))
        judging->verdict->note = CODE_LOST_CHARACTER;
}

static void judge_row(struct judging *judging)
{
    struct stand *stand;
    struct wish wish;

    judge_shape(judging);
    if (judging->found != 0)
        return;
    if (judge_absent(judging)) {
        judging->found = 0;
        judging->verdict->outcome = OUTCOME_ABSENT;
        return;
    }
    judge_doctor(judging);
    judge_session(judging);
    judge_times(judging);
    judge_kinds(judging, &wish);
    judge_policy(judging);
    judge_note(judging);
    stand = judge_stand(judging);
    judge_conflicts(judging, stand, &wish);
    if (judging->found == 0)
        judge_outcome(judging, stand, &wish);
}

/* Problems in the order of their codes; the first decides. */
static void list_problems(struct judging *judging)
{
    struct attendance_verdicts *out = judging->out;
    struct attendance_verdict *verdict = judging->verdict;

    verdict->problem = (uint32_t)out->problem_count;
    for (uint64_t left = judging->found; left != 0; left &= left - 1) {
        const enum code code = (enum code)__builtin_ctzll(left);

        if (verdict->problem_count++ == 0) {
            verdict->reason = code;
            verdict->outcome =
                code_group(code) == CODE_GROUP_UNMATCHED ? OUTCOME_UNMATCHED : OUTCOME_REJECTED;
        }
        out->problems[out->problem_count++] = judging->problems[code];
    }
}

/* Room for the problems of one more row: most rows have none. */
static void make_room(struct judging *judging, size_t *room)
{
    struct attendance_verdicts *out = judging->out;
    struct attendance_problem *larger;

    if (*room - out->problem_count >= PROBLEM_CODES)
        return;
    *room = *room * 2 + PROBLEM_CODES;
    larger = arena_array(judging->arena, struct attendance_problem, *room);
    if (out->problem_count > 0)
        memcpy(larger, out->problems, sizeof(*larger) * out->problem_count);
    out->problems = larger;
}

void attendance_judge(struct arena *arena, const struct attendance_case *judged,
                      struct attendance_verdicts *ret_verdicts)
{
    struct judging *judging = arena_new_of(arena, struct judging);
    const size_t count = judged->rows->count;
    size_t room = 0;

    *ret_verdicts = (struct attendance_verdicts){
        .list = arena_array(arena, struct attendance_verdict, count),
        .count = count,
        .credits = arena_array(arena, struct attendance_credit, count * PROGRAMME_COUNT),
    };
    judging->arena = arena;
    judging->in = judged;
    judging->out = ret_verdicts;
    judge_doctor_init(judging);
    judge_session_init(judging);
    judge_stand_init(judging);
    for (size_t i = 0; i < count; i++) {
        judging->row = &judged->rows->list[i];
        judging->at = i;
        judging->verdict = &ret_verdicts->list[i];
        judging->verdict->doctor = -1;
        judging->verdict->session = -1;
        judging->verdict->credit = (uint32_t)ret_verdicts->credit_count;
        judging->doctor = NULL;
        judging->session = NULL;
        judging->found = 0;
        judge_row(judging);
        make_room(judging, &room);
        list_problems(judging);
        ret_verdicts->outcomes[judging->verdict->outcome]++;
    }
}
