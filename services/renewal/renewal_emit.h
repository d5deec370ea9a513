/* renewal_emit: what renewal tells the others. */
#pragma once
#include "renewal/renewal.h"

/* application.state of the application as it is now. */
void emit_application(struct renewal *renewal, struct work_batch *batch,
                      const struct application *application);
/* The same when it was handed over by the prefecture `handed_from`. */
void emit_handed_over(struct renewal *renewal, struct work_batch *batch,
                      const struct application *application, struct str handed_from);
/* certificate.state after a renewal. */
void emit_certificate(struct renewal *renewal, struct work_batch *batch, int64_t doctor_id,
                      struct str programme, const struct certificate *certificate);
