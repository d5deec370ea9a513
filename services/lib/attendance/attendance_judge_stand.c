/* attendance_judge_stand: repeats, conflicts, places of a visit, and the outcome of a good row. */
#include "attendance/attendance_judge_private.h"

static struct stand *stand_at(struct judging *judging, int64_t doctor_id, uint32_t session)
{
    struct attendance_map_slot *slot = attendance_map_at(&judging->stand_map, doctor_id, session);

    if (slot->value == 0)
        slot->value = ++judging->stand_count;
    return &judging->stands[slot->value - 1];
}

static void note_row(struct stand *stand, uint32_t row_no)
{
    if (row_no > 0 && (stand->row_no == 0 || row_no < stand->row_no))
        stand->row_no = row_no;
}

static void take_fact(struct judging *judging, const struct attendance_fact *fact)
{
    struct stand *stand = stand_at(judging, fact->doctor_id, fact->session);

    note_row(stand, fact->row_no);
    switch ((enum fact)fact->fact) {
    case FACT_POSTED:
        stand->kinds[kind_programme((enum kind)fact->kind)] = fact->kind;
        return;
    case FACT_WAITING:
        stand->waiting = true;
        if (fact->row_no == 0)
            stand->waiting_elsewhere = true;
        return;
    case FACT_ALREADY_POSTED:
        return;
    }
    must(false);
}

void judge_stand_init(struct judging *judging)
{
    const struct attendance_case *in = judging->in;
    const size_t most = in->rows->count + in->fact_count;

    attendance_map_init(&judging->stand_map, judging->arena, most);
    judging->stands = arena_array(judging->arena, struct stand, most);
    judging->places_held = arena_array(judging->arena, uint32_t, in->seminar->count);
    for (size_t i = 0; i < in->seminar->count; i++)
        judging->places_held[i] = in->seminar->sessions[i].places_held;
    for (size_t i = 0; i < in->fact_count; i++) {
        if (in->facts[i].session < in->seminar->count)
            take_fact(judging, &in->facts[i]);
    }
}

struct stand *judge_stand(struct judging *judging)
{
    if (judging->doctor == NULL || judging->session == NULL)
        return NULL;
    return stand_at(judging, judging->doctor->doctor_id, (uint32_t)judging->verdict->session);
}

static enum kind wished(const struct judging *judging, const struct wish *wish, uint8_t at)
{
    return (enum kind)judging->session->offers.list[wish->offers[at]].kind;
}

void judge_conflicts(struct judging *judging, const struct stand *stand, const struct wish *wish)
{
    if (stand == NULL)
        return;
    for (uint8_t i = 0; i < wish->count; i++) {
        const enum kind kind = wished(judging, wish, i);
        const uint8_t posted = stand->kinds[kind_programme(kind)];

        if (posted != KIND_NONE && posted != kind)
            judge_problem(judging, CODE_CONFLICTS_WITH_POSTED, str_of(kind_code(kind)),
                          str_of(kind_code((enum kind)posted)));
    }
}

/* The wished kinds that do not stand yet become the row's credits; how many. */
static uint32_t add_credits(struct judging *judging, const struct stand *stand,
                            const struct wish *wish)
{
    struct attendance_verdicts *out = judging->out;
    uint32_t count = 0;

    for (uint8_t i = 0; i < wish->count; i++) {
        const struct offer *offer = &judging->session->offers.list[wish->offers[i]];

        if (stand->kinds[kind_programme((enum kind)offer->kind)] != KIND_NONE)
            continue;
        out->credits[out->credit_count++] = (struct attendance_credit){
            .row = (uint32_t)judging->at, .kind = offer->kind, .half_units = offer->half_units};
        count++;
    }
    judging->verdict->credit_count = count;
    return count;
}

static void drop_credits(struct judging *judging)
{
    judging->out->credit_count -= judging->verdict->credit_count;
    judging->verdict->credit_count = 0;
}

static bool holds_place(const struct stand *stand)
{
    for (size_t i = 0; i < PROGRAMME_COUNT; i++) {
        if (stand->kinds[i] != KIND_NONE)
            return true;
    }
    return stand->waiting;
}

/* A place for one more doctor; false when the visit is full. */
static bool take_place(struct judging *judging, const struct stand *stand)
{
    uint32_t *held = &judging->places_held[judging->verdict->session];

    if (judging->session->delivery != DELIVERY_VISIT || holds_place(stand))
        return true;
    if (*held >= ATTENDANCE_VISIT_PLACES)
        return false;
    (*held)++;
    return true;
}

static bool waits(const struct attendance_doctor *doctor)
{
    switch (doctor->my_page) {
    case MY_PAGE_NONE:
    case MY_PAGE_TEMP_ISSUED:
        return true;
    case MY_PAGE_LINK_PENDING:
    case MY_PAGE_ACTIVE:
    case MY_PAGE_CLOSED:
        return false;
    }
    must(false);
}

/* What stands after a row that posts. */
static void post(struct judging *judging, struct stand *stand)
{
    const struct attendance_credit *credits = &judging->out->credits[judging->verdict->credit];

    judging->verdict->outcome = OUTCOME_POSTED;
    for (uint32_t i = 0; i < judging->verdict->credit_count; i++)
        stand->kinds[kind_programme((enum kind)credits[i].kind)] = credits[i].kind;
}

void judge_outcome(struct judging *judging, struct stand *stand, const struct wish *wish)
{
    struct attendance_verdict *verdict = judging->verdict;

    must(stand != NULL && wish->settled);
    if (stand->row_no > 0) {
        verdict->outcome = OUTCOME_ALREADY_POSTED;
        verdict->reason = CODE_SAME_UPLOAD;
        verdict->same_as_row = stand->row_no;
        return;
    }
    if (add_credits(judging, stand, wish) == 0) {
        verdict->outcome = OUTCOME_ALREADY_POSTED;
        verdict->reason = CODE_EARLIER_UPLOAD;
    } else if (!take_place(judging, stand)) {
        drop_credits(judging);
        judge_problem(judging, CODE_VISIT_FULL, STR_NONE,
                      str_of(arena_printf(judging->arena, "%d", ATTENDANCE_VISIT_PLACES)));
        return;
    } else if (waits(judging->doctor)) {
        verdict->outcome = OUTCOME_WAITING;
        verdict->reason = CODE_NO_MY_PAGE;
        verdict->waits_already = stand->waiting_elsewhere;
        stand->waiting = true;
    } else {
        post(judging, stand);
    }
    note_row(stand, judging->row->row_no);
}
