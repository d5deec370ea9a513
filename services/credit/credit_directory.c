/*
 * credit_directory: records in blocks that never move, and for each kind of number a table of
 * places, open addressing. A number that is given up leaves its place behind: the record there has
 * another one now, and is passed over.
 */
#include "credit/credit_directory.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_DOCTORS = 4096,
    PLACES_LEAST = 1024,
    MERGES_MAX = 8, /* one after another */
};

struct record {
    int64_t numbers[DIRECTORY_KEY_COUNT]; /* NUMBER_NONE: none */
    int64_t merged_into; /* whose credits these numbers mean; NUMBER_NONE: his own */
    const char *names;   /* kana, then former kana, one a line */
    uint16_t kana_len, former_len;
    uint8_t my_page;
};

struct places {
    uint32_t *list; /* place of a record + 1; 0: free */
    size_t size;    /* a power of two */
    size_t used;
};

struct directory {
    struct record **blocks;
    size_t count;
    struct places places[DIRECTORY_KEY_COUNT];
    struct arena *names;
    int64_t change_no, doctor_id; /* the last that was taken up */
};

static const struct db_stmt select_changes = {
    "credit_doctor_changes",
    "SELECT d.doctor_id, d.register_no, d.mamis_no, d.kana_folded,"
    "  concat_ws(E'\\n', d.former_folded, (SELECT string_agg(k.names, E'\\n') FROM credit.merge k"
    "   WHERE k.kept_id = d.doctor_id)), d.my_page, d.change_no,"
    "  (SELECT m.kept_id FROM credit.merge m WHERE m.closed_id = d.doctor_id)"
    " FROM credit.doctor d WHERE (d.change_no, d.doctor_id) > ($1, $2)"
    " ORDER BY d.change_no, d.doctor_id LIMIT $3",
};

static void places_init(struct places *places, size_t size)
{
    *places = (struct places){.list = heap_zero(size * sizeof(*places->list)), .size = size};
}

struct directory *directory_new(void)
{
    struct directory *directory = heap_zero(sizeof(*directory));

    for (size_t key = 0; key < DIRECTORY_KEY_COUNT; key++)
        places_init(&directory->places[key], PLACES_LEAST);
    directory->names = arena_new();
    directory->change_no = -1;
    return directory;
}

void directory_free(struct directory *directory)
{
    for (size_t place = 0; place < directory->count; place += BLOCK_DOCTORS)
        free(directory->blocks[place / BLOCK_DOCTORS]);
    for (size_t key = 0; key < DIRECTORY_KEY_COUNT; key++)
        free(directory->places[key].list);
    free(directory->blocks);
    arena_free(directory->names);
    free(directory);
}

static struct record *record_at(const struct directory *directory, size_t place)
{
    return &directory->blocks[place / BLOCK_DOCTORS][place % BLOCK_DOCTORS];
}

static size_t slot_of(const struct places *places, int64_t number)
{
    /* A large odd multiplier spreads running numbers over the upper bits. */
    return (size_t)(((uint64_t)number * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (places->size - 1);
}

/* ---- looking up ---- */

static struct record *record_next(const struct directory *directory, enum directory_key key,
                                  int64_t number, size_t *cursor)
{
    const struct places *places = &directory->places[key];
    const size_t first = slot_of(places, number);

    for (;;) {
        const uint32_t place = places->list[(first + *cursor) & (places->size - 1)];
        struct record *record;

        if (place == 0)
            return NULL;
        (*cursor)++;
        record = record_at(directory, place - 1);
        if (record->numbers[key] == number)
            return record;
    }
}

/* Who is kept, also when he was merged himself later; the numbers asked for stay those of `record`.
 */
static const struct record *kept_of(const struct directory *directory, const struct record *record)
{
    for (size_t i = 0; i < MERGES_MAX && record->merged_into != NUMBER_NONE; i++) {
        size_t cursor = 0;
        const struct record *kept =
            record_next(directory, DIRECTORY_BY_ID, record->merged_into, &cursor);

        if (kept == NULL)
            break;
        record = kept;
    }
    return record;
}

bool directory_next(const struct directory *directory, enum directory_key key, int64_t number,
                    size_t *cursor, struct attendance_doctor *ret_doctor)
{
    const struct record *found = record_next(directory, key, number, cursor);
    const struct record *record;

    if (found == NULL)
        return false;
    record = kept_of(directory, found);
    *ret_doctor = (struct attendance_doctor){
        .doctor_id = record->numbers[DIRECTORY_BY_ID],
        .register_no = found->numbers[DIRECTORY_BY_REGISTER],
        .mamis_no = found->numbers[DIRECTORY_BY_MAMIS],
        .kana = {record->names, record->kana_len},
        .former_kana = {record->names + record->kana_len, record->former_len},
        .my_page = (enum my_page)record->my_page,
        .op_from = DAY_NONE,
        .op_to = DAY_NONE,
        .sp_from = DAY_NONE,
        .sp_to = DAY_NONE,
    };
    return true;
}

/* ---- taking up ---- */

/* The record's own place, or a free one: one place leads to a record once. */
static void place_put(struct places *places, int64_t number, uint32_t place)
{
    size_t at = slot_of(places, number);

    for (; places->list[at] != 0; at = (at + 1) & (places->size - 1)) {
        if (places->list[at] == place)
            return;
    }
    places->list[at] = place;
    places->used++;
}

/* Anew, twice as large; places that were given up are left out. */
static void places_grow(const struct directory *directory, enum directory_key key,
                        struct places *places)
{
    const size_t size = places->size * 2;

    free(places->list);
    places_init(places, size);
    for (size_t i = 0; i < directory->count; i++) {
        const int64_t number = record_at(directory, i)->numbers[key];

        if (number != NUMBER_NONE)
            place_put(places, number, (uint32_t)i + 1);
    }
}

static void number_set(struct directory *directory, size_t place, enum directory_key key,
                       int64_t number)
{
    struct record *record = record_at(directory, place);
    struct places *places = &directory->places[key];

    if (record->numbers[key] == number)
        return;
    record->numbers[key] = number;
    if (number == NUMBER_NONE)
        return;
    if (places->used * 4 >= places->size * 3)
        places_grow(directory, key, places);
    place_put(places, number, (uint32_t)place + 1);
}

static size_t record_new(struct directory *directory)
{
    const size_t place = directory->count++;

    if (place % BLOCK_DOCTORS == 0) {
        directory->blocks = heap_realloc(directory->blocks,
                                         (place / BLOCK_DOCTORS + 1) * sizeof(*directory->blocks));
        directory->blocks[place / BLOCK_DOCTORS] =
            heap_zero(BLOCK_DOCTORS * sizeof(**directory->blocks));
    }
    for (size_t key = 0; key < DIRECTORY_KEY_COUNT; key++)
        record_at(directory, place)->numbers[key] = NUMBER_NONE;
    record_at(directory, place)->merged_into = NUMBER_NONE;
    return place;
}

static size_t record_of(struct directory *directory, int64_t doctor_id)
{
    const struct places *places = &directory->places[DIRECTORY_BY_ID];
    size_t at = slot_of(places, doctor_id);

    for (; places->list[at] != 0; at = (at + 1) & (places->size - 1)) {
        if (record_at(directory, places->list[at] - 1)->numbers[DIRECTORY_BY_ID] == doctor_id)
            return places->list[at] - 1;
    }
    return record_new(directory);
}

/* Matches may still hold the names there were: those stay where they are. */
static void names_set(struct directory *directory, struct record *record, struct str kana,
                      struct str former)
{
    char *names;

    if (record->names != NULL && record->kana_len == kana.len && record->former_len == former.len &&
        str_eq(kana, (struct str){record->names, kana.len}) &&
        str_eq(former, (struct str){record->names + kana.len, former.len}))
        return;
    must(kana.len <= UINT16_MAX && former.len <= UINT16_MAX);
    names = arena_alloc(directory->names, kana.len + former.len + 1);
    memcpy(names, kana.data, kana.len);
    if (former.len > 0)
        memcpy(names + kana.len, former.data, former.len);
    record->names = names;
    record->kana_len = (uint16_t)kana.len;
    record->former_len = (uint16_t)former.len;
}

static int64_t number_or_none(const struct db_query *query, size_t row, int column)
{
    return db_is_null(query, row, column) ? NUMBER_NONE : db_get_i64(query, row, column);
}

static enum err row_take(struct directory *directory, const struct db_query *query, size_t row,
                         struct err_note *note)
{
    const int64_t doctor_id = db_get_i64(query, row, 0);
    enum my_page my_page;
    size_t place;

    if (!my_page_of_name(db_get_text(query, row, 5), &my_page))
        return err_say(note, ERR_SCHEMA, "doctor %lld has an unknown state of My Page",
                       (long long)doctor_id);
    place = record_of(directory, doctor_id);
    names_set(directory, record_at(directory, place), db_get_text(query, row, 3),
              db_get_text(query, row, 4));
    record_at(directory, place)->my_page = (uint8_t)my_page;
    record_at(directory, place)->merged_into = number_or_none(query, row, 7);
    number_set(directory, place, DIRECTORY_BY_ID, doctor_id);
    number_set(directory, place, DIRECTORY_BY_REGISTER, number_or_none(query, row, 1));
    number_set(directory, place, DIRECTORY_BY_MAMIS, number_or_none(query, row, 2));
    return ERR_OK;
}

struct db_query *directory_ask(const struct directory *directory, struct db_batch *batch)
{
    struct db_query *query = db_add(batch, &select_changes);

    db_i64(query, directory->change_no);
    db_i64(query, directory->doctor_id);
    db_i64(query, DIRECTORY_PAGE);
    return query;
}

/* Of two answers that were asked for at once the later one may hold what is known already. */
static bool is_new(const struct directory *directory, int64_t change_no, int64_t doctor_id)
{
    return change_no != directory->change_no ? change_no > directory->change_no
                                             : doctor_id > directory->doctor_id;
}

enum err directory_take(struct directory *directory, const struct db_query *query,
                        bool *ret_complete, struct err_note *note)
{
    for (size_t i = 0; i < db_rows(query); i++) {
        const int64_t doctor_id = db_get_i64(query, i, 0);
        const int64_t change_no = db_get_i64(query, i, 6);
        enum err err;

        if (!is_new(directory, change_no, doctor_id))
            continue;
        err = row_take(directory, query, i, note);
        if (err != ERR_OK)
            return err;
        directory->change_no = change_no;
        directory->doctor_id = doctor_id;
    }
    *ret_complete = db_rows(query) < DIRECTORY_PAGE;
    return ERR_OK;
}
