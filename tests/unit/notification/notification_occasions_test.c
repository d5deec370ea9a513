/* notification_occasions: which event makes which mail, once. */
#include <stdio.h>
#include <string.h>

#include "notification_fixture.h"

static void a_link_makes_one_mail(void **state)
{
    (void)state;
    link_issued(LINK, "email_confirm");
    link_issued(LINK, "email_confirm");
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M01'"
                           " AND occasion = 'M01:" LINK "' AND state = 'ready'"
                           " AND to_address = 'new@example.jp' AND attempts = 0"
                           " AND NOT ambiguous AND created_at = next_try_at"
                           " AND data ->> 'expires_at' = '2026-11-22 10:30'"),
                     1);
    link_issued(ORGANISER, "password_reset");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M04'"), 1);
}

/* Many failed sign-ins: one mail a day, whatever number of gateways saw them. */
static void failed_sign_ins_make_one_mail_a_day(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    link_issued(LINK, "get_in");
    link_issued(ORGANISER, "get_in");
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_non_null(strstr(rendered(arena, "M06").text, "https://mamis.example.jp/link#" LINK));
    arena_free(arena);
}

static void changed(const char *what, const char *at)
{
    assert_int_equal(bench_handle(&bench, notification_credential_handle, &notification,
                                  EVENT_CREDENTIAL_CHANGED,
                                  "{\"account_id\": \"" DOCTOR_ACCOUNT "\", \"what\": \"%s\","
                                  " \"email\": \"old@example.jp\", \"changed_at\": \"%s\"}",
                                  what, at),
                     ERR_OK);
}

static void a_changed_sign_in_is_told_at_the_address_of_then(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    changed("password", "2026-11-22T10:30:00+09:00");
    changed("password", "2026-11-22T10:30:00+09:00");
    changed("password", "2026-11-22T10:31:00+09:00");
    changed("totp_added", "2026-11-22T10:30:00+09:00");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M05'"
                           " AND to_address = 'old@example.jp'"),
                     3);
    assert_non_null(strstr(rendered(arena, "M05").text, "2026-11-22 10:3"));
    arena_free(arena);
}

/* The link itself stands nowhere; it is made from its id when the mail is. */
static void links_are_made_with_the_mail(void **state)
{
    struct arena *arena = arena_new();
    char link[LINK_TEXT_BYTES];
    struct uuid id;
    const char *found;
    const char *body;

    (void)state;
    link_issued(LINK, "password_reset");
    assert_true(uuid_parse(STR(LINK), &id));
    link_text(&notification.link_key, "password_reset", id, link);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE data ? 'link'"), 0);
    body = rendered(arena, "M04").text;
    found = strstr(body, "https://mamis.example.jp/link#");
    assert_non_null(found);
    found += strlen("https://mamis.example.jp/link#");
    assert_memory_equal(found, link, strlen(link));
    assert_int_equal(found[strlen(link)], '\n');
    arena_free(arena);
}

static void message_ids_follow_from_the_occasion(void **state)
{
    char first[200];

    (void)state;
    link_issued(LINK, "email_confirm");
    (void)snprintf(first, sizeof(first), "%s", value("SELECT message_id FROM notification.mail"));
    assert_int_equal(strspn(first + 4, "0123456789abcdef"), 40);
    assert_memory_equal(first, "M01.", 4);
    assert_string_equal(first + 44, "@mamis.example.jp");
    /* As if the database had been restored, and the event came again another day. */
    sql("TRUNCATE notification.mail");
    bench_clock("2026-12-01T09:00:00+09:00");
    link_issued(LINK, "email_confirm");
    assert_string_equal(value("SELECT message_id FROM notification.mail"), first);
    link_issued(LINK, "password_reset");
    assert_int_equal(count("SELECT count(DISTINCT message_id) FROM notification.mail"), 2);
}

static void my_page(const char *email)
{
    assert_int_equal(bench_handle(&bench, notification_my_page_handle, &notification,
                                  EVENT_MY_PAGE_CREATED,
                                  "{\"account_id\": \"" DOCTOR_ACCOUNT "\", \"doctor_id\": 1,"
                                  " \"name\": \"濱田　正樹\", \"email\": \"%s\"}",
                                  email),
                     ERR_OK);
}

static void my_page_makes_one_mail(void **state)
{
    (void)state;
    my_page(DOCTOR_ADDRESS);
    my_page(DOCTOR_ADDRESS);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M02'"
                           " AND to_address = '" DOCTOR_ADDRESS
                           "' AND occasion = 'M02:" DOCTOR_ACCOUNT "'"),
                     1);
}

/* Without an address of its own the account's is used when it is sent. */
static void an_empty_address_is_none(void **state)
{
    (void)state;
    my_page("");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE to_address IS NULL"), 1);
}

static void an_application_is_received_once(void **state)
{
    (void)state;
    account(ORGANISER, 2, "office_l2", "active", "osaka@example.jp", "27");
    account(DOCTOR_ACCOUNT, 2, "office_l2", "suspended", "x@example.jp", "13");
    application(1, "submitted", true);
    application(2, "l2_review", true);
    application(2, "l2_review", true);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M28'"
                           " AND to_doctor = 1 AND occasion = 'M28:" APPLICATION "'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M28-office'"
                           " AND to_account = '" STAFF "' AND occasion = 'M28-office:" APPLICATION
                           ":" STAFF "'"),
                     1);
}

static void a_lost_postcard_is_told_to_who_has_to_act(void **state)
{
    static const char *const states[] = {"open", "open", "done", "done"};

    (void)state;
    account(ORGANISER, 2, "call_centre", "active", "calls@example.jp", "");
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        assert_int_equal(bench_handle(&bench, notification_reissue_handle, &notification,
                                      EVENT_REISSUE_STATE,
                                      "{\"reissue_id\": \"" LINK "\", \"version\": 1,"
                                      " \"l2_code\": \"13\", \"state\": \"%s\"}",
                                      states[i]),
                         ERR_OK);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 2);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M56-desk'"
                           " AND to_account = '" ORGANISER "'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M56'"
                           " AND to_account = '" STAFF "'"),
                     1);
}

/* Edge 60: both prefectures and the doctor hear of it, once. */
static void a_handed_over_application_is_told(void **state)
{
    (void)state;
    account(ORGANISER, 2, "office_l2", "active", "new@example.jp", "14");
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            bench_handle(&bench, notification_application_handle, &notification,
                         EVENT_APPLICATION_STATE,
                         "{\"application_id\": \"" APPLICATION "\", \"version\": 4,"
                         " \"doctor_id\": 1, \"programme\": \"OP\", \"status\": \"l2_review\","
                         " \"l2_code\": \"14\", \"cycle\": \"OP-2027-01\", \"declared\": true,"
                         " \"number\": null, \"valid_from\": null, \"valid_to\": null,"
                         " \"reason\": null, \"return_until\": null, \"handed_from\": \"13\"}"),
            ERR_OK);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 3);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M55'"
                           " AND to_doctor = 1"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M55-office'"
                           " AND to_account IN ('" STAFF "', '" ORGANISER "')"
                           " AND data ->> 'from' = '13' AND data ->> 'to' = '14'"),
                     2);
}

static void each_return_is_an_occasion(void **state)
{
    (void)state;
    application(3, "returned", false);
    application(3, "returned", false);
    application(5, "returned", false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M42'"
                           " AND to_doctor = 1 AND to_account IS NULL"),
                     2);
}

static void decisions_are_told(void **state)
{
    (void)state;
    application(9, "approved", false);
    application(9, "approved", false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M33'"
                           " AND data ->> 'number' = '0000044'"
                           " AND data ->> 'valid_from' = '2027年10月14日'"),
                     1);
    application(9, "rejected_l3", false);
    application(9, "rejected_l3", false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M34'"), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M34-office'"), 1);
}

static void signed_up(int version, const char *state, bool promoted, bool by_delegate)
{
    assert_int_equal(bench_handle(&bench, notification_seminar_signup_handle, &notification,
                                  EVENT_SEMINAR_SIGNUP_CHANGED,
                                  "{\"seminar_no\": \"S2026-0001\", \"seminar_title\": \"研修会\","
                                  " \"starts_at\": \"2026-12-06T13:00:00+09:00\","
                                  " \"doctor_id\": 1, \"version\": %d, \"state\": \"%s\","
                                  " \"promoted\": %s, \"by_delegate\": %s}",
                                  version, state, promoted ? "true" : "false",
                                  by_delegate ? "true" : "false"),
                     ERR_OK);
}

static void a_sign_up_makes_one_mail_for_its_occasion(void **state)
{
    struct mail_message message;
    struct arena *memory = arena_new();

    (void)state;
    signed_up(1, "applied", false, true);
    signed_up(1, "applied", false, true);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M16'"
                           " AND to_doctor = 1"),
                     1);
    message = rendered(memory, "M16");
    assert_non_null(strstr(message.subject, "研修会"));
    assert_non_null(strstr(message.text, "開始: 2026-12-06 13:00"));
    assert_non_null(strstr(message.text, "代理の方が行いました"));
    signed_up(2, "cancelled_by_doctor", false, false); /* needs none */
    signed_up(3, "waitlist", false, false);
    signed_up(4, "applied", true, false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 3);
    assert_null(strstr(rendered(memory, "M17").text, "代理の方が"));
    assert_non_null(strstr(rendered(memory, "M17-place").text, "席が決まりました"));
    arena_free(memory);
}

static void other_states_make_no_mail(void **state)
{
    static const char *const quiet[] = {"draft", "l3_queued", "l3_review", "withdrawn", "closed"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
        application(1, quiet[i], false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 0);
}

/* ---- what is in them ---- */

/* Names in a template that are not in the row: made when the mail is, or left out on purpose. */
static bool is_made_later(const char *name)
{
    static const char *const later[] = {"name",       "link",  "public_url",
                                        "help_phone", "lines", "help_hours",
                                        "declared",   "until", "by_delegate"};

    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        if (strcmp(later[i], name) == 0)
            return true;
    }
    return false;
}

static void assert_placeholders_are_known(const char *kind)
{
    char path[512];
    char template_text[4096] = "";
    char name[64];
    char ask[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), TEST_SOURCE_DIR "/services/notification/mail/%s.txt", kind);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(template_text, 1, sizeof(template_text) - 1, file) > 0);
    (void)fclose(file);
    for (const char *at = strchr(template_text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        assert_int_equal(sscanf(at, "{%63[a-z_]}", name), 1);
        if (is_made_later(name))
            continue;
        (void)snprintf(ask, sizeof(ask),
                       "SELECT count(*) FROM notification.mail WHERE kind = '%s'"
                       " AND coalesce(data ->> '%s', '') = ''",
                       kind, name);
        assert_int_equal(count(ask), 0);
    }
}

static void expired(void)
{
    assert_int_equal(
        bench_handle(&bench, notification_expired_handle, &notification, EVENT_ROWS_EXPIRED,
                     "{\"upload_id\": \"" UPLOAD "\", \"seminar_no\": \"S2026-0001\","
                     " \"seminar_title\": \"研修会\", \"organiser_code\": \"P13\","
                     " \"account_id\": \"" ORGANISER "\", \"file_name\": \"出席簿.csv\","
                     " \"rows\": [{\"row_no\": 3, \"name_kana\": \"サトウ　ケンイチ\","
                     " \"session_no\": \"1\"}, {\"row_no\": 5, \"name_kana\": null, "
                     "\"session_no\": \"2\"}]}"),
        ERR_OK);
}

static int64_t mails_to_account(const char *account_id)
{
    char ask[200];

    (void)snprintf(ask, sizeof(ask),
                   "SELECT count(*) FROM notification.mail WHERE kind = 'M43'"
                   " AND to_account = '%s'",
                   account_id);
    return count(ask);
}

/* Ninety days after the file its sender may have left, or have no address any more. */
static void the_end_of_waiting_is_told_to_who_is_there(void **state)
{
    static const struct {
        const char *state, *email;
        int sender, others;
    } cases[] = {
        {"active", "kenshu@example.jp", 1, 0},
        {"suspended", "kenshu@example.jp", 0, 1},
        {"closed", "kenshu@example.jp", 0, 1},
        {"active", "", 0, 1},
    };

    (void)state;
    account(STAFF, 2, "organiser", "active", "second@example.jp", "P13");
    account(LINK, 1, "organiser", "active", "other@example.jp", "P14");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        sql("TRUNCATE notification.mail");
        account(ORGANISER, 2 + (int)i, "organiser", cases[i].state, cases[i].email, "P13");
        expired();
        assert_int_equal(mails_to_account(ORGANISER), cases[i].sender);
        assert_int_equal(mails_to_account(STAFF), cases[i].others);
        assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    }
}

/* `how`: members that say who ended it. */
static void delegation_as(int version, const char *state, bool accepted, const char *how)
{
    assert_int_equal(bench_handle(&bench, notification_delegation_handle, &notification,
                                  EVENT_DELEGATION_STATE,
                                  "{\"delegation_id\": \"" UPLOAD "\", \"version\": %d,"
                                  " \"account_id\": \"" DOCTOR_ACCOUNT "\", \"doctor_id\": 1,"
                                  " \"doctor_name\": \"濱田　正樹\","
                                  " \"delegate_id\": \"" STAFF "\", \"name\": \"受付　一郎\","
                                  " \"email\": \"reception@example.jp\", \"state\": \"%s\","
                                  " \"accepted\": %s%s}",
                                  version, state, accepted ? "true" : "false", how),
                     ERR_OK);
}

static void delegation(int version, const char *state, bool accepted)
{
    delegation_as(version, state, accepted, "");
}

/* Whoever did not end it is told. */
static void a_doctor_hears_that_the_delegate_left(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    delegation_as(3, "revoked", true, ", \"resigned\": true");
    delegation_as(3, "revoked", true, ", \"resigned\": true");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M52-left'"
                           " AND to_account = '" DOCTOR_ACCOUNT "' AND to_doctor = 1"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_non_null(strstr(rendered(arena, "M52-left").text, "受付　一郎 さんが代理の登録をやめ"));
    arena_free(arena);
}

/* The doctor did not end it, so the delegate is told why it ended. */
static void a_delegate_hears_of_a_merge(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    delegation_as(2, "revoked", false, ", \"merged\": true");
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 0);
    delegation_as(3, "revoked", true, ", \"merged\": true");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M52-merged'"
                           " AND to_address = 'reception@example.jp' AND to_account IS NULL"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
    assert_non_null(strstr(rendered(arena, "M52-merged").text, "濱田　正樹 先生の登録が2つ"));
    arena_free(arena);
}

/* The doctor hears of the beginning, the delegate of the end; of an invitation its link's mail
 * tells, and of one that was never accepted nothing has ended. */
static void a_delegation_makes_two_mails(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    delegation(1, "invited", false);
    delegation(2, "revoked", false);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 0);
    delegation(2, "active", true);
    delegation(2, "active", true);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M51'"
                           " AND to_account = '" DOCTOR_ACCOUNT "' AND to_doctor = 1"),
                     1);
    assert_non_null(strstr(rendered(arena, "M51").text, "受付　一郎 さんが代理の登録を受けました"));
    delegation(3, "revoked", true);
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M52'"
                           " AND to_address = 'reception@example.jp'"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 2);
    arena_free(arena);
}

static void correction(int version, const char *state, const char *l2_code)
{
    assert_int_equal(
        bench_handle(&bench, notification_correction_handle, &notification, EVENT_CORRECTION_STATE,
                     "{\"correction_id\": \"" LINK "\", \"version\": %d,"
                     " \"account_id\": \"" DOCTOR_ACCOUNT "\", \"doctor_id\": 1,"
                     " \"name\": \"濱田　正樹\", \"l2_code\": \"%s\","
                     " \"state\": \"%s\", \"changed\": %s}",
                     version, l2_code, state, strcmp(state, "done") == 0 ? "true" : "null"),
        ERR_OK);
}

/* The prefectural office hears of the request, the doctor of the answer; one without a prefecture
 * is the national office's. */
static void a_correction_is_told_to_who_has_to_act(void **state)
{
    (void)state;
    account(ORGANISER, 2, "office_l3", "active", "l3@example.jp", "");
    correction(1, "open", "13");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M53-office'"
                           " AND to_account = '" STAFF "'"),
                     1);
    correction(2, "refused", "13");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M53'"
                           " AND to_doctor = 1"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 2);
    sql("TRUNCATE notification.mail");
    correction(1, "open", "");
    assert_int_equal(
        count("SELECT count(*) FROM notification.mail WHERE to_account = '" ORGANISER "'"), 1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
}

static void merged_as(const char *kept, const char *closed, const char *more)
{
    assert_int_equal(bench_handle(&bench, notification_merged_handle, &notification,
                                  EVENT_DOCTOR_MERGED,
                                  "{\"merge_id\": \"" LINK "\", \"kept_id\": 1, \"closed_id\": 2,"
                                  " \"actor_id\": \"" STAFF "\", \"actor_role\": \"office_l3\","
                                  " \"reason\": \"x\", \"name\": \"濱田　正樹\","
                                  " \"kept_email\": \"%s\", \"closed_email\": \"%s\","
                                  " \"names_kana\": []%s}",
                                  kept, closed, more),
                     ERR_OK);
}

static void merged(const char *kept, const char *closed)
{
    merged_as(kept, closed, "");
}

/* What is closed then is a number, and no record of a person. */
static void another_number_has_words_of_its_own(void **state)
{
    (void)state;
    merged_as("a@example.jp", "", ", \"renumbered\": true");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M54-number'"
                           " AND to_address = 'a@example.jp' AND to_doctor = 1"),
                     1);
    assert_int_equal(count("SELECT count(*) FROM notification.mail"), 1);
}

/* One mail an address, also when both records have the same one, or none. */
static void a_merge_is_told_at_both_addresses(void **state)
{
    (void)state;
    merged("a@example.jp", "b@example.jp");
    merged("a@example.jp", "b@example.jp");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M54'"), 2);
    sql("TRUNCATE notification.mail");
    merged("a@example.jp", "A@example.jp");
    assert_int_equal(count("SELECT count(*) FROM notification.mail WHERE kind = 'M54'"), 1);
    sql("TRUNCATE notification.mail");
    merged("", "b@example.jp");
    assert_int_equal(count("SELECT count(*) FROM notification.mail"
                           " WHERE to_address = 'b@example.jp'"),
                     1);
}

static void every_mail_is_complete_and_discreet(void **state)
{
    static const char *const kinds[] = {
        "M01", "M01-staff",  "M02", "M04",        "M22",        "M23", "M28",      "M33",
        "M34", "M28-office", "M42", "M43",        "M34-office", "M50", "M51",      "M52",
        "M53", "M53-office", "M54", "M54-number", "M16",        "M17", "M17-place"};
    static const char *const secret[] = {"460191", "6423876638", "1975", "{", "}", "\r"};
    struct arena *arena = arena_new();

    (void)state;
    link_issued(LINK, "email_confirm");
    link_issued(UPLOAD, "password_reset");
    link_issued(ORGANISER, "staff_invite");
    link_issued(APPLICATION, "delegate_invite");
    delegation(2, "active", true);
    delegation(3, "revoked", true);
    correction(1, "open", "13");
    correction(2, "done", "13");
    merged("a@example.jp", "");
    merged_as("b@example.jp", "", ", \"renumbered\": true");
    my_page(DOCTOR_ADDRESS);
    posted(0, "OPL-S", 4, 0);
    upload_done(1, "\"" ORGANISER "\"", 3);
    make_mails();
    expired();
    signed_up(1, "applied", false, false);
    signed_up(2, "waitlist", false, true);
    signed_up(3, "applied", true, false);
    application(1, "submitted", true);
    application(2, "returned", true);
    application(3, "approved", true);
    application(4, "rejected_l2", true);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct mail_message message = rendered(arena, kinds[i]);
        struct str wire;

        assert_placeholders_are_known(kinds[i]);
        for (size_t n = 0; n < ARRAY_LEN(secret); n++) {
            assert_null(strstr(message.text, secret[n]));
            assert_null(strstr(message.subject, secret[n]));
        }
        assert_null(strstr(message.text, "\n 様"));
        assert_int_equal(mail_build(arena, &message, &wire, NULL), ERR_OK);
    }
    assert_non_null(strstr(rendered(arena, "M42").text, "手帳の単位が\n足りません。\n"));
    assert_non_null(strstr(rendered(arena, "M42").text, "\n期限: 2026年12月15日\n"));
    assert_non_null(
        strstr(rendered(arena, "M43").text,
               "・3番目の行　サトウ　ケンイチ　セッション 1\n・5番目の行　セッション 2\n"));
    assert_non_null(strstr(rendered(arena, "M28").text, "研修手帳の原本を"));
    arena_free(arena);
}

/* Whatever a title or name holds, headers stay headers. */
static void line_breaks_cannot_break_headers(void **state)
{
    struct arena *arena = arena_new();
    struct mail_message message;
    struct str wire;

    (void)state;
    doctor(1, 2, "濱田\\r\\nBcc: x@example.jp", DOCTOR_ADDRESS);
    posted(0, "OPL-S", 4, 0);
    sql("UPDATE notification.upload"
        " SET seminar_title = E'研修会\\r\\nBcc: y@example.jp\\r\\n\\r\\nbody'");
    upload_done(1, "null", 0);
    make_mails();
    message = rendered(arena, "M23");
    assert_null(strpbrk(message.subject, "\r\n"));
    assert_null(strpbrk(message.to_name, "\r\n"));
    assert_int_equal(mail_build(arena, &message, &wire, NULL), ERR_OK);
    assert_null(strstr(wire.data, "\nBcc:"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_link_makes_one_mail, fill),
        cmocka_unit_test_setup(failed_sign_ins_make_one_mail_a_day, fill),
        cmocka_unit_test_setup(a_changed_sign_in_is_told_at_the_address_of_then, fill),
        cmocka_unit_test_setup(links_are_made_with_the_mail, fill),
        cmocka_unit_test_setup(message_ids_follow_from_the_occasion, fill),
        cmocka_unit_test_setup(my_page_makes_one_mail, fill),
        cmocka_unit_test_setup(an_empty_address_is_none, fill),
        cmocka_unit_test_setup(an_application_is_received_once, fill),
        cmocka_unit_test_setup(each_return_is_an_occasion, fill),
        cmocka_unit_test_setup(a_handed_over_application_is_told, fill),
        cmocka_unit_test_setup(a_lost_postcard_is_told_to_who_has_to_act, fill),
        cmocka_unit_test_setup(decisions_are_told, fill),
        cmocka_unit_test_setup(a_sign_up_makes_one_mail_for_its_occasion, fill),
        cmocka_unit_test_setup(other_states_make_no_mail, fill),
        cmocka_unit_test_setup(the_end_of_waiting_is_told_to_who_is_there, fill),
        cmocka_unit_test_setup(a_delegate_hears_of_a_merge, fill),
        cmocka_unit_test_setup(a_delegation_makes_two_mails, fill),
        cmocka_unit_test_setup(a_doctor_hears_that_the_delegate_left, fill),
        cmocka_unit_test_setup(a_correction_is_told_to_who_has_to_act, fill),
        cmocka_unit_test_setup(a_merge_is_told_at_both_addresses, fill),
        cmocka_unit_test_setup(another_number_has_words_of_its_own, fill),
        cmocka_unit_test_setup(every_mail_is_complete_and_discreet, fill),
        cmocka_unit_test_setup(line_breaks_cannot_break_headers, fill),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
