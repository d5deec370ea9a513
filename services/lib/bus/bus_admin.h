/*
 * bus_admin: topics and offsets of Kafka for command-line tools. Blocking: never on a service's
 * loop.
 */
#pragma once
#include "bus/bus.h"

struct bus_admin;

/*
 * Does not wait for a broker. Memory: borrows `bootstrap` and the paths of `tls`.
 * Errors: ERR_SETTINGS with the reason in `note`.
 */
CHECKED enum err bus_admin_open(const char *bootstrap, const struct bus_tls *tls,
                                struct bus_admin **ret_admin, struct err_note *note);
/* NULL is allowed. */
void bus_admin_close(struct bus_admin *admin);

struct bus_topic {
    const char *name;
    int partitions;
    int replication;
    int64_t retention_ms;
    int64_t message_bytes_max;
};

/*
 * Make a topic, or add the partitions it lacks; what is there stays. `*ret_changed`: something was
 * made. Errors: ERR_BUS_DOWN (nobody answers), ERR_STATE_CONFLICT (it has more partitions than it
 * should: keys would move), with words in `note`.
 */
CHECKED enum err bus_admin_make_topic(struct bus_admin *admin, const struct bus_topic *topic,
                                      bool *ret_changed, struct err_note *note);
/* Partitions of a topic; 0 when it is not there. Errors: ERR_BUS_DOWN. */
CHECKED enum err bus_admin_partitions(struct bus_admin *admin, const char *topic, int *ret_count,
                                      struct err_note *note);
/* First offset kept, and the offset that the next message gets. Errors: ERR_BUS_DOWN. */
CHECKED enum err bus_admin_watermarks(struct bus_admin *admin, const char *topic, int32_t part,
                                      int64_t *ret_low, int64_t *ret_high, struct err_note *note);

/* Messages of a partition: from offset `from` on, before `end`. */
struct bus_range {
    int32_t part;
    int64_t from;
    int64_t end;
};

/* Memory: the message is borrowed. An error ends the reading. */
typedef enum err (*bus_admin_take_fn)(void *arg, const struct bus_message *message,
                                      struct err_note *note);

/*
 * Give all messages of some ranges to `take`, those of a partition in their order. No group is
 * joined, nobody's offset moves. `from` has to be kept still (bus_admin_watermarks()); each
 * partition stands in one range at most, and no range is empty.
 * Errors: ERR_BUS_DOWN (nothing came for 30 s), ERR_SETTINGS, and what `take` gives.
 */
CHECKED enum err bus_admin_read(struct bus_admin *admin, const char *topic,
                                const struct bus_range *ranges, size_t count,
                                bus_admin_take_fn take, void *arg, struct err_note *note);
