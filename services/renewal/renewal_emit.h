/* renewal_emit: what renewal tells the others. */
#pragma once
#include "renewal/renewal.h"

/* application.state of the application as it is now. */
void emit_application(struct renewal *renewal, struct work_batch *batch,
                      const struct application *application);
/* certificate.state after a renewal. */
void emit_certificate(struct renewal *renewal, struct work_batch *batch, int64_t doctor_id,
                      struct str programme, const struct certificate *certificate);
