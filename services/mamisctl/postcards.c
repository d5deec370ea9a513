/*
 * mamisctl postcards: a new temporary ID and password for a doctor whose postcard was lost, stolen,
 * used up or is out of date, and who was asked who he is. First login begins anew: what somebody
 * else may have entered with the old one, an address above all, is gone, and so are its sessions
 * and links.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gen/topics.h"
#include "mamisctl/account_change.h"
#include "postcard/postcard.h"

static const struct db_stmt put_postcard = {
    "postcards_put",
    POSTCARD_PUT,
};
static const struct db_stmt void_links = {
    "postcards_void_links",
    "UPDATE gateway.link SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL",
};

static enum err check(const struct account_row *row, struct err_note *note)
{
    if (str_eq_c(row->state, "closed"))
        return err_say(note, ERR_STATE_CONFLICT, "the account is closed");
    if (!str_eq_c(row->my_page, "temp_issued") || row->step.len == 0)
        return err_say(note, ERR_STATE_CONFLICT,
                       "My Page is %.*s: a postcard is for those who have not finished first login;"
                       " others ask for a new password at the sign-in page",
                       STR_ARG(row->my_page));
    return ERR_OK;
}

static void add_postcard(struct tool *tool, struct db_batch *batch, const struct account_row *row,
                         const struct postcard *postcard)
{
    int64_t now_us = clock_now_us();
    struct db_query *query = db_add(batch, &put_postcard);

    db_text_c(query, postcard->login_id);
    db_uuid(query, row->account_id);
    db_bytes(query, (struct str){(const char *)postcard->hmac, sizeof(postcard->hmac)});
    db_time(query, now_us);
    db_time(query, now_us + tool->settings->temp_days * (int64_t)CLOCK_DAY_S * CLOCK_SECOND_US);
    query = db_add(batch, &void_links);
    db_uuid(query, row->account_id);
    db_time(query, now_us);
}

/* The address of a first login that begins anew. */
static struct account_row begun_anew(const struct account_row *row)
{
    struct account_row anew = *row;

    anew.state = STR("temp_issued");
    anew.step = STR("terms");
    anew.email = STR("");
    anew.email_confirmed = false;
    return anew;
}

static enum err issue(struct tool *tool, const struct account_row *row, const char *path,
                      struct err_note *note)
{
    const struct account_row anew = begun_anew(row);
    struct db_batch *batch = db_batch_new(tool->arena);
    struct secret_key key = {0};
    struct postcard postcard;
    struct buf csv = {0};
    int fd = -1;
    enum err err;

    TRY(secret_key_load(tool->settings->temp_key_file, &key, note));
    postcard_make(&key, row->register_no, row->name, &csv, &postcard);
    TRY(postcard_open(path, &fd, note));
    TRY(postcard_save(fd, path, buf_str(&csv), note));
    add_postcard(tool, batch, &anew, &postcard);
    account_save(tool, batch, &anew, "postcard_reissued");
    err = tool_run_work(tool, batch, note);
    if (err == ERR_DB_UNKNOWN || err == ERR_TIMEOUT)
        tool_say("nobody knows whether %s is in force: run it again with another file", path);
    else if (err != ERR_OK)
        (void)unlink(path);
cleanup:
    if (fd >= 0)
        (void)close(fd);
    postcard_forget(&csv);
    secret_wipe(&key, sizeof(key));
    return err;
}

static enum tool_exit reissue(struct tool *tool, struct tool_args *args)
{
    static const char *const topics[] = {TOPIC_ACCOUNT_EVENTS};
    const char *register_no = args_option(args, "--register-no");
    const char *path = args_option(args, "--out");
    struct account_row row;
    struct err_note note = {0};
    enum err err;

    if (!args_done(args) || register_no == NULL || path == NULL)
        return TOOL_USAGE;
    tool_work_open(tool, "registration");
    TRY(account_find(tool, NULL, register_no, &row, &note));
    TRY(check(&row, &note));
    TRY(issue(tool, &row, path, &note));
cleanup:
    if (err != ERR_OK)
        return tool_fail("postcards reissue", err, &note);
    (void)printf("postcard of %.*s written to %s; the one before is dead\n",
                 STR_ARG(row.register_no), path);
    return tool_settle(tool, topics, ARRAY_LEN(topics)) ? TOOL_OK : TOOL_UNSETTLED;
}

enum tool_exit command_postcards(struct tool *tool, struct tool_args *args)
{
    const char *what = args_word(args);

    return what != NULL && strcmp(what, "reissue") == 0 ? reissue(tool, args) : TOOL_USAGE;
}
