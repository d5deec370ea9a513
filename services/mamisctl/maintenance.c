/*
 * mamisctl maintenance: the calendar of maintenance, without the portal. Planning is a command like
 * anybody's: registration decides, and what it answers is shown.
 */
#include <stdio.h>
#include <string.h>

#include "gen/events.h"
#include "gen/topics.h"
#include "mamisctl/mamisctl.h"
#include "text/utf8.h"

enum { ANSWER_MS = 30000, LOOK_EVERY_MS = 50, NOTE_CHARACTERS_MAX = 500 /* of the contract */ };

static const struct db_stmt list_windows = {
    "maintenance_list",
    "SELECT window_id::text, portal.rfc3339(starts_at), portal.rfc3339(ends_at),"
    " portal.maintenance_state(starts_at, ends_at, called_off, $1), note"
    " FROM registration.maintenance WHERE ends_at > $1 - interval '1 year' ORDER BY starts_at"};

static const struct db_stmt find_answer = {"maintenance_answer",
                                           "SELECT status, coalesce(problem ->> 'code', ''),"
                                           " coalesce(result ->> 'window_id', '')"
                                           " FROM registration.operation WHERE operation_id = $1"};

static const struct db_stmt find_window = {
    "maintenance_find", "SELECT starts_at, ends_at, note, note_en FROM registration.maintenance"
                        " WHERE window_id = $1"};

static enum tool_exit list(struct tool *tool)
{
    struct db_batch *batch;
    struct db_query *query;
    struct err_note note = {0};
    enum err err;

    tool_db_open(tool);
    batch = db_batch_read(tool->arena);
    query = db_add(batch, &list_windows);
    db_time(query, clock_now_us());
    err = tool_run(tool, batch, &note);
    if (err != ERR_OK)
        return tool_fail("maintenance list", err, &note);
    for (size_t i = 0; i < db_rows(query); i++) {
        for (int column = 0; column < 5; column++) {
            struct str text = db_get_text(query, i, column);

            (void)printf("%s%.*s", column > 0 ? "  " : "", STR_ARG(text));
        }
        (void)printf("\n");
    }
    return TOOL_OK;
}

/* ---- commands ---- */

/* Registration's answer. False while there is none. */
static enum err look(struct tool *tool, struct uuid operation_id, struct str *ret_status,
                     struct str *ret_code, struct str *ret_window, struct err_note *note)
{
    struct db_batch *batch = db_batch_read(tool->arena);
    struct db_query *query = db_add(batch, &find_answer);
    enum err err;

    db_uuid(query, operation_id);
    err = tool_run(tool, batch, note);
    if (err == ERR_OK && db_rows(query) == 1) {
        *ret_status = db_get_text(query, 0, 0);
        *ret_code = db_get_text(query, 0, 1);
        *ret_window = db_get_text(query, 0, 2);
    }
    return err;
}

static enum tool_exit refused(struct str code)
{
    const struct code_text *text = code_text(code_of_name(code), true);

    tool_say("maintenance: %s. %s", text->title, text->cure);
    return TOOL_REFUSED;
}

static enum tool_exit wait_for_answer(struct tool *tool, struct uuid operation_id)
{
    static const char *const topics[] = {TOPIC_MAINTENANCE_EVENTS};
    uint64_t end_ms = clock_mono_ms() + ANSWER_MS;
    struct str status = STR_NONE, code = STR_NONE, window = STR_NONE;
    struct err_note note = {0};
    bool never = false;

    while (status.len == 0) {
        enum err err = look(tool, operation_id, &status, &code, &window, &note);

        if (err != ERR_OK)
            return tool_fail("maintenance", err, &note);
        if (status.len > 0)
            break;
        if (clock_mono_ms() >= end_ms) {
            tool_say("maintenance: taken; it is done as soon as mamis-registration runs");
            return TOOL_UNSETTLED;
        }
        (void)loop_run_until(tool->loop, &never, LOOK_EVERY_MS);
    }
    if (!str_eq_c(status, "done"))
        return refused(code);
    (void)printf("%.*s\n", STR_ARG(window));
    (void)fflush(stdout);
    return tool_settle(tool, topics, ARRAY_LEN(topics)) ? TOOL_OK : TOOL_UNSETTLED;
}

static enum tool_exit send_command(struct tool *tool, struct uuid operation_id, const char *type,
                                   json_t *data)
{
    const struct work_event event = {.type = type,
                                     .topic = TOPIC_REGISTRATION_COMMANDS,
                                     .key = STR("maintenance"),
                                     .data = data};
    struct db_batch *batch = db_batch_new(tool->arena);
    struct err_note note = {0};
    enum err err;

    (void)work_emit(tool->work, batch, &event, NULL);
    err = tool_run_work(tool, batch, &note);
    if (err != ERR_OK)
        return tool_fail("maintenance", err, &note);
    return wait_for_answer(tool, operation_id);
}

static enum tool_exit send_plan(struct tool *tool, struct event_maintenance_plan *plan)
{
    plan->operation_id = uuid_new();
    plan->actor = STR("");
    return send_command(tool, plan->operation_id, EVENT_MAINTENANCE_PLAN,
                        event_maintenance_plan_encode(plan));
}

/* NULL leaves what there is; "now" is this moment. */
static bool take_time(const char *name, const char *text, int64_t *ret_us)
{
    if (text == NULL)
        return true;
    if (strcmp(text, "now") == 0) {
        *ret_us = clock_now_us();
        return true;
    }
    if (time_parse(str_of(text), ret_us))
        return true;
    tool_say("%s: write it like 2026-03-30T00:00:00+09:00", name);
    return false;
}

/* What registration could not even take would end as a dead letter. */
static bool note_fine(const char *name, struct str text, bool needed)
{
    size_t characters = 0;
    bool whole = utf8_valid_len(text) == text.len;

    for (size_t at = 0; at < text.len; characters++)
        (void)utf8_next(text, &at);
    if (whole && characters <= NOTE_CHARACTERS_MAX && (characters > 0 || !needed))
        return true;
    tool_say("%s: %s%d characters of UTF-8", name, needed ? "1 to " : "at most ",
             NOTE_CHARACTERS_MAX);
    return false;
}

static bool notes_fine(const struct event_maintenance_plan *event)
{
    return note_fine("--note", event->note, true) && note_fine("--note-en", event->note_en, false);
}

static enum tool_exit plan(struct tool *tool, struct tool_args *args)
{
    const char *from = args_option(args, "--from");
    const char *to = args_option(args, "--to");
    const char *words = args_option(args, "--note");
    const char *english = args_option(args, "--note-en");
    struct event_maintenance_plan event = {.window_id = uuid_new()};

    if (!args_done(args) || from == NULL || to == NULL || words == NULL)
        return TOOL_USAGE;
    if (!take_time("--from", from, &event.starts_at) || !take_time("--to", to, &event.ends_at))
        return TOOL_REFUSED;
    event.note = str_of(words);
    event.note_en = str_of(english != NULL ? english : "");
    if (!notes_fine(&event))
        return TOOL_REFUSED;
    tool_work_open(tool, "registration");
    return send_plan(tool, &event);
}

static enum err read_window(struct tool *tool, struct event_maintenance_plan *event,
                            struct err_note *note)
{
    struct db_batch *batch = db_batch_read(tool->arena);
    struct db_query *query = db_add(batch, &find_window);
    enum err err;

    db_uuid(query, event->window_id);
    err = tool_run(tool, batch, note);
    if (err != ERR_OK)
        return err;
    if (db_rows(query) == 0)
        return err_say(note, ERR_NOT_FOUND, "there is none with this id");
    event->starts_at = db_get_time(query, 0, 0);
    event->ends_at = db_get_time(query, 0, 1);
    event->note = db_get_text(query, 0, 2);
    event->note_en = db_get_text(query, 0, 3);
    return ERR_OK;
}

static enum tool_exit change(struct tool *tool, struct tool_args *args)
{
    const char *from = args_option(args, "--from");
    const char *to = args_option(args, "--to");
    const char *words = args_option(args, "--note");
    const char *english = args_option(args, "--note-en");
    const char *id = args_word(args);
    struct event_maintenance_plan event = {.known = true};
    struct err_note note = {0};
    enum err err;

    if (id == NULL || !args_done(args) || !uuid_parse(str_of(id), &event.window_id))
        return TOOL_USAGE;
    tool_work_open(tool, "registration");
    err = read_window(tool, &event, &note);
    if (err != ERR_OK)
        return tool_fail("maintenance change", err, &note);
    if (!take_time("--from", from, &event.starts_at) || !take_time("--to", to, &event.ends_at))
        return TOOL_REFUSED;
    if (words != NULL)
        event.note = str_of(words);
    if (english != NULL)
        event.note_en = str_of(english);
    if (!notes_fine(&event))
        return TOOL_REFUSED;
    return send_plan(tool, &event);
}

static enum tool_exit end(struct tool *tool, struct tool_args *args)
{
    const char *id = args_word(args);
    struct event_maintenance_end event = {.operation_id = uuid_new(), .actor = STR("")};

    if (id == NULL || !args_done(args) || !uuid_parse(str_of(id), &event.window_id))
        return TOOL_USAGE;
    tool_work_open(tool, "registration");
    return send_command(tool, event.operation_id, EVENT_MAINTENANCE_END,
                        event_maintenance_end_encode(&event));
}

enum tool_exit command_maintenance(struct tool *tool, struct tool_args *args)
{
    const char *what = args_word(args);

    if (what == NULL)
        return TOOL_USAGE;
    if (strcmp(what, "list") == 0)
        return args_done(args) ? list(tool) : TOOL_USAGE;
    if (strcmp(what, "plan") == 0)
        return plan(tool, args);
    if (strcmp(what, "change") == 0)
        return change(tool, args);
    if (strcmp(what, "end") == 0)
        return end(tool, args);
    return TOOL_USAGE;
}
