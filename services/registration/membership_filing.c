/* membership_filing: what may be asked for, by whom and from which day (R-PROC-03..16). */
#include "domain/calendar.h"
#include "registration/membership_rules.h"
#include "registration/registration_rules.h"
#include "text/names.h"

enum { AHEAD_MONTHS = 6 };

static bool is_end(enum procedure_kind kind)
{
    return kind == PROCEDURE_DEATH || kind == PROCEDURE_REVOCATION;
}

static bool is_transfer(enum procedure_kind kind)
{
    return kind == PROCEDURE_TRANSFER || kind == PROCEDURE_TRANSFER_AWAY;
}

static void refuse(struct filing_verdict *verdict, enum code code, const char *pointer)
{
    verdict->refusal = code;
    verdict->pointer = pointer;
}

static bool passes(const struct filing_verdict *verdict)
{
    return verdict->refusal == CODE_NONE;
}

/* ---- the day: R-PROC-14 ---- */

static void check_day(const struct filing *filing, struct filing_verdict *ret_verdict)
{
    int office = filing->actor.office.layer;
    day_t year_first = fiscal_year_first(fiscal_year(filing->today));
    day_t latest = day_add_months(filing->today, AHEAD_MONTHS);
    day_t earliest = office > 0 ? year_first : filing->today;

    if (is_end(filing->kind)) {
        earliest = DAY_NONE; /* it is a fact, not a wish */
        latest = filing->today;
    } else if (office == LAYERS) {
        earliest = DAY_NONE; /* the national association may go back further */
    }
    if (filing->standing.earliest > earliest && !is_end(filing->kind))
        earliest = filing->standing.earliest;
    ret_verdict->earliest = earliest;
    ret_verdict->latest = latest;
    if (filing->effective_on < earliest || filing->effective_on > latest)
        refuse(ret_verdict, CODE_EFFECTIVE_ON, "/effective_on");
    else if (office > 0 && filing->effective_on < filing->today && filing->reason.len == 0)
        refuse(ret_verdict, CODE_FIELD_MISSING, "/reason");
}

/* ---- who ---- */

static bool is_code(struct office office, struct str code)
{
    return code.data != NULL && str_eq(office.code, code);
}

bool filing_concerns(const struct filing *filing)
{
    struct office office = filing->actor.office;
    const struct standing *standing = &filing->standing;
    struct str l2_code = standing->member[2] ? standing->l2_code : filing->handling_l2;
    /* Only who comes is to be its own: a place named beside a withdrawal or a death makes nobody
     * so. */
    bool comes = filing->kind == PROCEDURE_ADMISSION || is_transfer(filing->kind);

    if (office.layer == LAYERS)
        return true;
    if (office.layer == 1)
        return is_code(office, standing->l1_code) || (comes && is_code(office, filing->l1_code));
    return is_code(office, l2_code) || (comes && is_code(office, filing->l1_home));
}

static void check_who(const struct filing *filing, struct filing_verdict *verdict)
{
    const struct actor *actor = &filing->actor;
    day_t year_first = fiscal_year_first(fiscal_year(filing->today));

    if (actor->office.layer == 0 && actor->doctor_id == 0)
        refuse(verdict, CODE_FORBIDDEN, NULL);
    else if (actor->office.layer == 0 && is_end(filing->kind))
        refuse(verdict, CODE_FORBIDDEN, NULL);
    else if (actor->office.layer > 0 && !filing_concerns(filing))
        refuse(verdict, CODE_DOCTOR_NOT_FOUND, "/register_no");
    /* L3 enters nothing for doctors but what nobody else may (domain 5, edge 80). */
    else if (actor->office.layer == LAYERS && !is_end(filing->kind) &&
             filing->effective_on >= year_first)
        refuse(verdict, CODE_FORBIDDEN, NULL);
    else if (filing->closed)
        refuse(verdict, CODE_ACCOUNT_SUSPENDED, NULL);
    else if (filing->open)
        refuse(verdict, CODE_PROCEDURE_OPEN, NULL);
}

/* ---- what ---- */

static void check_target(const struct filing *filing, struct filing_verdict *verdict)
{
    if (filing->l1_code.len == 0)
        refuse(verdict, CODE_FIELD_MISSING, "/l1_code");
    else if (filing->l1_home.data == NULL)
        refuse(verdict, CODE_ASSOCIATION_UNKNOWN, "/l1_code");
}

static void check_admission(const struct filing *filing, struct filing_verdict *verdict)
{
    const struct standing *standing = &filing->standing;
    bool elsewhere = standing->member[1] && standing->l1_code.data != NULL &&
                     !str_eq(standing->l1_code, filing->l1_code);

    if (filing->depth < 1 || filing->depth > LAYERS) {
        refuse(verdict, CODE_FIELD_MISSING, "/depth");
        return;
    }
    check_target(filing, verdict);
    if (!passes(verdict))
        return;
    if (elsewhere && filing->depth > 1)
        refuse(verdict, CODE_MEMBERSHIP_ELSEWHERE, NULL);
    else if ((!elsewhere && standing->member[filing->depth]) || (elsewhere && filing->at_target))
        refuse(verdict, CODE_MEMBERSHIP_HELD, NULL);
    else if (filing->depth == LAYERS && filing->wishes.category[3].len == 0)
        refuse(verdict, CODE_FIELD_MISSING, "/category_l3");
}

static void check_member(const struct filing *filing, int layer, struct filing_verdict *verdict)
{
    if (!filing->standing.member[layer])
        refuse(verdict, CODE_MEMBERSHIP_MISSING, NULL);
}

static const char *const category_pointers[] = {NULL, "/category_l1", "/category_l2",
                                                "/category_l3"};

/* Categories can be changed only where the doctor is a member. */
static void check_categories(const struct filing *filing, struct filing_verdict *verdict)
{
    for (int layer = 1; layer <= LAYERS; layer++) {
        if (filing->wishes.category[layer].data == NULL)
            continue;
        if (!filing->standing.member[layer])
            refuse(verdict, CODE_MEMBERSHIP_MISSING, category_pointers[layer]);
        else if (layer == LAYERS && filing->wishes.category[layer].len == 0)
            refuse(verdict, CODE_FIELD_MISSING, category_pointers[layer]);
    }
}

static void check_change(const struct filing *filing, struct filing_verdict *verdict)
{
    bool touched = false;

    for (int layer = 1; layer <= LAYERS; layer++)
        touched = touched || wishes_touch(&filing->wishes, layer);
    check_member(filing, 1, verdict);
    if (passes(verdict))
        check_categories(filing, verdict);
    if (passes(verdict) && !touched)
        refuse(verdict, CODE_CHANGE_EMPTY, NULL);
}

/* Names are as first login wants them. */
static void check_names(const struct wishes *wishes, struct filing_verdict *verdict)
{
    if (wishes->name.data != NULL && name_is_blank(wishes->name))
        refuse(verdict, CODE_FIELD_MISSING, "/name");
    else if (wishes->name_kana.data != NULL && name_is_blank(wishes->name_kana))
        refuse(verdict, CODE_FIELD_MISSING, "/name_kana");
    else if (!name_is_kana(wishes->name_kana))
        refuse(verdict, CODE_NAME_KANA_FORMAT, "/name_kana");
    else if (!name_is_kana(wishes->former_name_kana))
        refuse(verdict, CODE_NAME_KANA_FORMAT, "/former_name_kana");
}

static void check_transfer(const struct filing *filing, struct filing_verdict *verdict)
{
    check_member(filing, 1, verdict);
    if (passes(verdict))
        check_target(filing, verdict);
    if (passes(verdict) && str_eq(filing->l1_code, filing->standing.l1_code))
        refuse(verdict, CODE_MEMBERSHIP_HELD, NULL);
    if (passes(verdict))
        check_categories(filing, verdict);
}

static void check_what(const struct filing *filing, struct filing_verdict *verdict)
{
    switch (filing->kind) {
    case PROCEDURE_ADMISSION:
        check_admission(filing, verdict);
        return;
    case PROCEDURE_WITHDRAWAL_ALL:
        check_member(filing, 1, verdict);
        return;
    case PROCEDURE_WITHDRAWAL_L2_L3:
        check_member(filing, 2, verdict);
        return;
    case PROCEDURE_WITHDRAWAL_L3:
        check_member(filing, 3, verdict);
        return;
    case PROCEDURE_CHANGE:
        check_change(filing, verdict);
        return;
    case PROCEDURE_TRANSFER:
    case PROCEDURE_TRANSFER_AWAY:
        check_transfer(filing, verdict);
        return;
    case PROCEDURE_DEATH:
    case PROCEDURE_REVOCATION:
        if (filing->reason.len == 0)
            refuse(verdict, CODE_FIELD_MISSING, "/reason");
        return;
    case PROCEDURE_KINDS:
        break;
    }
    must(false);
}

static bool is_left(struct str asked, struct str now)
{
    return (asked.data == NULL) == (now.data == NULL) && str_eq(asked, now);
}

/*
 * What layers that have approved looked at: their categories stay, and what they were never asked
 * does not come in behind them. What was asked may still be corrected.
 */
static void check_passed(const struct filing *filing, const struct procedure *procedure,
                         struct filing_verdict *verdict)
{
    const struct wishes *asked = filing->asked, *now = &filing->wishes;
    const struct {
        const char *pointer;
        struct str asked, now;
    } fields[] = {
        {"/name", asked->name, now->name},
        {"/name_kana", asked->name_kana, now->name_kana},
        {"/former_name", asked->former_name, now->former_name},
        {"/former_name_kana", asked->former_name_kana, now->former_name_kana},
        {"/workplace_name", asked->workplace_name, now->workplace_name},
        {"/workplace_postcode", asked->workplace_postcode, now->workplace_postcode},
        {"/workplace_address", asked->workplace_address, now->workplace_address},
        {"/phone", asked->phone, now->phone},
    };
    int passed = procedure_passed(procedure);

    for (int layer = 1; layer <= passed; layer++) {
        if (!is_left(asked->category[layer], now->category[layer]))
            refuse(verdict, CODE_PROCEDURE_PASSED, category_pointers[layer]);
    }
    for (size_t i = 0; passed > 0 && i < ARRAY_LEN(fields); i++) {
        if (fields[i].asked.data == NULL && fields[i].now.data != NULL)
            refuse(verdict, CODE_PROCEDURE_PASSED, fields[i].pointer);
    }
}

void filing_touch(const struct wishes *wishes, struct procedure *procedure)
{
    for (int layer = 1; layer <= LAYERS; layer++)
        procedure->touches[layer] = procedure->kind == PROCEDURE_CHANGE &&
                                    procedure->member[layer] && wishes_touch(wishes, layer);
}

void filing_check_again(const struct filing *filing, const struct procedure *procedure,
                        struct filing_verdict *ret_verdict)
{
    *ret_verdict = (struct filing_verdict){.refusal = CODE_NONE};
    check_passed(filing, procedure, ret_verdict);
    if (passes(ret_verdict))
        check_names(&filing->wishes, ret_verdict);
    if (passes(ret_verdict) && procedure->kind == PROCEDURE_ADMISSION &&
        procedure->depth == LAYERS && filing->wishes.category[3].len == 0)
        refuse(ret_verdict, CODE_FIELD_MISSING, "/category_l3");
    else if (passes(ret_verdict) && procedure->kind != PROCEDURE_ADMISSION)
        check_categories(filing, ret_verdict);
    if (passes(ret_verdict))
        check_day(filing, ret_verdict);
}

static void fill(const struct filing *filing, struct procedure *out)
{
    const struct standing *standing = &filing->standing;
    struct str home = standing->member[2] ? standing->l2_code : filing->handling_l2;

    *out = (struct procedure){
        .version = 1,
        .kind = filing->kind,
        .stage = STAGE_DRAFT,
        .depth = filing->kind == PROCEDURE_ADMISSION ? filing->depth : 0,
        .l1_code = standing->l1_code.data != NULL ? standing->l1_code : STR(""),
        .l2_code = home.data != NULL ? home : STR(""),
        .new_l1_code = STR(""),
        .new_l2_code = STR(""),
        .effective_on = filing->effective_on,
        .filed_by = filing->actor.office,
        .filed_account = filing->actor.account_id,
        .confirm = {.layer = 0, .code = STR("")},
    };
    for (int layer = 1; layer <= LAYERS; layer++)
        out->member[layer] = standing->member[layer];
    filing_touch(&filing->wishes, out);
    if (filing->kind == PROCEDURE_ADMISSION) {
        out->l1_code = filing->l1_code;
        out->l2_code = filing->l1_home;
        /* A second L1 is asked for as if nothing were held there. */
        if (standing->l1_code.data != NULL && !str_eq(standing->l1_code, filing->l1_code))
            out->member[1] = false;
    } else if (is_transfer(filing->kind)) {
        out->new_l1_code = filing->l1_code;
        out->new_l2_code = filing->l1_home;
        out->kind =
            str_eq(out->l2_code, filing->l1_home) ? PROCEDURE_TRANSFER : PROCEDURE_TRANSFER_AWAY;
    }
}

void filing_check(const struct filing *filing, struct filing_verdict *ret_verdict,
                  struct procedure *ret_procedure)
{
    *ret_verdict = (struct filing_verdict){.refusal = CODE_NONE};
    check_who(filing, ret_verdict);
    if (passes(ret_verdict))
        check_what(filing, ret_verdict);
    if (passes(ret_verdict))
        check_names(&filing->wishes, ret_verdict);
    if (passes(ret_verdict))
        check_day(filing, ret_verdict);
    if (passes(ret_verdict)) {
        const struct procedure_request submit = {.move = MOVE_SUBMIT, .actor = filing->actor};

        fill(filing, ret_procedure);
        must(procedure_act(ret_procedure, &submit) == CODE_NONE);
    }
}
