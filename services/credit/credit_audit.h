/*
 * credit_audit: who changed what. Every command keeps a line, and so does every change of an
 * outcome that nobody asked for but a rule wants.
 */
#pragma once
#include "base/str.h"

struct db_batch;
struct command_actor;

/*
 * In `effect`. `actor` NULL: the system, by the rule that `detail` names. `detail` is a JSON
 * object, "{}" for nothing. Everything is copied.
 */
void audit_add(struct db_batch *effect, const struct command_actor *actor, const char *action,
               const char *subject, struct str detail);
