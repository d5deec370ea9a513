/* Any bytes as a header row: counts agree, and a known name is found again when it is folded. */
#include "attendance/attendance_header.h"
#include "fuzz.h"
#include "text/csv.h"
#include "text/fold.h"

static void check(struct arena *arena, const struct attendance_header *header)
{
    size_t known = 0;
    enum column column;

    must(header->count >= 1 && header->ignored_count + header->known <= header->count);
    for (size_t i = 0; i < header->count; i++)
        must(utf8_valid_len(header->names[i]) == header->names[i].len);
    for (column = 0; column < COLUMN_COUNT; column++) {
        if (header->field_of[column] < 0)
            continue;
        known++;
        must((size_t)header->field_of[column] < header->count);
        must(column_of_name(fold_header(arena, attendance_header_name(header, column))) == column);
    }
    must(known == header->known);
    (void)attendance_header_check(header, true, &column);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {',', '\t', ';'};
    struct arena *arena = arena_new();
    struct attendance_header header;

    if (size < 1 || size > ATTENDANCE_LINE_BYTES_MAX) {
        arena_free(arena);
        return 0;
    }
    attendance_header_read(arena, (struct str){(const char *)data + 1, size - 1},
                           (data[0] & 1) != 0 ? ENCODING_CP932 : ENCODING_UTF8,
                           delimiters[data[0] / 2 % 3], &header);
    check(arena, &header);
    arena_free(arena);
    return 0;
}
