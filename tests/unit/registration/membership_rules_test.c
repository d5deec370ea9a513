/*
 * Memberships by date: what may be asked for (R-PROC-03..16, edges 74-81), what a decided procedure
 * does, and, tried on random lives, that the parent rule (R-MEM-02) holds on every day.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "lib/test.h"
#include "registration/membership_rules.h"

enum { TODAY = 20786 /* 2026-11-29 */, YEAR_FIRST = 20544 /* 2026-04-01 */ };

/* ---- a doctor's rows, as the store keeps them ---- */

struct life {
    struct membership rows[MEMBERSHIPS_MAX];
    size_t count;
    struct str handling_l2;
};

static void add(struct life *life, int layer, const char *code, const char *category, day_t from)
{
    assert_true(life->count < MEMBERSHIPS_MAX);
    life->rows[life->count] = (struct membership){.id = (int64_t)life->count + 1,
                                                  .layer = layer,
                                                  .code = str_of(code),
                                                  .category = str_of(category),
                                                  .from = from,
                                                  .to = DAY_NONE,
                                                  .primary = true};
    life->count++;
}

static struct life member_of(int layers)
{
    struct life life = {.handling_l2 = STR("13")};

    if (layers >= 1)
        add(&life, 1, "13001", "", DAY_NONE);
    if (layers >= 2)
        add(&life, 2, "13", "", DAY_NONE);
    if (layers >= 3)
        add(&life, 3, "", "A2C", DAY_NONE);
    return life;
}

static void carry_out(struct life *life, const struct procedure *procedure,
                      const struct wishes *wishes, struct membership_plan *plan)
{
    membership_plan(procedure, wishes, life->rows, life->count, plan);
    for (size_t i = 0; i < plan->end_count; i++)
        life->rows[plan->ends[i].id - 1].to = plan->ends[i].to;
    for (size_t i = 0; i < plan->begin_count; i++) {
        assert_true(life->count < MEMBERSHIPS_MAX);
        life->rows[life->count] = plan->begins[i];
        life->rows[life->count].id = (int64_t)life->count + 1;
        life->count++;
    }
    if (plan->handling_l2.data != NULL)
        life->handling_l2 = plan->handling_l2;
}

static bool covers(const struct membership *row, day_t day)
{
    return row->from <= day && (row->to == DAY_NONE || row->to >= day);
}

static size_t on_day(const struct life *life, int layer, day_t day, bool primary_only)
{
    size_t found = 0;

    for (size_t i = 0; i < life->count; i++) {
        const struct membership *row = &life->rows[i];

        found += row->layer == layer && covers(row, day) && (row->primary || !primary_only);
    }
    return found;
}

/* ---- filing ---- */

static const struct actor doctor = {.role = STR("doctor"), .doctor_id = 41};
static const struct actor l1 = {.role = STR("office_l1"), .office = {1, STR("13001")}};
static const struct actor l2 = {.role = STR("office_l2"), .office = {2, STR("13")}};
static const struct actor stranger = {.role = STR("office_l1"), .office = {1, STR("27001")}};
static const struct actor l3 = {.role = STR("office_l3"), .office = {3, STR("")}};

static struct filing filing_of(const struct life *life, enum procedure_kind kind)
{
    struct filing filing = {.kind = kind,
                            .depth = kind == PROCEDURE_ADMISSION ? 3 : 0,
                            .effective_on = TODAY,
                            .actor = doctor,
                            .handling_l2 = life->handling_l2,
                            .today = TODAY};

    membership_standing(life->rows, life->count, &filing.standing);
    if (kind == PROCEDURE_ADMISSION) {
        filing.l1_code = STR("13001");
        filing.l1_home = STR("13");
        filing.wishes.category[3] = STR("B");
    } else if (kind == PROCEDURE_TRANSFER) {
        filing.l1_code = STR("14001");
        filing.l1_home = STR("14");
    } else if (kind == PROCEDURE_CHANGE) {
        filing.wishes.workplace_name = STR("見本病院");
    }
    return filing;
}

static struct filing_verdict check(const struct filing *filing)
{
    struct filing_verdict verdict;
    struct procedure procedure;

    filing_check(filing, &verdict, &procedure);
    return verdict;
}

static enum code refusal(const struct filing *filing)
{
    return check(filing).refusal;
}

static void what_may_be_asked_for_follows_from_what_one_is(void **state)
{
    static const struct {
        enum procedure_kind kind;
        enum code wanted[LAYERS + 1]; /* by the layers one is a member of */
    } cases[] = {
        {PROCEDURE_ADMISSION, {CODE_NONE, CODE_NONE, CODE_NONE, CODE_MEMBERSHIP_HELD}},
        {PROCEDURE_WITHDRAWAL_ALL, {CODE_MEMBERSHIP_MISSING, CODE_NONE, CODE_NONE, CODE_NONE}},
        {PROCEDURE_WITHDRAWAL_L2_L3,
         {CODE_MEMBERSHIP_MISSING, CODE_MEMBERSHIP_MISSING, CODE_NONE, CODE_NONE}},
        {PROCEDURE_WITHDRAWAL_L3,
         {CODE_MEMBERSHIP_MISSING, CODE_MEMBERSHIP_MISSING, CODE_MEMBERSHIP_MISSING, CODE_NONE}},
        {PROCEDURE_CHANGE, {CODE_MEMBERSHIP_MISSING, CODE_NONE, CODE_NONE, CODE_NONE}},
        {PROCEDURE_TRANSFER, {CODE_MEMBERSHIP_MISSING, CODE_NONE, CODE_NONE, CODE_NONE}},
        {PROCEDURE_DEATH, {CODE_FORBIDDEN, CODE_FORBIDDEN, CODE_FORBIDDEN, CODE_FORBIDDEN}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int layers = 0; layers <= LAYERS; layers++) {
            struct life life = member_of(layers);
            struct filing filing = filing_of(&life, cases[i].kind);

            assert_int_equal(refusal(&filing), cases[i].wanted[layers]);
        }
    }
}

static void a_filing_names_what_is_wrong(void **state)
{
    struct life nobody = member_of(0);
    struct life member = member_of(1);
    struct filing filing = filing_of(&nobody, PROCEDURE_ADMISSION);

    (void)state;
    filing.wishes.category[3] = STR_NONE;
    assert_string_equal(check(&filing).pointer, "/category_l3");
    filing = filing_of(&nobody, PROCEDURE_ADMISSION);
    filing.l1_home = STR_NONE;
    assert_int_equal(refusal(&filing), CODE_ASSOCIATION_UNKNOWN);
    filing.l1_code = STR_NONE;
    assert_string_equal(check(&filing).pointer, "/l1_code");
    filing = filing_of(&nobody, PROCEDURE_ADMISSION);
    filing.depth = 0;
    assert_string_equal(check(&filing).pointer, "/depth");
    filing = filing_of(&nobody, PROCEDURE_ADMISSION);
    filing.open = true;
    assert_int_equal(refusal(&filing), CODE_PROCEDURE_OPEN); /* R-PROC-16, edge 81 */
    filing = filing_of(&member, PROCEDURE_CHANGE);
    filing.wishes = (struct wishes){0};
    assert_int_equal(refusal(&filing), CODE_CHANGE_EMPTY);
    filing.wishes.category[2] = STR("A");
    assert_int_equal(refusal(&filing), CODE_MEMBERSHIP_MISSING);
    filing.wishes = (struct wishes){.name_kana = STR("みほん")};
    assert_int_equal(refusal(&filing), CODE_NAME_KANA_FORMAT);
    filing = filing_of(&member, PROCEDURE_TRANSFER);
    filing.l1_code = STR("13001");
    assert_int_equal(refusal(&filing), CODE_MEMBERSHIP_HELD);
    filing = filing_of(&member, PROCEDURE_ADMISSION);
    filing.l1_code = STR("13002");
    assert_int_equal(refusal(&filing), CODE_MEMBERSHIP_ELSEWHERE);
    filing.depth = 1; /* a second L1 beside the first (edge 79) */
    assert_int_equal(refusal(&filing), CODE_NONE);
}

/* R-PROC-14, edge 80. */
static void the_day_has_its_limits(void **state)
{
    static const struct {
        const struct actor *actor;
        day_t day;
        bool reason;
        enum code wanted;
    } cases[] = {
        {&doctor, TODAY, false, CODE_NONE},
        {&doctor, TODAY - 1, true, CODE_EFFECTIVE_ON},
        {&doctor, TODAY + 181, false, CODE_NONE},
        {&doctor, TODAY + 182, false, CODE_EFFECTIVE_ON},
        {&l1, YEAR_FIRST, true, CODE_NONE},
        {&l1, YEAR_FIRST, false, CODE_FIELD_MISSING},
        {&l1, YEAR_FIRST - 1, true, CODE_EFFECTIVE_ON},
        {&l2, TODAY - 1, true, CODE_NONE},
        {&l2, YEAR_FIRST - 1, true, CODE_EFFECTIVE_ON},
        {&l3, YEAR_FIRST - 1, true, CODE_NONE},
        {&l3, YEAR_FIRST - 1, false, CODE_FIELD_MISSING},
        {&l3, TODAY, true, CODE_FORBIDDEN}, /* nothing but what nobody else may */
        {&stranger, TODAY, true, CODE_DOCTOR_NOT_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct life life = member_of(3);
        struct filing filing = filing_of(&life, PROCEDURE_TRANSFER);

        filing.actor = *cases[i].actor;
        filing.effective_on = cases[i].day;
        filing.reason = cases[i].reason ? STR("届けが遅れたため") : STR_NONE;
        if (refusal(&filing) != cases[i].wanted)
            fail_msg("case %zu: %s, wanted %s", i, code_name(refusal(&filing)),
                     code_name(cases[i].wanted));
    }
}

static void death_is_a_fact_that_staff_enters(void **state)
{
    struct life life = member_of(3);
    struct filing filing = filing_of(&life, PROCEDURE_DEATH);

    (void)state;
    filing.actor = l1;
    assert_string_equal(check(&filing).pointer, "/reason");
    filing.reason = STR("ご家族からの届け");
    assert_int_equal(refusal(&filing), CODE_NONE);
    filing.effective_on = TODAY - 3000;
    assert_int_equal(refusal(&filing), CODE_NONE);
    filing.effective_on = TODAY + 1;
    assert_int_equal(refusal(&filing), CODE_EFFECTIVE_ON);
    filing.effective_on = TODAY;
    filing.actor = l3;
    assert_int_equal(refusal(&filing), CODE_NONE);
    filing.actor = stranger;
    filing.l1_code = stranger.office.code; /* its own code makes him nobody of its own */
    filing.l1_home = STR("27");
    assert_int_equal(refusal(&filing), CODE_DOCTOR_NOT_FOUND);
}

/* ---- what comes of it ---- */

static struct procedure decided(const struct life *life, enum procedure_kind kind,
                                const struct wishes *wishes)
{
    struct filing filing = filing_of(life, kind);
    struct filing_verdict verdict;
    struct procedure procedure;

    if (wishes != NULL)
        filing.wishes = *wishes;
    if (kind == PROCEDURE_DEATH) {
        filing.actor = l1;
        filing.reason = STR("届け");
    }
    filing_check(&filing, &verdict, &procedure);
    assert_int_equal(verdict.refusal, CODE_NONE);
    procedure.granted = procedure.depth;
    return procedure;
}

static void each_withdrawal_ends_what_it_says(void **state)
{
    static const struct {
        enum procedure_kind kind;
        bool left[LAYERS + 1];
    } cases[] = {
        {PROCEDURE_WITHDRAWAL_ALL, {false}},
        {PROCEDURE_WITHDRAWAL_L2_L3, {false, true, false, false}},
        {PROCEDURE_WITHDRAWAL_L3, {false, true, true, false}}, /* edge 75 */
        {PROCEDURE_DEATH, {false}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct life life = member_of(3);
        struct procedure procedure = decided(&life, cases[i].kind, NULL);
        const struct wishes none = {0};
        struct membership_plan plan;

        carry_out(&life, &procedure, &none, &plan);
        for (int layer = 1; layer <= LAYERS; layer++) {
            assert_int_equal(plan.after.member[layer], cases[i].left[layer]);
            assert_int_equal(on_day(&life, layer, TODAY - 1, false), 1);
            assert_int_equal(on_day(&life, layer, TODAY, false), cases[i].left[layer]);
        }
    }
}

/* R-PROC-10: L3 goes on without a day between; edge 78: a change of category with it. */
static void a_transfer_leaves_no_day_without_membership(void **state)
{
    struct life life = member_of(3);
    const struct wishes wishes = {.category = {[3] = STR("A2B")}};
    struct procedure procedure = decided(&life, PROCEDURE_TRANSFER, &wishes);
    struct membership_plan plan;

    (void)state;
    assert_int_equal(procedure.kind, PROCEDURE_TRANSFER_AWAY);
    carry_out(&life, &procedure, &wishes, &plan);
    assert_true(str_eq_c(plan.after.l1_code, "14001"));
    assert_true(str_eq_c(plan.after.l2_code, "14"));
    assert_true(str_eq_c(plan.after.category[3], "A2B"));
    assert_true(str_eq_c(plan.handling_l2, "14"));
    for (day_t day = TODAY - 2; day < TODAY + 2; day++) {
        for (int layer = 1; layer <= LAYERS; layer++)
            assert_int_equal(on_day(&life, layer, day, true), 1);
    }
}

/* Edge 79: one of several L1 counts; the second one becomes it by a transfer. */
static void a_second_l1_becomes_the_primary_one(void **state)
{
    struct life life = member_of(3);
    const struct wishes none = {0};
    struct procedure procedure;
    struct filing filing = filing_of(&life, PROCEDURE_ADMISSION);
    struct filing_verdict verdict;
    struct membership_plan plan;

    (void)state;
    filing.l1_code = STR("14001");
    filing.l1_home = STR("14");
    filing.depth = 1;
    filing.wishes = none;
    filing_check(&filing, &verdict, &procedure);
    assert_int_equal(verdict.refusal, CODE_NONE);
    procedure.granted = 1;
    carry_out(&life, &procedure, &none, &plan);
    assert_int_equal(on_day(&life, 1, TODAY, false), 2);
    assert_true(str_eq_c(plan.after.l1_code, "13001") && plan.handling_l2.data == NULL);
    filing.at_target = true;
    assert_int_equal(refusal(&filing), CODE_MEMBERSHIP_HELD);
    carry_out(&life, &procedure, &none, &plan); /* once more changes nothing */
    assert_int_equal(plan.begin_count, 0);
    membership_standing(life.rows, life.count, &filing.standing);
    filing.kind = PROCEDURE_TRANSFER;
    filing.effective_on = TODAY + 10;
    filing_check(&filing, &verdict, &procedure);
    assert_int_equal(verdict.refusal, CODE_NONE);
    carry_out(&life, &procedure, &none, &plan);
    assert_int_equal(on_day(&life, 1, TODAY + 9, false), 2);
    assert_int_equal(on_day(&life, 1, TODAY + 10, false), 1);
    assert_true(str_eq_c(plan.after.l1_code, "14001"));
}

static void what_was_given_in_part_begins_in_part(void **state)
{
    struct life life = member_of(0);
    const struct wishes wishes = {.category = {[3] = STR("B")}};
    struct procedure procedure = decided(&life, PROCEDURE_ADMISSION, &wishes);
    struct membership_plan plan;

    (void)state;
    procedure.granted = 1;
    carry_out(&life, &procedure, &wishes, &plan);
    assert_true(plan.after.member[1] && !plan.after.member[2] && !plan.after.member[3]);
    assert_true(str_eq_c(plan.handling_l2, "13"));
}

static void leaving_a_is_warned_of(void **state)
{
    struct life life = member_of(3);
    struct standing a = filing_of(&life, PROCEDURE_CHANGE).standing;
    struct standing b = a, none = a;
    static const struct {
        enum procedure_kind kind;
        struct wishes wishes;
        bool warned; /* who is in A; others never */
    } cases[] = {
        {PROCEDURE_CHANGE, {.category = {[3] = STR("B")}}, true},
        {PROCEDURE_CHANGE, {.category = {[3] = STR("A2B")}}, false},
        {PROCEDURE_CHANGE, {.category = {[1] = STR("B")}}, false},
        {PROCEDURE_TRANSFER, {.category = {[3] = STR("C")}}, true},
        {PROCEDURE_TRANSFER, {.phone = STR("03-0000-0000")}, false}, /* L3 goes on */
        {PROCEDURE_TRANSFER_AWAY, {.phone = STR("03-0000-0000")}, false},
        {PROCEDURE_ADMISSION, {.category = {[1] = STR("B")}}, false}, /* at a second L1 */
        {PROCEDURE_WITHDRAWAL_ALL, {.phone = STR_NONE}, true},
        {PROCEDURE_WITHDRAWAL_L2_L3, {.phone = STR_NONE}, true},
        {PROCEDURE_WITHDRAWAL_L3, {.phone = STR_NONE}, true},
        {PROCEDURE_REVOCATION, {.phone = STR_NONE}, true},
        {PROCEDURE_DEATH, {.phone = STR_NONE}, false},
    };

    (void)state;
    b.category[3] = STR("B");
    none.member[3] = false;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(filing_loses_insurance(cases[i].kind, &cases[i].wishes, &a),
                         cases[i].warned);
        assert_false(filing_loses_insurance(cases[i].kind, &cases[i].wishes, &b));
        assert_false(filing_loses_insurance(cases[i].kind, &cases[i].wishes, &none));
    }
}

/* ---- random lives ---- */

enum { LIVES = 500, EVENTS = 30, SPAN = 3000 };

static uint64_t seed;

static uint32_t below(uint64_t *random, uint32_t limit)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return (uint32_t)((*random * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void check_day(const struct life *life, day_t day, uint64_t life_seed)
{
    for (size_t i = 0; i < life->count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct membership *a = &life->rows[i], *b = &life->rows[j];

            if (a->layer == b->layer && str_eq(a->code, b->code) && covers(a, day) &&
                covers(b, day))
                fail_msg("twice in %.*s on day %d, seed %" PRIu64, STR_ARG(a->code), day,
                         life_seed);
        }
    }
    for (int layer = 1; layer <= LAYERS; layer++) {
        size_t primary = on_day(life, layer, day, true);

        if (primary > 1)
            fail_msg("layer %d twice on day %d, seed %" PRIu64, layer, day, life_seed);
        if (layer > 1 && primary == 1 && on_day(life, layer - 1, day, false) == 0)
            fail_msg("layer %d without %d on day %d, seed %" PRIu64, layer, layer - 1, day,
                     life_seed);
    }
}

struct pending {
    struct procedure procedure;
    struct wishes wishes;
};

static const char *const codes[][2] = {
    {"13001", "13"}, {"13002", "13"}, {"14001", "14"}, {"27001", "27"}};
static const char *const categories[] = {"A1", "A2B", "A2C", "B", "C"};

static bool file_at_random(struct life *life, uint64_t *random, day_t today, struct pending *out)
{
    const char *const *target = codes[below(random, ARRAY_LEN(codes))];
    struct filing filing = filing_of(life, (enum procedure_kind)below(random, PROCEDURE_KINDS));
    struct filing_verdict verdict;

    filing.depth = 1 + (int)below(random, LAYERS);
    filing.l1_code = str_of(target[0]);
    filing.l1_home = str_of(target[1]);
    filing.today = today;
    filing.effective_on = today + (day_t)below(random, 250) - 80;
    filing.actor = below(random, 2) == 0 ? doctor : l3;
    if (below(random, 2) == 0)
        filing.wishes.category[3] = str_of(categories[below(random, ARRAY_LEN(categories))]);
    if (below(random, 4) == 0)
        filing.wishes.category[1] = STR("X");
    filing.reason = STR("理由");
    filing_check(&filing, &verdict, &out->procedure);
    out->wishes = filing.wishes;
    /* Sometimes only lower layers approve. */
    out->procedure.granted =
        out->procedure.depth == 0 ? 0 : 1 + (int)below(random, (uint32_t)out->procedure.depth);
    return verdict.refusal == CODE_NONE;
}

/* Decided ones wait for their day, and meet what others have done meanwhile, in any order. */
static void live(uint64_t life_seed)
{
    uint64_t random = life_seed;
    struct life life = member_of((int)below(&random, LAYERS + 1));
    struct pending waiting[EVENTS];
    size_t count = 0;
    day_t today = TODAY;
    struct membership_plan plan;

    for (int event = 0; event < EVENTS && life.count + LAYERS < MEMBERSHIPS_MAX; event++) {
        today += (day_t)below(&random, 60);
        if (file_at_random(&life, &random, today, &waiting[count]))
            count++;
        if (count > 0 && below(&random, 3) > 0) {
            size_t which = below(&random, (uint32_t)count);

            carry_out(&life, &waiting[which].procedure, &waiting[which].wishes, &plan);
            waiting[which] = waiting[--count];
        }
    }
    for (day_t day = TODAY - 300; day < TODAY + SPAN; day++)
        check_day(&life, day, life_seed);
}

static void the_parent_rule_holds_on_every_day(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < LIVES; i++)
        live(seed + i * UINT64_C(0x9E3779B97F4A7C15) + 1);
}

int main(void)
{
    const char *given = getenv("MAMIS_TEST_SEED");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_asked_for_follows_from_what_one_is),
        cmocka_unit_test(a_filing_names_what_is_wrong),
        cmocka_unit_test(the_day_has_its_limits),
        cmocka_unit_test(death_is_a_fact_that_staff_enters),
        cmocka_unit_test(each_withdrawal_ends_what_it_says),
        cmocka_unit_test(a_transfer_leaves_no_day_without_membership),
        cmocka_unit_test(a_second_l1_becomes_the_primary_one),
        cmocka_unit_test(what_was_given_in_part_begins_in_part),
        cmocka_unit_test(leaving_a_is_warned_of),
        cmocka_unit_test(the_parent_rule_holds_on_every_day),
    };

    if (given != NULL)
        seed = strtoull(given, NULL, 10);
    else
        random_bytes(&seed, sizeof(seed));
    (void)printf("seed %" PRIu64 "\n", seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
