/* attendance_judge_session: seminar and session of a row, its times, the session's day. */
#include <stdio.h>

#include "attendance/attendance_judge_private.h"
#include "text/fold.h"

enum { TIME_TEXT_BYTES = 24 };

void judge_session_init(struct judging *judging)
{
    const struct attendance_seminar *seminar = judging->in->seminar;

    judging->offers = arena_array(judging->arena, struct str, seminar->count);
    judging->seminar_no = fold_width(judging->arena, text_trim(seminar->seminar_no));
}

static struct str all_sessions(struct judging *judging)
{
    const struct attendance_seminar *seminar = judging->in->seminar;

    if (judging->sessions.data == NULL) {
        const char *text = "";

        for (size_t i = 0; i < seminar->count; i++)
            text = arena_printf(judging->arena, "%s%s%.*s", text, i > 0 ? ", " : "",
                                STR_ARG(seminar->sessions[i].session_no));
        judging->sessions = str_of(text);
    }
    return judging->sessions;
}

/* "2026-10-25 13:40", with seconds where there are any. Japan. */
static struct str time_text(struct arena *arena, int64_t time_us)
{
    const day_t day = day_of_us(time_us);
    const int second = (int)((time_us - day_start_us(day)) / CLOCK_SECOND_US);
    char day_text[TIME_TEXT_BYTES];

    day_format(day, day_text);
    if (second % 60 == 0)
        return str_of(
            arena_printf(arena, "%s %02d:%02d", day_text, second / 3600, second / 60 % 60));
    return str_of(arena_printf(arena, "%s %02d:%02d:%02d", day_text, second / 3600,
                               second / 60 % 60, second % 60));
}

static void judge_day(struct judging *judging)
{
    const struct attendance_session *session = judging->session;
    const day_t held_on = day_of_us(session->starts_us);

    if (held_on < day_from_ymd(2025, 4, 1)) { /* R-SEM-02 */
        char text[TIME_TEXT_BYTES];

        day_format(held_on, text);
        judge_problem(judging, CODE_HELD_BEFORE_CUTOVER, str_of(arena_strdup(judging->arena, text)),
                      STR_NONE);
    }
    if (judging->in->received_us < session->ends_us)
        judge_problem(judging, CODE_SESSION_NOT_ENDED, time_text(judging->arena, session->ends_us),
                      STR_NONE);
}

void judge_session(struct judging *judging)
{
    const struct attendance_seminar *seminar = judging->in->seminar;
    const struct str seminar_no = judge_cell(judging, COLUMN_SEMINAR_NO);
    const struct str cell = judge_cell(judging, COLUMN_SESSION_NO);
    const int32_t place = judging->in->places[judging->at];

    if (seminar_no.len > 0 && !str_eq(fold_width(judging->arena, seminar_no), judging->seminar_no))
        judge_problem(judging, CODE_SEMINAR_MISMATCH, seminar_no, seminar->seminar_no);
    if (place < 0) {
        judge_problem(judging, cell.len > 0 ? CODE_SESSION_UNKNOWN : CODE_SESSION_MISSING,
                      cell.len > 0 ? cell : STR_NONE, all_sessions(judging));
        return;
    }
    judging->session = &seminar->sessions[place];
    judging->verdict->session = place;
    judge_day(judging);
}

/* One of the two times, as far as it can be known. */
struct moment {
    struct str cell;
    struct cell_time time;
    bool good;  /* it is a time */
    bool known; /* and it is known when that was */
    int64_t at_us;
};

static struct moment moment_of(struct judging *judging, enum column column)
{
    const struct attendance_session *session = judging->session;
    struct moment moment = {.cell = judge_cell(judging, column)};

    if (moment.cell.len == 0)
        return moment;
    moment.good = cell_time_parse(judging->arena, moment.cell, &moment.time);
    if (!moment.good)
        judge_problem_in(judging, CODE_TIME_FORMAT, column, moment.cell, STR_NONE);
    moment.known = moment.good && (session != NULL || moment.time.day != DAY_NONE);
    if (!moment.known)
        return moment;
    if (session == NULL)
        moment.at_us = cell_time_us(&moment.time, 0, 0, 0);
    else
        moment.at_us =
            cell_time_us(&moment.time, session->starts_us, session->ends_us,
                         column == COLUMN_ENTERED_AT ? session->starts_us : session->ends_us);
    return moment;
}

void judge_times(struct judging *judging)
{
    const struct attendance_session *session = judging->session;
    const struct moment entered = moment_of(judging, COLUMN_ENTERED_AT);
    const struct moment left = moment_of(judging, COLUMN_LEFT_AT);

    if (entered.cell.len == 0 && left.cell.len == 0)
        return;
    if (entered.cell.len == 0 || left.cell.len == 0)
        judge_problem_in(judging, CODE_TIME_INCOMPLETE,
                         entered.cell.len == 0 ? COLUMN_ENTERED_AT : COLUMN_LEFT_AT, STR_NONE,
                         STR_NONE);
    if (entered.known && left.known && left.at_us <= entered.at_us)
        judge_problem(judging, CODE_TIME_ORDER, left.cell, entered.cell);
    if (session == NULL)
        return;
    const int64_t grace_us = session->grace_minutes * 60 * CLOCK_SECOND_US;
    const int64_t latest_us = session->starts_us + grace_us;
    const int64_t earliest_us = session->ends_us - grace_us;

    if (entered.known && entered.at_us > latest_us)
        judge_problem(judging, CODE_LATE_ARRIVAL, entered.cell,
                      time_text(judging->arena, latest_us));
    if (left.known && left.at_us < earliest_us)
        judge_problem(judging, CODE_EARLY_LEAVE, left.cell, time_text(judging->arena, earliest_us));
}
