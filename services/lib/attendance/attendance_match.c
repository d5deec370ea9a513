/* attendance_match: numbers of rows, and the doctors they lead to. */
#include "attendance/attendance_match.h"

#include "attendance/attendance_map.h"

static const char *const my_pages[] = {
    [MY_PAGE_NONE] = "none",
    [MY_PAGE_TEMP_ISSUED] = "temp_issued",
    [MY_PAGE_LINK_PENDING] = "link_pending",
    [MY_PAGE_ACTIVE] = "active",
    [MY_PAGE_CLOSED] = "closed",
};

bool my_page_of_name(struct str name, enum my_page *ret_my_page)
{
    for (size_t i = 0; i < ARRAY_LEN(my_pages); i++) {
        if (str_eq_c(name, my_pages[i])) {
            *ret_my_page = (enum my_page)i;
            return true;
        }
    }
    return false;
}

bool attendance_kana_fits(struct str name, struct str kana, struct str former)
{
    struct str one;

    if (str_eq(name, kana))
        return true;
    while (former.len > 0 && str_cut(&former, '\n', &one)) {
        if (one.len > 0 && str_eq(name, one))
            return true;
    }
    return false;
}

/* Add a number to the list of different ones. */
static void note_number(struct attendance_map *seen, int64_t number, int64_t *list, size_t *count)
{
    struct attendance_map_slot *slot;

    if (number < 0)
        return;
    slot = attendance_map_at(seen, number, 0);
    if (slot->value != 0)
        return;
    slot->value = 1;
    list[(*count)++] = number;
}

void attendance_numbers_read(struct arena *arena, const struct attendance_rows *rows,
                             struct attendance_numbers *ret_numbers)
{
    struct attendance_numbers *numbers = ret_numbers;
    struct attendance_map register_seen;
    struct attendance_map mamis_seen;

    *numbers = (struct attendance_numbers){
        .register_no = arena_array(arena, int64_t, rows->count),
        .mamis_no = arena_array(arena, int64_t, rows->count),
        .register_nos = arena_array(arena, int64_t, rows->count),
        .mamis_nos = arena_array(arena, int64_t, rows->count),
    };
    attendance_map_init(&register_seen, arena, rows->count);
    attendance_map_init(&mamis_seen, arena, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const struct attendance_row *row = &rows->list[i];
        const struct str register_no = row->cells[COLUMN_REGISTER_NO];
        const struct str mamis_no = row->cells[COLUMN_MAMIS_NO];

        numbers->register_no[i] = NUMBER_EMPTY;
        numbers->mamis_no[i] = NUMBER_EMPTY;
        if (row->field_count || row->bad_encoding)
            continue;
        if (register_no.len > 0)
            numbers->register_no[i] = register_no_parse(register_no);
        if (mamis_no.len > 0)
            numbers->mamis_no[i] = mamis_no_parse(mamis_no);
        if (numbers->register_no[i] == NUMBER_NONE || numbers->mamis_no[i] == NUMBER_NONE)
            continue;
        note_number(&register_seen, numbers->register_no[i], numbers->register_nos,
                    &numbers->register_count);
        note_number(&mamis_seen, numbers->mamis_no[i], numbers->mamis_nos, &numbers->mamis_count);
    }
}
