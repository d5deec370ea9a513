/* gateway_place: see gateway_place.h. */
#include "gateway/gateway_place.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLACES_BEAT_MS = 15000, /* rows count for 60 s after the last */
    PLACES_AGAIN_MS = 1000,
    PLACES_GONE_MAX = 1024, /* further ones end by themselves */
};

struct places {
    struct gateway *gateway;
    struct uuid gone[PLACES_GONE_MAX];
    size_t gone_count;
    size_t going; /* of them, those that are being deleted */
    struct timer timer;
    struct flow flow;
    bool running;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* A place that is lost costs nothing, so nobody waits for the disk. */
static const struct db_stmt careless = {
    "gateway_place_careless",
    "SELECT set_config('synchronous_commit', 'off', true)",
};
/* One after the other for each organiser: the next statement sees who came before. */
static const struct db_stmt lock = {
    "gateway_place_lock",
    "SELECT pg_advisory_xact_lock(hashtextextended('upload of ' || s.organiser_code, 0))"
    " FROM portal.seminar s"
    " WHERE s.seminar_no = $1 AND portal.organiser_visible(s.organiser_code)",
};
static const struct db_stmt take = {
    "gateway_place_take",
    "WITH s AS MATERIALIZED (SELECT organiser_code FROM portal.seminar"
    "  WHERE seminar_no = $1 AND portal.organiser_visible(organiser_code)),"
    " taken AS (INSERT INTO gateway.upload_place (upload_id, organiser_code, seen_at)"
    "  SELECT $2, s.organiser_code, clock_timestamp() FROM s"
    "  WHERE (SELECT count(*) FROM portal.upload u WHERE u.organiser_code = s.organiser_code"
    "   AND u.status IN ('received', 'reading', 'posting'))"
    "   + (SELECT count(*) FROM gateway.upload_place p WHERE p.organiser_code = s.organiser_code"
    "   AND p.seen_at > clock_timestamp() - interval '60 seconds') < $3::bigint"
    "  ON CONFLICT (upload_id) DO UPDATE SET seen_at = excluded.seen_at RETURNING upload_id)"
    " SELECT s.organiser_code, EXISTS (SELECT FROM taken) FROM s",
};
static const struct db_stmt beat = {
    "gateway_place_beat",
    "UPDATE gateway.upload_place SET seen_at = clock_timestamp() WHERE upload_id = ANY ($1)",
};
static const struct db_stmt drop = {
    "gateway_place_drop",
    "DELETE FROM gateway.upload_place WHERE upload_id = ANY ($1)"
    " OR seen_at < clock_timestamp() - interval '60 seconds'",
};

/* ---- one file ---- */

void place_ask(struct call *call, struct place *place, struct str seminar_no)
{
    db_add(call->batch, &careless);
    db_text(db_add(call->batch, &lock), seminar_no);
    place->query = db_add(call->batch, &take);
    db_text(place->query, seminar_no);
    db_uuid(place->query, place->upload_id);
    db_i64(place->query, call->gateway->settings->uploads_open_max);
    place->held = true;
    place->next = call->gateway->place_list;
    call->gateway->place_list = place;
}

bool place_seminar(const struct place *place, struct str *ret_organiser_code)
{
    if (db_rows(place->query) == 0)
        return false;
    *ret_organiser_code = db_get_text(place->query, 0, 0);
    return true;
}

bool place_taken(struct gateway *gateway, struct place *place)
{
    if (db_rows(place->query) > 0 && db_get_bool(place->query, 0, 1))
        return true;
    place_done(gateway, place);
    return false;
}

void place_give_back(struct place *place, struct db_batch *batch)
{
    db_uuid_array(db_add(batch, &drop), &place->upload_id, 1);
}

void place_done(struct gateway *gateway, struct place *place)
{
    struct place **at = &gateway->place_list;

    if (!place->held)
        return;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    place->held = false;
}

void place_leave(struct gateway *gateway, struct place *place)
{
    struct places *places = gateway->places;

    if (!place->held)
        return;
    place_done(gateway, place);
    if (places == NULL || places->closed != NULL) /* too late: the row ends by itself */
        return;
    if (places->gone_count < PLACES_GONE_MAX)
        places->gone[places->gone_count++] = place->upload_id;
    if (!places->running)
        timer_start(&places->timer, 0, 0);
}

/* ---- the rows of this gateway's files ---- */

static void places_run(struct flow *flow)
{
    struct places *places = CONTAINER_OF(flow, struct places, flow);
    struct db_batch *batch = db_batch_new(flow->arena);
    struct uuid *ids;
    size_t count = 0;

    for (const struct place *place = places->gateway->place_list; place != NULL;
         place = place->next)
        count++;
    ids = arena_array(flow->arena, struct uuid, count);
    count = 0;
    for (const struct place *place = places->gateway->place_list; place != NULL;
         place = place->next)
        ids[count++] = place->upload_id;
    db_add(batch, &careless);
    db_uuid_array(db_add(batch, &beat), ids, count);
    db_uuid_array(db_add(batch, &drop), places->gone, places->gone_count);
    places->going = places->gone_count;
    flow_wait(flow, FLOW_END);
    db_run(places->gateway->db, batch, GATEWAY_WRITE_MS, flow);
}

static void closed(void *arg)
{
    struct places *places = arg;
    void (*tell)(void *arg) = places->closed;
    void *tell_arg = places->closed_arg;

    places->gateway->places = NULL;
    free(places);
    tell(tell_arg);
}

static void places_done(struct flow *flow)
{
    struct places *places = CONTAINER_OF(flow, struct places, flow);
    enum err err = flow->err;

    flow_fini(flow);
    places->running = false;
    if (err == ERR_OK) {
        places->gone_count -= places->going;
        memmove(places->gone, places->gone + places->going,
                places->gone_count * sizeof(places->gone[0]));
    }
    if (places->closed != NULL)
        timer_close(&places->timer, closed);
    else
        timer_start(&places->timer,
                    err != ERR_OK            ? PLACES_AGAIN_MS
                    : places->gone_count > 0 ? 0
                                             : PLACES_BEAT_MS,
                    0);
}

static void start(void *arg)
{
    struct places *places = arg;

    places->running = true;
    flow_init(&places->flow, places->gateway->loop, places_run, places_done, NULL);
    flow_start(&places->flow, 0);
}

struct places *places_open(struct gateway *gateway)
{
    struct places *places = heap_zero(sizeof(*places));

    places->gateway = gateway;
    timer_open(&places->timer, gateway->loop, start, places);
    timer_start(&places->timer, PLACES_BEAT_MS, 0);
    return places;
}

void places_close(struct places *places, void (*tell)(void *arg), void *arg)
{
    places->closed = tell;
    places->closed_arg = arg;
    if (places->running)
        return;
    timer_stop(&places->timer);
    if (places->gone_count > 0)
        start(places);
    else
        timer_close(&places->timer, closed);
}
