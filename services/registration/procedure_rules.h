/*
 * procedure_rules: admission, withdrawal, change, transfer, death and revocation (domain 4.2,
 * R-PROC): who may do what to a procedure at which stage, and what comes of it. One table of
 * transitions. Decides only: no I/O, no clock. A move changes a copy in place.
 */
#pragma once
#include "base/clock.h"
#include "base/uuid.h"
#include "gen/codes.h"

enum procedure_kind {
    PROCEDURE_ADMISSION,
    PROCEDURE_WITHDRAWAL_ALL,
    PROCEDURE_WITHDRAWAL_L2_L3,
    PROCEDURE_WITHDRAWAL_L3,
    PROCEDURE_CHANGE,
    PROCEDURE_TRANSFER,      /* to another L1 of the same prefecture */
    PROCEDURE_TRANSFER_AWAY, /* to another prefecture */
    PROCEDURE_DEATH,
    PROCEDURE_REVOCATION,
    PROCEDURE_KINDS
};
const char *procedure_kind_name(enum procedure_kind kind);
bool procedure_kind_parse(struct str name, enum procedure_kind *ret_kind);
/* One open procedure of a family per doctor (R-PROC-16): "admission", "withdrawal", ... */
const char *procedure_family(enum procedure_kind kind);

enum procedure_stage {
    STAGE_DRAFT, /* a form that nobody has sent: kept by the gateway, for its doctor alone */
    STAGE_L1_REVIEW,
    STAGE_L1_WAIT_BOARD,
    STAGE_L1_WAIT_FEE,
    STAGE_L1_RECEIVE,
    STAGE_L2_REVIEW,
    STAGE_L2_WAIT_BOARD,
    STAGE_L2_WAIT_FEE,
    STAGE_L2_PASS,
    STAGE_L3_REVIEW,
    STAGE_OLD_L1_RELEASE,
    STAGE_OLD_L2_CONFIRM,
    STAGE_NEW_L1_REVIEW,
    STAGE_NEW_L2_REVIEW,
    STAGE_L3_RECORD,
    STAGE_L3_CONFIRM,
    STAGE_RETURNED,
    STAGE_DONE,      /* decided; its day has not come */
    STAGE_EFFECTIVE, /* memberships follow it */
    STAGE_PARTIAL,   /* the lower layers hold, a higher one rejected */
    STAGE_REJECTED,
    STAGE_CANCELLED,
    PROCEDURE_STAGES
};
const char *procedure_stage_name(enum procedure_stage stage);
bool procedure_stage_parse(struct str name, enum procedure_stage *ret_stage);
/* Nothing more happens to it but that its day comes. */
bool procedure_is_over(enum procedure_stage stage);

enum procedure_move {
    MOVE_SUBMIT,
    MOVE_APPROVE, /* also: pass, release, confirm, record */
    MOVE_RETURN,
    MOVE_RESUBMIT,
    MOVE_REJECT,
    MOVE_NEED_BOARD,
    MOVE_NEED_FEE,
    MOVE_MET,
    MOVE_CANCEL,
    MOVE_REACH, /* the effective date has come */
    PROCEDURE_MOVES
};
const char *procedure_move_name(enum procedure_move move);
bool procedure_move_parse(struct str name, enum procedure_move *ret_move);

enum { LAYERS = 3 };

/* An association: layer 1, 2 or 3; `code` is empty for the national one. Layer 0: none. */
struct office {
    int layer;
    struct str code;
};
bool office_is(struct office a, struct office b);

struct actor {
    struct str role;
    struct uuid account_id;
    int64_t doctor_id;    /* of a doctor, else 0 */
    struct office office; /* of an office; layer 0: none */
};
/* The office that a role with these codes speaks for. */
struct office office_of_role(struct str role, struct str l1_code, struct str l2_code);

/* Texts are borrowed. */
struct procedure {
    struct uuid id;
    int64_t version;
    int64_t doctor_id;
    enum procedure_kind kind;
    enum procedure_stage stage, back_to; /* back_to: where a returned one goes on */
    int depth;                           /* admission: highest layer asked for, else 0 */
    int granted;                         /* highest layer that has approved, 0: none */
    bool member[LAYERS + 1];             /* by layer, when it was filed */
    struct str l1_code, l2_code;         /* present; admission: asked for */
    struct str new_l1_code, new_l2_code; /* transfer: where to */
    bool touches[LAYERS + 1];            /* change: a field of that layer changes */
    day_t effective_on;
    struct office filed_by; /* layer 0: the doctor himself */
    struct uuid filed_account;
    struct office confirm; /* layer 0: nobody has anything to confirm */
    bool confirmed;
};

/* Whose turn it is; layer 0 when it is nobody's or the doctor's. */
struct office procedure_desk(const struct procedure *procedure);
/* Of a returned one: the highest layer that let it pass and will not see it again; 0: none. */
int procedure_passed(const struct procedure *procedure);
/*
 * Offices whose members end without their doing, once it is decided (M13): they are told and may
 * see it. How many; none that entered it itself.
 */
size_t procedure_notices(const struct procedure *procedure, struct office ret_offices[LAYERS]);
/* Days after which what stands at this stage is overdue; 0: it does not wait. */
int procedure_patience_days(enum procedure_stage stage);

/* The stage that `move` leads to; false: not at this stage. The table of domain 4.2. */
bool procedure_next(const struct procedure *procedure, enum procedure_move move,
                    enum procedure_stage *ret_stage);

struct procedure_request {
    enum procedure_move move;
    struct actor actor;
    struct str reason; /* data NULL: none */
};

/* May the actor do it, is its time? CODE_NONE: `procedure` is as it becomes. */
enum code procedure_act(struct procedure *procedure, const struct procedure_request *request);
/* What somebody who approves many at once knew of one of them. */
struct procedure_look {
    int64_t version;
    bool plain; /* nothing about it asked for a second look */
};
/* The same for one of many: it is approved when it is plain and still as it was looked at. */
enum code procedure_act_plain(struct procedure *procedure, const struct procedure_request *request,
                              const struct procedure_look *look);
/* The automatic withdrawal was seen by the office that it was shown to (R-PROC-04). */
enum code procedure_confirm(struct procedure *procedure, const struct actor *actor);
