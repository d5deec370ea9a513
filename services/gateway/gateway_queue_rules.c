/* gateway_queue_rules: see gateway_queue_rules.h. */
#include "gateway/gateway_queue_rules.h"

/* Of the time constant of `a_second`. */
#define PACE_WINDOW_MS 5000.0
#define BOOST_FIRST 4.0
#define BOOST_MAX 4096.0

static bool ticket_good(const struct queue_state *state, const struct queue_ticket *ticket,
                        int64_t now_us)
{
    return ticket->number > 0 && ticket->number > state->called - QUEUE_PASSED_MAX &&
           now_us - ticket->at_us < QUEUE_TICKET_S * CLOCK_SECOND_US;
}

enum queue_verdict queue_rules_verdict(const struct queue_state *state,
                                       const struct queue_ticket *ticket, bool busy, int64_t now_us,
                                       int64_t *ret_place)
{
    if (!ticket_good(state, ticket, now_us))
        return busy || state->given > state->called ? QUEUE_TAKE : QUEUE_PASS;
    if (ticket->number > state->called) {
        *ret_place = ticket->number - state->called;
        return QUEUE_WAIT;
    }
    if (!busy)
        return QUEUE_PASS;
    *ret_place = 1; /* called, and yet there is no room this very moment */
    return QUEUE_WAIT;
}

bool queue_rules_busy(const struct queue_load *load)
{
    return load->wait_us > QUEUE_OPEN_MS * UINT64_C(1000) ||
           load->waiting * 4 >= load->waiting_max * 3;
}

static double hashes_a_second(const struct queue_load *load)
{
    uint64_t job_us = load->job_us > 0 ? load->job_us : 25000;

    return (double)load->threads * 1e6 / (double)job_us;
}

/* How much faster than hashing people are called: some of them are gone, the pool must not idle. */
static double factor(struct queue_pace *pace, const struct queue_load *load)
{
    const uint64_t target_us = QUEUE_TARGET_MS * UINT64_C(1000);

    if (load->waiting == 0) {
        pace->boost = pace->boost < BOOST_FIRST ? BOOST_FIRST : pace->boost * 2;
        if (pace->boost > BOOST_MAX)
            pace->boost = BOOST_MAX;
        return pace->boost;
    }
    pace->boost = 0;
    if (load->wait_us < target_us / 2)
        return 2;
    if (load->wait_us < target_us)
        return 1.25;
    return load->wait_us < 2 * target_us ? 0.5 : 0;
}

static void note_pace(struct queue_pace *pace, const struct queue_state *state, double passed_ms)
{
    double share = passed_ms < PACE_WINDOW_MS ? passed_ms / PACE_WINDOW_MS : 1;
    double now = (double)(state->called - pace->called) * 1000 / (passed_ms > 0 ? passed_ms : 1);

    pace->a_second += (now - pace->a_second) * share;
    pace->called = state->called;
}

int64_t queue_rules_step(struct queue_pace *pace, const struct queue_load *load,
                         const struct queue_state *state, uint64_t passed_ms)
{
    int64_t waiting = state->given - state->called;
    int64_t step;

    note_pace(pace, state, (double)passed_ms);
    if (waiting <= 0) {
        pace->owed = 0;
        pace->boost = 0;
        return 0;
    }
    pace->owed += hashes_a_second(load) * factor(pace, load) * (double)passed_ms / 1000;
    step = pace->owed > (double)waiting ? waiting : (int64_t)pace->owed;
    pace->owed = step == waiting ? 0 : pace->owed - (double)step;
    return step;
}

unsigned queue_rules_wait_s(const struct queue_pace *pace, const struct queue_load *load,
                            int64_t place)
{
    double least = hashes_a_second(load);
    double rate = pace->a_second > least ? pace->a_second : least;
    double wait_s = (double)place / rate;

    return wait_s > 86400 ? 86400 : (unsigned)wait_s + 1;
}

unsigned queue_rules_back_s(unsigned wait_s, int64_t number)
{
    unsigned back_s = wait_s <= 3 ? 1 : wait_s * 3 / 5;

    if (back_s > QUEUE_BACK_MAX_S)
        back_s = QUEUE_BACK_MAX_S;
    return back_s - (unsigned)((uint64_t)number * 2654435761U % (back_s / 4 + 1));
}
