/* credit_fixture: see the header. */
#include "credit_fixture.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credit/credit_directory.h"
#include "unit/credit/credit_look.h"

enum { DOCTORS_AT_ONCE = 500, PART_BYTES = 256 * 1024, SQL_BYTES = 8192, QUEUE_MAX = 4096 };

#define ACCOUNT "0190a000-0000-7000-8000-000000000001"

struct message {
    char *type;
    json_t *data;
};

struct bench bench;
struct credit credit;
struct samples *samples;
struct arena *arena;

static struct message queue[QUEUE_MAX];
static size_t queued;
static struct message told[QUEUE_MAX];
static size_t told_count;

static const struct db_stmt outbox = {
    "test_outbox",
    "INSERT INTO credit.outbox (event_id, type, topic, key, body) VALUES ($1, $2, $3, $4, $5)",
};

/* ---- the sample data ---- */

static void copy_file(PGconn *conn, const char *table, const char *path)
{
    const struct str file = samples_file(samples->arena, path);
    char statement[200];

    (void)snprintf(statement, sizeof(statement), "COPY %s FROM STDIN (FORMAT csv, HEADER)", table);
    run(conn, statement);
    must(PQputCopyData(conn, file.data, (int)file.len) == 1 && PQputCopyEnd(conn, NULL) == 1);
    PQclear(succeed(conn, PQgetResult(conn)));
    must(PQgetResult(conn) == NULL);
}

static void load_seminars(void)
{
    PGconn *conn = connect_as("postgres", NULL);

    run(conn,
        "CREATE TEMP TABLE line (seminar_no text, title text, organiser_code text, session_no text,"
        " session_title text, starts_at text, ends_at text, delivery text, grace_minutes int,"
        " capacity int, offers text, leader_register_no int);"
        "CREATE TEMP TABLE line_no (place int GENERATED ALWAYS AS IDENTITY) INHERITS (line)");
    copy_file(conn, "credit.organiser (organiser_code, name, kind, l1_code, l2_code)",
              "tests/data/organisers.csv");
    copy_file(conn,
              "line_no (seminar_no, title, organiser_code, session_no, session_title, starts_at,"
              " ends_at, delivery, grace_minutes, capacity, offers, leader_register_no)",
              "tests/data/seminars.csv");
    run(conn,
        "INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
        " SELECT DISTINCT ON (seminar_no) seminar_no, title, organiser_code FROM line_no"
        " ORDER BY seminar_no, place;"
        "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
        " delivery, grace_minutes, capacity, offers, leader_register_no)"
        " SELECT seminar_no, session_no, session_title, starts_at::timestamptz,"
        "  ends_at::timestamptz, starts_at::date, delivery, grace_minutes, capacity, offers,"
        "  leader_register_no FROM line_no ORDER BY place");
}

static void certify(json_t **list, size_t *length, int64_t doctor_id, const char *programme,
                    day_t from, day_t to)
{
    const struct event_certificate_state event = {
        .doctor_id = doctor_id,
        .version = 1,
        .programme = str_of(programme),
        .number = STR("0000001"),
        .first_from = from,
        .valid_from = from,
        .valid_to = to,
    };

    if (from != DAY_NONE)
        list[(*length)++] = event_certificate_state_encode(&event);
}

static void handle_list(work_handler_fn handler, const char *type, json_t **list, size_t length)
{
    for (size_t at = 0; at < length; at += DOCTORS_AT_ONCE) {
        size_t some = length - at < DOCTORS_AT_ONCE ? length - at : DOCTORS_AT_ONCE;

        must(bench_handle_all(&bench, handler, &credit, type, list + at, some) == ERR_OK);
    }
    for (size_t i = 0; i < length; i++)
        json_decref(list[i]);
}

/* As events, the way the service hears of them. */
static void load_doctors(void)
{
    json_t **doctors = arena_array(samples->arena, json_t *, samples->doctor_count);
    json_t **certificates = arena_array(samples->arena, json_t *, samples->doctor_count * 2);
    size_t certified = 0;

    for (size_t i = 0; i < samples->doctor_count; i++) {
        static const char *const my_pages[] = {"none", "temp_issued", "link_pending", "active",
                                               "closed"};
        const struct attendance_doctor *doctor = &samples->doctors[i];
        const struct event_doctor_state event = {
            .doctor_id = doctor->doctor_id,
            .version = 1,
            .register_no =
                str_of(arena_printf(samples->arena, "%lld", (long long)doctor->register_no)),
            .mamis_no =
                doctor->mamis_no == NUMBER_NONE
                    ? STR("")
                    : str_of(arena_printf(samples->arena, "%lld", (long long)doctor->mamis_no)),
            .name = STR("氏名"),
            .name_kana = doctor->kana,
            .former_name = STR(""),
            .former_name_kana = doctor->former_kana,
            .my_page = str_of(my_pages[doctor->my_page]),
            .email = STR(""),
            .l1_code = STR(""),
            .l2_code = STR(""),
            .l3_category = STR(""),
        };

        doctors[i] = event_doctor_state_encode(&event);
        certify(certificates, &certified, doctor->doctor_id, "OP", doctor->op_from, doctor->op_to);
        certify(certificates, &certified, doctor->doctor_id, "SP", doctor->sp_from, doctor->sp_to);
    }
    handle_list(credit_doctor_handle, EVENT_DOCTOR_STATE, doctors, samples->doctor_count);
    handle_list(credit_certificate_handle, EVENT_CERTIFICATE_STATE, certificates, certified);
}

/* ---- group and test ---- */

int open_bench(void **state)
{
    (void)state;
    samples = samples_load();
    arena = arena_new();
    bench_open(&bench, "mamis_credit");
    bench.outbox = &outbox;
    bench.committed = NULL;
    credit = (struct credit){.loop = bench.loop,
                             .db = bench.db,
                             .work = bench.work,
                             .directory = directory_new(),
                             .directory_filled = true};
    credit_settings.no_my_page = "wait";
    credit_settings.waiting_days = 90;
    sql("INSERT INTO credit.waiting_rule (days) VALUES (90)");
    load_seminars();
    load_doctors();
    return 0;
}

static void forget(struct message *list, size_t *length)
{
    for (size_t i = 0; i < *length; i++) {
        free(list[i].type);
        json_decref(list[i].data);
    }
    *length = 0;
}

int clean(void **state)
{
    (void)state;
    forget(queue, &queued);
    forget(told, &told_count);
    arena_free(arena);
    arena = arena_new();
    bench.meanwhile = NULL;
    bench.committed = NULL;
    db_set_fault(bench.db, NULL, NULL);
    credit_settings.no_my_page = "wait";
    bench_clock(NOW);
    /* Quicker than TRUNCATE, which makes files anew. */
    sql("DELETE FROM credit.upload; DELETE FROM credit.upload_part;"
        "DELETE FROM credit.upload_chunk; DELETE FROM credit.upload_row;"
        "DELETE FROM credit.row_fix; DELETE FROM credit.row_note;"
        "DELETE FROM credit.upload_past; DELETE FROM credit.ledger;"
        "DELETE FROM credit.outbox; DELETE FROM credit.audit; DELETE FROM credit.undo;"
        "DELETE FROM credit.signup;"
        "UPDATE credit.seminar SET status = 'published' WHERE status <> 'published'");
    return 0;
}

int close_bench(void **state)
{
    (void)state;
    forget(queue, &queued);
    forget(told, &told_count);
    arena_free(arena);
    samples_free(samples);
    disconnect_all();
    bench_close(&bench);
    directory_free(credit.directory);
    return 0;
}

/* ---- uploads ---- */

struct str text(const char *format, ...)
{
    char *made = arena_alloc(arena, SQL_BYTES);
    va_list list;
    int length;

    va_start(list, format);
    length = vsnprintf(made, SQL_BYTES, format, list);
    va_end(list);
    must(length >= 0 && length < SQL_BYTES);
    return (struct str){made, (size_t)length};
}

struct str built(struct buf *buf)
{
    struct str copy = arena_str(arena, buf_str(buf));

    buf_free(buf);
    return copy;
}

struct str sample(const char *name)
{
    return samples_file(arena, text(FOLDER "/%s", name).data);
}

static void add_part(PGconn *conn, const char *id, int32_t part_no, struct str bytes)
{
    const Oid types[] = {2950, 23, 17, 1184};
    struct uuid uuid;
    uint32_t no = htobe32((uint32_t)part_no);
    uint64_t at = htobe64((uint64_t)(clock_now_us() - INT64_C(946684800) * CLOCK_SECOND_US));
    const char *const values[] = {(const char *)uuid.bytes, (const char *)&no, bytes.data,
                                  (const char *)&at};
    const int lengths[] = {sizeof(uuid.bytes), sizeof(no), (int)bytes.len, sizeof(at)};
    const int formats[] = {1, 1, 1, 1};

    must(uuid_parse(str_of(id), &uuid));
    PQclear(succeed(conn, PQexecParams(conn,
                                       "INSERT INTO credit.upload_part (upload_id, part_no, bytes,"
                                       " created_at) VALUES ($1, $2, $3, $4)",
                                       4, types, values, lengths, formats, 1)));
}

static void push(struct message *list, size_t *length, const char *type, json_t *data)
{
    must(*length < QUEUE_MAX);
    list[(*length)++] = (struct message){heap_strdup(type), data};
}

void inject(const char *type, const char *format, ...)
{
    char json[SQL_BYTES];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(json, sizeof(json), format, list);
    va_end(list);
    push(queue, &queued, type, json_loads(json, 0, NULL));
    must(queue[queued - 1].data != NULL);
}

static struct sent accept_file(const char *seminar_no, struct str file, bool dry_run)
{
    PGconn *conn = connect_as("mamis_gateway", NULL);
    struct sent sent;
    char now[CLOCK_TEXT_BYTES];
    struct str statement;

    uuid_format(uuid_new(), sent.id);
    time_format(clock_now_us(), now);
    for (size_t at = 0; at < file.len; at += PART_BYTES) {
        size_t left = file.len - at;

        add_part(conn, sent.id, (int32_t)(at / PART_BYTES),
                 (struct str){file.data + at, left < PART_BYTES ? left : PART_BYTES});
    }
    statement = text("INSERT INTO credit.upload (upload_id, seminar_no, organiser_code, account_id,"
                     " file_name, sha256, bytes, received_at, dry_run)"
                     " VALUES ('%s', '%s', 'P13', '" ACCOUNT "', '出席簿.csv', '\\x00', %zu, '%s',"
                     " %s)",
                     sent.id, seminar_no, file.len, now, dry_run ? "true" : "false");
    run(conn, statement.data);
    sent.no = count("SELECT upload_no FROM credit.upload WHERE upload_id = '%s'", sent.id);
    inject(EVENT_UPLOAD_READ, "{\"upload_id\": \"%s\", \"step\": 0}", sent.id);
    return sent;
}

struct sent send_file(const char *seminar_no, struct str file)
{
    return accept_file(seminar_no, file, false);
}

struct sent send_dry_run(const char *seminar_no, struct str file)
{
    return accept_file(seminar_no, file, true);
}

struct sent post_file(const char *seminar_no, struct str file)
{
    struct sent sent = send_file(seminar_no, file);

    drain();
    return sent;
}

/* ---- messages ---- */

size_t waiting(void)
{
    return queued;
}

const char *waiting_type(size_t at)
{
    must(at < queued);
    return queue[at].type;
}

json_t *waiting_data(size_t at)
{
    must(at < queued);
    return queue[at].data;
}

void repeat(size_t at)
{
    push(queue, &queued, waiting_type(at), json_incref(waiting_data(at)));
}

/* What goes to other services has to be what proto/events says. */
static void check_event(const char *type, json_t *data)
{
    struct err_note note = {""};
    enum err err = ERR_OK;

    if (strcmp(type, EVENT_CREDITS_POSTED) == 0) {
        struct event_credits_posted event;

        err = event_credits_posted_decode(arena, data, &event, &note);
    } else if (strcmp(type, EVENT_UPLOAD_DONE) == 0) {
        struct event_upload_done event;

        err = event_upload_done_decode(arena, data, &event, &note);
    } else if (strcmp(type, EVENT_ROWS_EXPIRED) == 0) {
        struct event_rows_expired event;

        err = event_rows_expired_decode(arena, data, &event, &note);
    } else if (strcmp(type, EVENT_SEMINAR_SIGNUP_CHANGED) == 0) {
        struct event_seminar_signup_changed event;

        err = event_seminar_signup_changed_decode(arena, data, &event, &note);
    } else {
        fail_msg("an event of type %s", type);
    }
    if (err != ERR_OK)
        fail_msg("%s: %s", type, note.text);
}

void take_events(void)
{
    for (size_t i = 0; i < bench.event_count; i++) {
        const struct bench_event *event = &bench.events[i];

        if (strcmp(event->topic, "mamis.credit.work") == 0) {
            push(queue, &queued, event->type, json_incref(event->data));
        } else {
            check_event(event->type, event->data);
            push(told, &told_count, event->type, json_incref(event->data));
        }
    }
}

static work_handler_fn handler_of(const char *type)
{
    static const struct work_route routes[] = {
        {.type = EVENT_UPLOAD_READ, .handle = credit_read_handle},
        {.type = EVENT_UPLOAD_CHUNK, .handle = credit_post_handle},
        {.type = EVENT_CREDIT_CANCEL, .handle = credit_cancel_handle},
        {.type = EVENT_UPLOAD_UNDO, .handle = credit_undo_handle},
        {.type = EVENT_UPLOAD_UNDO_SLICE, .handle = credit_undo_slice_handle},
        {.type = EVENT_UPLOAD_POST, .handle = credit_trial_handle},
        {.type = EVENT_ROW_FIX, .handle = credit_fix_handle},
        {.type = EVENT_ROW_JUDGE, .handle = credit_again_handle},
        {.type = EVENT_UPLOAD_EXPIRE, .handle = credit_expire_handle},
        {.type = EVENT_CREDITS_MOVE, .handle = credit_move_handle},
        {.type = EVENT_SEMINAR_SIGNUP, .handle = credit_signup_handle},
        {.type = EVENT_SIGNUP_MOVE, .handle = credit_signup_move_handle},
    };

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(routes[i].type, type) == 0)
            return routes[i].handle;
    }
    must(false);
}

enum err handle_at(size_t at)
{
    struct message message = queue[at];
    enum err err =
        bench_handle_all(&bench, handler_of(message.type), &credit, message.type, &message.data, 1);

    if (err != ERR_OK)
        return err;
    memmove(&queue[at], &queue[at + 1], sizeof(queue[0]) * (queued - at - 1));
    queued--;
    take_events();
    free(message.type);
    json_decref(message.data);
    return ERR_OK;
}

void drain(void)
{
    while (queued > 0) {
        enum err err = handle_at(0);

        if (err != ERR_OK)
            fail_msg("%s: %s", err_name(err), bench.note.text);
    }
}

void resend(void)
{
    json_t *all = ask("SELECT coalesce(json_agg(json_build_object('type', type, 'data', body::json)"
                      " ORDER BY created_at, event_id), '[]') FROM credit.outbox"
                      " WHERE topic = 'mamis.credit.work'");
    json_t *one;
    size_t i;

    json_array_foreach(all, i, one)
    {
        push(queue, &queued, bench_text(one, "type"), json_incref(json_object_get(one, "data")));
    }
}

static struct fault planned;

static enum err fail_once(void *arg, uint64_t batch_number, bool after_commit)
{
    const struct fault *fault = arg;

    return batch_number == fault->at && after_commit == fault->after ? ERR_DB_UNKNOWN : ERR_OK;
}

void fail_at(struct fault fault)
{
    struct db_stats stats;

    db_stats(bench.db, &stats);
    planned = (struct fault){stats.batches + fault.at, fault.after};
    db_set_fault(bench.db, fail_once, &planned);
}

size_t heard(const char *type)
{
    size_t found = 0;

    for (size_t i = 0; i < told_count; i++)
        found += strcmp(told[i].type, type) == 0;
    return found;
}

json_t *heard_data(const char *type, size_t at)
{
    for (size_t i = 0; i < told_count; i++) {
        if (strcmp(told[i].type, type) == 0 && at-- == 0)
            return told[i].data;
    }
    return NULL;
}
