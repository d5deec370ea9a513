/*
 * scan_address: where a scanner listens. `unix:/run/clamav/clamd.ctl`, `tcp:127.0.0.1:3310` or
 * `tcp:[::1]:3310`. Addresses are numeric: looking a name up would hold up the loop. Pure.
 */
#pragma once
#include <sys/socket.h>

#include "base/str.h"

struct scan_address {
    struct sockaddr_storage bytes;
    socklen_t len;
};

/* Errors: ERR_SETTINGS. */
CHECKED enum err scan_address_read(struct str text, struct scan_address *ret_address,
                                   struct err_note *note);
