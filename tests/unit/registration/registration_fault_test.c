/* registration's commands while the nth call of each kind fails: see lib/fault_walk.h. */
#include "base/log.h"
#include "gen/topics.h"
#include "lib/test.h"
#include "registration/procedure.h"
#include "unit/registration/registration_fault_cases.h"

static struct pg_server server;

static int open_server(void **state)
{
    (void)state;
    log_init("test", LOG_LEVEL_ERROR);
    pg_server_start(&server);
    pg_server_migrate(&server);
    return 0;
}

static int close_server(void **state)
{
    (void)state;
    pg_server_stop(&server);
    return 0;
}

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

#define COMMAND_OF(name, handler)                                                                  \
    {                                                                                              \
        .type = (name), .handle = (handler), .batch_max = 1, .dead = registration_step_dead        \
    }
#define COMMAND(name) COMMAND_OF(name, registration_step_handle)

static void any_call_may_fail(void **state)
{
    static const char *const emitted[] = {TOPIC_ACCOUNT_EVENTS, TOPIC_DOCTOR_EVENTS,
                                          TOPIC_PROCEDURE_EVENTS, TOPIC_REPLIES};
    static const struct work_route routes[] = {
        COMMAND(EVENT_ACCOUNT_AGREE_TERMS),
        COMMAND(EVENT_ACCOUNT_SET_EMAIL),
        COMMAND(EVENT_ACCOUNT_CONFIRM_EMAIL),
        COMMAND(EVENT_ACCOUNT_SET_PROFILE),
        COMMAND(EVENT_ACCOUNT_COMPLETE),
        COMMAND(EVENT_ACCOUNT_DECLINE_TERMS),
        COMMAND(EVENT_ACCOUNT_DESK),
        COMMAND_OF(EVENT_PROCEDURE_SUBMIT, procedure_file_handle),
        COMMAND_OF(EVENT_PROCEDURE_ACT, procedure_act_handle),
    };
    const struct fault_walk
        walk =
            {
                .service = "registration",
                .now = "2025-04-07T09:00:00+09:00",
                .topic = TOPIC_REGISTRATION_COMMANDS,
                .key = ACCOUNT,
                .emitted = emitted,
                .emitted_count = ARRAY_LEN(emitted),
                .routes = routes,
                .route_count = ARRAY_LEN(routes),
                .cases = cases,
                .case_count = ARRAY_LEN(cases),
                .clean =
                    "TRUNCATE registration.procedure_history, registration.procedure, "
                    "registration.digest,"
                    " registration.membership, registration.account_history, "
                    "registration.name_history,"
                    " registration.account, registration.doctor RESTART IDENTITY CASCADE;"
                    "INSERT INTO registration.doctor (register_no, name, name_kana, sex, birth_on, "
                    "my_page,"
                    " l2_code) VALUES ('460190', '濱田　正樹', 'ハマダ　マサキ', 'M', '1975-12-18',"
                    " 'temp_issued', '40');"
                    "INSERT INTO registration.account (account_id, role, doctor_id, name, state, "
                    "step)"
                    " VALUES ('" ACCOUNT "', 'doctor', 1, '濱田　正樹', 'temp_issued', 'terms');"
                    "INSERT INTO registration.association (layer, code, l2_code, name)"
                    " VALUES (1, '40016', '40', '見本') ON CONFLICT DO NOTHING",
                .lines =
                    FAULT_EVENTS("registration") " UNION ALL " FAULT_TABLE("registration.account") " UNION ALL " FAULT_TABLE(
                        "registration.doctor") " UNION ALL " FAULT_TABLE("registration.account_"
                                                                         "history") " UNION "
                                                                                    "ALL"
                                                                                    " " FAULT_TABLE(
                                                                                        "registrati"
                                                                                        "on.name_"
                                                                                        "history"),
                .masked =
                    "\"mamis_no\": *\"[0-9]{10}\"", /* the next one, when a first was not kept */
                .open = open_registration,
                .use = use_work,
                .close = free,
            };

    (void)state;
    fault_walk(&walk, &server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_may_fail),
    };

    return cmocka_run_group_tests(tests, open_server, close_server);
}
