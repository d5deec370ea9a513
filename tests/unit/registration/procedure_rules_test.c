/* Every transition of domain 4.2, allowed and refused, and who may make it. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "registration/procedure_rules.h"

/* What each kind may do, written down once more: "from move to", all else is refused. */
static const struct variant {
    const char *name;
    enum procedure_kind kind;
    int depth, granted;
    bool member_l1, member_l2, member_l3, touches_l2, touches_l3;
    const char *allowed;
} variants[] = {
#define REVIEWED(stage) stage " return returned;" stage " reject rejected;"
#define APPLICANT                                                                                  \
    "draft cancel cancelled;returned cancel cancelled;returned resubmit l2_review;"                \
    "done reach effective;"
#define L1_WAITS                                                                                   \
    "l1_review need_board l1_wait_board;l1_review need_fee l1_wait_fee;"                           \
    "l1_wait_board met l1_review;l1_wait_fee met l1_review;"                                       \
    "l2_review need_board l2_wait_board;l2_review need_fee l2_wait_fee;"                           \
    "l2_wait_board met l2_review;l2_wait_fee met l2_review;"
    {.name = "admission to L1",
     .kind = PROCEDURE_ADMISSION,
     .depth = 1,
     .allowed = "draft submit l1_review;l1_review approve done;l1_review cancel cancelled;"
                "l2_review approve l3_review;l3_review approve done;" L1_WAITS APPLICANT REVIEWED(
                    "l1_review") REVIEWED("l2_review") REVIEWED("l3_review")},
    {.name = "admission to L2, L1 has approved",
     .kind = PROCEDURE_ADMISSION,
     .depth = 2,
     .granted = 1,
     .allowed =
         "draft submit l1_review;l1_review approve l2_review;l1_review cancel cancelled;"
         "l2_review approve done;l2_review return returned;l2_review reject partial;"
         "l3_review approve done;l3_review return returned;l3_review reject partial;" L1_WAITS
             APPLICANT REVIEWED("l1_review")},
    {.name = "admission to L3, L2 has approved",
     .kind = PROCEDURE_ADMISSION,
     .depth = 3,
     .granted = 2,
     .allowed =
         "draft submit l1_review;l1_review approve l2_review;l1_review cancel cancelled;"
         "l2_review approve l3_review;l2_review return returned;l2_review reject partial;"
         "l3_review approve done;l3_review return returned;l3_review reject partial;" L1_WAITS
             APPLICANT REVIEWED("l1_review")},
    {.name = "admission to L2 of who was in L1 before",
     .kind = PROCEDURE_ADMISSION,
     .depth = 2,
     .granted = 1,
     .member_l1 = true,
     .allowed = "draft submit l1_review;l1_review approve l2_review;l1_review cancel cancelled;"
                "l2_review approve done;l3_review approve done;" L1_WAITS APPLICANT REVIEWED(
                    "l1_review") REVIEWED("l2_review") REVIEWED("l3_review")},
    {.name = "withdrawal from all",
     .kind = PROCEDURE_WITHDRAWAL_ALL,
     .allowed =
         "draft submit l1_review;l1_review approve done;l1_review cancel cancelled;" APPLICANT
             REVIEWED("l1_review")},
    {.name = "withdrawal from L2 and L3",
     .kind = PROCEDURE_WITHDRAWAL_L2_L3,
     .allowed =
         "draft submit l1_receive;l1_receive approve l2_review;l2_review approve done;"
         "l1_receive cancel cancelled;" APPLICANT REVIEWED("l1_receive") REVIEWED("l2_review")},
    {.name = "withdrawal from L3",
     .kind = PROCEDURE_WITHDRAWAL_L3,
     .allowed = "draft submit l1_receive;l1_receive approve l2_pass;l2_pass approve l3_review;"
                "l3_review approve done;l1_receive cancel cancelled;" APPLICANT REVIEWED(
                    "l1_receive") REVIEWED("l2_pass") REVIEWED("l3_review")},
    {.name = "change of L1's fields",
     .kind = PROCEDURE_CHANGE,
     .allowed = "draft submit l1_review;l1_review approve done;l2_review approve done;"
                "l3_review approve done;l1_review cancel cancelled;" APPLICANT REVIEWED("l1_review")
                    REVIEWED("l2_review") REVIEWED("l3_review")},
    {.name = "change of L2's fields",
     .kind = PROCEDURE_CHANGE,
     .touches_l2 = true,
     .allowed = "draft submit l1_review;l1_review approve l2_review;l2_review approve done;"
                "l3_review approve done;l1_review cancel cancelled;" APPLICANT REVIEWED("l1_review")
                    REVIEWED("l2_review") REVIEWED("l3_review")},
    {.name = "change of L3's fields",
     .kind = PROCEDURE_CHANGE,
     .touches_l3 = true,
     .allowed = "draft submit l1_review;l1_review approve l3_review;l2_review approve l3_review;"
                "l3_review approve done;l1_review cancel cancelled;" APPLICANT REVIEWED("l1_review")
                    REVIEWED("l2_review") REVIEWED("l3_review")},
    {.name = "change of all layers' fields",
     .kind = PROCEDURE_CHANGE,
     .touches_l2 = true,
     .touches_l3 = true,
     .allowed = "draft submit l1_review;l1_review approve l2_review;l2_review approve l3_review;"
                "l3_review approve done;l1_review cancel cancelled;" APPLICANT REVIEWED("l1_review")
                    REVIEWED("l2_review") REVIEWED("l3_review")},
#define TRANSFERS                                                                                  \
    "draft submit old_l1_release;old_l1_release cancel cancelled;l3_record approve done;"          \
    "l3_record return returned;" APPLICANT REVIEWED("old_l1_release") REVIEWED("new_l1_review")
    {.name = "transfer near by, member of L1",
     .kind = PROCEDURE_TRANSFER,
     .member_l1 = true,
     .allowed = TRANSFERS "old_l1_release approve new_l1_review;new_l1_review approve done;"
                          "l2_review approve done;" REVIEWED("l2_review")},
    {.name = "transfer near by, member of L2",
     .kind = PROCEDURE_TRANSFER,
     .member_l1 = true,
     .member_l2 = true,
     .allowed = TRANSFERS "old_l1_release approve new_l1_review;new_l1_review approve l2_review;"
                          "l2_review approve done;" REVIEWED("l2_review")},
    {.name = "transfer near by, member of L3",
     .kind = PROCEDURE_TRANSFER,
     .member_l1 = true,
     .member_l2 = true,
     .member_l3 = true,
     .allowed = TRANSFERS "old_l1_release approve new_l1_review;new_l1_review approve l2_review;"
                          "l2_review approve l3_record;" REVIEWED("l2_review")},
    {.name = "transfer away, member of L1",
     .kind = PROCEDURE_TRANSFER_AWAY,
     .member_l1 = true,
     .allowed = TRANSFERS
     "old_l1_release approve new_l1_review;new_l1_review approve done;"
     "old_l2_confirm approve new_l1_review;new_l2_review approve done;" REVIEWED("old_l2_confirm")
         REVIEWED("new_l2_review")},
    {.name = "transfer away, member of L3",
     .kind = PROCEDURE_TRANSFER_AWAY,
     .member_l1 = true,
     .member_l2 = true,
     .member_l3 = true,
     .allowed = TRANSFERS "old_l1_release approve old_l2_confirm;old_l2_confirm approve "
                          "new_l1_review;new_l1_review approve new_l2_review;"
                          "new_l2_review approve l3_record;" REVIEWED("old_l2_confirm")
                              REVIEWED("new_l2_review")},
    {.name = "death",
     .kind = PROCEDURE_DEATH,
     .allowed = "draft submit l3_confirm;l3_confirm approve done;l3_confirm cancel "
                "cancelled;" APPLICANT REVIEWED("l3_confirm")},
    {.name = "revocation",
     .kind = PROCEDURE_REVOCATION,
     .allowed = "draft submit l3_confirm;l3_confirm approve done;l3_confirm cancel "
                "cancelled;" APPLICANT REVIEWED("l3_confirm")},
};

static struct procedure procedure_of(const struct variant *variant)
{
    return (struct procedure){
        .doctor_id = 41,
        .kind = variant->kind,
        .depth = variant->depth,
        .granted = variant->granted,
        .member = {[1] = variant->member_l1, [2] = variant->member_l2, [3] = variant->member_l3},
        .touches = {[2] = variant->touches_l2, [3] = variant->touches_l3},
        .back_to = STAGE_L2_REVIEW,
        .l1_code = STR("13001"),
        .l2_code = STR("13"),
        .new_l1_code = STR("14001"),
        .new_l2_code = STR("14"),
        .filed_by = {.layer = 0, .code = STR("")},
        .confirm = {.layer = 0, .code = STR("")},
    };
}

/*
 * The stages that a kind can come to are those its own rows lead to: rows that any kind has stand
 * for them only.
 */
static bool reachable(const struct variant *variant, enum procedure_stage stage)
{
    struct procedure walker = procedure_of(variant);
    bool seen[PROCEDURE_STAGES] = {[STAGE_DRAFT] = true};

    for (int turn = 0; turn < PROCEDURE_STAGES; turn++) {
        for (int from = 0; from < PROCEDURE_STAGES; from++) {
            for (int move = 0; move < PROCEDURE_MOVES && seen[from]; move++) {
                enum procedure_stage to;

                walker.stage = (enum procedure_stage)from;
                if (move != MOVE_RESUBMIT &&
                    procedure_next(&walker, (enum procedure_move)move, &to))
                    seen[to] = true;
            }
        }
    }
    return seen[stage];
}

static const char *wanted(const struct variant *variant, const char *from, const char *move,
                          char *out, size_t size)
{
    char start[64];
    const char *found;
    const char *to;

    (void)snprintf(start, sizeof(start), "%s %s ", from, move);
    for (found = strstr(variant->allowed, start);
         found != NULL && found != variant->allowed && found[-1] != ';';
         found = strstr(found + 1, start))
        continue;
    if (found == NULL)
        return NULL;
    to = found + strlen(start);
    (void)snprintf(out, size, "%.*s", (int)strcspn(to, ";"), to);
    return out;
}

static void check_move(const struct variant *variant, int stage, int move)
{
    struct procedure procedure = procedure_of(variant);
    const char *from = procedure_stage_name((enum procedure_stage)stage);
    const char *name = procedure_move_name((enum procedure_move)move);
    enum procedure_stage to = PROCEDURE_STAGES;
    char out[64];
    const char *want = wanted(variant, from, name, out, sizeof(out));
    bool may;

    procedure.stage = (enum procedure_stage)stage;
    may = procedure_next(&procedure, (enum procedure_move)move, &to);
    if (may != (want != NULL) || (may && strcmp(procedure_stage_name(to), want) != 0))
        fail_msg("%s: %s --%s--> %s, wanted %s", variant->name, from, name,
                 may ? procedure_stage_name(to) : "refused", want == NULL ? "refused" : want);
}

static void every_transition_is_as_written(void **state)
{
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
        for (int stage = 0; stage < PROCEDURE_STAGES; stage++) {
            if (!reachable(&variants[i], (enum procedure_stage)stage))
                continue;
            for (int move = 0; move < PROCEDURE_MOVES; move++, checked++)
                check_move(&variants[i], stage, move);
        }
    }
    assert_true(checked > 1500);
}

/* ---- whole ways ---- */

static const struct actor l1 = {.role = STR("office_l1"), .office = {1, STR("13001")}};
static const struct actor l2 = {.role = STR("office_l2"), .office = {2, STR("13")}};
static const struct actor new_l1 = {.role = STR("office_l1"), .office = {1, STR("14001")}};
static const struct actor new_l2 = {.role = STR("office_l2"), .office = {2, STR("14")}};
static const struct actor l3 = {.role = STR("office_l3"), .office = {3, STR("")}};
static const struct actor doctor = {.role = STR("doctor"), .doctor_id = 41};
static const struct actor other = {.role = STR("doctor"), .doctor_id = 42};

static enum code act(struct procedure *procedure, const struct actor *actor,
                     enum procedure_move move)
{
    const struct procedure_request request = {.move = move, .actor = *actor, .reason = STR("理由")};

    return procedure_act(procedure, &request);
}

static struct procedure filed(enum procedure_kind kind, int depth, int member_of)
{
    const struct variant variant = {.kind = kind,
                                    .depth = depth,
                                    .member_l1 = member_of >= 1,
                                    .member_l2 = member_of >= 2,
                                    .member_l3 = member_of >= 3};
    struct procedure procedure = procedure_of(&variant);

    assert_int_equal(act(&procedure, &doctor, MOVE_SUBMIT), CODE_NONE);
    return procedure;
}

static void each_office_acts_in_its_turn_only(void **state)
{
    static const struct actor *const turn[] = {&l1, &l2, &new_l1, &new_l2, &l3};
    struct procedure procedure = filed(PROCEDURE_TRANSFER_AWAY, 0, 3);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(turn); i++) {
        for (size_t j = 0; j < ARRAY_LEN(turn); j++) {
            if (i != j)
                assert_int_equal(act(&procedure, turn[j], MOVE_APPROVE), CODE_PROCEDURE_ELSEWHERE);
        }
        assert_int_equal(act(&procedure, &doctor, MOVE_APPROVE), CODE_FORBIDDEN);
        assert_int_equal(act(&procedure, &other, MOVE_APPROVE), CODE_NOT_FOUND);
        assert_int_equal(act(&procedure, turn[i], MOVE_APPROVE), CODE_NONE);
    }
    assert_int_equal(procedure.stage, STAGE_DONE);
    assert_int_equal(act(&procedure, &l3, MOVE_APPROVE), CODE_PROCEDURE_STAGE);
}

/* Edge 76: what L1 gave stands when L2 says no. */
static void a_rejection_higher_up_leaves_what_was_given(void **state)
{
    struct procedure procedure = filed(PROCEDURE_ADMISSION, 3, 0);

    (void)state;
    assert_int_equal(act(&procedure, &l1, MOVE_APPROVE), CODE_NONE);
    assert_int_equal(act(&procedure, &l2, MOVE_REJECT), CODE_NONE);
    assert_int_equal(procedure.stage, STAGE_PARTIAL);
    assert_int_equal(procedure.granted, 1);
}

static void a_returned_one_comes_back_to_the_same_desk(void **state)
{
    struct procedure procedure = filed(PROCEDURE_ADMISSION, 2, 0);

    (void)state;
    assert_int_equal(act(&procedure, &l1, MOVE_APPROVE), CODE_NONE);
    assert_int_equal(act(&procedure, &l2, MOVE_RETURN), CODE_NONE);
    assert_int_equal(act(&procedure, &l2, MOVE_RESUBMIT), CODE_FORBIDDEN);
    assert_int_equal(act(&procedure, &other, MOVE_RESUBMIT), CODE_NOT_FOUND);
    assert_int_equal(act(&procedure, &doctor, MOVE_RESUBMIT), CODE_NONE);
    assert_int_equal(procedure.stage, STAGE_L2_REVIEW);
}

static void a_return_and_a_rejection_say_why(void **state)
{
    struct procedure procedure = filed(PROCEDURE_ADMISSION, 1, 0);
    struct procedure_request request = {.move = MOVE_RETURN, .actor = l1, .reason = STR_NONE};

    (void)state;
    assert_int_equal(procedure_act(&procedure, &request), CODE_FIELD_MISSING);
    request.move = MOVE_REJECT;
    assert_int_equal(procedure_act(&procedure, &request), CODE_FIELD_MISSING);
    assert_int_equal(procedure.stage, STAGE_L1_REVIEW);
}

/* Domain 5: the L2 user who entered a proxy application may not approve it alone. */
static void who_entered_it_does_not_approve_it(void **state)
{
    struct procedure procedure = filed(PROCEDURE_ADMISSION, 2, 0);
    struct actor colleague = l2;
    struct actor same = l2;

    (void)state;
    same.account_id.bytes[0] = 1;
    colleague.account_id.bytes[0] = 2;
    procedure.filed_by = l2.office;
    procedure.filed_account = same.account_id;
    assert_int_equal(act(&procedure, &l1, MOVE_APPROVE), CODE_NONE);
    assert_int_equal(act(&procedure, &same, MOVE_APPROVE), CODE_TWO_PERSONS);
    assert_int_equal(act(&procedure, &same, MOVE_RETURN), CODE_NONE);
    assert_int_equal(act(&procedure, &doctor, MOVE_RESUBMIT), CODE_FORBIDDEN);
    assert_int_equal(act(&procedure, &colleague, MOVE_RESUBMIT), CODE_NONE);
    assert_int_equal(act(&procedure, &colleague, MOVE_APPROVE), CODE_NONE);
}

/* R-PROC-04: L2 gets something to confirm, and no veto. */
static void l2_confirms_an_automatic_withdrawal_once(void **state)
{
    struct procedure procedure = filed(PROCEDURE_WITHDRAWAL_ALL, 0, 3);

    (void)state;
    assert_int_equal(procedure_confirm(&procedure, &l2), CODE_PROCEDURE_ELSEWHERE);
    assert_int_equal(act(&procedure, &l1, MOVE_APPROVE), CODE_NONE);
    assert_int_equal(procedure.stage, STAGE_DONE);
    assert_int_equal(act(&procedure, &l2, MOVE_REJECT), CODE_PROCEDURE_STAGE);
    assert_int_equal(procedure_confirm(&procedure, &new_l2), CODE_PROCEDURE_ELSEWHERE);
    assert_int_equal(procedure_confirm(&procedure, &l2), CODE_NONE);
    assert_int_equal(procedure_confirm(&procedure, &l2), CODE_STATE_CONFLICT);
}

/* A refusal that a single approval would get comes first; a refused one stays as it was. */
static void one_of_many_is_plain_and_as_it_was_looked_at(void **state)
{
    static const struct {
        const struct actor *actor;
        enum procedure_stage stage;
        struct procedure_look look;
        enum code wanted;
    } cases[] = {
        {&l1, STAGE_L1_REVIEW, {1, true}, CODE_NONE},
        {&l1, STAGE_L1_REVIEW, {1, false}, CODE_PROCEDURE_NOT_PLAIN},
        {&l1, STAGE_L1_REVIEW, {2, true}, CODE_STATE_CONFLICT},
        {&l1, STAGE_L1_REVIEW, {2, false}, CODE_STATE_CONFLICT},
        {&l2, STAGE_L1_REVIEW, {1, true}, CODE_PROCEDURE_ELSEWHERE},
        {&l1, STAGE_L2_REVIEW, {1, true}, CODE_PROCEDURE_ELSEWHERE},
        {&l1, STAGE_L1_WAIT_FEE, {1, true}, CODE_PROCEDURE_STAGE},
        {&l1, STAGE_REJECTED, {1, true}, CODE_PROCEDURE_STAGE},
        {&doctor, STAGE_L1_REVIEW, {1, true}, CODE_FORBIDDEN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct procedure procedure = filed(PROCEDURE_ADMISSION, 1, 0);
        const struct procedure_request approve = {.move = MOVE_APPROVE, .actor = *cases[i].actor};

        procedure.version = 1;
        procedure.stage = cases[i].stage;
        assert_int_equal(procedure_act_plain(&procedure, &approve, &cases[i].look),
                         cases[i].wanted);
        assert_int_equal(procedure.stage,
                         cases[i].wanted == CODE_NONE ? STAGE_DONE : cases[i].stage);
    }
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < PROCEDURE_STAGES; i++) {
        enum procedure_stage stage;

        assert_true(
            procedure_stage_parse(str_of(procedure_stage_name((enum procedure_stage)i)), &stage));
        assert_int_equal(stage, i);
    }
    for (int i = 0; i < PROCEDURE_KINDS; i++) {
        enum procedure_kind kind;

        assert_true(
            procedure_kind_parse(str_of(procedure_kind_name((enum procedure_kind)i)), &kind));
        assert_int_equal(kind, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transition_is_as_written),
        cmocka_unit_test(each_office_acts_in_its_turn_only),
        cmocka_unit_test(a_rejection_higher_up_leaves_what_was_given),
        cmocka_unit_test(a_returned_one_comes_back_to_the_same_desk),
        cmocka_unit_test(a_return_and_a_rejection_say_why),
        cmocka_unit_test(who_entered_it_does_not_approve_it),
        cmocka_unit_test(l2_confirms_an_automatic_withdrawal_once),
        cmocka_unit_test(one_of_many_is_plain_and_as_it_was_looked_at),
        cmocka_unit_test(names_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
