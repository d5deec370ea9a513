/* attendance_place: the sessions that rows name, as cells are compared with them. */
#include "attendance/attendance_judge.h"
#include "text/fold.h"

struct key {
    struct str text; /* width folded */
    int64_t number;  /* -1: not only digits */
};

/* Value of a text of ASCII digits, for comparing; -1 for others and for more than 18. */
static int64_t digits_of(struct str text)
{
    int64_t number = 0;

    if (text.len == 0 || text.len > 18)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return number;
}

static struct key *keys_of(struct arena *arena, const struct attendance_seminar *seminar)
{
    struct key *keys = arena_array(arena, struct key, seminar->count);

    for (size_t i = 0; i < seminar->count; i++) {
        keys[i].text = fold_width(arena, text_trim(seminar->sessions[i].session_no));
        keys[i].number = digits_of(keys[i].text);
    }
    return keys;
}

static int32_t place_of(struct arena *arena, const struct key *keys, size_t count, struct str cell)
{
    const struct str text = fold_width(arena, cell);
    const int64_t number = digits_of(text);

    for (size_t i = 0; i < count; i++) {
        if (number >= 0 ? number == keys[i].number : str_eq(text, keys[i].text))
            return (int32_t)i;
    }
    return -1;
}

const int32_t *attendance_places(struct arena *arena, const struct attendance_rows *rows,
                                 const struct attendance_seminar *seminar)
{
    const struct key *keys = keys_of(arena, seminar);
    int32_t *places = arena_array(arena, int32_t, rows->count);

    for (size_t i = 0; i < rows->count; i++) {
        const struct attendance_row *row = &rows->list[i];
        const struct str cell = row->cells[COLUMN_SESSION_NO];

        if (row->field_count || row->bad_encoding)
            places[i] = -1;
        else if (cell.len == 0)
            places[i] = seminar->count == 1 ? 0 : -1;
        else
            places[i] = place_of(arena, keys, seminar->count, cell);
    }
    return places;
}
