/*
 * mamisctl account: accounts of staff and organisers. Doctors' accounts come with `import members`.
 * An account, its credential and the event are one transaction.
 */
#include <stdio.h>
#include <string.h>

#include "domain/terms.h"
#include "gen/events.h"
#include "mail/mail.h"
#include "mamisctl/account_change.h"

enum {
    LOGIN_BYTES_MIN = 3,
    LOGIN_BYTES_MAX = 64,
    PASSWORD_LINE_BYTES = 1024,
    UNUSED_DAYS = 180, /* then an account that nobody uses is suspended */
};

static const char *const roles[] = {"organiser",   "office_l1", "office_l2", "office_l3",
                                    "call_centre", "admin",     "auditor"};

static const struct db_stmt put_account = {
    "account_put",
    "INSERT INTO registration.account (account_id, role, name, email, email_confirmed, state,"
    " organiser_code, l1_code, l2_code, terms_version, terms_agreed_at, changed_at)"
    " SELECT $1, $2, $3, $4, $4 <> '', 'active', $5, $6, $7, coalesce((SELECT version "
    "FROM " TERMS_IN_FORCE(
        "registration.terms",
        "($8::timestamptz AT TIME ZONE 'Asia/Tokyo')::date") " AS terms), ''), $8, $8"};

static const struct db_stmt put_history = {
    "account_history", "SELECT registration.note_change($1, 1, $2, 'mamisctl')"};

static const struct db_stmt put_credential = {
    "account_credential",
    "INSERT INTO gateway.credential (login_id, account_id, password_hash, changed_at)"
    " VALUES ($1, $2, $3, $4)"};

static const struct db_stmt put_staff = {
    "account_staff",
    "INSERT INTO registration.staff (account_id, login_id, administrator, unused_days, made_at)"
    " VALUES ($1, '', $2, $3, $4)"};

static const struct db_stmt find_organiser = {
    "account_organiser", "SELECT 1 FROM credit.organiser WHERE organiser_code = $1"};

static const struct db_stmt list_accounts = {
    "account_list",
    "SELECT a.role, coalesce(c.login_id, ''), a.name, a.state, a.step, a.organiser_code, a.l1_code,"
    " a.l2_code FROM registration.account AS a LEFT JOIN gateway.credential AS c USING (account_id)"
    " WHERE a.role = $1 OR ($1 = '' AND a.role <> 'doctor') ORDER BY a.role, 2 LIMIT 10000"};

/* A new password also ends what was begun with the old one. */
static const struct db_stmt set_password = {
    "account_set_password",
    "WITH set AS (UPDATE gateway.credential SET password_hash = $2, changed_at = $3"
    " WHERE login_id = $1 RETURNING account_id), ended AS (UPDATE gateway.session"
    " SET ended_at = $3, uncache = true WHERE account_id IN (SELECT account_id FROM set)"
    " AND ended_at IS NULL) SELECT count(*) FROM set"};

/* For who lost telephone and recovery codes, and proved by other means who they are. */
static const struct db_stmt forget_factors = {
    "account_forget_factors",
    "WITH who AS (SELECT account_id FROM gateway.credential WHERE login_id = $1),"
    " app AS (DELETE FROM gateway.totp USING who WHERE totp.account_id = who.account_id),"
    " codes AS (DELETE FROM gateway.recovery_code AS c USING who"
    "  WHERE c.account_id = who.account_id),"
    " keys AS (DELETE FROM gateway.passkey AS p USING who WHERE p.account_id = who.account_id),"
    " ended AS (UPDATE gateway.session SET ended_at = $2, uncache = true WHERE account_id IN"
    "  (SELECT account_id FROM who) AND ended_at IS NULL),"
    " kept AS (INSERT INTO gateway.factor_history (account_id, at, action, by_owner)"
    "  SELECT account_id, $2, 'reset', false FROM who) SELECT count(*) FROM who"};

struct new_account {
    const char *role, *login, *password, *name, *email, *organiser, *l1_code, *l2_code;
    struct uuid account_id;
    bool administrator;
    char hash[PASSWORD_HASH_BYTES];
};

static bool role_known(const char *role)
{
    for (size_t i = 0; role != NULL && i < ARRAY_LEN(roles); i++) {
        if (strcmp(roles[i], role) == 0)
            return true;
    }
    return false;
}

/* Lower case letters, digits and . _ @ + -, so that every way to type it is the same. */
static bool login_fine(const char *login)
{
    size_t len = login == NULL ? 0 : strlen(login);

    return len >= LOGIN_BYTES_MIN && len <= LOGIN_BYTES_MAX &&
           strspn(login, "abcdefghijklmnopqrstuvwxyz0123456789._@+-") == len;
}

/* "-" reads one line of standard input, so that it need not stand on the command line. */
static const char *password_from(struct tool *tool, const char *word)
{
    char *line;

    if (word == NULL || strcmp(word, "-") != 0)
        return word;
    line = arena_alloc(tool->arena, PASSWORD_LINE_BYTES);
    if (fgets(line, PASSWORD_LINE_BYTES, stdin) == NULL)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static enum err hash(struct tool *tool, const char *password, char out[PASSWORD_HASH_BYTES],
                     struct err_note *note)
{
    struct secret_key pepper;
    enum err err;

    TRY(secret_key_load(tool->settings->pepper_file, &pepper, note));
    err = password_hash(&pepper, PASSWORD_COST_DEFAULT, str_of(password), out);
    secret_wipe(&pepper, sizeof(pepper));
    if (err != ERR_OK)
        (void)err_say(note, err, "--password: no password, or over %d bytes", PASSWORD_BYTES_MAX);
cleanup:
    return err;
}

static const char *why_refused(const struct new_account *account)
{
    bool organiser = account->role != NULL && strcmp(account->role, "organiser") == 0;

    if (!role_known(account->role))
        return "--role: organiser, office_l1, office_l2, office_l3, call_centre, admin or auditor";
    if (!login_fine(account->login))
        return "--login: 3 to 64 of a-z 0-9 . _ @ + -";
    if (account->name[0] == '\0')
        return "--name is needed";
    if (account->email[0] != '\0' && !mail_address_ok(str_of(account->email)))
        return "--email: no mail address that can be used";
    if (organiser != (account->organiser[0] != '\0'))
        return "--organiser CODE goes with the role organiser, and is needed there";
    if (strcmp(account->role, "office_l1") == 0 && account->l1_code[0] == '\0')
        return "--l1 CODE is needed for office_l1";
    if (strcmp(account->role, "office_l2") == 0 && account->l2_code[0] == '\0')
        return "--l2 CODE is needed for office_l2";
    return NULL;
}

static void emit(struct tool *tool, struct db_batch *batch, const struct new_account *account)
{
    const struct event_account_state data = {
        .account_id = account->account_id,
        .version = 1,
        .role = str_of(account->role),
        .state = STR("active"),
        .step = STR(""),
        .name = str_of(account->name),
        .email = str_of(account->email),
        .email_confirmed = account->email[0] != '\0',
        .organiser_code = account->organiser[0] != '\0' ? str_of(account->organiser) : STR_NONE,
        .l1_code = account->l1_code[0] != '\0' ? str_of(account->l1_code) : STR_NONE,
        .l2_code = account->l2_code[0] != '\0' ? str_of(account->l2_code) : STR_NONE,
    };
    char key[UUID_TEXT_BYTES];
    struct work_event event = {.type = EVENT_ACCOUNT_STATE, .topic = TOPIC_ACCOUNT_EVENTS};

    uuid_format(account->account_id, key);
    event.key = str_of(key);
    event.subject = event.key;
    event.data = event_account_state_encode(&data);
    (void)work_emit(tool->work, batch, &event, NULL);
}

static enum err check_organiser(struct tool *tool, const struct new_account *account,
                                struct err_note *note)
{
    struct db_batch *batch = db_batch_read(tool->arena);
    struct db_query *query = db_add(batch, &find_organiser);
    enum err err;

    if (account->organiser[0] == '\0')
        return ERR_OK;
    db_text_c(query, account->organiser);
    err = tool_run(tool, batch, note);
    if (err == ERR_OK && db_rows(query) == 0)
        err = err_say(note, ERR_NOT_FOUND, "there is no organiser %s; import it first",
                      account->organiser);
    return err;
}

static enum err write_account(struct tool *tool, const struct new_account *account,
                              struct err_note *note)
{
    struct db_batch *batch = db_batch_new(tool->arena);
    int64_t now_us = clock_now_us();
    struct db_query *query = db_add(batch, &put_account);
    enum err err;

    db_uuid(query, account->account_id);
    db_text_c(query, account->role);
    db_text_c(query, account->name);
    db_text_c(query, account->email);
    db_text_c(query, account->organiser);
    db_text_c(query, account->l1_code);
    db_text_c(query, account->l2_code);
    db_time(query, now_us);
    query = db_add(batch, &put_history);
    db_uuid(query, account->account_id);
    db_time(query, now_us);
    query = db_add(batch, &put_staff);
    db_uuid(query, account->account_id);
    db_bool(query, account->administrator);
    db_i32(query, UNUSED_DAYS);
    db_time(query, now_us);
    query = db_add(batch, &put_credential);
    db_text_c(query, account->login);
    db_uuid(query, account->account_id);
    db_text_c(query, account->hash);
    db_time(query, now_us);
    emit(tool, batch, account);
    err = tool_run_work(tool, batch, note);
    if (err == ERR_DB_CONFLICT)
        err = err_say(note, ERR_STATE_CONFLICT, "there is an account with the login %s already",
                      account->login);
    return err;
}

static const char *or_empty(const char *word)
{
    return word != NULL ? word : "";
}

static enum tool_exit create(struct tool *tool, struct tool_args *args)
{
    static const char *const topics[] = {TOPIC_ACCOUNT_EVENTS};
    struct new_account account = {
        .role = args_option(args, "--role"),
        .login = args_option(args, "--login"),
        .password = password_from(tool, args_option(args, "--password")),
        .name = or_empty(args_option(args, "--name")),
        .email = or_empty(args_option(args, "--email")),
        .organiser = or_empty(args_option(args, "--organiser")),
        .l1_code = or_empty(args_option(args, "--l1")),
        .l2_code = or_empty(args_option(args, "--l2")),
        .administrator = args_flag(args, "--administrator"),
        .account_id = uuid_new(),
    };
    const char *why = why_refused(&account);
    struct err_note note = {0};
    enum err err;

    if (!args_done(args) || account.password == NULL)
        return TOOL_USAGE;
    if (why != NULL) {
        tool_say("account create: %s", why);
        return TOOL_REFUSED;
    }
    tool_work_open(tool, "registration");
    TRY(hash(tool, account.password, account.hash, &note));
    TRY(check_organiser(tool, &account, &note));
    TRY(write_account(tool, &account, &note));
cleanup:
    if (err != ERR_OK)
        return tool_fail("account create", err, &note);
    (void)printf("created %s (%s)\n", account.login, account.role);
    return tool_settle(tool, topics, ARRAY_LEN(topics)) ? TOOL_OK : TOOL_UNSETTLED;
}

static enum tool_exit list(struct tool *tool, struct tool_args *args)
{
    const char *role = or_empty(args_option(args, "--role"));
    struct db_batch *batch = db_batch_read(tool->arena);
    struct db_query *query = db_add(batch, &list_accounts);
    struct err_note note = {0};
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    tool_db_open(tool);
    db_text_c(query, role);
    err = tool_run(tool, batch, &note);
    if (err != ERR_OK)
        return tool_fail("account list", err, &note);
    (void)printf("role\tlogin\tname\tstate\tstep\torganiser\tl1\tl2\n");
    for (size_t i = 0; i < db_rows(query); i++) {
        for (int column = 0; column < 8; column++)
            (void)printf("%.*s%c", STR_ARG(db_get_text(query, i, column)),
                         column < 7 ? '\t' : '\n');
    }
    return TOOL_OK;
}

static enum tool_exit reset_password(struct tool *tool, struct tool_args *args)
{
    const char *login = args_option(args, "--login");
    const char *password = password_from(tool, args_option(args, "--password"));
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *query = db_add(batch, &set_password);
    char hashed[PASSWORD_HASH_BYTES];
    struct err_note note = {0};
    enum err err;

    if (!args_done(args) || login == NULL || password == NULL)
        return TOOL_USAGE;
    tool_db_open(tool);
    TRY(hash(tool, password, hashed, &note));
    db_text_c(query, login);
    db_text_c(query, hashed);
    db_time(query, clock_now_us());
    TRY(tool_run(tool, batch, &note));
    if (db_get_i64(query, 0, 0) == 0)
        err = err_say(&note, ERR_NOT_FOUND, "there is no login %s", login);
cleanup:
    if (err != ERR_OK)
        return tool_fail("account reset-password", err, &note);
    (void)printf("password of %s set, its sessions ended\n", login);
    return TOOL_OK;
}

static enum tool_exit reset_second_factor(struct tool *tool, struct tool_args *args)
{
    const char *login = args_option(args, "--login");
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *query = db_add(batch, &forget_factors);
    struct err_note note = {0};
    enum err err;

    if (!args_done(args) || login == NULL)
        return TOOL_USAGE;
    tool_db_open(tool);
    db_text_c(query, login);
    db_time(query, clock_now_us());
    TRY(tool_run(tool, batch, &note));
    if (db_get_i64(query, 0, 0) == 0)
        err = err_say(&note, ERR_NOT_FOUND, "there is no login %s", login);
cleanup:
    if (err != ERR_OK)
        return tool_fail("account reset-second-factor", err, &note);
    (void)printf("second factors of %s removed, its sessions ended\n", login);
    return TOOL_OK;
}

enum tool_exit command_account(struct tool *tool, struct tool_args *args)
{
    const char *what = args_word(args);

    if (what != NULL && strcmp(what, "create") == 0)
        return create(tool, args);
    if (what != NULL && strcmp(what, "list") == 0)
        return list(tool, args);
    if (what != NULL && strcmp(what, "reset-password") == 0)
        return reset_password(tool, args);
    if (what != NULL && strcmp(what, "reset-second-factor") == 0)
        return reset_second_factor(tool, args);
    if (what != NULL && strcmp(what, "link") == 0)
        return account_link(tool, args);
    if (what != NULL && (strcmp(what, "suspend") == 0 || strcmp(what, "restore") == 0))
        return account_set_state(tool, args, strcmp(what, "suspend") == 0);
    return TOOL_USAGE;
}
