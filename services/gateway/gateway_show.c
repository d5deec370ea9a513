/*
 * gateway_show: what a good answer to a command shows. The worker's result names the object, the
 * portal's views show it as it is now, if the caller may see it.
 */
#include "gateway/gateway_command.h"
#include "gateway/gateway_reads.h"

enum shown_by {
    SHOWN_BY_SCOPE,
    SHOWN_BY_NOW,
    SHOWN_BY_ID,
    SHOWN_BY_ID_NOW,
    SHOWN_BY_NAME,
    SHOWN_BY_ENTRY
};

/* The first member that a result has tells. */
static const struct shown {
    const char *member;
    enum shown_by by;
    struct db_stmt stmt;
} shows[] = {
    {"application_id", SHOWN_BY_ID, {"gateway_show_application", READS_APPLICATION}},
    {"procedure_id", SHOWN_BY_ID_NOW, {"gateway_show_procedure", READS_PROCEDURE}},
    {"correction_id",
     SHOWN_BY_ID,
     {"gateway_show_correction",
      "SELECT item::text, portal.note_read(ARRAY[doctor_id]) FROM portal.correction"
      " WHERE correction_id = $1"}},
    {"merge_id",
     SHOWN_BY_ID,
     {"gateway_show_merge",
      "SELECT item::text, portal.note_read(array_remove(ARRAY[kept_id, closed_id], NULL))"
      " FROM portal.merge WHERE merge_id = $1"}},
    {"reissue_id",
     SHOWN_BY_ID,
     {"gateway_show_reissue",
      "SELECT item::text, portal.note_read(ARRAY[doctor_id]) FROM portal.reissue"
      " WHERE reissue_id = $1"}},
    {"delegation_id",
     SHOWN_BY_ID,
     {"gateway_show_delegate",
      "SELECT portal.delegate_json(d)::text FROM portal.delegation AS d WHERE delegation_id = $1"}},
    {"window_id",
     SHOWN_BY_ID_NOW,
     {"gateway_show_maintenance", "SELECT portal.maintenance_json($1, $2)::text"}},
    {"programme", SHOWN_BY_SCOPE, {"gateway_show_handbook", "SELECT portal.my_handbook()::text"}},
    {"training", SHOWN_BY_NOW, {"gateway_show_training", "SELECT portal.my_training($1)::text"}},
    /* "<upload_id>/<row_no>" */
    {"row",
     SHOWN_BY_NAME,
     {"gateway_show_row",
      "SELECT " READS_ROW_JSON "::text, (SELECT portal.note_read('{}', u.upload_no)"
      "  FROM portal.upload u WHERE u.upload_id = split_part($1, '/', 1)::uuid)"
      " FROM portal.upload_rows(split_part($1, '/', 1)::uuid, NULL,"
      "  split_part($1, '/', 2)::bigint - 1, 1)"}},
    {"upload_id",
     SHOWN_BY_ID,
     {"gateway_show_upload", "SELECT json::text FROM portal.upload WHERE upload_id = $1"}},
    {"entry_id",
     SHOWN_BY_ENTRY,
     {"gateway_show_credit",
      "SELECT portal.credit_json(c, $2)::text, portal.note_read(ARRAY[c.doctor_id])"
      " FROM portal.credit_of($1) AS c"}},
    {"account_id",
     SHOWN_BY_ID,
     {"gateway_show_staff", "SELECT json::text FROM portal.staff WHERE account_id = $1"}},
};

bool show_add(struct call *call, const json_t *result)
{
    const struct shown *shown = shows;
    struct str name = STR_NONE;
    struct uuid id;
    bool by_id;

    while (shown < shows + ARRAY_LEN(shows) && name.data == NULL) {
        name = str_of(json_string_value(json_object_get(result, shown->member)));
        shown += name.data == NULL;
    }
    if (name.data == NULL)
        return false;
    by_id = shown->by == SHOWN_BY_ID || shown->by == SHOWN_BY_ID_NOW;
    if (by_id && !uuid_parse(name, &id))
        return false;
    call->query = db_add(call_scoped(call), &shown->stmt);
    if (by_id) {
        db_uuid(call->query, id);
        if (shown->by == SHOWN_BY_ID_NOW)
            db_time(call->query, call->now_us);
    } else if (shown->by == SHOWN_BY_NOW) {
        db_time(call->query, call->now_us);
    } else if (shown->by == SHOWN_BY_NAME) {
        db_text(call->query, name);
    } else if (shown->by == SHOWN_BY_ENTRY) {
        db_text(call->query, name);
        db_json(call->query, call->gateway->kind_names[call->english]);
    }
    return true;
}

json_t *show_take(struct call *call)
{
    struct str text = db_rows(call->query) == 0 ? STR_NONE : db_get_text(call->query, 0, 0);
    json_t *json = command_json(call->flow.arena, text);

    if (json != NULL)
        problem_pick_language(json, call->english);
    return json;
}

void show_texts(struct call *call, json_t *result)
{
    json_t *item;
    size_t index;

    json_array_foreach(json_object_get(result, "items"), index, item)
    {
        json_t *told = json_object_get(item, "problem");

        if (json_is_object(told))
            must(json_object_set_new(item, "problem",
                                     problem_object(call->flow.arena, problem_code(told),
                                                    call->english, NULL, told)) == 0);
    }
}
