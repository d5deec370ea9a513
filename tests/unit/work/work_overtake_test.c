/* work: urgent messages go before others, against real servers. */
#include "unit/work/work_fixture.h"
#include "work/work_private.h"

#define EFFECTS "SELECT count(*) FROM credit.effect"
#define PLACE "SELECT coalesce(sum(next), 0) FROM credit.work_offset"
#define INBOX "SELECT count(*) FROM credit.inbox"
#define UNSENT "SELECT count(*) FROM gateway.outbox WHERE sent_at IS NULL"
/* The effects' numbers in the order in which they were written, as one decimal number. */
#define ORDER                                                                                      \
    "SELECT coalesce(string_agg(n::text, '' ORDER BY effect_id), '0')::bigint FROM credit.effect"

static void send_keyed(struct fixture *fx, const char *type, const char *key, int64_t n)
{
    fx->key = key;
    send_event(fx, type, n);
}

static void until_sent(struct fixture *fx)
{
    until_i64(fx, UNSENT, 0);
}

/* A worker with the first message in hand, all others fetched. */
static void worker_start_full(struct fixture *fx)
{
    until_sent(fx);
    worker_start(fx);
    until_kept(fx, 1);
}

static bool queue_is_full(void *arg)
{
    const struct fixture *fx = arg;

    return fx->work->parts != NULL && fx->work->parts->count == fx->queued;
}

static void until_queued(struct fixture *fx, size_t count)
{
    fx->queued = count;
    assert_true(wait_for(fx->loop, queue_is_full, fx, 20000));
}

static void answer_next(struct fixture *fx)
{
    until_kept(fx, 1);
    answer_kept(&fx->service, ERR_OK);
}

static void urgent_ones_overtake_other_keys(void **state)
{
    struct fixture *fx = *state;

    send_keyed(fx, "t.slow.v1", "a", 1);
    send_keyed(fx, "t.slow.v1", "a", 2);
    send_keyed(fx, "t.slow.v1", "b", 3);
    send_keyed(fx, "t.quick.v1", "a", 4);
    send_keyed(fx, "t.quick.v1", "c", 5);
    worker_start_full(fx);
    until_queued(fx, 4);
    answer_next(fx);
    until_kept(fx, 1); /* 2, after 5 */
    assert_int_equal(number(ORDER), 15);
    assert_int_equal(number(PLACE), 1);
    assert_int_equal(number(INBOX), 2);
    answer_next(fx); /* 2; then nothing stands before 4 that has its key */
    answer_next(fx);
    until_i64(fx, PLACE, 5);
    assert_int_equal(number(ORDER), 15243);
    assert_int_equal(number(INBOX), 5);
    assert_int_equal(fx->service.committed, 2);
}

/* However many hurry, the others go on as well. */
static void those_in_order_are_not_starved(void **state)
{
    struct fixture *fx = *state;

    for (int64_t n = 1; n <= 3; n++)
        send_keyed(fx, "t.slow.v1", "a", n);
    for (int i = 0; i < 2 * WORK_OVERTAKES_MAX; i++)
        send_keyed(fx, "t.quick.v1", "b", 0);
    worker_start_full(fx);
    until_queued(fx, 2 + 2 * WORK_OVERTAKES_MAX);
    answer_next(fx);
    until_kept(fx, 1);
    assert_int_equal(number(EFFECTS " WHERE n = 0"), WORK_OVERTAKES_MAX);
    answer_next(fx);
    until_kept(fx, 1);
    assert_int_equal(number(EFFECTS " WHERE n = 0"), 2 * WORK_OVERTAKES_MAX);
    answer_next(fx);
    until_i64(fx, PLACE, 3 + 2 * WORK_OVERTAKES_MAX);
    assert_int_equal(number(EFFECTS), 3 + 2 * WORK_OVERTAKES_MAX);
}

/* Refused early is tried again in its turn, and buried there. */
static void a_refused_one_waits_for_its_turn(void **state)
{
    struct fixture *fx = *state;

    send_keyed(fx, "t.slow.v1", "a", 1);
    send_keyed(fx, "t.slow.v1", "a", 2);
    send_keyed(fx, "t.quick.v1", "b", -1);
    send_keyed(fx, "t.quick.v1", "b", 3);
    worker_start_full(fx);
    until_queued(fx, 3);
    answer_next(fx);
    until_kept(fx, 1);
    assert_int_equal(number(ORDER), 1);
    assert_int_equal(number("SELECT count(*) FROM credit.dead_letter"), 0);
    answer_next(fx);
    until_i64(fx, PLACE, 4);
    assert_int_equal(number("SELECT count(*) FROM credit.dead_letter WHERE \"offset\" = 2"), 1);
    assert_int_equal(number(EFFECTS " WHERE n < 10"), 3);
}

/* The effect stands, the offset is not passed yet: whoever comes next does nothing twice. */
static void another_worker_passes_what_overtook(void **state)
{
    struct fixture *fx = *state;

    send_keyed(fx, "t.slow.v1", "a", 1);
    send_keyed(fx, "t.slow.v1", "a", 2);
    send_keyed(fx, "t.quick.v1", "b", 3);
    send_keyed(fx, "t.slow.v1", "a", 4);
    send_keyed(fx, "t.quick.v1", "c", 5);
    worker_start_full(fx);
    until_queued(fx, 4);
    answer_next(fx);
    until_kept(fx, 1);
    assert_int_equal(number(ORDER), 135);
    answer_kept(&fx->service, ERR_DB_DOWN); /* 2 is not done */
    worker_stop(fx);
    assert_int_equal(number(PLACE), 1);
    worker_start(fx);
    answer_next(fx);
    answer_next(fx);
    until_i64(fx, PLACE, 5);
    assert_int_equal(number(ORDER), 13524);
    assert_int_equal(number(INBOX), 5);
}

struct fault {
    uint64_t at;
    enum err err;
    bool after_commit;
    bool fired;
};

static enum err inject(void *arg, uint64_t batch_number, bool after_commit)
{
    struct fault *fault = arg;

    if (after_commit != fault->after_commit || batch_number < fault->at || fault->fired)
        return ERR_OK;
    fault->fired = true;
    return fault->err;
}

struct goal {
    struct fixture *fx;
    int64_t place;
    uint64_t next_ms;
};

static bool answered_up_to(void *arg)
{
    struct goal *goal = arg;

    answer_kept(&goal->fx->service, ERR_OK);
    if (clock_mono_ms() < goal->next_ms)
        return false;
    goal->next_ms = clock_mono_ms() + 20;
    return number(PLACE) == goal->place;
}

/* Each is answered as often as it comes. */
static void answer_until(struct fixture *fx, int64_t place)
{
    struct goal goal = {.fx = fx, .place = place};

    assert_true(wait_for(fx->loop, answered_up_to, &goal, 20000));
}

/* Whatever answer of the database is lost while it overtakes: one effect, one event. */
static void lost_answers_change_nothing(void **state)
{
    struct fixture *fx = *state;
    static const enum err errs[] = {ERR_DB_UNKNOWN, ERR_DB_DOWN};
    int64_t sent = 0;

    fx->service.out_topic = kafka_topic(1);
    send_keyed(fx, "t.add.v1", "k", sent++); /* the partition is not at its beginning any more */
    worker_start(fx);
    until_i64(fx, PLACE, 1);
    for (size_t i = 0; i < 2 * ARRAY_LEN(errs); i++) {
        for (uint64_t skip = 0; skip < 3; skip++) {
            struct fault fault = {.err = errs[i / 2], .after_commit = i % 2 == 1};
            struct db_stats stats;

            send_keyed(fx, "t.slow.v1", "a", sent++);
            send_keyed(fx, "t.slow.v1", "a", sent++);
            send_keyed(fx, "t.quick_emit.v1", "b", sent++);
            until_kept(fx, 1);
            until_queued(fx, 2);
            answer_kept(&fx->service, ERR_OK);
            db_stats(fx->db, &stats);
            fault.at = stats.batches + 1 + skip;
            db_set_fault(fx->db, inject, &fault);
            answer_until(fx, sent);
            db_set_fault(fx->db, NULL, NULL);
            assert_true(fault.fired);
        }
    }
    assert_int_equal(number("SELECT count(DISTINCT n) FROM credit.effect"), sent);
    assert_int_equal(number(EFFECTS), sent);
    assert_int_equal(number("SELECT count(*) FROM credit.outbox"), (sent - 1) / 3);
    until_i64(fx, "SELECT count(*) FROM credit.outbox WHERE sent_at IS NULL", 0);
    assert_int_equal(number("SELECT count(*) FROM credit.dead_letter"), 0);
}

static size_t queued_in_all(const struct fixture *fx)
{
    size_t count = 0;

    for (const struct work_part *part = fx->work->parts; part != NULL; part = part->next)
        count += part->count;
    return count;
}

static bool all_are_queued(void *arg)
{
    const struct fixture *fx = arg;

    return queued_in_all(fx) == fx->queued;
}

static bool some_are_kept(void *arg)
{
    const struct fixture *fx = arg;

    return fx->service.kept_count > 0;
}

/* Others would only wait for a connection: their partitions stay free for what is urgent. */
static void only_so_many_long_ones_are_in_hand(void **state)
{
    enum { KEYS = 16, IN_HAND = 2 /* of the pool's three connections */ };
    struct fixture *fx = *state;
    char keys[KEYS][4];
    size_t answered = 0;

    fx->topic = kafka_topic(4);
    worker_start(fx);
    for (int i = 0; i < KEYS; i++) { /* at its beginning a partition lets nobody overtake */
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        send_keyed(fx, "t.add.v1", keys[i], 1);
    }
    until_i64(fx, EFFECTS, KEYS);
    for (int i = 0; i < KEYS; i++)
        send_keyed(fx, "t.long.v1", keys[i], 2);
    until_kept(fx, IN_HAND);
    fx->queued = KEYS - IN_HAND;
    assert_true(wait_for(fx->loop, all_are_queued, fx, 20000));
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "q%d", i);
        send_keyed(fx, "t.quick.v1", keys[i], 100 + i);
    }
    until_i64(fx, "SELECT (count(*) > 0)::int FROM credit.effect WHERE n >= 100", 1);
    assert_int_equal(fx->service.kept_count, IN_HAND);
    while (answered < KEYS) {
        assert_true(wait_for(fx->loop, some_are_kept, fx, 20000));
        assert_in_range(fx->service.kept_count, 1, IN_HAND);
        answered += fx->service.kept_count;
        answer_kept(&fx->service, ERR_OK);
    }
    until_i64(fx, EFFECTS, 3 * KEYS);
}

/* Parsed it would take its room many times over, for as long as it waits. */
static void what_is_large_waits_unread(void **state)
{
    struct fixture *fx = *state;
    const struct work_record *record;
    char *large = heap_zero(WORK_URGENT_BYTES_MAX + 1);
    struct db_batch *batch = db_batch_new(fx->arena);
    struct work_event event = {.type = "t.quick.v1", .topic = fx->topic, .key = STR("b")};

    send_keyed(fx, "t.slow.v1", "a", 1);
    memset(large, 'x', WORK_URGENT_BYTES_MAX);
    event.data = json_pack("{s:i, s:s}", "n", 2, "large", large);
    free(large);
    (void)work_emit(fx->sender, batch, &event, NULL);
    assert_int_equal(run_work(fx, fx->sender, batch), ERR_OK);
    send_keyed(fx, "t.quick.v1", "c", 3);
    worker_start_full(fx);
    until_queued(fx, 2);
    record = fx->work->parts->head;
    assert_false(record->parsed);
    answer_next(fx);
    until_i64(fx, PLACE, 3);
    assert_int_equal(number(ORDER), 132);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(urgent_ones_overtake_other_keys),  CASE(those_in_order_are_not_starved),
        CASE(a_refused_one_waits_for_its_turn), CASE(another_worker_passes_what_overtook),
        CASE(lost_answers_change_nothing),      CASE(only_so_many_long_ones_are_in_hand),
        CASE(what_is_large_waits_unread),
    };

    return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
