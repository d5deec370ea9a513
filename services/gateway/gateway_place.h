/*
 * gateway_place: how many files an organiser may have under way at once, over all gateways. A file
 * takes a place before its body is read and gives it back when its upload is accepted (that counts
 * from then on, until it is done) or when it comes to nothing.
 */
#pragma once
#include "gateway/gateway_call.h"

/* Of one file that comes in; embedded in the one who reads it. */
struct place {
    struct place *next; /* of this gateway's */
    struct uuid upload_id;
    struct db_query *query;
    bool held; /* perhaps: its row has to go in the end */
};

/*
 * Take one for a file of this seminar: adds to call->batch, a transaction in the caller's scope.
 * `place->upload_id` is set before. Memory: `place` lives until place_leave() or place_done().
 */
void place_ask(struct call *call, struct place *place, struct str seminar_no);
/* After that transaction: false when the seminar is none that the caller may see. */
bool place_seminar(const struct place *place, struct str *ret_organiser_code);
/* The same: whether there was a place. */
bool place_taken(struct gateway *gateway, struct place *place);
/* In the transaction that accepts the upload. */
void place_give_back(struct place *place, struct db_batch *batch);
/* That transaction is committed. */
void place_done(struct gateway *gateway, struct place *place);
/* It came to nothing, or nobody knows: the row goes soon. Harmless after place_done(). */
void place_leave(struct gateway *gateway, struct place *place);
