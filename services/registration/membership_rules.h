/*
 * membership_rules: memberships by date in the three layers (R-MEM), what a decided procedure does
 * to them, and what may be asked for. Decides only: no I/O, no clock.
 *
 * Whatever happens in whatever order, on every day a member of L3 is a member of L2 and a member of
 * L2 is a member of some L1 (R-MEM-02). What was is never written anew: a procedure takes effect
 * after the last day on which anything of the doctor's memberships began or ended.
 */
#pragma once
#include "registration/procedure_rules.h"

enum { MEMBERSHIPS_MAX = 200 }; /* of one doctor over his life */

/* Texts are borrowed. */
struct membership {
    int64_t id; /* 0: not stored yet */
    int layer;
    struct str code, category; /* code: of the association, empty for the national one */
    day_t from;                /* DAY_NONE: since before the records begin */
    day_t to;                  /* last day; DAY_NONE: it goes on */
    bool primary;              /* of several L1 the one that counts */
};

/* What a doctor is at present, taken from the rows that go on. */
struct standing {
    bool member[LAYERS + 1];
    struct str l1_code, l2_code; /* primary L1; data NULL: none */
    struct str category[LAYERS + 1];
    day_t earliest; /* first day on which something may change; DAY_NONE: any */
};
void membership_standing(const struct membership *rows, size_t count, struct standing *ret);

/* What somebody wants; data NULL: left as it is. */
struct wishes {
    struct str category[LAYERS + 1];
    struct str name, name_kana, former_name, former_name_kana;
    struct str workplace_name, workplace_postcode, workplace_address, phone;
};
/* True when something is wished that `layer` keeps (domain 4.2, change). */
bool wishes_touch(const struct wishes *wishes, int layer);

struct plan_end {
    int64_t id;
    int layer;
    day_t to;
};

struct membership_plan {
    day_t on; /* the day on which it takes effect */
    struct plan_end ends[MEMBERSHIPS_MAX];
    size_t end_count;
    struct membership begins[LAYERS];
    size_t begin_count;
    bool cascaded[LAYERS + 1]; /* ended because the layer below did */
    struct standing after;
    struct str handling_l2; /* whose prefecture looks after the doctor; data NULL: as before */
};

/*
 * What `procedure` does to the memberships `rows` (all of the doctor's) once it is decided and its
 * day has come. Nothing that fails the parent rule begins.
 */
void membership_plan(const struct procedure *procedure, const struct wishes *wishes,
                     const struct membership *rows, size_t count, struct membership_plan *ret);

/* ---- what may be asked for ---- */

struct filing {
    enum procedure_kind kind; /* PROCEDURE_TRANSFER stands for both kinds of transfer */
    int depth;
    struct str l1_code; /* admission, transfer: where to; data NULL: not named */
    struct str l1_home; /* the prefecture of that L1; data NULL: there is no such L1 */
    day_t effective_on;
    struct str reason; /* data NULL: none */
    struct wishes wishes;
    const struct wishes *asked; /* of one that is sent again: what it wished before; else NULL */
    struct actor actor;
    bool at_target; /* a member of that L1 already, primary or not */
    bool open;      /* there is another of the family */
    bool closed;    /* the doctor's account is closed */
    struct str handling_l2;
    struct standing standing;
    day_t today;
};

struct filing_verdict {
    enum code refusal;
    const char *pointer; /* of a wrong field; NULL: none */
    day_t earliest, latest;
};

/* On success `ret_procedure` is what has to be stored, sent; ids and version are the caller's. */
void filing_check(const struct filing *filing, struct filing_verdict *ret_verdict,
                  struct procedure *ret_procedure);
/* An office files for those who are its own or are to be; others are not there for it. */
bool filing_concerns(const struct filing *filing);
/*
 * For one that is sent again, corrected: names, categories and the day (R-PROC-14), and that layers
 * which have approved are not gone round. `filing->asked` is set.
 */
void filing_check_again(const struct filing *filing, const struct procedure *procedure,
                        struct filing_verdict *ret_verdict);
/* Which layers' fields a change touches: it goes there. */
void filing_touch(const struct wishes *wishes, struct procedure *procedure);
/*
 * Who is in category A and leaves it, for another category or altogether, loses the liability
 * insurance (R-MEM-07). Of a death there is nobody to warn.
 */
bool filing_loses_insurance(enum procedure_kind kind, const struct wishes *wishes,
                            const struct standing *standing);
