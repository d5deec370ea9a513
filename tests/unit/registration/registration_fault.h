/*
 * registration_fault: what the walks of registration's commands share (lib/fault_walk.h). Doctor 1
 * holds ACCOUNT in the midst of first login; nobody is anybody's member yet. How far they come is
 * kept in registration_faults.json.
 */
#pragma once
#include "gen/events.h"
#include "lib/fault_walk.h"

#define ACCOUNT "0190a000-0000-7000-8000-000000000001"
#define CLERK "0190a000-0000-7000-8000-000000000002"
#define LINK "0190a000-0000-7000-8000-000000000006"
#define UNTIL "2025-04-21T09:00:00+09:00"

/* The first and the second command of a case. */
#define FIRST "\"operation_id\":\"0190a000-0000-7000-8000-0000000000ff\","
#define SECOND "\"operation_id\":\"0190a000-0000-7000-8000-0000000000fe\","
#define OF_ACCOUNT "\"account_id\":\"" ACCOUNT "\""

/* SQL: whether there is one such row. */
#define ONE(table, condition) "SELECT count(*) FROM registration." table " WHERE " condition
#define ACCOUNT_IS(condition)                                                                      \
    "SELECT count(*) FROM registration.account JOIN registration.doctor AS d USING (doctor_id)"    \
    " WHERE " condition
#define ANSWERED(status)                                                                           \
    " AND (SELECT count(*) FROM registration.operation WHERE status = '" status "') = 1"
#define BOTH_ANSWERED " AND (SELECT count(*) FROM registration.operation WHERE status = 'done') = 2"

/* SQL: first login is through, My Page is complete. */
#define COMPLETE                                                                                   \
    "UPDATE registration.account SET state = 'active', step = '', email = 'own@example.jp',"       \
    " email_confirmed = true;"                                                                     \
    "UPDATE registration.doctor SET my_page = 'active', mamis_no = '6423876638'"

/* A test program's main(): walks these cases with all of registration's handlers. */
int registration_fault_main(const struct fault_case *cases, size_t count);
