/*
 * mamisctl token: access of organisers' programs. A token is shown once, when it is made; only its
 * SHA-256 is kept.
 */
#include <stdio.h>
#include <string.h>

#include "mamisctl/mamisctl.h"

static const char *const scopes[] = {"attendance:write"};

static const struct db_stmt put_token = {
    "token_put",
    "INSERT INTO gateway.token (token_id, token_sha256, organiser_code, scope, label, created_at,"
    " expires_at) SELECT $1, $2, organiser_code, ARRAY[$4::text], $5, $6, $7"
    " FROM credit.organiser WHERE organiser_code = $3"};

static const struct db_stmt list_tokens = {
    "token_list",
    "SELECT token_id, organiser_code, array_to_string(scope, ' '), label, created_at, expires_at,"
    " revoked_at FROM gateway.token WHERE $1 = '' OR organiser_code = $1"
    " ORDER BY organiser_code, created_at LIMIT 10000"};

static const struct db_stmt revoke_token = {
    "token_revoke",
    "UPDATE gateway.token SET revoked_at = coalesce(revoked_at, $2) WHERE token_id = $1"};

static bool scope_known(const char *scope)
{
    for (size_t i = 0; scope != NULL && i < ARRAY_LEN(scopes); i++) {
        if (strcmp(scopes[i], scope) == 0)
            return true;
    }
    return false;
}

/* Unit of `*ret_expires_us`: business time; INT64_MIN is "never". */
static bool read_days(const char *word, int64_t *ret_expires_us)
{
    int64_t days;

    *ret_expires_us = INT64_MIN;
    if (word == NULL)
        return true;
    if (!str_to_i64(str_of(word), &days) || days < 1 || days > 36500)
        return false;
    *ret_expires_us = clock_now_us() + days * CLOCK_DAY_S * CLOCK_SECOND_US;
    return true;
}

static enum tool_exit create(struct tool *tool, struct tool_args *args)
{
    const char *organiser = args_option(args, "--organiser");
    const char *scope = args_option(args, "--scope");
    const char *label = args_option(args, "--label");
    const char *days = args_option(args, "--days");
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *query = db_add(batch, &put_token);
    struct uuid id = uuid_new();
    uint8_t digest[SECRET_DIGEST_BYTES];
    char token[TOKEN_TEXT_BYTES];
    char id_text[UUID_TEXT_BYTES];
    struct err_note note = {0};
    int64_t expires_us;
    enum err err;

    if (!args_done(args) || organiser == NULL || !scope_known(scope) ||
        !read_days(days, &expires_us))
        return TOOL_USAGE;
    tool_db_open(tool);
    token_new(token);
    token_digest(str_of(token), digest);
    db_uuid(query, id);
    db_bytes(query, (struct str){(const char *)digest, sizeof(digest)});
    db_text_c(query, organiser);
    db_text_c(query, scope);
    db_text_c(query, label != NULL ? label : "");
    db_time(query, clock_now_us());
    db_time(query, expires_us);
    err = tool_run(tool, batch, &note);
    if (err == ERR_OK && db_affected(query) == 0)
        err = err_say(&note, ERR_NOT_FOUND, "there is no organiser %s", organiser);
    if (err != ERR_OK)
        return tool_fail("token create", err, &note);
    uuid_format(id, id_text);
    (void)printf("token_id %s\n%s\n", id_text, token);
    (void)fprintf(stderr, "mamisctl: the token is shown this once\n");
    secret_wipe(token, sizeof(token));
    return TOOL_OK;
}

static void print_time(const struct db_query *query, size_t row, int column)
{
    char text[CLOCK_TEXT_BYTES] = "-";

    if (!db_is_null(query, row, column))
        time_format(db_get_time(query, row, column), text);
    (void)printf("\t%s", text);
}

static enum tool_exit list(struct tool *tool, struct tool_args *args)
{
    const char *organiser = args_option(args, "--organiser");
    struct db_batch *batch = db_batch_read(tool->arena);
    struct db_query *query = db_add(batch, &list_tokens);
    struct err_note note = {0};
    enum err err;

    if (!args_done(args))
        return TOOL_USAGE;
    tool_db_open(tool);
    db_text_c(query, organiser != NULL ? organiser : "");
    err = tool_run(tool, batch, &note);
    if (err != ERR_OK)
        return tool_fail("token list", err, &note);
    (void)printf("token_id\torganiser\tscope\tlabel\tcreated\texpires\trevoked\n");
    for (size_t i = 0; i < db_rows(query); i++) {
        char id[UUID_TEXT_BYTES];

        uuid_format(db_get_uuid(query, i, 0), id);
        (void)printf("%s\t%.*s\t%.*s\t%.*s", id, STR_ARG(db_get_text(query, i, 1)),
                     STR_ARG(db_get_text(query, i, 2)), STR_ARG(db_get_text(query, i, 3)));
        for (int column = 4; column < 7; column++)
            print_time(query, i, column);
        (void)printf("\n");
    }
    return TOOL_OK;
}

static enum tool_exit revoke_one(struct tool *tool, struct tool_args *args)
{
    const char *word = args_word(args);
    struct db_batch *batch = db_batch_new(tool->arena);
    struct db_query *query = db_add(batch, &revoke_token);
    struct err_note note = {0};
    struct uuid id;
    enum err err;

    if (word == NULL || !args_done(args) || !uuid_parse(str_of(word), &id))
        return TOOL_USAGE;
    tool_db_open(tool);
    db_uuid(query, id);
    db_time(query, clock_now_us());
    err = tool_run(tool, batch, &note);
    if (err == ERR_OK && db_affected(query) == 0)
        err = err_say(&note, ERR_NOT_FOUND, "there is no token %s", word);
    if (err != ERR_OK)
        return tool_fail("token revoke", err, &note);
    (void)printf("revoked %s\n", word);
    return TOOL_OK;
}

enum tool_exit command_token(struct tool *tool, struct tool_args *args)
{
    const char *what = args_word(args);

    if (what != NULL && strcmp(what, "create") == 0)
        return create(tool, args);
    if (what != NULL && strcmp(what, "list") == 0)
        return list(tool, args);
    if (what != NULL && strcmp(what, "revoke") == 0)
        return revoke_one(tool, args);
    return TOOL_USAGE;
}
