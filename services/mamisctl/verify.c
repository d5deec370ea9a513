/*
 * mamisctl verify: proves from the tables alone that ledger, uploads, events and copies agree. One
 * line a check; any difference makes it fail. What is still on its way gets a moment to arrive.
 * All that concerns the ledger is found in one pass over it (verify_ledger.c); only what that finds
 * doubtful is looked at again, to name it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gen/topics.h"
#include "mamisctl/anchors.h"

enum { ARRIVE_S = 10, ARRIVE_S_MAX = 3600, PAUSE_MS = 250, RECEIVERS_MAX = 128 };

/* Each statement gives: how many were looked at, how many differ, one of these in words. */
struct check {
    const char *what;
    struct db_stmt stmt;
    enum ledger_check pass; /* of the ledger: `stmt` runs when the pass has doubts only */
    bool with_receivers;    /* $1 type, $2 receiving schema, of EVENT_RECEIVERS */
    bool may_arrive;        /* looked at again until it agrees or the wait is over */
};

static const struct check checks[] = {
    {"ledger: revisions alternate",
     {"verify_revisions",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(format('doctor %s session %s %s"
      " revision %s', doctor_id, session_id, programme, revision)) FILTER (WHERE wrong)"
      " FROM (SELECT l.*, (l.revision % 2 = 0) <> (l.half_units > 0) OR l.revision < 0"
      " OR l.revision > 0 AND b.revision IS NULL"
      " OR l.revision % 2 = 1 AND (l.half_units <> -b.half_units OR l.kind <> b.kind) AS wrong"
      " FROM credit.ledger AS l LEFT JOIN credit.ledger AS b ON b.doctor_id = l.doctor_id"
      " AND b.session_id = l.session_id AND b.programme = l.programme"
      " AND b.revision = l.revision - 1"
      " WHERE l.revision <> 0 OR l.half_units <= 0) AS judged"},
     .pass = LEDGER_REVISIONS},
    {"uploads: counts add up to the rows of the file",
     {"verify_totals",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(upload_id::text) FILTER (WHERE wrong)"
      " FROM (SELECT upload_id, rows_total IS DISTINCT FROM posted + already_posted + waiting"
      " + unmatched + absent + rejected AS wrong FROM credit.upload WHERE status = 'done') AS u"},
     .pass = LEDGER_NONE},
    {"uploads: rows that did not post are all there",
     {"verify_rows",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(upload_id::text) FILTER (WHERE wrong)"
      " FROM (SELECT u.upload_id, (u.already_posted, u.waiting, u.unmatched, u.absent, u.rejected)"
      " IS DISTINCT FROM (count(r.row_no) FILTER (WHERE r.outcome = 'already_posted'),"
      " count(r.row_no) FILTER (WHERE r.outcome = 'waiting'),"
      " count(r.row_no) FILTER (WHERE r.outcome = 'unmatched'),"
      " count(r.row_no) FILTER (WHERE r.outcome = 'absent'),"
      " count(r.row_no) FILTER (WHERE r.outcome = 'rejected')) AS wrong"
      " FROM credit.upload AS u LEFT JOIN credit.upload_row AS r USING (upload_no)"
      " WHERE u.status IN ('done', 'undone') GROUP BY u.upload_no, u.upload_id) AS counted"},
     .pass = LEDGER_NONE},
    {"uploads: every posted row has its ledger entry",
     {"verify_posted",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(upload_id::text) FILTER (WHERE wrong)"
      " FROM (SELECT u.upload_id, u.posted IS DISTINCT FROM"
      " CASE WHEN u.dry_run THEN u.posted ELSE coalesce(l.rows, 0) END AS wrong"
      " FROM credit.upload AS u LEFT JOIN (SELECT upload_no, count(DISTINCT row_no) AS rows"
      " FROM credit.ledger WHERE revision % 2 = 0 GROUP BY upload_no) AS l USING (upload_no)"
      " WHERE u.status IN ('done', 'undone')) AS counted"},
     .pass = LEDGER_ROWS},
    {"uploads: of those undone nothing stands, and nothing waits to be posted",
     {"verify_undone",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(upload_id::text) FILTER (WHERE wrong)"
      " FROM (SELECT u.upload_id, (u.undo_at IS NULL) OR x.done_at IS NULL"
      " OR EXISTS (SELECT FROM credit.upload_row AS r WHERE r.upload_no = u.upload_no"
      "  AND r.outcome = 'waiting' AND r.credits IS NOT NULL)"
      " OR EXISTS (SELECT FROM credit.upload_chunk AS c,"
      "  unnest(c.posted_doctor, c.posted_session) AS p (doctor_id, session_id)"
      "  JOIN credit.ledger AS l USING (doctor_id, session_id)"
      "  WHERE c.upload_no = u.upload_no AND l.upload_no = u.upload_no AND l.revision % 2 = 0"
      "  AND NOT EXISTS (SELECT FROM credit.ledger AS n WHERE n.doctor_id = l.doctor_id"
      "   AND n.session_id = l.session_id AND n.programme = l.programme"
      "   AND n.revision = l.revision + 1)) AS wrong"
      " FROM credit.upload AS u LEFT JOIN credit.undo AS x USING (upload_id)"
      " WHERE u.status = 'undone') AS undone"},
     .pass = LEDGER_NONE},
    {"ledger: counter-entries say why, and who wanted them",
     {"verify_reasons",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(format('doctor %s session %s %s"
      " revision %s', doctor_id, session_id, programme, revision)) FILTER (WHERE wrong)"
      " FROM (SELECT *, coalesce(reason, '') = '' OR actor IS NULL OR actor_role IS NULL AS wrong"
      " FROM credit.ledger WHERE revision % 2 = 1) AS counter"},
     .pass = LEDGER_REASONS},
    {"ledger: every entry belongs to an upload",
     {"verify_orphans",
      "SELECT count(*), count(*) FILTER (WHERE u.upload_no IS NULL),"
      " min(format('doctor %s session %s %s', l.doctor_id, l.session_id, l.programme))"
      " FILTER (WHERE u.upload_no IS NULL)"
      " FROM credit.ledger AS l LEFT JOIN credit.upload AS u USING (upload_no)"},
     .pass = LEDGER_UPLOADS},
    {"events: all were sent",
     {"verify_sent",
      "SELECT count(*), count(*) FILTER (WHERE sent_at IS NULL),"
      " min(format('%s %s', type, event_id)) FILTER (WHERE sent_at IS NULL) FROM ("
      "SELECT event_id, type, sent_at FROM gateway.outbox"
      " UNION ALL SELECT event_id, type, sent_at FROM registration.outbox"
      " UNION ALL SELECT event_id, type, sent_at FROM credit.outbox"
      " UNION ALL SELECT event_id, type, sent_at FROM renewal.outbox"
      " UNION ALL SELECT event_id, type, sent_at FROM notification.outbox) AS events"},
     .may_arrive = true},
    {"events: each was applied by every receiver",
     {"verify_applied",
      "WITH events AS (SELECT event_id, type FROM gateway.outbox"
      " UNION ALL SELECT event_id, type FROM registration.outbox"
      " UNION ALL SELECT event_id, type FROM credit.outbox"
      " UNION ALL SELECT event_id, type FROM renewal.outbox"
      " UNION ALL SELECT event_id, type FROM notification.outbox),"
      " applied AS (SELECT 'registration' AS receiver, event_id FROM registration.inbox"
      " UNION ALL SELECT 'credit', event_id FROM credit.inbox"
      " UNION ALL SELECT 'renewal', event_id FROM renewal.inbox"
      " UNION ALL SELECT 'notification', event_id FROM notification.inbox)"
      " SELECT count(*), count(*) FILTER (WHERE a.event_id IS NULL),"
      " min(format('%s %s by %s', e.type, e.event_id, w.receiver))"
      " FILTER (WHERE a.event_id IS NULL)"
      " FROM unnest($1::text[], $2::text[]) AS w (type, receiver)"
      " JOIN events AS e USING (type) LEFT JOIN applied AS a USING (receiver, event_id)"},
     .with_receivers = true,
     .may_arrive = true},
    {"events: none waits as a dead letter",
     {"verify_dead",
      "SELECT count(*), count(*) FILTER (WHERE retried_at IS NULL),"
      " min(format('%s %s: %s', service, dead_letter_id, reason))"
      " FILTER (WHERE retried_at IS NULL) FROM ("
      "SELECT 'registration' AS service, dead_letter_id, reason, retried_at"
      " FROM registration.dead_letter"
      " UNION ALL SELECT 'credit', dead_letter_id, reason, retried_at FROM credit.dead_letter"
      " UNION ALL SELECT 'renewal', dead_letter_id, reason, retried_at FROM renewal.dead_letter"
      " UNION ALL SELECT 'notification', dead_letter_id, reason, retried_at"
      " FROM notification.dead_letter) AS dead"},
     .pass = LEDGER_NONE},
    {"renewal: its copy of the credits equals the ledger",
     {"verify_credits",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(format('doctor %s session %s %s"
      " revision %s', doctor_id, session_id, programme, revision)) FILTER (WHERE wrong)"
      " FROM (SELECT doctor_id, session_id, programme, revision,"
      " (l.kind, l.half_units) IS DISTINCT FROM (c.kind, c.half_units) AS wrong"
      " FROM (SELECT doctor_id, session_id, programme, revision::int AS revision, kind,"
      " half_units::int AS half_units FROM credit.ledger WHERE programme IN ('OP', 'SP')) AS l"
      " FULL JOIN renewal.credit AS c USING (doctor_id, session_id, programme, revision))"
      " AS compared"},
     .pass = LEDGER_COPY,
     .may_arrive = true},
    {"copies: doctors are as registration has them",
     {"verify_doctors",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min('doctor ' || doctor_id)"
      " FILTER (WHERE wrong) FROM (SELECT d.doctor_id, (d.version, d.version, d.version)"
      " IS DISTINCT FROM (c.version, r.version, n.version)"
      " OR (d.my_page, d.my_page) IS DISTINCT FROM (c.my_page, r.my_page) AS wrong"
      " FROM registration.doctor AS d LEFT JOIN credit.doctor AS c USING (doctor_id)"
      " LEFT JOIN renewal.doctor AS r USING (doctor_id)"
      " LEFT JOIN notification.doctor AS n USING (doctor_id)) AS compared"},
     .may_arrive = true},
    {"copies: certificates are as renewal has them",
     {"verify_certificates",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min(format('doctor %s %s', doctor_id,"
      " programme)) FILTER (WHERE wrong) FROM (SELECT doctor_id, programme, (r.version,"
      " r.first_from, r.valid_to) IS DISTINCT FROM (c.version, c.first_from, c.valid_to) AS wrong"
      " FROM renewal.certificate AS r FULL JOIN credit.certificate AS c"
      " USING (doctor_id, programme)) AS compared"},
     .may_arrive = true},
    {"memberships: on every day the layer below is there",
     {"verify_memberships",
      "WITH spans AS (SELECT doctor_id, layer, range_agg(daterange(valid_from, valid_to, '[]'))"
      " AS days FROM registration.membership GROUP BY doctor_id, layer)"
      " SELECT count(*), count(*) FILTER (WHERE wrong), min(format('doctor %s layer %s', doctor_id,"
      " layer)) FILTER (WHERE wrong) FROM (SELECT c.doctor_id, c.layer,"
      " (below.days @> c.days) IS NOT TRUE AS wrong FROM spans AS c LEFT JOIN spans AS below"
      " ON below.doctor_id = c.doctor_id AND below.layer = c.layer - 1 WHERE c.layer > 1)"
      " AS judged"},
     .pass = LEDGER_NONE},
    {"copies: accounts are as registration has them",
     {"verify_accounts",
      "SELECT count(*), count(*) FILTER (WHERE wrong), min('account ' || account_id::text)"
      " FILTER (WHERE wrong) FROM (SELECT a.account_id, a.version IS DISTINCT FROM n.version"
      " AS wrong FROM registration.account AS a LEFT JOIN notification.account AS n"
      " USING (account_id)) AS compared"},
     .may_arrive = true},
};

/* The chains are computed anew outside of the database. */
static const struct {
    const char *what;
    enum err (*look)(struct tool *tool, struct finding *finding, struct err_note *note);
} chain_checks[] = {
    {"chain: links follow one another", verify_links},
    {"chain: histories and audit are as they were written", verify_tables},
    {"chain: the ledger is as it was posted", verify_entries},
};

static void add_receivers(struct db_query *query)
{
    static const struct {
        const char *type;
        const char *service;
    } receivers[] = {
#define RECEIVER(type, topic, service) {type, service},
        EVENT_RECEIVERS(RECEIVER)
#undef RECEIVER
    };
    struct str types[RECEIVERS_MAX];
    struct str services[RECEIVERS_MAX];

    _Static_assert(ARRAY_LEN(receivers) <= RECEIVERS_MAX, "room for all receivers");
    for (size_t i = 0; i < ARRAY_LEN(receivers); i++) {
        types[i] = str_of(receivers[i].type);
        services[i] = str_of(receivers[i].service);
    }
    db_text_array(query, types, ARRAY_LEN(receivers));
    db_text_array(query, services, ARRAY_LEN(receivers));
}

void finding_differs(struct finding *finding, const char *format, ...)
{
    va_list args;

    if (finding->differ++ > 0)
        return;
    va_start(args, format);
    (void)vsnprintf(finding->example, sizeof(finding->example), format, args);
    va_end(args);
}

static enum err look(struct tool *tool, const struct check *check, struct finding *finding,
                     struct err_note *note)
{
    struct arena *arena = arena_new();
    struct db_batch *batch = db_batch_read(arena);
    struct db_query *query = db_add(batch, &check->stmt);
    enum err err;

    if (check->with_receivers)
        add_receivers(query);
    TRY(tool_run(tool, batch, note));
    finding->looked_at = db_get_i64(query, 0, 0);
    finding->differ = db_get_i64(query, 0, 1);
    (void)snprintf(finding->example, sizeof(finding->example), "%.*s",
                   STR_ARG(db_get_text(query, 0, 2)));
cleanup:
    arena_free(arena);
    return err;
}

/* What may still be on its way is looked at until it has arrived or the time is over. */
static enum err judge(struct tool *tool, const struct check *check, uint64_t end_ms,
                      const struct ledger_pass *pass, struct finding *finding,
                      struct err_note *note)
{
    const struct ledger_finding *of_pass = &pass->findings[check->pass];
    bool never = false;
    enum err err;

    if (check->pass != LEDGER_NONE && of_pass->doubtful == 0) {
        finding->looked_at = of_pass->looked_at;
        return ERR_OK;
    }
    for (;;) {
        err = look(tool, check, finding, note);
        if (check->pass != LEDGER_NONE)
            finding->looked_at = of_pass->looked_at;
        if (err != ERR_OK || finding->differ == 0 || !check->may_arrive ||
            clock_mono_ms() >= end_ms)
            return err;
        (void)loop_run_until(tool->loop, &never, PAUSE_MS);
    }
}

static void tell(const char *what, const struct finding *finding, size_t *failed)
{
    (void)printf("%s  %s (%lld looked at)", finding->differ == 0 ? "ok  " : "DIFF", what,
                 (long long)finding->looked_at);
    if (finding->differ > 0)
        (void)printf(": %lld differ, e.g. %s", (long long)finding->differ, finding->example);
    (void)printf("\n");
    *failed += finding->differ > 0;
}

static bool wait_given(struct tool_args *args, int64_t *ret_wait_s)
{
    const char *wait = args_option(args, "--wait");

    *ret_wait_s = ARRIVE_S;
    return wait == NULL || (str_to_i64(str_of(wait), ret_wait_s) && *ret_wait_s >= 0 &&
                            *ret_wait_s <= ARRIVE_S_MAX);
}

/* What verify was asked for. */
struct asked {
    bool timing;
    bool books_only; /* no chains, which read everything once more */
    int64_t wait_s;
    const char *anchors, *anchor_public; /* may be NULL */
};

static bool take_asked(struct tool_args *args, struct asked *asked)
{
    asked->timing = args_flag(args, "--timing");
    asked->books_only = args_flag(args, "--books");
    asked->anchors = args_option(args, "--anchors");
    asked->anchor_public = args_option(args, "--anchor-public");
    return wait_given(args, &asked->wait_s) && args_done(args) &&
           (asked->anchors != NULL || asked->anchor_public == NULL) &&
           (asked->anchors == NULL || !asked->books_only);
}

/* `*what` is what could not be done when it fails. */
static enum err verify_chains(struct tool *tool, const struct asked *asked, const char **what,
                              size_t *checks_made, size_t *failed, struct err_note *note)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < ARRAY_LEN(chain_checks); i++, *checks_made += 1) {
        struct finding finding = {0};

        *what = chain_checks[i].what;
        TRY(chain_checks[i].look(tool, &finding, note));
        tell(*what, &finding, failed);
    }
    if (asked->anchors != NULL) {
        struct finding finding = {0};

        *what = "chain: all anchors hold";
        TRY(verify_anchors(tool, asked->anchors, asked->anchor_public, &finding, note));
        tell(*what, &finding, failed);
        *checks_made += 1;
    }
cleanup:
    return err;
}

enum tool_exit command_verify(struct tool *tool, struct tool_args *args)
{
    struct asked asked;
    struct err_note note = {0};
    struct ledger_pass pass;
    const char *what = "the pass over the ledger";
    uint64_t begun_ms, end_ms;
    size_t failed = 0;
    size_t made = 0;
    enum err err;

    if (!take_asked(args, &asked))
        return TOOL_USAGE;
    begun_ms = clock_mono_ms();
    end_ms = begun_ms + (uint64_t)asked.wait_s * 1000;
    tool_db_open(tool);
    TRY(verify_ledger_pass(tool, &pass, &note));
    for (; made < ARRAY_LEN(checks); made++) {
        struct finding finding = {0};

        what = checks[made].what;
        TRY(judge(tool, &checks[made], end_ms, &pass, &finding, &note));
        tell(what, &finding, &failed);
    }
    if (!asked.books_only)
        TRY(verify_chains(tool, &asked, &what, &made, &failed, &note));
    (void)printf("%zu of %zu checks found differences\n", failed, made);
    what = "the bare pass";
    if (asked.timing)
        TRY(verify_ledger_timing(tool, &pass, clock_mono_ms() - begun_ms, &note));
cleanup:
    if (err != ERR_OK)
        return tool_fail(what, err, &note);
    return failed == 0 ? TOOL_OK : TOOL_REFUSED;
}
