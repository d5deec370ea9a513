/* gateway_staff: accounts of staff, as far as the gateway has to do with them. */
#pragma once
#include "gateway/gateway_link.h"

#define LINK_STAFF_INVITE "staff_invite"

/* Somebody of staff signed in, or their account was put to use again. */
void staff_used_add(struct db_batch *batch, struct uuid account_id, int64_t now_us);
/*
 * Of an invitation that was found good: the rest of the call, which sets the first password. Takes
 * over the call's flow.
 */
void staff_accept(struct call *call, const struct link_found *found);
