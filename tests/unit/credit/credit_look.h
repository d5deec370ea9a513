/*
 * credit_look: connections of the tests' own; kept open until the end of the group. What is asked
 * through them stands in credit_fixture.h.
 */
#pragma once
#include <libpq-fe.h>

#include "unit/credit/credit_fixture.h"

/* One for each role and scope; `scope` NULL: none. */
PGconn *connect_as(const char *role, const char *scope);
void disconnect_all(void);
/* The result of a statement that has to work; anything else fails the test. */
PGresult *succeed(PGconn *conn, PGresult *result);
void run(PGconn *conn, const char *statements);
