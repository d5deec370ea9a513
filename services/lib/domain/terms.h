/*
 * terms: which terms of use are in force on a day: the newest by date, then by version. The only
 * place that says so; their texts stand in registration.terms, which the gateway reads as
 * portal.terms.
 */
#pragma once

/* A subquery of at most one row. `table`: registration.terms or portal.terms; `day`: SQL. */
#define TERMS_IN_FORCE(table, day)                                                                 \
    "(SELECT * FROM " table " WHERE in_force_on <= " day                                           \
    " ORDER BY in_force_on DESC, version DESC LIMIT 1)"
