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

void counter_init(struct counter *counter, struct arena *arena, size_t most)
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

void counter_write(const struct emit *emit, const struct counter *entries,
                   const struct command_actor *actor, const struct emit_correction *correction,
                   struct arena *arena)
{
    const size_t count = entries->count;
    const int64_t posted_us = clock_now_us();
    struct db_query *query = db_add(emit->effect, &insert_counter);

    db_i64(query, emit->upload->no);
    db_time(query, posted_us);
    db_i64_array(query, entries->doctor, count);
    db_i64_array(query, entries->session_id, count);
    db_i32_array(query, entries->row_no, count);
    db_day_array(query, entries->held_on, count);
    db_i16_array(query, entries->half_units, count);
    db_i16_array(query, entries->revision, count);
    db_text_array(query, entries->programme, count);
    db_text_array(query, entries->kind, count);
    db_text(query, correction->reason);
    db_uuid(query, actor->id);
    db_text(query, actor->role);
    db_text(query, actor->code);
    credit_chain_add(emit->effect,
                     &(struct chain_columns){
                         .count = count,
                         .doctor = entries->doctor,
                         .session_id = entries->session_id,
                         .row_no = entries->row_no,
                         .held_on = entries->held_on,
                         .half_units = entries->half_units,
                         .revision = entries->revision,
                         .programme = entries->programme,
                         .kind = entries->kind,
                         .reason = correction->reason,
                         .actor = actor,
                     },
                     emit->upload->no, posted_us, arena);
    emit_corrected(emit, correction,
                   &(struct emit_entries){
                       .count = count,
                       .doctor_ids = entries->doctor,
                       .places = entries->place,
                       .kinds = entries->kind,
                       .half_units = entries->half_units,
                       .revisions = entries->revision,
                   },
                   arena);
}

void counter_add(const struct emit *emit, const struct counter *counter,
                 const struct command_actor *actor, const struct emit_correction *correction,
                 struct arena *arena)
{
    struct counter entries = *counter;

    entries.half_units = arena_array(arena, int16_t, counter->count);
    entries.revision = arena_array(arena, int16_t, counter->count);
    for (size_t i = 0; i < counter->count; i++) {
        entries.half_units[i] = (int16_t)-counter->half_units[i];
        entries.revision[i] = (int16_t)(counter->revision[i] + 1);
    }
    counter_write(emit, &entries, actor, correction, arena);
}
