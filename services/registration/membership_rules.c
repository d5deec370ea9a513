/* membership_rules: memberships by date, and what a decided procedure does to them. */
#include "registration/membership_rules.h"

static bool goes_on(const struct membership *row)
{
    return row->to == DAY_NONE;
}

static day_t later(day_t a, day_t b)
{
    return a > b ? a : b; /* DAY_NONE is before all days */
}

void membership_standing(const struct membership *rows, size_t count, struct standing *ret)
{
    *ret = (struct standing){.earliest = DAY_NONE};
    for (size_t i = 0; i < count; i++) {
        const struct membership *row = &rows[i];

        if (row->from != DAY_NONE)
            ret->earliest = later(ret->earliest, row->from + 1);
        if (!goes_on(row)) {
            ret->earliest = later(ret->earliest, row->to + 1);
            continue;
        }
        ret->member[row->layer] = true;
        if (row->layer == 1 && !row->primary)
            continue;
        ret->category[row->layer] = row->category;
        if (row->layer == 1)
            ret->l1_code = row->code;
        else if (row->layer == 2)
            ret->l2_code = row->code;
    }
}

bool wishes_touch(const struct wishes *wishes, int layer)
{
    bool name = wishes->name.data != NULL || wishes->name_kana.data != NULL ||
                wishes->former_name.data != NULL || wishes->former_name_kana.data != NULL;
    bool workplace = wishes->workplace_name.data != NULL ||
                     wishes->workplace_postcode.data != NULL ||
                     wishes->workplace_address.data != NULL || wishes->phone.data != NULL;

    /* Every layer keeps names; L1 keeps where a member works. */
    return name || (layer == 1 && workplace) || wishes->category[layer].data != NULL;
}

static bool is_a(struct str category)
{
    return str_eq_c(category, "A1") || str_eq_c(category, "A2B") || str_eq_c(category, "A2C");
}

/* Kinds that end L3, by themselves or because a layer below ends. */
static bool leaves_l3(enum procedure_kind kind)
{
    return kind == PROCEDURE_WITHDRAWAL_ALL || kind == PROCEDURE_WITHDRAWAL_L2_L3 ||
           kind == PROCEDURE_WITHDRAWAL_L3 || kind == PROCEDURE_REVOCATION;
}

bool filing_loses_insurance(enum procedure_kind kind, const struct wishes *wishes,
                            const struct standing *standing)
{
    bool other = wishes->category[3].data != NULL && !is_a(wishes->category[3]);

    return standing->member[3] && is_a(standing->category[3]) && (leaves_l3(kind) || other);
}

/* ---- what a decided procedure does ---- */

struct planning {
    const struct membership *rows;
    size_t count;
    struct membership_plan *plan;
    bool ended[MEMBERSHIPS_MAX];
};

static void end_row(struct planning *planning, size_t row)
{
    struct membership_plan *plan = planning->plan;

    if (planning->ended[row] || !goes_on(&planning->rows[row]))
        return;
    planning->ended[row] = true;
    plan->ends[plan->end_count++] = (struct plan_end){
        .id = planning->rows[row].id, .layer = planning->rows[row].layer, .to = plan->on - 1};
}

static void end_layer(struct planning *planning, int layer)
{
    for (size_t i = 0; i < planning->count; i++) {
        if (planning->rows[i].layer == layer)
            end_row(planning, i);
    }
}

/* The row of a layer that goes on and counts; `count`: none. */
static size_t row_of(const struct planning *planning, int layer)
{
    for (size_t i = 0; i < planning->count; i++) {
        const struct membership *row = &planning->rows[i];

        if (row->layer == layer && goes_on(row) && !planning->ended[i] &&
            (layer != 1 || row->primary))
            return i;
    }
    return planning->count;
}

/* A row at that association that goes on, primary or not; `count`: none. */
static size_t row_at(const struct planning *planning, struct str code)
{
    for (size_t i = 0; i < planning->count; i++) {
        const struct membership *row = &planning->rows[i];

        if (row->layer == 1 && goes_on(row) && !planning->ended[i] && str_eq(row->code, code))
            return i;
    }
    return planning->count;
}

static bool lives(const struct planning *planning, int layer)
{
    const struct membership_plan *plan = planning->plan;

    for (size_t i = 0; i < plan->begin_count; i++) {
        if (plan->begins[i].layer == layer)
            return true;
    }
    for (size_t i = 0; i < planning->count; i++) {
        const struct membership *row = &planning->rows[i];

        if (row->layer == layer && goes_on(row) && !planning->ended[i])
            return true;
    }
    return false;
}

static void begin(struct planning *planning, int layer, struct str code, struct str category,
                  bool primary)
{
    struct membership_plan *plan = planning->plan;

    if (layer > 1 && !lives(planning, layer - 1))
        return;
    plan->begins[plan->begin_count++] =
        (struct membership){.layer = layer,
                            .code = code.data != NULL ? code : STR(""),
                            .category = category.data != NULL ? category : STR(""),
                            .from = plan->on,
                            .to = DAY_NONE,
                            .primary = primary};
}

/* The parent rule guards every end: L1 takes L2 with it, L2 takes L3. */
static void cascade(struct planning *planning)
{
    for (int layer = 2; layer <= LAYERS; layer++) {
        if (lives(planning, layer - 1) || row_of(planning, layer) == planning->count)
            continue;
        end_layer(planning, layer);
        planning->plan->cascaded[layer] = true;
    }
}

/* The row goes on under another code, another category or both. */
static void replace(struct planning *planning, int layer, struct str code, struct str category)
{
    size_t row = row_of(planning, layer);
    const struct membership *old = &planning->rows[row];

    if (row == planning->count)
        return;
    if (code.data == NULL)
        code = old->code;
    if (category.data == NULL)
        category = old->category;
    if (str_eq(code, old->code) && str_eq(category, old->category))
        return;
    end_row(planning, row);
    /* A second L1 that becomes the primary one. */
    if (layer == 1 && row_at(planning, code) < planning->count)
        end_row(planning, row_at(planning, code));
    begin(planning, layer, code, category, true);
}

static void admit(struct planning *planning, const struct procedure *procedure,
                  const struct wishes *wishes)
{
    struct str codes[LAYERS + 1] = {[1] = procedure->l1_code, [2] = procedure->l2_code};

    for (int layer = 1; layer <= procedure->granted && layer <= procedure->depth; layer++) {
        size_t row = row_of(planning, layer);
        bool second = layer == 1 && row < planning->count &&
                      !str_eq(planning->rows[row].code, procedure->l1_code);

        /* A second L1 stands beside the primary one and opens no way to another L2. */
        if (second &&
            (procedure->depth > 1 || row_at(planning, procedure->l1_code) < planning->count))
            return;
        if (row == planning->count || second)
            begin(planning, layer, codes[layer], wishes->category[layer], !second);
    }
}

static void transfer(struct planning *planning, const struct procedure *procedure,
                     const struct wishes *wishes)
{
    replace(planning, 1, procedure->new_l1_code, wishes->category[1]);
    replace(planning, 2, procedure->new_l2_code, wishes->category[2]);
    replace(planning, 3, STR_NONE, wishes->category[3]);
}

static void carry_out(struct planning *planning, const struct procedure *procedure,
                      const struct wishes *wishes)
{
    switch (procedure->kind) {
    case PROCEDURE_ADMISSION:
        admit(planning, procedure, wishes);
        return;
    case PROCEDURE_WITHDRAWAL_ALL:
    case PROCEDURE_DEATH:
    case PROCEDURE_REVOCATION:
        end_layer(planning, 1);
        return;
    case PROCEDURE_WITHDRAWAL_L2_L3:
        end_layer(planning, 2);
        return;
    case PROCEDURE_WITHDRAWAL_L3:
        end_layer(planning, 3);
        return;
    case PROCEDURE_CHANGE:
        for (int layer = 1; layer <= LAYERS; layer++)
            replace(planning, layer, STR_NONE, wishes->category[layer]);
        return;
    case PROCEDURE_TRANSFER:
    case PROCEDURE_TRANSFER_AWAY:
        transfer(planning, procedure, wishes);
        return;
    case PROCEDURE_KINDS:
        break;
    }
    must(false);
}

/* The rows as they are afterwards. */
static void stand_after(struct planning *planning)
{
    struct membership after[MEMBERSHIPS_MAX + LAYERS];
    struct membership_plan *plan = planning->plan;
    size_t count = 0;

    for (size_t i = 0; i < planning->count; i++) {
        after[count] = planning->rows[i];
        if (planning->ended[i])
            after[count].to = plan->on - 1;
        count++;
    }
    for (size_t i = 0; i < plan->begin_count; i++)
        after[count++] = plan->begins[i];
    membership_standing(after, count, &plan->after);
}

void membership_plan(const struct procedure *procedure, const struct wishes *wishes,
                     const struct membership *rows, size_t count, struct membership_plan *ret)
{
    struct planning planning = {.rows = rows, .count = count, .plan = ret};
    struct standing before;

    must(count <= MEMBERSHIPS_MAX);
    *ret = (struct membership_plan){0};
    membership_standing(rows, count, &before);
    ret->on = later(procedure->effective_on, before.earliest);
    carry_out(&planning, procedure, wishes);
    cascade(&planning);
    stand_after(&planning);
    if (procedure->kind == PROCEDURE_TRANSFER_AWAY)
        ret->handling_l2 = procedure->new_l2_code;
    else if (procedure->kind == PROCEDURE_ADMISSION && ret->begin_count > 0 &&
             ret->begins[0].primary)
        ret->handling_l2 = procedure->l2_code;
}
