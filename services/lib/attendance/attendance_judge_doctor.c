/* attendance_judge_doctor: the numbers of a row, the doctor they lead to, the kana name. */
#include "attendance/attendance_judge_private.h"
#include "text/fold.h"

enum { PART_REGISTER, PART_MAMIS };

static void map_number(struct judging *judging, int64_t number, uint32_t part, size_t at)
{
    if (number >= 0)
        attendance_map_at(&judging->doctors, number, part)->value = (uint32_t)at + 1;
}

void judge_doctor_init(struct judging *judging)
{
    const struct attendance_case *in = judging->in;

    attendance_map_init(&judging->doctors, judging->arena, in->doctor_count * 2);
    for (size_t i = 0; i < in->doctor_count; i++) {
        map_number(judging, in->doctors[i].register_no, PART_REGISTER, i);
        map_number(judging, in->doctors[i].mamis_no, PART_MAMIS, i);
    }
}

static const struct attendance_doctor *find(struct judging *judging, int64_t number, uint32_t part)
{
    const struct attendance_map_slot *slot;

    if (number < 0)
        return NULL;
    slot = attendance_map_at(&judging->doctors, number, part);
    return slot->value == 0 ? NULL : &judging->in->doctors[slot->value - 1];
}

/* Both numbers are given and well formed, or one of them. */
static void match(struct judging *judging, int64_t register_no, int64_t mamis_no)
{
    const struct attendance_doctor *one = find(judging, register_no, PART_REGISTER);
    const struct attendance_doctor *other = find(judging, mamis_no, PART_MAMIS);
    const bool both = register_no >= 0 && mamis_no >= 0;
    const enum column column = register_no >= 0 ? COLUMN_REGISTER_NO : COLUMN_MAMIS_NO;

    if (one == NULL && other == NULL) {
        judge_problem_in(judging, CODE_DOCTOR_UNKNOWN, column, judge_cell(judging, column),
                         STR_NONE);
        return;
    }
    if (both && (one == NULL || other == NULL || one->doctor_id != other->doctor_id)) {
        judge_problem(judging, CODE_NUMBERS_DISAGREE, judge_cell(judging, COLUMN_MAMIS_NO),
                      STR_NONE);
        return;
    }
    judging->doctor = one != NULL ? one : other;
    judging->verdict->doctor = (int32_t)(judging->doctor - judging->in->doctors);
    if (judging->doctor->my_page == MY_PAGE_CLOSED)
        judge_problem_in(judging, CODE_DOCTOR_CLOSED, column, judge_cell(judging, column),
                         STR_NONE);
}

static void judge_kana(struct judging *judging)
{
    const struct attendance_doctor *doctor = judging->doctor;
    const struct str cell = judge_cell(judging, COLUMN_NAME_KANA);
    struct str kana;
    struct str large;

    if (cell.len == 0)
        return;
    kana = fold_kana(judging->arena, cell);
    if (attendance_kana_fits(kana, doctor->kana, doctor->former_kana))
        return;
    judge_problem(judging, CODE_KANA_MISMATCH, cell, STR_NONE);
    large = fold_small_kana(judging->arena, kana);
    if (attendance_kana_fits(large, fold_small_kana(judging->arena, doctor->kana),
                             fold_small_kana(judging->arena, doctor->former_kana)))
        judging->verdict->note = CODE_SMALL_KANA;
}

void judge_doctor(struct judging *judging)
{
    const int64_t register_no = judging->in->numbers->register_no[judging->at];
    const int64_t mamis_no = judging->in->numbers->mamis_no[judging->at];

    if (register_no == NUMBER_EMPTY && mamis_no == NUMBER_EMPTY)
        judge_problem(judging, CODE_NUMBER_MISSING, STR_NONE, STR_NONE);
    if (register_no == NUMBER_NONE)
        judge_problem(judging, CODE_REGISTER_NO_FORMAT, judge_cell(judging, COLUMN_REGISTER_NO),
                      STR_NONE);
    if (mamis_no == NUMBER_NONE)
        judge_problem(judging, CODE_MAMIS_NO_FORMAT, judge_cell(judging, COLUMN_MAMIS_NO),
                      STR_NONE);
    if (register_no == NUMBER_NONE || mamis_no == NUMBER_NONE ||
        (register_no == NUMBER_EMPTY && mamis_no == NUMBER_EMPTY))
        return;
    match(judging, register_no, mamis_no);
    if (judging->doctor != NULL)
        judge_kana(judging);
}
