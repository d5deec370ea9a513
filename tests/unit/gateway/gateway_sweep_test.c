/* What the sweep deletes, by its own statements on a real database: copies of licences, drafts. */
#include "unit/gateway/gateway_bench.h"

#define OLD "0190a000-0000-7000-8000-000000000001"
#define RECENT "0190a000-0000-7000-8000-000000000002"
#define OPEN "0190a000-0000-7000-8000-000000000003"

enum { WAIT_MS = 60000 };

/* A sign-up that was decided so long ago (NULL: not yet), and its copy of a licence. */
#define SIGNUP(id, number, decided)                                                                   \
    "INSERT INTO registration.signup (signup_id, name, name_kana, sex, birth_on, register_no,"        \
    " licensed_on, email, status, submitted_at, decided_at) VALUES ('" id "', '見本', 'ミホン'," \
    " 'F', '1980-05-01', '" number "', '2006-04-20', 'a@example.jp', 'review', now(), " decided       \
    "); INSERT INTO gateway.document (document_id, media_type, bytes, sha256, created_at)"            \
    " VALUES ('" id "', 'application/pdf', 'x', sha256('x'), now());"

#define DRAFT(id, kind, days)                                                                      \
    "INSERT INTO gateway.procedure_draft (draft_id, doctor_id, kind, form, saved_at) VALUES ('" id \
    "', 1, '" kind "', '{}', now() - interval '" days " days');"

static void licences_and_drafts_go_after_ninety_days(void **state)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    bool never = false;

    (void)state;
    pg_server_exec(&bench_server,
                   SIGNUP(OLD, "1", "now() - interval '91 days'")
                       SIGNUP(RECENT, "2", "now() - interval '89 days'") SIGNUP(OPEN, "3", "NULL")
                           DRAFT(OLD, "change", "91") DRAFT(RECENT, "transfer", "89"));
    while (pg_server_i64(&bench_server, "SELECT count(*) FROM gateway.document") == 3) {
        assert_true(clock_mono_ms() < end_ms);
        (void)loop_run_until(bench_fixture.loop, &never, 10);
    }
    assert_int_equal(pg_server_i64(&bench_server,
                                   "SELECT count(*) FROM gateway.document"
                                   " WHERE document_id IN ('" RECENT "', '" OPEN "')"),
                     2);
    assert_int_equal(pg_server_i64(&bench_server, "SELECT count(*) FROM gateway.procedure_draft"
                                                  " WHERE draft_id = '" RECENT "'"),
                     1);
    assert_int_equal(pg_server_i64(&bench_server, "SELECT count(*) FROM gateway.procedure_draft"),
                     1);
    /* The sign-up itself stays. */
    assert_int_equal(pg_server_i64(&bench_server, "SELECT count(*) FROM registration.signup"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(licences_and_drafts_go_after_ninety_days),
    };

    return cmocka_run_group_tests(tests, gateway_bench_open, gateway_bench_close);
}
