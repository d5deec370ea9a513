/* credit_release: what the handler of doctors' events needs to release the rows that wait. */
#pragma once
#include "credit/credit.h"

/* Ask for the rows of these doctors that wait. */
struct db_query *release_ask(struct db_batch *batch, const int64_t *doctors, size_t count);
/* A message for each of them. */
void release_emit(struct credit *credit, struct db_batch *effect, const struct db_query *rows,
                  const char *trace);
