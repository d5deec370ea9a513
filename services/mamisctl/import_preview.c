/* import: what a file would change, line by line, before it does. */
#include <stdio.h>
#include <string.h>

#include "mamisctl/import.h"

void import_note_change(struct import_file *file, struct import_row *row, const char *what,
                        struct str old, struct str new)
{
    if (!file->preview || str_eq(old, new))
        return;
    row->changes = arena_printf(file->arena, "%s%s%s \"%.*s\" -> \"%.*s\"",
                                row->changes != NULL ? row->changes : "",
                                row->changes != NULL ? ", " : "", what, STR_ARG(old), STR_ARG(new));
}

static struct str day_str(struct arena *arena, day_t day)
{
    char text[CLOCK_TEXT_BYTES];

    if (day == DAY_NONE)
        return STR("");
    day_format(day, text);
    return str_of(arena_strdup(arena, text));
}

void import_note_day(struct import_file *file, struct import_row *row, const char *what, day_t old,
                     day_t new)
{
    if (file->preview && old != new)
        import_note_change(file, row, what, day_str(file->arena, old), day_str(file->arena, new));
}

void import_show_changes(const struct import_file *file)
{
    for (size_t i = 0; i < file->row_count; i++) {
        const struct import_row *row = &file->rows[i];

        if (row->bad || row->change == IMPORT_SAME)
            continue;
        if (row->change == IMPORT_NEW)
            (void)printf("line %u: new\n", row->line);
        else
            (void)printf("line %u: changed: %s\n", row->line,
                         row->changes != NULL ? row->changes : "-");
    }
}
