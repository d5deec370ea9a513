/* What depends on the doctor and on what stands: alternatives, repeats, My Page, visits. */
#include <stdio.h>
#include <string.h>

#include "attendance_cases.h"
#include "lib/test.h"

static void alternatives(void **state)
{
    static const struct {
        const char *starts;
        const char *ends;
        const char *offers;
        const char *want;
    } cases[] = {
        /* Doctor 101: OP 2025-10-10 to 2030-10-09, SP 2020-10-11 to 2025-10-10, whole days. */
        {"2025-10-10T00:00:00+09:00", "2025-10-10T01:00:00+09:00", "OPB-K:2|OPL-S:2",
         "posted OPL-S:4\n"},
        {"2025-10-09T23:00:00+09:00", "2025-10-10T01:00:00+09:00", "OPB-K:2|OPL-S:2",
         "posted OPB-K:4\n"},
        {"2025-10-10T10:00:00+09:00", "2025-10-10T11:00:00+09:00",
         "OPB-K:2|OPB-J:1|OPL-J:1|OPL-S:2", "posted OPL-J:2\n"},
        {"2025-10-09T10:00:00+09:00", "2025-10-09T11:00:00+09:00", "OPL-S:2|OPB-J:1|OPB-K:2",
         "posted OPB-J:2\n"},
        {"2025-10-10T23:00:00+09:00", "2025-10-10T23:59:00+09:00", "SPZ-01:1|SPR:1",
         "posted SPR:2\n"},
        {"2025-10-11T10:00:00+09:00", "2025-10-11T11:00:00+09:00", "SPR:1|SPK-02:1|SPZ-01:1",
         "posted SPK-02:2\n"},
        {"2025-10-10T10:00:00+09:00", "2025-10-10T11:00:00+09:00", "CME-002:1|CME-001:1",
         "posted CME-002:2\n"},
        /* Nothing to choose: the certificate does not matter. */
        {"2025-10-10T10:00:00+09:00", "2025-10-10T11:00:00+09:00", "OPB-K:1", "posted OPB-K:2\n"},
        {"2025-10-09T10:00:00+09:00", "2025-10-09T11:00:00+09:00", "OPL-S:1", "posted OPL-S:2\n"},
        {"2025-10-09T10:00:00+09:00", "2025-10-09T11:00:00+09:00", "OPL-S:1|OPL-R:1",
         "posted OPL-S:2\n"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        set_session(&fixture->sessions[0], "1", cases[i].starts, cases[i].ends, cases[i].offers);
        expect(fixture, "register_no", "101", cases[i].want);
    }
}

static void the_choice_at_sign_up_comes_first(void **state)
{
    struct fixture *fixture = *state;

    fixture->choices[0] = (struct attendance_choice){1000, 0, KIND_OPB_K};
    fixture->choices[1] = (struct attendance_choice){1006, 0, KIND_CME_001}; /* not offered */
    fixture->choice_count = 2;
    expect(fixture, "register_no,kind", "101,\n107,\n101,OPL-S\n",
           "posted OPB-K:4 CME-007:3\n"
           "posted OPB-K:4 CME-007:3\n"
           "rejected conflicts_with_posted !conflicts_with_posted kind=OPL-S>OPB-K\n");
}

static void units_of_open_alternatives(void **state)
{
    struct fixture *fixture = *state;

    set_offers(&fixture->sessions[0], "OPB-K:2|OPL-S:3");
    expect(fixture, "register_no,units", "101,3\n107,2\n108,3\n999,2\n999,3\n999,4\n",
           "posted OPL-S:6\n"
           "posted OPB-K:4\n"
           "rejected units_differ !units_differ units=3>2\n"
           "unmatched doctor_unknown !doctor_unknown register_no=999\n"
           "unmatched doctor_unknown !doctor_unknown register_no=999\n"
           "unmatched doctor_unknown !doctor_unknown register_no=999 !units_differ units=4>2\n");
}

static void repeats_in_one_chunk(void **state)
{
    expect(*state, "register_no,kind,attended",
           "107,CME-007,\n"
           "107,,\n"
           "107,OPB-K,\n"
           "108,,no\n"
           "108,x,\n"
           "108,,\n"
           "108,OPL-S,\n"
           "108,CME-007,\n"
           "103,OPB-K,\n"
           "103,OPL-S,\n"
           "103,,\n",
           "posted CME-007:3\n"
           "already_posted same_upload =1\n"
           "already_posted same_upload =1\n"
           "absent\n"
           "rejected kind_unknown !kind_unknown kind=x>OPB-K, OPL-S, CME-007\n"
           "posted OPB-K:4 CME-007:3\n"
           "rejected conflicts_with_posted !conflicts_with_posted kind=OPL-S>OPB-K\n"
           "already_posted same_upload =6\n"
           "waiting no_my_page OPB-K:4\n"
           "already_posted same_upload =9\n"
           "already_posted same_upload =9\n");
}

static void facts_of_earlier_chunks_and_uploads(void **state)
{
    struct fixture *fixture = *state;
    const struct attendance_fact facts[] = {
        {1006, 0, FACT_POSTED, KIND_CME_007, 0}, /* 107: one programme stands */
        {1007, 0, FACT_POSTED, KIND_OPB_K, 0},   /* 108: both do */
        {1007, 0, FACT_POSTED, KIND_CME_007, 0},
        {1008, 0, FACT_POSTED, KIND_OPL_S, 12},        /* 109: of this upload */
        {1009, 0, FACT_ALREADY_POSTED, KIND_NONE, 13}, /* 110: likewise */
        {1002, 0, FACT_WAITING, KIND_NONE, 0},         /* 103: waits from another upload */
        {1004, 0, FACT_WAITING, KIND_NONE, 14},        /* 105: waits from this one */
        {1010, 0, FACT_WAITING, KIND_NONE, 0},         /* 111: waited, My Page is complete now */
    };

    memcpy(fixture->facts, facts, sizeof(facts));
    fixture->fact_count = ARRAY_LEN(facts);
    expect(fixture, "register_no,kind",
           "107,\n107,\n108,\n108,\n108,OPL-S\n109,OPL-S\n109,\n109,CME-007\n110,\n103,\n103,\n"
           "105,\n111,\n",
           "posted OPB-K:4\n"
           "already_posted same_upload =1\n"
           "already_posted earlier_upload\n"
           "already_posted same_upload =3\n"
           "rejected conflicts_with_posted !conflicts_with_posted kind=OPL-S>OPB-K\n"
           "already_posted same_upload =12\n"
           "rejected conflicts_with_posted !conflicts_with_posted kind=OPB-K>OPL-S\n"
           "already_posted same_upload =12\n"
           "already_posted same_upload =13\n"
           "waiting no_my_page again OPB-K:4 CME-007:3\n"
           "already_posted same_upload =10\n"
           "already_posted same_upload =14\n"
           "posted OPB-K:4 CME-007:3\n");
}

static void my_page(void **state)
{
    struct fixture *fixture = *state;

    set_offers(&fixture->sessions[0], "CME-007:1");
    expect(fixture, "register_no", "103\n105\n106\n104\n",
           "waiting no_my_page CME-007:2\n"
           "waiting no_my_page CME-007:2\n"
           "posted CME-007:2\n"
           "unmatched doctor_closed !doctor_closed register_no=104\n");
    fixture->reject_no_my_page = true;
    expect(fixture, "register_no", "103\n105\n106\n",
           "rejected no_my_page !no_my_page\n"
           "rejected no_my_page !no_my_page\n"
           "posted CME-007:2\n");
}

static void visits(void **state)
{
    struct fixture *fixture = *state;
    const struct attendance_fact facts[] = {
        {1018, 0, FACT_POSTED, KIND_OPL_J, 0},
        {1002, 0, FACT_WAITING, KIND_NONE, 0},
    };

    fixture->sessions[0].delivery = DELIVERY_VISIT;
    fixture->sessions[0].leader_register_no = 101;
    fixture->sessions[0].places_held = 8;
    set_offers(&fixture->sessions[0], "OPL-J:3;CME-007:1");
    memcpy(fixture->facts, facts, sizeof(facts));
    fixture->fact_count = ARRAY_LEN(facts);
    expect(fixture, "register_no,kind", "101,\n107,x\n107,\n105,\n108,\n109,x\n119,\n103,\n107,\n",
           "rejected leader_excluded !leader_excluded\n"
           "rejected kind_unknown !kind_unknown kind=x>OPL-J, CME-007\n"
           "posted OPL-J:6 CME-007:2\n"
           "waiting no_my_page OPL-J:6 CME-007:2\n"
           "rejected visit_full !visit_full>10\n"
           "rejected kind_unknown !kind_unknown kind=x>OPL-J, CME-007\n"
           "posted CME-007:2\n" /* these two hold their places already */
           "waiting no_my_page again OPL-J:6 CME-007:2\n"
           "already_posted same_upload =3\n");
}

/* A doctor with two register numbers, of which the old one stands in the file (R-ACC-13). */
static void an_old_number_leads_to_the_same_doctor(void **state)
{
    struct fixture *fixture = *state;
    char rows[128];

    fixture->doctors[19] = fixture->doctors[6];
    fixture->doctors[19].register_no = 5555;
    (void)snprintf(rows, sizeof(rows), "5555,\n107,\n5555,%010ld\n", (long)mamis_no_make(107));
    expect(fixture, "register_no,mamis_no", rows,
           "posted OPB-K:4 CME-007:3\n"
           "already_posted same_upload =1\n"
           "already_posted same_upload =1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(alternatives),
        CASE(the_choice_at_sign_up_comes_first),
        CASE(units_of_open_alternatives),
        CASE(repeats_in_one_chunk),
        CASE(facts_of_earlier_chunks_and_uploads),
        CASE(my_page),
        CASE(visits),
        CASE(an_old_number_leads_to_the_same_doctor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
