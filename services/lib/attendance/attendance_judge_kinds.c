/* attendance_judge_kinds: the kinds a row is for, alternatives (R-SEM-09), and its units. */
#include "attendance/attendance_judge_private.h"

/* The session's kinds, for people. */
static struct str all_offers(struct judging *judging)
{
    struct str *offers;
    const char *text = "";

    if (judging->session == NULL)
        return STR_NONE;
    offers = &judging->offers[judging->session - judging->in->seminar->sessions];
    if (offers->data == NULL) {
        for (uint8_t i = 0; i < judging->session->offers.count; i++)
            text = arena_printf(judging->arena, "%s%s%s", text, i > 0 ? ", " : "",
                                kind_code((enum kind)judging->session->offers.list[i].kind));
        *offers = str_of(text);
    }
    return *offers;
}

static enum kind kind_at(const struct offers *offers, uint8_t at)
{
    return (enum kind)offers->list[at].kind;
}

/* First alternative in [first, end) with the flag, else the first. */
static uint8_t first_with(const struct offers *offers, uint8_t first, uint8_t end,
                          enum kind_flag flag)
{
    for (uint8_t i = first; i < end; i++) {
        if (kind_has(kind_at(offers, i), flag))
            return i;
    }
    return first;
}

static bool in_force(day_t day, day_t from, day_t to)
{
    return from != DAY_NONE && to != DAY_NONE && day >= from && day <= to;
}

/* Place of the doctor's first choice, or where it would stand. */
static size_t first_choice(const struct attendance_case *in, int64_t doctor_id)
{
    size_t first = 0, end = in->choice_count;

    while (first < end) {
        const size_t middle = first + (end - first) / 2;

        if (in->choices[middle].doctor_id < doctor_id)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* The doctor's alternative among [first, end): the choice at sign-up, else by the certificate. */
static uint8_t settle(const struct judging *judging, uint8_t first, uint8_t end)
{
    const struct attendance_case *in = judging->in;
    const struct attendance_doctor *doctor = judging->doctor;
    const struct offers *offers = &judging->session->offers;
    const day_t day = day_of_us(judging->session->starts_us);
    const enum programme programme = kind_programme(kind_at(offers, first));

    for (size_t i = first_choice(in, doctor->doctor_id);
         i < in->choice_count && in->choices[i].doctor_id == doctor->doctor_id; i++) {
        const struct attendance_choice *choice = &in->choices[i];
        const int at = offers_find(offers, (enum kind)choice->kind);

        if (choice->session == (uint32_t)judging->verdict->session && at >= first && at < end)
            return (uint8_t)at;
    }
    if (programme == PROGRAMME_OP)
        return first_with(offers, first, end,
                          in_force(day, doctor->op_from, doctor->op_to) ? KIND_LIFELONG
                                                                        : KIND_BASIC);
    if (programme == PROGRAMME_SP)
        return first_with(offers, first, end,
                          in_force(day, doctor->sp_from, doctor->sp_to) ? KIND_RETRAINING
                                                                        : KIND_COURSE);
    return first;
}

/* An empty cell: every programme of the session. */
static void wish_all(const struct judging *judging, struct wish *wish)
{
    const struct offers *offers = &judging->session->offers;
    uint8_t end;

    wish->settled = true;
    for (uint8_t first = 0; first < offers->count; first = end) {
        for (end = (uint8_t)(first + 1); end < offers->count; end++) {
            if (kind_programme(kind_at(offers, end)) != kind_programme(kind_at(offers, first)))
                break;
        }
        wish->programmes++;
        if (end - first == 1)
            wish->offers[wish->count++] = first;
        else if (judging->doctor != NULL)
            wish->offers[wish->count++] = settle(judging, first, end);
        else
            wish->settled = false;
    }
}

/* The kinds a cell names, in the order of the session's offers. */
static void wish_named(struct judging *judging, struct str cell, struct wish *wish)
{
    const struct cell_kinds *kinds = &judging->kinds;
    bool offered[OFFERS_MAX] = {false};
    bool good = !kinds->unknown && !kinds->twice;

    wish->programmes = kinds->count;
    if (kinds->unknown)
        judge_problem(judging, CODE_KIND_UNKNOWN, cell, all_offers(judging));
    if (kinds->twice)
        judge_problem(judging, CODE_KIND_TWICE_IN_PROGRAMME, cell, STR_NONE);
    if (judging->session == NULL)
        return;
    for (uint8_t i = 0; i < kinds->count; i++) {
        const enum kind kind = (enum kind)kinds->list[i];
        const int at = offers_find(&judging->session->offers, kind);

        if (at >= 0) {
            offered[at] = true;
            continue;
        }
        judge_problem(judging, CODE_KIND_NOT_OFFERED, str_of(kind_code(kind)), all_offers(judging));
        good = false;
    }
    for (uint8_t i = 0; good && i < judging->session->offers.count; i++) {
        if (offered[i])
            wish->offers[wish->count++] = i;
    }
    wish->settled = good;
}

/* The one kind's units; without a doctor, whether any alternative has them. */
static void units_of_one(struct judging *judging, const struct wish *wish, struct str cell,
                         int32_t half_units)
{
    const struct offers *offers = &judging->session->offers;
    const uint8_t first = wish->settled ? wish->offers[0] : 0;
    const uint8_t end = wish->settled ? (uint8_t)(first + 1) : offers->count;

    for (uint8_t i = first; i < end; i++) {
        if (offers->list[i].half_units == half_units)
            return;
    }
    judge_problem(judging, CODE_UNITS_DIFFER, cell,
                  str_of(units_format(judging->arena, offers->list[first].half_units)));
}

static void judge_units(struct judging *judging, const struct wish *wish, bool good)
{
    const struct str cell = judge_cell(judging, COLUMN_UNITS);
    int32_t half_units;

    if (cell.len == 0)
        return;
    half_units = units_parse(judging->arena, cell);
    if (half_units < 0)
        judge_problem(judging, CODE_UNITS_FORMAT, cell, STR_NONE);
    else if (good && wish->programmes > 1)
        judge_problem(judging, CODE_UNITS_DIFFER_SEVERAL, cell, STR_NONE);
    else if (good && judging->session != NULL)
        units_of_one(judging, wish, cell, half_units);
}

void judge_kinds(struct judging *judging, struct wish *ret_wish)
{
    const struct str cell = judge_cell(judging, COLUMN_KIND);
    bool good = true;

    *ret_wish = (struct wish){.count = 0};
    if (cell.len > 0) {
        if (!str_eq(cell, judging->kind_cell)) {
            cell_kinds_parse(judging->arena, cell, &judging->kinds);
            judging->kind_cell = cell;
        }
        wish_named(judging, cell, ret_wish);
        good = judging->session == NULL ? !judging->kinds.unknown && !judging->kinds.twice
                                        : ret_wish->settled;
    } else if (judging->session != NULL) {
        wish_all(judging, ret_wish);
    }
    judge_units(judging, ret_wish, good);
}
