/* attendance_suggest: numbers one digit off, and whose name they have. */
#include "attendance/attendance_suggest.h"

#include "attendance/attendance_map.h"
#include "text/fold.h"

/* A row that a suggestion could help: its number is one, and a kana name says whose it should be.
 */
static bool wants(const struct attendance_case *judged, const struct attendance_verdicts *verdicts,
                  size_t row)
{
    const enum code reason = verdicts->list[row].reason;

    return (reason == CODE_DOCTOR_UNKNOWN || reason == CODE_KANA_MISMATCH) &&
           judged->numbers->register_no[row] > 0 &&
           judged->rows->list[row].cells[COLUMN_NAME_KANA].len > 0;
}

/* How many rows are looked at. */
static size_t wanting(const struct attendance_case *judged,
                      const struct attendance_verdicts *verdicts)
{
    size_t rows = 0;

    for (size_t i = 0; i < verdicts->count && rows < SUGGEST_ROWS_MAX; i++)
        rows += wants(judged, verdicts, i);
    return rows;
}

/* Digits are changed, not added: the number keeps its length. */
static size_t neighbours(int64_t number, int64_t out[REGISTER_NO_DIGITS_MAX * 9])
{
    size_t count = 0;

    for (int64_t place = 1; place <= number; place *= 10) {
        const int64_t digit = number / place % 10;

        for (int64_t other = 0; other <= 9; other++) {
            const int64_t changed = number + (other - digit) * place;

            if (other != digit && changed > 0)
                out[count++] = changed;
        }
    }
    return count;
}

size_t attendance_suggest_numbers(struct arena *arena, const struct attendance_case *judged,
                                  const struct attendance_verdicts *verdicts, int64_t **ret_numbers)
{
    int64_t near[REGISTER_NO_DIGITS_MAX * 9];
    size_t left = wanting(judged, verdicts);
    const size_t room = left * ARRAY_LEN(near);
    int64_t *numbers = arena_array(arena, int64_t, room);
    struct attendance_map seen;
    size_t count = 0;

    attendance_map_init(&seen, arena, room);
    for (size_t i = 0; left > 0; i++) {
        size_t found;

        if (!wants(judged, verdicts, i))
            continue;
        left--;
        found = neighbours(judged->numbers->register_no[i], near);
        for (size_t n = 0; n < found; n++) {
            struct attendance_map_slot *slot = attendance_map_at(&seen, near[n], 0);

            if (slot->value != 0)
                continue;
            slot->value = 1;
            numbers[count++] = near[n];
        }
    }
    *ret_numbers = numbers;
    return count;
}

static bool has_name(const struct attendance_doctor *doctor, struct str kana)
{
    return attendance_kana_fits(kana, doctor->kana, doctor->former_kana);
}

/* The one doctor near `number` with this name; NUMBER_NONE: nobody, or more than one. */
static int64_t nearest(struct attendance_map *places, const struct attendance_doctor *doctors,
                       int64_t number, struct str kana)
{
    int64_t near[REGISTER_NO_DIGITS_MAX * 9];
    const size_t count = neighbours(number, near);
    const struct attendance_doctor *found = NULL;

    for (size_t i = 0; i < count; i++) {
        const uint32_t place = attendance_map_at(places, near[i], 0)->value;
        const struct attendance_doctor *doctor = place == 0 ? NULL : &doctors[place - 1];

        if (doctor == NULL || doctor->my_page == MY_PAGE_CLOSED || !has_name(doctor, kana))
            continue;
        if (found != NULL && found->doctor_id != doctor->doctor_id)
            return NUMBER_NONE;
        found = doctor;
    }
    return found == NULL ? NUMBER_NONE : found->register_no;
}

void attendance_suggest(struct arena *arena, const struct attendance_case *judged,
                        const struct attendance_doctor *doctors, size_t doctor_count,
                        struct attendance_verdicts *verdicts)
{
    struct attendance_map places; /* of a doctor by number, + 1 */
    size_t rows = 0;

    /* Looking up a number that is not there leaves its slot free. */
    attendance_map_init(&places, arena, doctor_count);
    for (size_t i = 0; i < doctor_count; i++)
        attendance_map_at(&places, doctors[i].register_no, 0)->value = (uint32_t)i + 1;
    for (size_t i = 0; i < verdicts->count && rows < SUGGEST_ROWS_MAX; i++) {
        int64_t number;

        if (!wants(judged, verdicts, i))
            continue;
        rows++;
        number = nearest(&places, doctors, judged->numbers->register_no[i],
                         fold_kana(arena, judged->rows->list[i].cells[COLUMN_NAME_KANA]));
        if (number != NUMBER_NONE)
            verdicts->list[i].suggestion = number;
    }
}
