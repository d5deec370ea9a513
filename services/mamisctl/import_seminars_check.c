/* import seminars: what formats.md section 2 asks of a session, line by line and together. */
#include <string.h>

#include "domain/numbers.h"
#include "domain/offers.h"
#include "mamisctl/import_seminars.h"

enum { GRACE_MINUTES_MAX = 600, CAPACITY_MAX = 1000000 };

static const char *const deliveries[] = {"venue", "web", "visit", NULL};
static const char *const statuses[] = {"", "cancelled", NULL};

struct str seminar_status_of(const struct import_row *row)
{
    return str_eq_c(IMPORT_FIELD(row, STATUS), "cancelled") ? STR("cancelled") : STR("published");
}

/* ---- single lines ---- */

static void check_times(struct import_file *file, struct import_row *row, struct session *session)
{
    int64_t cut_over_us = day_start_us(day_from_ymd(2025, 4, 1));

    if (!import_minute(file, row, STARTS_AT, &session->starts_us) ||
        !import_minute(file, row, ENDS_AT, &session->ends_us))
        return;
    if (session->ends_us <= session->starts_us)
        import_problem(file, row, ENDS_AT, "not after starts_at", "a session ends after it starts");
    else if (session->starts_us < cut_over_us && session->ends_us > cut_over_us)
        import_problem(file, row, ENDS_AT, "the session goes across the cut-over of 2025-04-01",
                       "make it two sessions");
}

static void check_offers(struct import_file *file, struct import_row *row)
{
    enum delivery delivery;
    enum offers_fault fault;
    struct offers offers;

    if (!import_word(file, row, DELIVERY, deliveries) || !import_need(file, row, OFFERS))
        return;
    must(delivery_of_name(IMPORT_FIELD(row, DELIVERY), &delivery));
    fault = offers_parse(IMPORT_FIELD(row, OFFERS), delivery, &offers);
    if (fault != OFFERS_FINE)
        import_problem(file, row, OFFERS, "these credits cannot be given",
                       offers_fault_text(fault));
}

static void check_numbers(struct import_file *file, struct import_row *row, struct session *session)
{
    session->capacity = SESSION_NONE;
    session->leader = SESSION_NONE;
    if (IMPORT_FIELD(row, GRACE).len > 0)
        (void)import_number(file, row, GRACE, 0, GRACE_MINUTES_MAX, &session->grace_minutes);
    if (IMPORT_FIELD(row, CAPACITY).len > 0)
        (void)import_number(file, row, CAPACITY, 1, CAPACITY_MAX, &session->capacity);
    if (IMPORT_FIELD(row, LEADER).len > 0) {
        session->leader = register_no_parse(IMPORT_FIELD(row, LEADER));
        if (session->leader == NUMBER_NONE)
            import_problem(file, row, LEADER, "no register number", "write 1 to 7 digits");
    }
}

static void check_row(struct import_file *file, struct import_row *row)
{
    struct session *session = arena_new_of(file->arena, struct session);

    row->item = session;
    session->key =
        str_of(arena_printf(file->arena, "%.*s %.*s", STR_ARG(IMPORT_FIELD(row, SEMINAR_NO)),
                            STR_ARG(IMPORT_FIELD(row, SESSION_NO))));
    if (import_need(file, row, SEMINAR_NO))
        (void)import_code(file, row, SEMINAR_NO);
    (void)import_need(file, row, TITLE);
    if (import_need(file, row, ORGANISER))
        (void)import_code(file, row, ORGANISER);
    if (import_need(file, row, SESSION_NO))
        (void)import_code(file, row, SESSION_NO);
    (void)import_word(file, row, STATUS, statuses);
    check_times(file, row, session);
    check_offers(file, row);
    check_numbers(file, row, session);
}

/* ---- lines together ---- */

static void check_agrees(struct import_file *file, struct import_row *row)
{
    static const size_t shared[] = {TITLE, ORGANISER, STATUS};
    const struct session *session = row->item;

    for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
        if (!str_eq(IMPORT_FIELD(row, shared[i]), IMPORT_FIELD(session->first, shared[i])))
            import_problem(file, row, shared[i],
                           arena_printf(file->arena, "differs from line %u of the same seminar",
                                        session->first->line),
                           "write the same in all lines of a seminar");
    }
}

/* The seminar number where lines of a seminar begin, nothing elsewhere. */
static struct str beginning_of(const struct import_row *row)
{
    const struct session *session = row->item;

    return session->first == row ? IMPORT_FIELD(row, SEMINAR_NO) : STR_NONE;
}

static struct str key_of(const struct import_row *row)
{
    const struct session *session = row->item;

    return session->key;
}

void seminars_check(struct import_file *file)
{
    struct import_row *first = NULL;

    for (size_t i = 0; i < file->row_count; i++) {
        struct import_row *row = &file->rows[i];

        check_row(file, row);
        if (first == NULL ||
            !str_eq(IMPORT_FIELD(first, SEMINAR_NO), IMPORT_FIELD(row, SEMINAR_NO)))
            first = row;
        ((struct session *)row->item)->first = first;
        check_agrees(file, row);
    }
    import_unique(file, SEMINAR_NO, beginning_of, "put all lines of a seminar together");
    import_unique(file, SESSION_NO, key_of, "give every session of a seminar its own number");
}
