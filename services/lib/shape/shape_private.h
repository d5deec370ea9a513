/*
 * What the files of shape share.
 */
#pragma once
#include "shape/shape.h"

/* Characters of valid UTF-8. */
size_t shape_characters(struct str text);
/* Length, control characters, values, pattern. CODE_NONE when it fits. */
enum code shape_check_text(const struct shape_field *field, struct str text);
bool shape_matches(const struct shape_pattern *pattern, struct str text);
/* Add a parameter to a problem; the value is copied. */
void shape_param(struct arena *arena, struct body_problem *problem, const char *name,
                 const char *value);
void shape_param_i64(struct arena *arena, struct body_problem *problem, const char *name,
                     int64_t value);
/* What code_render() needs for `code` of `field`, beside the field's name. */
void shape_explain(struct arena *arena, const struct shape_field *field, enum code code,
                   struct body_problem *problem);
