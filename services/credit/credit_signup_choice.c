/* credit_signup_choice: what kinds a doctor wants of sessions that offer alternatives (R-SEM-09).
 */
#include "credit/credit_signup.h"

/* `posted`: a credit of the session stands for the doctor. */
static const struct db_stmt select_sessions = {
    "credit_select_signup_sessions",
    "SELECT s.session_no, s.delivery, s.offers, coalesce(g.choices ->> s.session_no, ''),"
    "  EXISTS (SELECT FROM credit.ledger l"
    "   WHERE l.session_id = s.session_id AND l.doctor_id = g.doctor_id"
    "   GROUP BY l.programme HAVING max(l.revision) % 2 = 0)"
    " FROM credit.session s LEFT JOIN credit.signup g ON g.seminar_no = s.seminar_no"
    "  AND g.doctor_id = " SIGNUP_KEPT " AND g.state <> 'cancelled_by_doctor'"
    " WHERE s.seminar_no = $1 ORDER BY s.session_id",
};

struct db_query *signup_sessions_add(struct db_batch *batch, struct str seminar_no,
                                     int64_t doctor_id)
{
    struct db_query *query = db_add(batch, &select_sessions);

    db_text(query, seminar_no);
    db_i64(query, doctor_id);
    return query;
}

static enum err sessions_take(const struct db_query *rows, struct signup_session *sessions,
                              struct err_note *note)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        enum delivery delivery;

        sessions[i] = (struct signup_session){.session_no = db_get_text(rows, i, 0),
                                              .chosen = db_get_text(rows, i, 3),
                                              .posted = db_get_bool(rows, i, 4)};
        if (!delivery_of_name(db_get_text(rows, i, 1), &delivery) ||
            offers_parse(db_get_text(rows, i, 2), delivery, &sessions[i].offers) != OFFERS_FINE)
            return err_say(note, ERR_SCHEMA, "session %.*s has offers that cannot be read",
                           STR_ARG(sessions[i].session_no));
    }
    return ERR_OK;
}

/* As it is stored; data NULL when nothing is chosen. */
static struct str stored(struct arena *arena, const struct signup_session *sessions, size_t count)
{
    json_t *all = json_object();
    struct str text = STR_NONE;

    for (size_t i = 0; i < count; i++) {
        const struct str kinds = choice_codes(arena, &sessions[i], false, "/");

        if (kinds.len > 0)
            must(json_object_setn_new(all, sessions[i].session_no.data, sessions[i].session_no.len,
                                      json_stringn(kinds.data, kinds.len)) == 0);
    }
    if (json_object_size(all) > 0)
        text = shape_print(arena, json_incref(all));
    json_decref(all);
    return text;
}

enum err signup_choices_take(const struct db_query *rows, const struct event_seminar_signup *event,
                             struct arena *arena, struct signup_choices *ret_choices,
                             struct err_note *note)
{
    const size_t count = db_rows(rows);
    struct signup_session *sessions = arena_array(arena, struct signup_session, count + 1);
    struct signup_choice *asked =
        arena_array(arena, struct signup_choice, event->choices_count + 1);
    struct choice_verdict verdict;
    enum err err = sessions_take(rows, sessions, note);

    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < event->choices_count; i++)
        asked[i] = (struct signup_choice){event->choices[i].session_no, event->choices[i].kind};
    rules_choices(arena, sessions, count, asked, event->choices_count, &verdict);
    *ret_choices = (struct signup_choices){
        .refusal = verdict.refusal,
        .value = verdict.value,
        .expected =
            verdict.session == NULL ? STR("") : choice_codes(arena, verdict.session, true, ", "),
        .stored = stored(arena, sessions, count),
    };
    return ERR_OK;
}

json_t *signup_choices_params(const struct signup_choices *choices)
{
    return json_pack("{s:{ss% ss%}}", "params", "value", choices->value.data, choices->value.len,
                     "expected", choices->expected.data, choices->expected.len);
}
