/* registration_maintenance: the calendar of maintenance; see registration_maintenance.c. */
#pragma once
#include "registration/registration.h"
#include "registration/registration_maintenance_rules.h"

/* Handler of both commands: see work_handler_fn. */
void registration_maintenance_handle(void *service, struct work_batch *batch);

/* ---- registration_store_maintenance.c ---- */

struct store_maintenance {
    struct db_batch *batch;
    struct db_query *known, *others, *calendar;
};
/* One window, all that have not ended at `now_us`, and the calendar's version. */
void store_maintenance_read(struct registration *registration, struct arena *arena,
                            struct uuid window_id, int64_t now_us, struct store_maintenance *read,
                            struct flow *flow);
/* After a good read; version 0 when there is none. */
struct maintenance store_maintenance_known(const struct store_maintenance *read,
                                           struct uuid window_id);
/* In the read's arena. */
size_t store_maintenance_others(const struct store_maintenance *read,
                                const struct maintenance **ret_others);
/* Effect. ERR_DB_CONFLICT when the calendar changed since it was read. */
void store_maintenance_save(struct db_batch *batch, const struct store_maintenance *read,
                            const struct maintenance *window, const char *action, struct str actor,
                            int64_t now_us);
