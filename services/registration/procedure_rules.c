/* procedure_rules: the table of transitions, and who may make them. */
#include "registration/procedure_rules.h"

#define NAMES_OF(type, names)                                                                      \
    static bool find_##type(struct str name, size_t *ret_index)                                    \
    {                                                                                              \
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {                                            \
            if (str_eq_c(name, (names)[i])) {                                                      \
                *ret_index = i;                                                                    \
                return true;                                                                       \
            }                                                                                      \
        }                                                                                          \
        return false;                                                                              \
    }                                                                                              \
    const char *procedure_##type##_name(enum procedure_##type value)                               \
    {                                                                                              \
        return (names)[value];                                                                     \
    }                                                                                              \
    bool procedure_##type##_parse(struct str name, enum procedure_##type *ret_value)               \
    {                                                                                              \
        size_t index;                                                                              \
                                                                                                   \
        if (!find_##type(name, &index))                                                            \
            return false;                                                                          \
        *ret_value = (enum procedure_##type)index;                                                 \
        return true;                                                                               \
    }

static const char *const kind_names[] = {
    [PROCEDURE_ADMISSION] = "admission",
    [PROCEDURE_WITHDRAWAL_ALL] = "withdrawal_all",
    [PROCEDURE_WITHDRAWAL_L2_L3] = "withdrawal_l2_l3",
    [PROCEDURE_WITHDRAWAL_L3] = "withdrawal_l3",
    [PROCEDURE_CHANGE] = "change",
    [PROCEDURE_TRANSFER] = "transfer",
    [PROCEDURE_TRANSFER_AWAY] = "transfer_away",
    [PROCEDURE_DEATH] = "death",
    [PROCEDURE_REVOCATION] = "revocation",
};

static const char *const families[] = {
    [PROCEDURE_ADMISSION] = "admission",
    [PROCEDURE_WITHDRAWAL_ALL] = "withdrawal",
    [PROCEDURE_WITHDRAWAL_L2_L3] = "withdrawal",
    [PROCEDURE_WITHDRAWAL_L3] = "withdrawal",
    [PROCEDURE_CHANGE] = "change",
    [PROCEDURE_TRANSFER] = "transfer",
    [PROCEDURE_TRANSFER_AWAY] = "transfer",
    [PROCEDURE_DEATH] = "end",
    [PROCEDURE_REVOCATION] = "end",
};

static const char *const stage_names[] = {
    [STAGE_DRAFT] = "draft",
    [STAGE_L1_REVIEW] = "l1_review",
    [STAGE_L1_WAIT_BOARD] = "l1_wait_board",
    [STAGE_L1_WAIT_FEE] = "l1_wait_fee",
    [STAGE_L1_RECEIVE] = "l1_receive",
    [STAGE_L2_REVIEW] = "l2_review",
    [STAGE_L2_WAIT_BOARD] = "l2_wait_board",
    [STAGE_L2_WAIT_FEE] = "l2_wait_fee",
    [STAGE_L2_PASS] = "l2_pass",
    [STAGE_L3_REVIEW] = "l3_review",
    [STAGE_OLD_L1_RELEASE] = "old_l1_release",
    [STAGE_OLD_L2_CONFIRM] = "old_l2_confirm",
    [STAGE_NEW_L1_REVIEW] = "new_l1_review",
    [STAGE_NEW_L2_REVIEW] = "new_l2_review",
    [STAGE_L3_RECORD] = "l3_record",
    [STAGE_L3_CONFIRM] = "l3_confirm",
    [STAGE_RETURNED] = "returned",
    [STAGE_DONE] = "done",
    [STAGE_EFFECTIVE] = "effective",
    [STAGE_PARTIAL] = "partial",
    [STAGE_REJECTED] = "rejected",
    [STAGE_CANCELLED] = "cancelled",
};

static const char *const move_names[] = {
    [MOVE_SUBMIT] = "submit",     [MOVE_APPROVE] = "approve", [MOVE_RETURN] = "return",
    [MOVE_RESUBMIT] = "resubmit", [MOVE_REJECT] = "reject",   [MOVE_NEED_BOARD] = "need_board",
    [MOVE_NEED_FEE] = "need_fee", [MOVE_MET] = "met",         [MOVE_CANCEL] = "cancel",
    [MOVE_REACH] = "reach",
};

NAMES_OF(kind, kind_names)
NAMES_OF(stage, stage_names)
NAMES_OF(move, move_names)

const char *procedure_family(enum procedure_kind kind)
{
    return families[kind];
}

bool procedure_is_over(enum procedure_stage stage)
{
    return stage >= STAGE_EFFECTIVE;
}

/* ---- whose turn it is ---- */

enum side { SIDE_NOBODY, SIDE_PRESENT, SIDE_NEW };

static const struct place {
    int layer;
    enum side side;
    int patience_days;
} places[PROCEDURE_STAGES] = {
    [STAGE_L1_REVIEW] = {1, SIDE_PRESENT, 14},     [STAGE_L1_WAIT_BOARD] = {1, SIDE_PRESENT, 60},
    [STAGE_L1_WAIT_FEE] = {1, SIDE_PRESENT, 30},   [STAGE_L1_RECEIVE] = {1, SIDE_PRESENT, 7},
    [STAGE_L2_REVIEW] = {2, SIDE_PRESENT, 14},     [STAGE_L2_WAIT_BOARD] = {2, SIDE_PRESENT, 60},
    [STAGE_L2_WAIT_FEE] = {2, SIDE_PRESENT, 30},   [STAGE_L2_PASS] = {2, SIDE_PRESENT, 7},
    [STAGE_L3_REVIEW] = {3, SIDE_PRESENT, 14},     [STAGE_OLD_L1_RELEASE] = {1, SIDE_PRESENT, 7},
    [STAGE_OLD_L2_CONFIRM] = {2, SIDE_PRESENT, 7}, [STAGE_NEW_L1_REVIEW] = {1, SIDE_NEW, 14},
    [STAGE_NEW_L2_REVIEW] = {2, SIDE_NEW, 14},     [STAGE_L3_RECORD] = {3, SIDE_PRESENT, 7},
    [STAGE_L3_CONFIRM] = {3, SIDE_PRESENT, 7},     [STAGE_RETURNED] = {0, SIDE_NOBODY, 30},
};

int procedure_patience_days(enum procedure_stage stage)
{
    return places[stage].patience_days;
}

struct office procedure_desk(const struct procedure *procedure)
{
    const struct place *place = &places[procedure->stage];
    bool new_side = place->side == SIDE_NEW;
    struct office office = {.layer = place->layer, .code = STR("")};

    if (procedure->stage == STAGE_RETURNED)
        return procedure->filed_by; /* nobody's when the doctor has to answer */
    if (place->layer == 1)
        office.code = new_side ? procedure->new_l1_code : procedure->l1_code;
    else if (place->layer == 2)
        office.code = new_side ? procedure->new_l2_code : procedure->l2_code;
    return office;
}

int procedure_passed(const struct procedure *procedure)
{
    enum procedure_stage stage = procedure->back_to;

    /* The new side comes after the old one, whose layers have no say in what is asked there. */
    if (procedure->granted == 0 || stage == STAGE_OLD_L1_RELEASE || stage == STAGE_OLD_L2_CONFIRM)
        return 0;
    return places[stage].layer - 1;
}

bool office_is(struct office a, struct office b)
{
    return a.layer == b.layer && a.layer > 0 && str_eq(a.code, b.code) &&
           (a.layer == LAYERS || a.code.len > 0);
}

struct office office_of_role(struct str role, struct str l1_code, struct str l2_code)
{
    if (str_eq_c(role, "office_l1"))
        return (struct office){.layer = 1, .code = l1_code};
    if (str_eq_c(role, "office_l2"))
        return (struct office){.layer = 2, .code = l2_code};
    if (str_eq_c(role, "office_l3"))
        return (struct office){.layer = 3, .code = STR("")};
    return (struct office){.layer = 0, .code = STR("")};
}

/* Layers at which a procedure of the kind ends members whose office has no word in it. */
static const bool ends_unasked[PROCEDURE_KINDS][LAYERS + 1] = {
    [PROCEDURE_WITHDRAWAL_ALL] = {[2] = true, [3] = true},
    [PROCEDURE_WITHDRAWAL_L2_L3] = {[3] = true},
    [PROCEDURE_DEATH] = {[1] = true, [2] = true}, /* L3 confirms these two */
    [PROCEDURE_REVOCATION] = {[1] = true, [2] = true},
};

size_t procedure_notices(const struct procedure *procedure, struct office ret_offices[LAYERS])
{
    const struct office offices[LAYERS + 1] = {
        [1] = {1, procedure->l1_code}, [2] = {2, procedure->l2_code}, [3] = {3, STR("")}};
    size_t count = 0;

    if (procedure->stage != STAGE_DONE && procedure->stage != STAGE_EFFECTIVE)
        return 0;
    for (int layer = 1; layer <= LAYERS; layer++) {
        if (ends_unasked[procedure->kind][layer] && procedure->member[layer] &&
            !office_is(offices[layer], procedure->filed_by))
            ret_offices[count++] = offices[layer];
    }
    return count;
}

/* ---- the table ---- */

enum guard {
    ALWAYS,
    DEPTH_1, /* nothing above L1 is asked for */
    DEPTH_2,
    GRANTED,    /* a lower layer has approved what it asks for */
    TOUCHES_L2, /* a field of that layer changes */
    TOUCHES_L3,
    MEMBER_OF_L2,
    MEMBER_OF_L3,
};

static bool holds(enum guard guard, const struct procedure *procedure)
{
    switch (guard) {
    case ALWAYS:
        return true;
    case DEPTH_1:
        return procedure->depth == 1;
    case DEPTH_2:
        return procedure->depth == 2;
    case GRANTED:
        /* What was held before is not granted by this procedure. */
        return procedure->granted > 0 && !procedure->member[procedure->granted];
    case TOUCHES_L2:
        return procedure->touches[2];
    case TOUCHES_L3:
        return procedure->touches[3];
    case MEMBER_OF_L2:
        return procedure->member[2];
    case MEMBER_OF_L3:
        return procedure->member[3];
    }
    must(false);
    return false;
}

#define KIND(name) (1u << PROCEDURE_##name)
enum {
    ADMISSION = KIND(ADMISSION),
    ALL = KIND(WITHDRAWAL_ALL),
    L2_L3 = KIND(WITHDRAWAL_L2_L3),
    L3 = KIND(WITHDRAWAL_L3),
    CHANGE = KIND(CHANGE),
    NEAR = KIND(TRANSFER),
    AWAY = KIND(TRANSFER_AWAY),
    ENDS = KIND(DEATH) | KIND(REVOCATION),
    ANY = (1u << PROCEDURE_KINDS) - 1,
};

/* A stage that stands for the one a returned procedure came from. */
#define BACK PROCEDURE_STAGES

/* In order: the first row whose guard holds. */
static const struct transition {
    unsigned kinds;
    enum procedure_stage from;
    enum procedure_move move;
    enum guard guard;
    enum procedure_stage to;
} transitions[] = {
    /* Sending. */
    {ADMISSION | ALL | CHANGE, STAGE_DRAFT, MOVE_SUBMIT, ALWAYS, STAGE_L1_REVIEW},
    {L2_L3 | L3, STAGE_DRAFT, MOVE_SUBMIT, ALWAYS, STAGE_L1_RECEIVE},
    {NEAR | AWAY, STAGE_DRAFT, MOVE_SUBMIT, ALWAYS, STAGE_OLD_L1_RELEASE},
    {ENDS, STAGE_DRAFT, MOVE_SUBMIT, ALWAYS, STAGE_L3_CONFIRM},
    /* Admission. */
    {ADMISSION, STAGE_L1_REVIEW, MOVE_APPROVE, DEPTH_1, STAGE_DONE},
    {ADMISSION, STAGE_L1_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_L2_REVIEW},
    {ADMISSION, STAGE_L2_REVIEW, MOVE_APPROVE, DEPTH_2, STAGE_DONE},
    {ADMISSION, STAGE_L2_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_L3_REVIEW},
    {ADMISSION, STAGE_L3_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {ADMISSION, STAGE_L2_REVIEW, MOVE_REJECT, GRANTED, STAGE_PARTIAL},
    {ADMISSION, STAGE_L3_REVIEW, MOVE_REJECT, GRANTED, STAGE_PARTIAL},
    {ADMISSION, STAGE_L1_REVIEW, MOVE_NEED_BOARD, ALWAYS, STAGE_L1_WAIT_BOARD},
    {ADMISSION, STAGE_L1_REVIEW, MOVE_NEED_FEE, ALWAYS, STAGE_L1_WAIT_FEE},
    {ADMISSION, STAGE_L1_WAIT_BOARD, MOVE_MET, ALWAYS, STAGE_L1_REVIEW},
    {ADMISSION, STAGE_L1_WAIT_FEE, MOVE_MET, ALWAYS, STAGE_L1_REVIEW},
    {ADMISSION, STAGE_L2_REVIEW, MOVE_NEED_BOARD, ALWAYS, STAGE_L2_WAIT_BOARD},
    {ADMISSION, STAGE_L2_REVIEW, MOVE_NEED_FEE, ALWAYS, STAGE_L2_WAIT_FEE},
    {ADMISSION, STAGE_L2_WAIT_BOARD, MOVE_MET, ALWAYS, STAGE_L2_REVIEW},
    {ADMISSION, STAGE_L2_WAIT_FEE, MOVE_MET, ALWAYS, STAGE_L2_REVIEW},
    /* Withdrawal. */
    {ALL, STAGE_L1_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {L2_L3, STAGE_L1_RECEIVE, MOVE_APPROVE, ALWAYS, STAGE_L2_REVIEW},
    {L2_L3, STAGE_L2_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {L3, STAGE_L1_RECEIVE, MOVE_APPROVE, ALWAYS, STAGE_L2_PASS},
    {L3, STAGE_L2_PASS, MOVE_APPROVE, ALWAYS, STAGE_L3_REVIEW},
    {L3, STAGE_L3_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    /* Change in the same L1. */
    {CHANGE, STAGE_L1_REVIEW, MOVE_APPROVE, TOUCHES_L2, STAGE_L2_REVIEW},
    {CHANGE, STAGE_L1_REVIEW, MOVE_APPROVE, TOUCHES_L3, STAGE_L3_REVIEW},
    {CHANGE, STAGE_L1_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {CHANGE, STAGE_L2_REVIEW, MOVE_APPROVE, TOUCHES_L3, STAGE_L3_REVIEW},
    {CHANGE, STAGE_L2_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {CHANGE, STAGE_L3_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    /* Transfer. Who is no member of a layer is not shown to it (R-PRV-02). */
    {NEAR, STAGE_OLD_L1_RELEASE, MOVE_APPROVE, ALWAYS, STAGE_NEW_L1_REVIEW},
    {NEAR, STAGE_NEW_L1_REVIEW, MOVE_APPROVE, MEMBER_OF_L2, STAGE_L2_REVIEW},
    {NEAR, STAGE_NEW_L1_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {NEAR, STAGE_L2_REVIEW, MOVE_APPROVE, MEMBER_OF_L3, STAGE_L3_RECORD},
    {NEAR, STAGE_L2_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {AWAY, STAGE_OLD_L1_RELEASE, MOVE_APPROVE, MEMBER_OF_L2, STAGE_OLD_L2_CONFIRM},
    {AWAY, STAGE_OLD_L1_RELEASE, MOVE_APPROVE, ALWAYS, STAGE_NEW_L1_REVIEW},
    {AWAY, STAGE_OLD_L2_CONFIRM, MOVE_APPROVE, ALWAYS, STAGE_NEW_L1_REVIEW},
    {AWAY, STAGE_NEW_L1_REVIEW, MOVE_APPROVE, MEMBER_OF_L2, STAGE_NEW_L2_REVIEW},
    {AWAY, STAGE_NEW_L1_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {AWAY, STAGE_NEW_L2_REVIEW, MOVE_APPROVE, MEMBER_OF_L3, STAGE_L3_RECORD},
    {AWAY, STAGE_NEW_L2_REVIEW, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {NEAR | AWAY, STAGE_L3_RECORD, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {NEAR | AWAY, STAGE_L3_RECORD, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    /* Death and revocation. */
    {ENDS, STAGE_L3_CONFIRM, MOVE_APPROVE, ALWAYS, STAGE_DONE},
    {ENDS, STAGE_L3_CONFIRM, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ENDS, STAGE_L3_CONFIRM, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    /* Any layer may return or reject (R-PROC-13); the stages of a kind are those reached above. */
    {ANY, STAGE_L1_REVIEW, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_L1_RECEIVE, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_L2_REVIEW, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_L2_PASS, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_L3_REVIEW, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_OLD_L1_RELEASE, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_OLD_L2_CONFIRM, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_NEW_L1_REVIEW, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_NEW_L2_REVIEW, MOVE_RETURN, ALWAYS, STAGE_RETURNED},
    {ANY, STAGE_L1_REVIEW, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_L1_RECEIVE, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_L2_REVIEW, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_L2_PASS, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_L3_REVIEW, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_OLD_L1_RELEASE, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_OLD_L2_CONFIRM, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_NEW_L1_REVIEW, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_NEW_L2_REVIEW, MOVE_REJECT, ALWAYS, STAGE_REJECTED},
    {ANY, STAGE_RETURNED, MOVE_RESUBMIT, ALWAYS, BACK},
    /* The applicant takes it back, as long as nobody has approved anything. */
    {ANY, STAGE_DRAFT, MOVE_CANCEL, ALWAYS, STAGE_CANCELLED},
    {ANY, STAGE_L1_REVIEW, MOVE_CANCEL, ALWAYS, STAGE_CANCELLED},
    {ANY, STAGE_L1_RECEIVE, MOVE_CANCEL, ALWAYS, STAGE_CANCELLED},
    {ANY, STAGE_OLD_L1_RELEASE, MOVE_CANCEL, ALWAYS, STAGE_CANCELLED},
    {ANY, STAGE_L3_CONFIRM, MOVE_CANCEL, ALWAYS, STAGE_CANCELLED},
    {ANY, STAGE_RETURNED, MOVE_CANCEL, ALWAYS, STAGE_CANCELLED},
    {ANY, STAGE_DONE, MOVE_REACH, ALWAYS, STAGE_EFFECTIVE},
};

bool procedure_next(const struct procedure *procedure, enum procedure_move move,
                    enum procedure_stage *ret_stage)
{
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
        const struct transition *row = &transitions[i];

        if ((row->kinds & (1u << procedure->kind)) == 0 || row->from != procedure->stage ||
            row->move != move || !holds(row->guard, procedure))
            continue;
        *ret_stage = row->to == BACK ? procedure->back_to : row->to;
        return true;
    }
    return false;
}

/* ---- who may ---- */

static bool is_applicants(enum procedure_move move)
{
    return move == MOVE_RESUBMIT || move == MOVE_CANCEL;
}

static bool is_applicant(const struct procedure *procedure, const struct actor *actor)
{
    if (procedure->filed_by.layer == 0)
        return actor->doctor_id > 0 && actor->doctor_id == procedure->doctor_id;
    return office_is(actor->office, procedure->filed_by);
}

/* What others have is not there for the actor; who is no party to it is told so. */
static enum code check_actor(const struct procedure *procedure,
                             const struct procedure_request *request)
{
    const struct actor *actor = &request->actor;
    struct office desk = procedure_desk(procedure);

    if (actor->doctor_id > 0 && actor->doctor_id != procedure->doctor_id)
        return CODE_NOT_FOUND;
    if (is_applicants(request->move))
        return is_applicant(procedure, actor) ? CODE_NONE : CODE_FORBIDDEN;
    if (actor->office.layer == 0)
        return CODE_FORBIDDEN;
    if (desk.layer == 0)
        return CODE_NONE; /* it waits for nobody: its stage is what is wrong */
    if (!office_is(actor->office, desk))
        return CODE_PROCEDURE_ELSEWHERE;
    /* Who entered it for the doctor may not be the one who lets it pass (domain 5). */
    if (request->move == MOVE_APPROVE && procedure->filed_by.layer >= 2 &&
        uuid_eq(actor->account_id, procedure->filed_account))
        return CODE_TWO_PERSONS;
    return CODE_NONE;
}

static bool needs_reason(enum procedure_move move)
{
    return move == MOVE_RETURN || move == MOVE_REJECT;
}

static void take(struct procedure *procedure, enum procedure_move move, enum procedure_stage next)
{
    int layer = places[procedure->stage].layer;

    if (move == MOVE_APPROVE)
        procedure->granted = layer;
    if (next == STAGE_RETURNED)
        procedure->back_to = procedure->stage;
    procedure->stage = next;
    /* When L1 lets a member go, L2 has nothing to say but hears of it (R-PROC-04). */
    if (next == STAGE_DONE && procedure->kind == PROCEDURE_WITHDRAWAL_ALL && procedure->member[2])
        procedure->confirm = (struct office){.layer = 2, .code = procedure->l2_code};
}

enum code procedure_act(struct procedure *procedure, const struct procedure_request *request)
{
    enum procedure_stage next;
    enum code refusal = CODE_NONE;

    if (request->move != MOVE_SUBMIT && request->move != MOVE_REACH)
        refusal = check_actor(procedure, request);
    if (refusal != CODE_NONE)
        return refusal;
    if (!procedure_next(procedure, request->move, &next))
        return CODE_PROCEDURE_STAGE;
    if (needs_reason(request->move) && request->reason.len == 0)
        return CODE_FIELD_MISSING;
    take(procedure, request->move, next);
    return CODE_NONE;
}

enum code procedure_act_plain(struct procedure *procedure, const struct procedure_request *request,
                              const struct procedure_look *look)
{
    struct procedure after = *procedure;
    enum code refusal = procedure_act(&after, request);

    if (refusal != CODE_NONE)
        return refusal;
    if (procedure->version != look->version)
        return CODE_STATE_CONFLICT;
    if (!look->plain)
        return CODE_PROCEDURE_NOT_PLAIN;
    *procedure = after;
    return CODE_NONE;
}

enum code procedure_confirm(struct procedure *procedure, const struct actor *actor)
{
    if (!office_is(actor->office, procedure->confirm))
        return CODE_PROCEDURE_ELSEWHERE;
    if (procedure->confirmed)
        return CODE_STATE_CONFLICT;
    procedure->confirmed = true;
    return CODE_NONE;
}
