/* renewal's commands while the nth call of each kind fails: see lib/fault_walk.h. */
#include "gen/topics.h"
#include "lib/test.h"
#include "renewal/renewal.h"
#include "unit/renewal/renewal_fault_cases.h"

static struct rule_book book;

static void *open_renewal(struct loop *loop, struct db_pool *db)
{
    struct renewal *renewal = heap_zero(sizeof(*renewal));

    *renewal = (struct renewal){.loop = loop, .db = db, .book = &book};
    return renewal;
}

static void use_work(void *state, struct work *work)
{
    ((struct renewal *)state)->work = work;
}

/* Without `committed`: standing is worked out by a timer of its own. */
#define COMMAND(name, handler)                                                                     \
    {                                                                                              \
        .type = (name), .handle = (handler), .batch_max = 1, .dead = renewal_dead                  \
    }

/* Fixture 1 of domain.md: all 20 units, 15 of them in the handbook. */
static const char clean[] =
    "TRUNCATE renewal.doctor, renewal.certificate, renewal.certificate_period, renewal.session,"
    " renewal.credit, renewal.handbook, renewal.dirty, renewal.standing, renewal.application,"
    " renewal.application_credit, renewal.application_history, renewal.merge CASCADE;"
    "INSERT INTO renewal.doctor (doctor_id, version, register_no, mamis_no, name, name_kana,"
    " my_page, l1_code, l2_code)"
    " VALUES (1, 1, '460190', '6423876638', 'ア', 'ア', 'active', '', '13');"
    "INSERT INTO renewal.certificate (doctor_id, programme, number, first_from, valid_from,"
    " valid_to) VALUES (1, 'OP', '0000001', '2020-08-01', '2020-08-01', '2025-07-31');"
    "INSERT INTO renewal.handbook (doctor_id, programme, kind, declared_half_units, last_on,"
    " declared_at) SELECT 1, 'OP', kind, units, '2023-06-03', '2025-04-01'"
    " FROM (VALUES ('OPL-R', 8), ('OPL-J', 2), ('OPL-S', 30)) AS line (kind, units)";

int main(void)
{
    static const char *const emitted[] = {TOPIC_CERTIFICATE_EVENTS, TOPIC_REPLIES};
    static const char *const tables[] = {
        "handbook",    "application", "application_credit", "application_history",
        "certificate", "dirty",       "certificate_period"};
    static const struct work_route routes[] = {
        COMMAND(EVENT_HANDBOOK_DECLARE, renewal_handbook_handle),
        COMMAND(EVENT_APPLICATION_SUBMIT, renewal_submit_handle),
        COMMAND(EVENT_APPLICATION_REVIEW, renewal_review_handle),
        COMMAND(EVENT_DOCTOR_MERGED, renewal_merge_handle),
    };
    const struct fault_walk walk = {
        .service = "renewal",
        .now = "2025-04-20T09:00:00+09:00",
        .topic = TOPIC_RENEWAL_COMMANDS,
        .key = "1",
        .emitted = emitted,
        .emitted_count = ARRAY_LEN(emitted),
        .routes = routes,
        .route_count = ARRAY_LEN(routes),
        .cases = cases,
        .case_count = ARRAY_LEN(cases),
        .clean = clean,
        .tables = tables,
        .table_count = ARRAY_LEN(tables),
        .open = open_renewal,
        .use = use_work,
        .close = free,
    };
    struct err_note note;

    must(rule_book_load(&book, TEST_SOURCE_DIR "/deploy/rules", &note) == ERR_OK);
    return fault_walk_main(&walk);
}
