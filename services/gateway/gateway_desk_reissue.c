/*
 * gateway_desk_reissue: new temporary credentials for whoever lost a postcard. In clear they stand
 * in a file for the printer only, which is on disk before the database knows them and gets the name
 * under which he takes it when they are in force; nobody at a desk sees them.
 */
#include <string.h>
#include <unistd.h>

#include "gateway/gateway_desk.h"
#include "gateway/gateway_link.h"
#include "gateway/gateway_postcards.h"

void endpoint_reissue_postcard(struct flow *flow);

enum reissue_step { REISSUE_BODY, REISSUE_FOUND, REISSUE_WRITTEN };

/* What the thread works on; texts live in the call's arena. */
struct print {
    const struct secret_key *key;
    const char *path;
    struct str register_no, name;
    struct postcard postcard;
    struct err_note note;
    enum err err;
};

struct reissue {
    struct call *call;
    struct body_reissue_postcard body;
    const char *file; /* as the printer finds it */
    struct print print;
    bool written, committed;
    struct db_query *ended;
};

/* Whoever has finished first login needs no postcard. */
#define MAY_REISSUE                                                                                \
    " FROM portal.sign_in WHERE account_id = $1 AND my_page = 'temp_issued' AND step <> ''"        \
    " AND state IN ('temp_issued', 'suspended')"

static const struct db_stmt find_doctor = {
    "gateway_reissue_doctor",
    "SELECT register_no, name" MAY_REISSUE,
};
static const struct db_stmt still_may_reissue = {
    "gateway_still_may_reissue",
    "SELECT mamis.changed(count(*))" MAY_REISSUE,
};
static const struct db_stmt put_postcard = {
    "gateway_put_postcard",
    POSTCARD_PUT,
};
static const struct db_stmt void_links = {
    "gateway_void_links",
    "UPDATE gateway.link SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL",
};

/* On a thread: waiting for the disk takes its time. */
static void print_work(void *arg)
{
    struct print *print = arg;
    struct buf csv = {0};
    int fd = -1;
    enum err err;

    postcard_make(print->key, print->register_no, print->name, &csv, &print->postcard);
    TRY(postcard_open(print->path, &fd, &print->note));
    TRY(postcard_save(fd, print->path, buf_str(&csv), &print->note));
cleanup:
    if (fd >= 0)
        (void)close(fd);
    postcard_forget(&csv);
    print->err = err;
}

/*
 * Credentials that never came into force are not to be printed. Where that is not known, or nobody
 * comes here, the sweep finds out.
 */
static void release(void *object)
{
    const struct reissue *reissue = object;

    if (reissue->written && !reissue->committed && !command_in_doubt(reissue->call))
        (void)unlink(reissue->print.path);
}

static void begin(struct call *call)
{
    struct reissue *reissue = arena_new_of(call->flow.arena, struct reissue);

    call->state = reissue;
    reissue->call = call;
    if (!CALL_BODY(call, reissue_postcard, &reissue->body))
        return;
    if (call->gateway->settings->postcards_dir[0] == '\0') {
        call_problem(call, CODE_POSTCARDS_OFF);
        return;
    }
    call->batch = db_batch_read(call->flow.arena);
    call->query = db_add(call->batch, &find_doctor);
    db_uuid(call->query, call_id(call, "account_id"));
    call_run(call, REISSUE_FOUND);
}

static void print(struct call *call, struct reissue *reissue)
{
    struct arena *arena = call->flow.arena;
    char id[UUID_TEXT_BYTES];

    if (db_rows(call->query) == 0) {
        call_problem(call, CODE_STATE_CONFLICT);
        return;
    }
    uuid_format(uuid_new(), id);
    reissue->file = arena_printf(arena, "postcard-%s" POSTCARD_DONE, id);
    reissue->print = (struct print){
        .key = &call->gateway->temp_key,
        .path = arena_printf(arena, "%s/postcard-%s" POSTCARD_PART,
                             call->gateway->settings->postcards_dir, id),
        .register_no = arena_str(arena, db_get_text(call->query, 0, 0)),
        .name = arena_str(arena, db_get_text(call->query, 0, 1)),
    };
    flow_wait(&call->flow, REISSUE_WRITTEN);
    pool_run(call->gateway->papers, print_work, &reissue->print, &call->flow);
}

static void add(struct call *call, struct db_batch *batch)
{
    struct reissue *reissue = call->state;
    const struct postcard *postcard = &reissue->print.postcard;
    struct uuid account_id = call_id(call, "account_id");
    struct db_query *query;

    db_uuid(db_add(batch, &still_may_reissue), account_id);
    query = db_add(batch, &put_postcard);
    db_text_c(query, postcard->login_id);
    db_uuid(query, account_id);
    db_bytes(query, (struct str){(const char *)postcard->hmac, sizeof(postcard->hmac)});
    db_time(query, call->now_us);
    db_time(query, call->now_us +
                       call->gateway->settings->temp_days * (int64_t)CLOCK_DAY_S * CLOCK_SECOND_US);
    query = db_add(batch, &void_links);
    db_uuid(query, account_id);
    db_time(query, call->now_us);
    reissue->ended = session_end_others(batch, account_id, NULL, call->now_us);
}

static void committed(struct call *call)
{
    struct reissue *reissue = call->state;

    reissue->committed = true;
    if (!postcard_release(reissue->print.path))
        LOG_WARN("postcard_not_released", F_STR("cure", "the sweep tries again"));
    session_mark_all(call->gateway, call->flow.arena, reissue->ended);
}

static void answer(struct call *call, json_t *result)
{
    const struct reissue *reissue = call->state;

    (void)result;
    call_json(call, 200,
              str_of(arena_printf(call->flow.arena, "{\"file\":\"%s\"}", reissue->file)));
}

static void send_command(struct call *call, struct reissue *reissue)
{
    struct event_account_desk event;
    struct command command;

    if (reissue->print.err != ERR_OK) {
        flow_fail(&call->flow, ERR_INTERNAL, "%s", reissue->print.note.text);
        return;
    }
    reissue->written = true;
    arena_defer(call->flow.arena, release, reissue);
    event = desk_event(call, "reissue", reissue->body.reason);
    command = desk_command(call, &event);
    command.add = add;
    command.committed = committed;
    command.answer = answer;
    command_accept(call, &command);
}

void endpoint_reissue_postcard(struct flow *flow)
{
    struct call *call = CALL_OF(flow);
    struct reissue *reissue = call->state;

    switch ((enum reissue_step)flow->step) {
    case REISSUE_BODY:
        begin(call);
        return;
    case REISSUE_FOUND:
        print(call, reissue);
        return;
    case REISSUE_WRITTEN:
        send_command(call, reissue);
        return;
    }
    must(false);
}
