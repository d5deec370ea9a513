/* Delegations: every deed from every state, allowed and refused, and who may. */
#include "lib/test.h"
#include "registration/registration_delegate_rules.h"

static struct delegate_facts good(enum delegation_state state)
{
    return (struct delegate_facts){.state = state, .actor_fits = true, .actor_active = true};
}

static void every_deed_from_every_state(void **state)
{
    static const struct {
        enum delegate_deed deed;
        enum delegation_state from, to;
        enum code refusal;
    } cases[] = {
        {DELEGATE_INVITE, DELEGATION_NONE, DELEGATION_INVITED, CODE_NONE},
        {DELEGATE_INVITE, DELEGATION_INVITED, DELEGATION_INVITED, CODE_DELEGATE_NAMED},
        {DELEGATE_INVITE, DELEGATION_ACTIVE, DELEGATION_ACTIVE, CODE_DELEGATE_NAMED},
        {DELEGATE_INVITE, DELEGATION_REVOKED, DELEGATION_INVITED, CODE_NONE},
        {DELEGATE_ACCEPT, DELEGATION_NONE, DELEGATION_NONE, CODE_NOT_FOUND},
        {DELEGATE_ACCEPT, DELEGATION_INVITED, DELEGATION_ACTIVE, CODE_NONE},
        {DELEGATE_ACCEPT, DELEGATION_ACTIVE, DELEGATION_ACTIVE, CODE_NONE},
        {DELEGATE_ACCEPT, DELEGATION_REVOKED, DELEGATION_REVOKED, CODE_DELEGATION_ENDED},
        {DELEGATE_REVOKE, DELEGATION_NONE, DELEGATION_NONE, CODE_NOT_FOUND},
        {DELEGATE_REVOKE, DELEGATION_INVITED, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_REVOKE, DELEGATION_ACTIVE, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_REVOKE, DELEGATION_REVOKED, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_RESIGN, DELEGATION_NONE, DELEGATION_NONE, CODE_NOT_FOUND},
        {DELEGATE_RESIGN, DELEGATION_INVITED, DELEGATION_INVITED, CODE_NOT_FOUND},
        {DELEGATE_RESIGN, DELEGATION_ACTIVE, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_RESIGN, DELEGATION_REVOKED, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_MERGE, DELEGATION_NONE, DELEGATION_NONE, CODE_NOT_FOUND},
        {DELEGATE_MERGE, DELEGATION_INVITED, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_MERGE, DELEGATION_ACTIVE, DELEGATION_REVOKED, CODE_NONE},
        {DELEGATE_MERGE, DELEGATION_REVOKED, DELEGATION_REVOKED, CODE_NONE},
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(cases), DELEGATE_DEEDS * DELEGATION_STATES);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct delegate_facts facts = good(cases[i].from);
        struct delegate_verdict verdict;

        rules_delegate(&facts, cases[i].deed, &verdict);
        assert_int_equal(verdict.refusal, cases[i].refusal);
        assert_int_equal(verdict.next, cases[i].to);
        assert_int_equal(verdict.changed, cases[i].from != cases[i].to);
    }
}

static void only_who_may(void **state)
{
    static const enum delegate_deed deeds[] = {DELEGATE_INVITE, DELEGATE_ACCEPT, DELEGATE_REVOKE,
                                               DELEGATE_RESIGN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        struct delegate_facts facts =
            good(deeds[i] == DELEGATE_INVITE ? DELEGATION_NONE : DELEGATION_INVITED);
        struct delegate_verdict verdict;

        facts.actor_active = false;
        rules_delegate(&facts, deeds[i], &verdict);
        assert_int_equal(verdict.refusal, CODE_ACCOUNT_SUSPENDED);
        assert_false(verdict.changed);
        /* A stranger learns no more than of what is not there. */
        facts.actor_fits = false;
        rules_delegate(&facts, deeds[i], &verdict);
        assert_int_equal(verdict.refusal, CODE_NOT_FOUND);
        assert_false(verdict.changed);
    }
}

static void an_invitation_has_limits(void **state)
{
    struct delegate_facts facts = good(DELEGATION_NONE);
    struct delegate_verdict verdict;

    (void)state;
    facts.standing = DELEGATES_MAX - 1;
    rules_delegate(&facts, DELEGATE_INVITE, &verdict);
    assert_int_equal(verdict.refusal, CODE_NONE);
    facts.standing = DELEGATES_MAX;
    rules_delegate(&facts, DELEGATE_INVITE, &verdict);
    assert_int_equal(verdict.refusal, CODE_DELEGATES_MANY);
    facts.address_taken = true;
    rules_delegate(&facts, DELEGATE_INVITE, &verdict);
    assert_int_equal(verdict.refusal, CODE_DELEGATE_ADDRESS);
    assert_int_equal(verdict.next, DELEGATION_NONE);
}

static void states_have_names(void **state)
{
    (void)state;
    for (int i = DELEGATION_INVITED; i < DELEGATION_STATES; i++)
        assert_int_equal(
            delegation_state_of(str_of(delegation_state_name((enum delegation_state)i))), i);
    assert_int_equal(delegation_state_of(STR("")), DELEGATION_NONE);
    assert_int_equal(delegation_state_of(STR("other")), DELEGATION_NONE);
    assert_string_equal(delegate_deed_name(DELEGATE_ACCEPT), "accepted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deed_from_every_state),
        cmocka_unit_test(only_who_may),
        cmocka_unit_test(an_invitation_has_limits),
        cmocka_unit_test(states_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
