/* bus_tls_private: for the files of lib/bus that make instances of librdkafka. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "bus/bus_tls.h"

/* Nothing for plain text. Errors: ERR_SETTINGS with librdkafka's words in `note`. */
CHECKED enum err bus_tls_set(rd_kafka_conf_t *conf, const struct bus_tls *tls,
                             struct err_note *note);
