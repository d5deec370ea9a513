/*
 * gateway_maintenance: while maintenance runs only administrators may use the system. Each gateway
 * reads the calendar once a second and keeps what is to come; beginning and end follow from the
 * clock.
 */
#pragma once
#include "gateway/gateway_call.h"

/* When the maintenance ends that runs at `now_us`; 0: none runs. */
int64_t maintenance_until(const struct gateway *gateway, int64_t now_us);
/* Whether this person may ask for that now. Public operations come without a role. */
bool maintenance_allows(const struct call *call);
/* 503 with the end. Ends the flow. */
void maintenance_refuse(struct call *call);
/* What runs and what begins within 14 days, for GET /site. */
json_t *maintenance_notices(const struct call *call);
/* True when it answered: a page for those who are not signed in. */
bool maintenance_page(struct gateway *gateway, struct http_request *request);
