/* Any text as a cell, for every parser of a field, and through every fold. */
#include "attendance/attendance_cells.h"
#include "domain/numbers.h"
#include "domain/offers.h"
#include "fuzz.h"
#include "text/fold.h"

enum { CELL_BYTES_MAX = 4096 };

static void check_numbers(struct str cell)
{
    const int64_t register_no = register_no_parse(cell);
    const int64_t mamis_no = mamis_no_parse(cell);
    char register_text[REGISTER_NO_BYTES];
    char mamis_text[MAMIS_NO_BYTES];

    if (register_no != NUMBER_NONE) {
        register_no_format(register_no, register_text);
        must(register_no_parse(str_of(register_text)) == register_no);
    }
    if (mamis_no != NUMBER_NONE) {
        mamis_no_format(mamis_no, mamis_text);
        must(mamis_no_parse(str_of(mamis_text)) == mamis_no);
    }
}

static void check_parsers(struct arena *arena, struct str cell)
{
    const int32_t half_units = units_parse(arena, cell);
    struct cell_kinds kinds;
    struct cell_time time;
    struct offers offers;

    must(half_units >= -1 && half_units <= INT16_MAX);
    if (half_units >= 0)
        must(units_parse(arena, str_of(units_format(arena, half_units))) == half_units);
    (void)attended_parse(arena, cell);
    if (cell_time_parse(arena, cell, &time)) {
        must(time.second >= 0 && time.second < CLOCK_DAY_S);
        (void)cell_time_us(&time, 0, CLOCK_DAY_S * CLOCK_SECOND_US, 0);
    }
    cell_kinds_parse(arena, cell, &kinds);
    must(kinds.count <= CELL_KINDS_MAX);
    (void)offers_parse(cell, DELIVERY_WEB, &offers);
}

static void check_folds(struct arena *arena, struct str cell)
{
    const struct str kana = fold_kana(arena, cell);
    const struct str width = fold_width(arena, cell);

    must(str_eq(kana, fold_kana_slow(arena, cell)));
    must(utf8_valid_len(kana) == kana.len && utf8_valid_len(width) == width.len);
    must(str_eq(width, fold_width(arena, width)));
    must(fold_small_kana(arena, kana).len == kana.len);
    must(text_trim(cell).len <= cell.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();

    if (size <= CELL_BYTES_MAX) {
        const struct str cell =
            encoding_decode(arena, ENCODING_UTF8, (struct str){(const char *)data, size});

        check_numbers(cell);
        check_parsers(arena, cell);
        check_folds(arena, cell);
    }
    arena_free(arena);
    return 0;
}
