/* credit_counter: see credit_counter.h. */
#include "credit/credit_counter.h"

#include "credit/credit_chain.h"
#include "credit/credit_command.h"

static const struct db_stmt insert_counter = {
    "credit_insert_counter",
    "INSERT INTO credit.ledger (doctor_id, session_id, upload_no, posted_at, row_no, held_on,"
    "  half_units, revision, programme, kind, reason, actor, actor_role, actor_code)"
    " SELECT n.doctor_id, n.session_id, $1, $2, n.row_no, n.held_on, n.half_units, n.revision,"
    "  n.programme, n.kind, $11, $12, $13, $14"
    " FROM unnest($3::bigint[], $4::bigint[], $5::int[], $6::date[], $7::smallint[],"
    "             $8::smallint[], $9::text[], $10::text[])"
    "  AS n (doctor_id, session_id, row_no, held_on, half_units, revision, programme, kind)",
};

static void counter_init(struct counter *counter, struct arena *arena, size_t most)
{
    *counter = (struct counter){
        .doctor = arena_array(arena, int64_t, most),
        .session_id = arena_array(arena, int64_t, most),
        .place = arena_array(arena, uint32_t, most),
        .row_no = arena_array(arena, int32_t, most),
        .held_on = arena_array(arena, day_t, most),
        .half_units = arena_array(arena, int16_t, most),
        .revision = arena_array(arena, int16_t, most),
        .programme = arena_array(arena, struct str, most),
        .kind = arena_array(arena, struct str, most),
    };
}

enum err counter_take(struct counter *counter, const struct upload *upload,
                      const struct db_query *rows, struct arena *arena, struct err_note *note)
{
    counter_init(counter, arena, db_rows(rows));
    for (size_t i = 0; i < db_rows(rows); i++) {
        counter->doctor[i] = db_get_i64(rows, i, 0);
        counter->session_id[i] = db_get_i64(rows, i, 1);
        if (!upload_session_place(&upload->seminar, counter->session_id[i], &counter->place[i]))
            return err_say(note, ERR_SCHEMA, "the seminar has no session %lld",
                           (long long)counter->session_id[i]);
        counter->programme[i] = db_get_text(rows, i, 2);
        counter->revision[i] = db_get_i16(rows, i, 3);
        counter->row_no[i] = db_get_i32(rows, i, 4);
        counter->held_on[i] = db_get_day(rows, i, 5);
        counter->half_units[i] = db_get_i16(rows, i, 6);
        counter->kind[i] = db_get_text(rows, i, 7);
        counter->count++;
    }
    return ERR_OK;
}

void counter_add(const struct emit *emit, const struct counter *counter,
                 const struct command_actor *actor, const struct emit_correction *correction,
                 struct arena *arena)
{
    const size_t count = counter->count;
    int16_t *half_units = arena_array(arena, int16_t, count);
    int16_t *revision = arena_array(arena, int16_t, count);
    const int64_t posted_us = clock_now_us();
    struct db_query *query = db_add(emit->effect, &insert_counter);

    for (size_t i = 0; i < count; i++) {
        half_units[i] = (int16_t)-counter->half_units[i];
        revision[i] = (int16_t)(counter->revision[i] + 1);
    }
    db_i64(query, emit->upload->no);
    db_time(query, posted_us);
    db_i64_array(query, counter->doctor, count);
    db_i64_array(query, counter->session_id, count);
    db_i32_array(query, counter->row_no, count);
    db_day_array(query, counter->held_on, count);
    db_i16_array(query, half_units, count);
    db_i16_array(query, revision, count);
    db_text_array(query, counter->programme, count);
    db_text_array(query, counter->kind, count);
    db_text(query, correction->reason);
    db_uuid(query, actor->id);
    db_text(query, actor->role);
    db_text(query, actor->code);
    credit_chain_add(emit->effect,
                     &(struct chain_columns){
                         .count = count,
                         .doctor = counter->doctor,
                         .session_id = counter->session_id,
                         .row_no = counter->row_no,
                         .held_on = counter->held_on,
                         .half_units = half_units,
                         .revision = revision,
                         .programme = counter->programme,
                         .kind = counter->kind,
                         .reason = correction->reason,
                         .actor = actor,
                     },
                     emit->upload->no, posted_us, arena);
    emit_corrected(emit, correction,
                   &(struct emit_entries){
                       .count = count,
                       .doctor_ids = counter->doctor,
                       .places = counter->place,
                       .kinds = counter->kind,
                       .half_units = half_units,
                       .revisions = revision,
                   },
                   arena);
}
