/* bus_admin_private: what the files of bus_admin share. Nobody else includes it. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "bus/bus_admin.h"

struct bus_admin {
    const char *bootstrap;
    struct bus_tls tls;
    rd_kafka_t *handle; /* a producer */
};

/*
 * One more instance, with `further` settings, {name, value} each. The caller destroys it.
 * Errors: ERR_SETTINGS with the reason in `note`.
 */
CHECKED enum err bus_admin_handle(const struct bus_admin *admin, rd_kafka_type_t type,
                                  const char *const (*further)[2], size_t count,
                                  rd_kafka_t **ret_handle, struct err_note *note);
