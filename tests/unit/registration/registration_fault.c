/* registration_fault: see the header. */
#include "unit/registration/registration_fault.h"
#include "gen/topics.h"
#include "lib/test.h"
#include "registration/registration.h"

static void *open_registration(struct loop *loop, struct db_pool *db)
{
    struct registration *registration = heap_zero(sizeof(*registration));

    *registration = (struct registration){.loop = loop, .db = db};
    return registration;
}

static void use_work(void *state, struct work *work)
{
    ((struct registration *)state)->work = work;
}

static void add_association(struct pg_server *server)
{
    pg_server_exec(server, "INSERT INTO registration.association (layer, code, l2_code, name)"
                           " VALUES (1, '40016', '40', '見本'), (1, '40017', '40', '見本')"
                           " ON CONFLICT DO NOTHING");
}

/* TRUNCATE takes many times as long: each table gets new files. */
static const char clean[] =
    "DELETE FROM registration.procedure_history;"
    "DELETE FROM registration.procedure;"
    "DELETE FROM registration.digest;"
    "DELETE FROM registration.membership;"
    "DELETE FROM registration.account_history;"
    "DELETE FROM registration.name_history;"
    "DELETE FROM registration.correction;"
    "DELETE FROM registration.reissue;"
    "DELETE FROM registration.delegation_history;"
    "DELETE FROM registration.delegation;"
    "DELETE FROM registration.certification;"
    "DELETE FROM registration.signup;"
    "DELETE FROM registration.staff;"
    "DELETE FROM registration.former_number;"
    "DELETE FROM registration.merge_history;"
    "DELETE FROM registration.number_history;"
    "DELETE FROM registration.merge;"
    "DELETE FROM registration.account;"
    "DELETE FROM registration.doctor;"
    "DELETE FROM registration.maintenance_history;"
    "DELETE FROM registration.maintenance;"
    "ALTER TABLE registration.doctor ALTER doctor_id RESTART;"
    "UPDATE registration.maintenance_calendar SET version = 0;"
    "INSERT INTO registration.doctor (register_no, name, name_kana, sex, birth_on, my_page, "
    "l2_code)"
    " VALUES ('460190', '濱田　正樹', 'ハマダ　マサキ', 'M', '1975-12-18', 'temp_issued', '40');"
    "INSERT INTO registration.account (account_id, role, doctor_id, name, state, step)"
    " VALUES ('" ACCOUNT "', 'doctor', 1, '濱田　正樹', 'temp_issued', 'terms')";

int registration_fault_main(const struct fault_case *cases, size_t count)
{
    static const char *const emitted[] = {TOPIC_ACCOUNT_EVENTS,        TOPIC_DOCTOR_EVENTS,
                                          TOPIC_PROCEDURE_EVENTS,      TOPIC_MAINTENANCE_EVENTS,
                                          TOPIC_REGISTRATION_COMMANDS, TOPIC_REPLIES};
    static const char *const tables[] = {
        "account",       "doctor",        "account_history",     "name_history",
        "signup",        "staff",         "delegation",          "delegation_history",
        "correction",    "certification", "procedure",           "procedure_history",
        "membership",    "maintenance",   "maintenance_history", "merge",
        "merge_history", "former_number", "number_history",      "reissue"};
    const struct fault_walk walk = {
        .service = "registration",
        .now = "2025-04-07T09:00:00+09:00",
        .topic = TOPIC_REGISTRATION_COMMANDS,
        .key = ACCOUNT,
        .emitted = emitted,
        .emitted_count = ARRAY_LEN(emitted),
        .routes = registration_routes,
        .route_count = registration_route_count,
        .cases = cases,
        .case_count = count,
        .fill = add_association,
        .clean = clean,
        .tables = tables,
        .table_count = ARRAY_LEN(tables),
        /* The next numbers, when first ones were not kept. */
        .masked = "\"mamis_no\": *\"[0-9]{10}\"|\"(closed|doctor|membership)_id\": *[0-9]+"
                  "|doctor\\.(merged|state)\\.v1\\|[0-9]+",
        .open = open_registration,
        .use = use_work,
        .close = free,
    };

    return fault_walk_main(&walk);
}
