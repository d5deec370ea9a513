/* signup_rules: see signup_rules.h. */
#include "credit/signup_rules.h"

#include "base/arena.h"

static const char *const state_names[SIGNUP_STATES] = {
    [SIGNUP_NONE] = "",
    [SIGNUP_APPLIED] = "applied",
    [SIGNUP_WAITLIST] = "waitlist",
    [SIGNUP_CANCELLED] = "cancelled_by_doctor",
};

/* Why a deed is not possible from a state; CODE_NONE: it is. */
static const enum code refusals[SIGNUP_DEEDS][SIGNUP_STATES] = {
    [SIGNUP_APPLY] =
        {
            [SIGNUP_NONE] = CODE_NONE,
            [SIGNUP_APPLIED] = CODE_SIGNUP_TWICE,
            [SIGNUP_WAITLIST] = CODE_SIGNUP_TWICE,
            [SIGNUP_CANCELLED] = CODE_NONE,
        },
    [SIGNUP_CANCEL] =
        {
            [SIGNUP_NONE] = CODE_SIGNUP_NONE,
            [SIGNUP_APPLIED] = CODE_NONE,
            [SIGNUP_WAITLIST] = CODE_NONE,
            [SIGNUP_CANCELLED] = CODE_SIGNUP_NONE,
        },
    [SIGNUP_CHOOSE] =
        {
            [SIGNUP_NONE] = CODE_SIGNUP_NONE,
            [SIGNUP_APPLIED] = CODE_NONE,
            [SIGNUP_WAITLIST] = CODE_NONE,
            [SIGNUP_CANCELLED] = CODE_SIGNUP_NONE,
        },
};

const char *signup_state_name(enum signup_state state)
{
    return state_names[state];
}

enum signup_state signup_state_of(struct str name)
{
    for (int i = SIGNUP_APPLIED; i < SIGNUP_STATES; i++) {
        if (str_eq_c(name, state_names[i]))
            return (enum signup_state)i;
    }
    return SIGNUP_NONE;
}

int64_t signup_promoted(const struct signup_facts *facts)
{
    const int64_t left = facts->capacity - facts->applied;

    if (facts->capacity == SIGNUP_NO_LIMIT || left > facts->waiting)
        return facts->waiting;
    return left < 0 ? 0 : left;
}

static enum code refusal(const struct signup_facts *facts, enum signup_deed deed, int64_t now_us)
{
    if (deed == SIGNUP_APPLY && !facts->my_page)
        return CODE_SIGNUP_ACCOUNT;
    if (!facts->published || (deed != SIGNUP_CHOOSE && facts->starts_us <= now_us))
        return CODE_SIGNUP_CLOSED;
    return refusals[deed][facts->state];
}

void rules_signup(const struct signup_facts *facts, enum signup_deed deed, int64_t now_us,
                  struct signup_verdict *ret_verdict)
{
    struct signup_verdict verdict = {.refusal = refusal(facts, deed, now_us), .next = facts->state};
    struct signup_facts after = *facts;

    if (verdict.refusal == CODE_NONE && deed != SIGNUP_CHOOSE) {
        const bool full = facts->capacity != SIGNUP_NO_LIMIT &&
                          facts->applied + facts->waiting >= facts->capacity;

        if (deed == SIGNUP_CANCEL) {
            verdict.next = SIGNUP_CANCELLED;
            after.applied -= facts->state == SIGNUP_APPLIED;
            after.waiting -= facts->state == SIGNUP_WAITLIST;
        } else {
            verdict.next = full ? SIGNUP_WAITLIST : SIGNUP_APPLIED;
            after.applied += !full;
        }
        verdict.promoted = signup_promoted(&after);
    }
    *ret_verdict = verdict;
}

/* ---- what kinds are wanted ---- */

struct str choice_codes(struct arena *arena, const struct signup_session *session, bool all,
                        const char *joint)
{
    const char *text = "";

    for (uint8_t i = 0; i < session->offers.count; i++) {
        if (all || session->wanted[i])
            text = arena_printf(arena, "%s%s%s", text, text[0] == '\0' ? "" : joint,
                                kind_code((enum kind)session->offers.list[i].kind));
    }
    return str_of(text);
}

static struct signup_session *session_of(struct signup_session *sessions, size_t count,
                                         struct str session_no)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(sessions[i].session_no, session_no))
            return &sessions[i];
    }
    return NULL;
}

static bool programme_wanted(const struct signup_session *session, enum programme programme)
{
    for (uint8_t i = 0; i < session->offers.count; i++) {
        if (session->wanted[i] &&
            kind_programme((enum kind)session->offers.list[i].kind) == programme)
            return true;
    }
    return false;
}

static enum code want(struct signup_session *session, struct str code)
{
    const enum kind kind = kind_of_code(code);
    const int at = session == NULL || kind == KIND_NONE ? -1 : offers_find(&session->offers, kind);

    if (at < 0)
        return CODE_CHOICE_NOT_OFFERED;
    if (programme_wanted(session, kind_programme(kind)))
        return CODE_CHOICE_TWICE;
    session->wanted[at] = true;
    return CODE_NONE;
}

void rules_choices(struct arena *arena, struct signup_session *sessions, size_t session_count,
                   const struct signup_choice *choices, size_t choice_count,
                   struct choice_verdict *ret_verdict)
{
    *ret_verdict = (struct choice_verdict){.refusal = CODE_NONE};
    for (size_t i = 0; i < choice_count; i++) {
        struct signup_session *session = session_of(sessions, session_count, choices[i].session_no);
        const enum code refusal = want(session, choices[i].kind);

        if (refusal != CODE_NONE) {
            *ret_verdict = (struct choice_verdict){refusal, choices[i].kind, session};
            return;
        }
    }
    for (size_t i = 0; i < session_count; i++) {
        const struct signup_session *session = &sessions[i];

        if (session->posted && !str_eq(choice_codes(arena, session, false, "/"), session->chosen)) {
            *ret_verdict =
                (struct choice_verdict){CODE_CHOICE_POSTED, session->session_no, session};
            return;
        }
    }
}
