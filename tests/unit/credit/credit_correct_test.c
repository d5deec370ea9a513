/* Corrections by counter-entry: one credit cancelled, and what that leaves behind. */
#include <string.h>

#include "credit_check.h"

#define OPERATION "0190a000-0000-7000-8000-0000000000a1"
#define ACTOR "0190a000-0000-7000-8000-0000000000b1"
#define REASON "受講者を取り違えたため"

static const char header[] = "医籍登録番号,セッション番号,単位種別\n";

/* One doctor's lifelong credit of S2026-0001; the doctor and the session it stands for. */
struct posted {
    struct sent upload;
    long long doctor, session;
};

static struct posted post_one(void)
{
    struct posted posted = {
        .upload = post_file("S2026-0001", text("%s%lld,1,OPL-S/CME-007\n", header,
                                               (long long)samples->doctors[0].register_no)),
        .doctor = (long long)samples->doctors[0].doctor_id,
    };

    posted.session = count("SELECT DISTINCT session_id FROM credit.ledger");
    return posted;
}

static enum err cancel(const struct posted *posted, const char *upload_id, int revision)
{
    inject(EVENT_CREDIT_CANCEL,
           "{\"operation_id\":\"" OPERATION "\",\"actor_id\":\"" ACTOR "\",\"role\":\"organiser\","
           "\"office_code\":\"P13\",\"reason\":\"" REASON "\",\"upload_id\":\"%s\","
           "\"entry_id\":\"entry-%d\",\"doctor_id\":%lld,\"session_id\":%lld,"
           "\"programme\":\"OP\",\"revision\":%d}",
           upload_id, revision, posted->doctor, posted->session, revision);
    return handle_at(0);
}

static void a_credit_is_cancelled(void **state)
{
    const struct posted posted = post_one();
    const int64_t version = count("SELECT version FROM credit.upload");
    const json_t *event, *about, *lot;

    (void)state;
    assert_int_equal(cancel(&posted, posted.upload.id, 0), ERR_OK);
    assert_string_equal(bench.answer_code, "");
    assert_string_equal(bench_text(bench.answer, "entry_id"), "entry-0");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 3);
    assert_int_equal(count("SELECT count(*) FROM credit.ledger WHERE revision = 1"
                           " AND programme = 'OP' AND half_units = -4 AND kind = 'OPL-S'"
                           " AND upload_no = %lld AND row_no = 1 AND reason = '" REASON "'"
                           " AND actor = '" ACTOR "' AND actor_role = 'organiser'"
                           " AND actor_code = 'P13' AND posted_at >= '" NOW "'",
                           (long long)posted.upload.no),
                     1);
    assert_int_equal(count("SELECT count(*) FROM credit.audit WHERE action = 'credit_cancel'"
                           " AND actor = '" ACTOR "' AND subject = 'entry-0'"
                           " AND detail ->> 'role' = 'organiser' AND detail ->> 'code' = 'P13'"),
                     1);
    assert_int_equal(count("SELECT version FROM credit.upload"), version + 1);
    assert_int_equal(heard(EVENT_CREDITS_POSTED), 2);
    event = heard_data(EVENT_CREDITS_POSTED, 1);
    about = json_object_get(event, "correction");
    assert_string_equal(bench_text(about, "cause"), "cancel");
    assert_string_equal(bench_text(about, "reason"), REASON);
    assert_string_equal(bench_text(about, "correction_id"), OPERATION);
    assert_true(json_is_true(json_object_get(about, "last")));
    lot = json_array_get(json_object_get(event, "lots"), 0);
    assert_int_equal(json_integer_value(json_object_get(lot, "half_units")), -4);
    assert_int_equal(json_integer_value(json_object_get(lot, "revision")), 1);
    assert_books(&posted.upload);
}

static void what_is_cancelled_is_not_cancelled_again(void **state)
{
    const struct posted posted = post_one();

    (void)state;
    assert_int_equal(cancel(&posted, posted.upload.id, 0), ERR_OK);
    assert_int_equal(cancel(&posted, posted.upload.id, 0), ERR_OK);
    assert_string_equal(bench.answer_code, "credit_cancelled");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 3);
    /* Posted again with another kind, it is another entry, which can be cancelled once. */
    struct sent again = post_file(
        "S2026-0001", text("%s%lld,1,OPB-K\n", header, (long long)samples->doctors[0].register_no));
    assert_counts(&again, (const int64_t[]){1, 0, 0, 0, 0, 0});
    assert_int_equal(cancel(&posted, posted.upload.id, 0), ERR_OK);
    assert_string_equal(bench.answer_code, "credit_cancelled");
    assert_int_equal(cancel(&posted, again.id, 2), ERR_OK);
    assert_string_equal(bench.answer_code, "");
    assert_int_equal(count("SELECT sum(half_units) FROM credit.ledger WHERE programme = 'OP'"), 0);
    assert_books(&again);
}

static void what_is_no_posting_is_not_found(void **state)
{
    const struct posted posted = post_one();
    struct posted other = posted;

    (void)state;
    assert_int_equal(cancel(&posted, posted.upload.id, 2), ERR_OK);
    assert_string_equal(bench.answer_code, "not_found");
    other.doctor++;
    assert_int_equal(cancel(&other, posted.upload.id, 0), ERR_OK);
    assert_string_equal(bench.answer_code, "not_found");
    assert_int_equal(cancel(&posted, posted.upload.id, 0), ERR_OK);
    assert_int_equal(cancel(&posted, posted.upload.id, 1), ERR_OK); /* a counter-entry */
    assert_string_equal(bench.answer_code, "not_found");
    assert_int_equal(count("SELECT count(*) FROM credit.ledger"), 3);
}

static void a_command_that_died_is_answered(void **state)
{
    (void)state;
    bench_give_up(&bench, credit_command_dead, &credit, "{\"operation_id\":\"" OPERATION "\"}");
    assert_true(bench.answered);
    assert_int_equal(bench.answer_err, ERR_INTERNAL);
    bench_give_up(&bench, credit_command_dead, &credit, "{\"operation_id\":7}");
    assert_false(bench.answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_credit_is_cancelled, clean),
        cmocka_unit_test_setup(what_is_cancelled_is_not_cancelled_again, clean),
        cmocka_unit_test_setup(what_is_no_posting_is_not_found, clean),
        cmocka_unit_test_setup(a_command_that_died_is_answered, clean),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
