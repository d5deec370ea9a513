/* notification_fixture: see the header. */
#include "notification_fixture.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "notification/notification_queue.h"

enum { QUEUE_WAIT_MS = 60000, LOOK_MS = 20 };

struct bench bench;
struct smtp_server smtp;
struct notification notification;

static void settings(void)
{
    const struct settings_table table = {notification_setting_table, NOTIFICATION_SETTING_COUNT,
                                         &notification_settings};
    struct err_note note;

    assert_int_equal(settings_load(&table, 1, NULL, &note), ERR_OK);
    notification_settings.mail_timeout_ms = 10000;
    notification_settings.mail_retry_s = 60;
}

int open_bench(void **state)
{
    struct err_note note;

    (void)state;
    log_init("test", LOG_LEVEL_ERROR);
    settings();
    bench_open(&bench, "mamis_notification");
    smtp_server_start(&smtp);
    notification = (struct notification){.loop = bench.loop,
                                         .db = bench.db,
                                         .work = bench.work,
                                         .public_url = "https://mamis.example.jp"};
    assert_int_equal(notification_text_load(TEST_SOURCE_DIR "/services/notification/mail",
                                            &notification.text, &note),
                     ERR_OK);
    return 0;
}

int close_bench(void **state)
{
    (void)state;
    notification_text_free(notification.text);
    smtp_server_free(&smtp);
    bench_close(&bench);
    return 0;
}

int fill(void **state)
{
    (void)state;
    bench_clock("2026-11-22T10:00:00+09:00");
    if (smtp.pid == 0) /* a failed test left it so */
        smtp_server_start(&smtp);
    smtp_server_forget(&smtp);
    smtp_server_say(&smtp, &smtp_takes_all);
    notification.figures = (struct notification_figures){0};
    sql("TRUNCATE notification.account, notification.correction, notification.doctor,"
        " notification.upload, notification.upload_chunk, notification.mail, notification.sender,"
        " notification.undeliverable");
    doctor(1, 1, "濱田　正樹", DOCTOR_ADDRESS);
    doctor(2, 1, "見本　花子", "");
    account(DOCTOR_ACCOUNT, 1, "doctor", "active", DOCTOR_ADDRESS, "");
    account(ORGANISER, 1, "organiser", "active", "kenshu@example.jp", "P13");
    account(STAFF, 1, "office_l2", "active", "tokyo@example.jp", "13");
    return 0;
}

/* ---- SQL ---- */

int64_t count(const char *statement)
{
    return bench_i64(&bench, statement);
}

void sql(const char *statement)
{
    bench_sql(&bench, statement);
}

const char *value(const char *statement)
{
    static char text[4096];
    PGconn *conn = PQconnectdb(bench.server.dsn);
    PGresult *result = PQexec(conn, statement);

    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    text[0] = '\0';
    if (PQntuples(result) > 0)
        (void)snprintf(text, sizeof(text), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
    return text;
}

/* ---- events ---- */

void doctor(int id, int version, const char *name, const char *email)
{
    assert_int_equal(
        bench_handle(&bench, notification_doctor_handle, &notification, EVENT_DOCTOR_STATE,
                     "{\"doctor_id\": %d, \"version\": %d, \"register_no\": \"46019%d\","
                     " \"mamis_no\": \"6423876638\", \"name\": \"%s\","
                     " \"name_kana\": \"ハマダ　マサキ\", \"former_name\": \"\","
                     " \"former_name_kana\": \"\", \"my_page\": \"active\", \"email\": \"%s\","
                     " \"l1_code\": \"\", \"l2_code\": \"13\", \"l3_category\": \"\"}",
                     id, version, id, name, email),
        ERR_OK);
}

void account(const char *id, int version, const char *role, const char *state, const char *email,
             const char *code)
{
    bool organiser = strcmp(role, "organiser") == 0;

    assert_int_equal(bench_handle(&bench, notification_account_handle, &notification,
                                  EVENT_ACCOUNT_STATE,
                                  "{\"account_id\": \"%s\", \"version\": %d, \"role\": \"%s\","
                                  " \"state\": \"%s\", \"step\": \"\", \"name\": \"担当　太郎\","
                                  " \"email\": \"%s\", \"email_confirmed\": true, \"%s\": \"%s\"}",
                                  id, version, role, state, email,
                                  organiser ? "organiser_code" : "l2_code", code),
                     ERR_OK);
}

void link_issued(const char *id, const char *purpose)
{
    bool invited = strcmp(purpose, "delegate_invite") == 0;

    assert_int_equal(bench_handle(&bench, notification_link_handle, &notification,
                                  EVENT_LINK_ISSUED,
                                  "{\"link_id\": \"%s\", \"purpose\": \"%s\","
                                  " \"account_id\": \"" DOCTOR_ACCOUNT "\","
                                  " \"email\": \"new@example.jp\","
                                  " \"expires_at\": \"2026-11-22T10:30:00+09:00\"%s}",
                                  id, purpose,
                                  invited ? ", \"name\": \"受付　一郎\","
                                            " \"from_name\": \"濱田　正樹\""
                                          : ""),
                     ERR_OK);
}

#define POSTED_HEAD                                                                                \
    "{\"upload_id\": \"" UPLOAD "\", \"upload_no\": 1, \"chunk_no\": %d,"                          \
    " \"seminar_no\": \"S2026-0001\", \"seminar_title\": \"産業医生涯研修会\","            \
    " \"sessions\": [{\"session_id\": %d, \"session_no\": \"1\", \"title\": \"\","                 \
    " \"held_on\": \"2026-11-15\", \"delivery\": \"venue\"}],"

void posted(int chunk_no, const char *kind, int half_units, int revision)
{
    posted_at(5, chunk_no, kind, half_units, revision);
}

/* Entries as lots; `correction` as JSON with a comma, or empty; `doctor_ids` as JSON. */
static void posted_lots(int session_id, int chunk_no, const char *correction, const char *lots,
                        const char *doctor_ids)
{
    assert_int_equal(bench_handle(&bench, notification_posted_handle, &notification,
                                  EVENT_CREDITS_POSTED,
                                  POSTED_HEAD " %s \"lots\": [%s], \"doctor_ids\": %s}", chunk_no,
                                  session_id, correction, lots, doctor_ids),
                     ERR_OK);
}

static const char *lot(char text[200], const char *kind, int half_units, int revision, int doctors)
{
    snprintf(text, 200,
             "{\"place\": 0, \"kind\": \"%s\", \"half_units\": %d, \"revision\": %d,"
             " \"doctors\": %d}",
             kind, half_units, revision, doctors);
    return text;
}

void posted_at(int session_id, int chunk_no, const char *kind, int half_units, int revision)
{
    char one[200], other[200], both[402];

    snprintf(both, sizeof(both), "%s, %s", lot(one, kind, half_units, revision, 1),
             lot(other, "OPL-S", 4, 0, 1));
    posted_lots(session_id, chunk_no, "", both, "[1, 2]");
}

void taken_back(int session_id, const char *kind, int revision, const char *cause, bool last)
{
    char about[300], one[200];

    snprintf(about, sizeof(about),
             "\"correction\": {\"correction_id\": \"" LINK "\", \"cause\": \"%s\","
             " \"reason\": \"取り違え\", \"slice_no\": 0, \"last\": %s},",
             cause, last ? "true" : "false");
    posted_lots(session_id, 0, about, lot(one, kind, -4, revision, 1), "[1]");
}

void posted_after_end(int chunk_no, const char *doctor_ids)
{
    char text[200];

    posted_lots(6, chunk_no, "\"after_end\": true,", lot(text, "OPL-J", 4, 0, 1), doctor_ids);
}

void posted_for(int chunk_no, const char *doctor_ids, int entries)
{
    char text[200];

    posted_lots(5, chunk_no, "", entries == 0 ? "" : lot(text, "OPL-S", 4, 0, entries), doctor_ids);
}

void upload_done(int chunks_total, const char *account_json, int rejected)
{
    assert_int_equal(
        bench_handle(&bench, notification_upload_handle, &notification, EVENT_UPLOAD_DONE,
                     "{\"upload_id\": \"" UPLOAD "\", \"seminar_no\": \"S2026-0001\","
                     " \"seminar_title\": \"産業医生涯研修会\", \"organiser_code\": \"P13\","
                     " \"account_id\": %s, \"file_name\": \"出席簿.csv\", \"status\": \"done\","
                     " \"rows_total\": 9, \"chunks_total\": %d, \"counts\": {\"posted\": 2,"
                     " \"already_posted\": 1, \"waiting\": 0, \"unmatched\": 0, \"absent\": 1,"
                     " \"rejected\": %d}, \"reasons\": ["
                     "{\"outcome\": \"posted\", \"reason\": null, \"rows\": 2},"
                     "{\"outcome\": \"already_posted\", \"reason\": \"same_upload\", \"rows\": 1},"
                     "{\"outcome\": \"rejected\", \"reason\": \"late_arrival\", \"rows\": %d}]}",
                     account_json, chunks_total, rejected, rejected),
        ERR_OK);
}

void application(int version, const char *status, bool declared)
{
    bool returned = strcmp(status, "returned") == 0;

    assert_int_equal(
        bench_handle(
            &bench, notification_application_handle, &notification, EVENT_APPLICATION_STATE,
            "{\"application_id\": \"" APPLICATION "\", \"version\": %d, \"doctor_id\": 1,"
            " \"programme\": \"OP\", \"status\": \"%s\", \"l2_code\": \"13\","
            " \"cycle\": \"OP-2027-01\", \"declared\": %s, \"number\": \"0000044\","
            " \"valid_from\": \"2027-10-14\", \"valid_to\": \"2032-10-13\","
            " \"reason\": \"手帳の単位が\\r\\n足りません。\", \"return_until\": %s}",
            version, status, declared ? "true" : "false", returned ? "\"2026-12-15\"" : "null"),
        ERR_OK);
}

/* ---- the queue ---- */

void queue_open(void)
{
    const struct mail_options options = {
        .smart_host = smtp_server_url(&smtp),
        .helo = "mamis.example.jp",
        .connections_max = notification_settings.mail_connections,
        .timeout_ms = notification_settings.mail_timeout_ms,
    };

    notification.sender = mail_open(notification.loop, &options);
    notification.queue = notification_queue_open(&notification);
}

static void set_true(void *arg)
{
    *(bool *)arg = true;
}

void queue_close(void)
{
    bool stopped = false;
    bool closed = false;

    notification_queue_close(notification.queue, set_true, &stopped);
    must(loop_run_until(notification.loop, &stopped, QUEUE_WAIT_MS));
    notification.queue = NULL;
    mail_close(notification.sender, set_true, &closed);
    must(loop_run_until(notification.loop, &closed, QUEUE_WAIT_MS));
}

void wait_for(const char *statement, int64_t wanted)
{
    uint64_t until_ms = clock_mono_ms() + QUEUE_WAIT_MS;
    bool never = false;

    while (count(statement) != wanted && clock_mono_ms() < until_ms)
        (void)loop_run_until(notification.loop, &never, LOOK_MS);
    assert_int_equal(count(statement), wanted);
}

void make_mails(void)
{
    static const struct smtp_script silent = {{"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}, {"", 0}};

    smtp_server_say(&smtp, &silent);
    queue_open();
    wait_for("SELECT count(*) FROM notification.upload WHERE complete AND NOT released", 0);
    queue_close();
}

void wait_silent(size_t connections)
{
    uint64_t until_ms = clock_mono_ms() + QUEUE_WAIT_MS;
    bool never = false;

    while (smtp_server_silent(&smtp) < connections && clock_mono_ms() < until_ms)
        (void)loop_run_until(notification.loop, &never, LOOK_MS);
    assert_int_equal(smtp_server_silent(&smtp), connections);
}

static struct db_pool *connect_again(struct loop *loop)
{
    char dsn[320];
    const struct db_options options = {.dsn = dsn,
                                       .application = "sender",
                                       .connections = 2,
                                       .waiting_max = 16,
                                       .statement_timeout_ms = 10000};

    (void)snprintf(dsn, sizeof(dsn), "host=%s user=mamis_notification dbname=postgres",
                   bench.server.data);
    return db_open(loop, &options);
}

pid_t queue_fork(db_fault_fn fault, void *arg)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    notification.loop = loop_new();
    notification.db = connect_again(notification.loop);
    db_set_fault(notification.db, fault, arg);
    queue_open();
    loop_run(notification.loop);
    _exit(0);
}

void senders_are_dead(void)
{
    /* Also what they had asked for last. */
    wait_for("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sender'", 0);
    sql("UPDATE notification.sender SET seen_at = seen_at - interval '1 minute'");
}

void fill_mails(int mails)
{
    char statement[1024];

    (void)snprintf(statement, sizeof(statement),
                   "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_address,"
                   " data, state, created_at, next_try_at) SELECT gen_random_uuid(), 'M02',"
                   " 'M02:' || n, 'M02.' || n || '@mamis.example.jp',"
                   " 'm' || n || '@example.jp', '{\"name\": \"見本\"}', 'ready',"
                   " '2026-11-22T10:00:00+09:00', '2026-11-22T10:00:00+09:00'"
                   " FROM generate_series(1, %d) AS n",
                   mails);
    sql(statement);
}

/* ---- texts ---- */

struct mail_message rendered(struct arena *arena, const char *kind)
{
    char statement[512];
    struct due_mail due = {.kind = kind, .message_id = "x@example.jp", .to_address = "a@b.jp"};
    struct mail_message message;

    (void)snprintf(statement, sizeof(statement),
                   "SELECT coalesce(d.name, a.name, '') FROM notification.mail"
                   " LEFT JOIN notification.doctor AS d ON doctor_id = to_doctor"
                   " LEFT JOIN notification.account AS a ON account_id = to_account"
                   " WHERE kind = '%s' ORDER BY occasion LIMIT 1",
                   kind);
    due.to_name = arena_strdup(arena, value(statement));
    (void)snprintf(statement, sizeof(statement),
                   "SELECT data FROM notification.mail WHERE kind = '%s' ORDER BY occasion LIMIT 1",
                   kind);
    due.data = json_loads(value(statement), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(due.data);
    assert_int_equal(queue_render(&notification, arena, &due, &message), ERR_OK);
    json_decref(due.data);
    return message;
}
