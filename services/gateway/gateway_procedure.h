/* gateway_procedure: what the files with commands about memberships share. */
#pragma once
#include "gateway/gateway_call.h"

/* Fields of an event that say who acts: a doctor, or the office of one association. */
#define ACTOR_OF(call)                                                                             \
    .account_id = (call)->who.account_id, .role = str_of(role_name((call)->who.role)),             \
    .doctor_id = (call)->who.doctor_id, .has_doctor_id = (call)->who.role == ROLE_DOCTOR,          \
    .actor_l1 = (call)->who.role == ROLE_OFFICE_L1 ? (call)->who.l1_code : STR_NONE,               \
    .actor_l2 = (call)->who.role == ROLE_OFFICE_L2 ? (call)->who.l2_code : STR_NONE
