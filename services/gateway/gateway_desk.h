/* gateway_desk: a command about somebody's account, with who gave it and why. */
#pragma once
#include "gateway/gateway_command.h"
#include "gen/events.h"

/* About the account that the path names. */
struct event_account_desk desk_event(struct call *call, const char *action, struct str reason);
/* Answered {} when it is done. */
struct command desk_command(struct call *call, const struct event_account_desk *event);
