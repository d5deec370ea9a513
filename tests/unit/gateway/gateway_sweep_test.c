/*
 * What the sweep deletes or finishes, by its own statements on a real database: copies of licences,
 * drafts, files of postcards.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/gateway_postcards.h"
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

/* ---- postcards: what a gateway that died left in the printer's folder ---- */

enum login { LOGIN_NONE, LOGIN_IN_FORCE, LOGIN_DEAD, LOGIN_UNKNOWN };

static const struct {
    const char *name;
    enum login login;
    bool old;
    const char *becomes; /* NULL: it goes */
} files[] = {
    {"postcard-1.part", LOGIN_IN_FORCE, false, "postcard-1.csv"},
    {"postcard-2.part", LOGIN_IN_FORCE, true, "postcard-2.csv"},
    {"postcard-3.part", LOGIN_UNKNOWN, true, NULL},
    {"postcard-4.part", LOGIN_UNKNOWN, false, "postcard-4.part"}, /* its commit may still come */
    {"postcard-5.part", LOGIN_DEAD, true, NULL},
    {"postcard-6.part", LOGIN_NONE, true, NULL}, /* cut off while it was written */
    {"postcard-7.csv", LOGIN_UNKNOWN, true, "postcard-7.csv"},
    {"something.part", LOGIN_UNKNOWN, true, "something.part"},
};

static char folder[512];

static const char *path_of(const char *name)
{
    static char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put_credential(const struct postcard *postcard, bool dead)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO gateway.temp_credential (login_id, account_id, hmac, issued_at,"
                   " expires_at, dead_at) VALUES ('%s', gen_random_uuid(), sha256('x'), now(),"
                   " now() + interval '1 day', %s)",
                   postcard->login_id, dead ? "now()" : "NULL");
    pg_server_exec(&bench_server, sql);
}

static void put_file(size_t at)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const char *path = path_of(files[at].name);
    struct err_note note;
    struct postcard postcard;
    struct buf csv = {0};
    int fd;

    postcard_make(&bench_gateway.temp_key, STR("460190"), STR("見本, 花子"), &csv, &postcard);
    if (files[at].login == LOGIN_IN_FORCE || files[at].login == LOGIN_DEAD)
        put_credential(&postcard, files[at].login == LOGIN_DEAD);
    assert_int_equal(postcard_open(path, &fd, &note), ERR_OK);
    if (files[at].login == LOGIN_NONE)
        assert_int_equal(ftruncate(fd, 14), 0);
    else
        assert_int_equal(postcard_save(fd, path, buf_str(&csv), &note), ERR_OK);
    if (files[at].old)
        assert_int_equal(futimens(fd, long_ago), 0);
    assert_int_equal(close(fd), 0);
    postcard_forget(&csv);
}

/* Before the first round of the sweep. */
static int open_with_files(void **state)
{
    int result = gateway_bench_open(state);

    (void)snprintf(folder, sizeof(folder), "%s/postcards", bench_server.data);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put_file(i);
    gateway_settings.postcards_dir = folder;
    return result;
}

static bool is_settled(size_t at)
{
    const char *becomes = files[at].becomes;

    if (becomes != NULL && access(path_of(becomes), F_OK) != 0)
        return false;
    return (becomes != NULL && strcmp(becomes, files[at].name) == 0) ||
           access(path_of(files[at].name), F_OK) != 0;
}

static size_t count_settled(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        count += is_settled(i);
    return count;
}

static void files_of_postcards_are_finished_or_removed(void **state)
{
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    bool never = false;

    (void)state;
    while (count_settled() < ARRAY_LEN(files)) {
        assert_true(clock_mono_ms() < end_ms);
        (void)loop_run_until(bench_fixture.loop, &never, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(licences_and_drafts_go_after_ninety_days),
        cmocka_unit_test(files_of_postcards_are_finished_or_removed),
    };

    return cmocka_run_group_tests(tests, open_with_files, gateway_bench_close);
}
