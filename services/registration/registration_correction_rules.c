/* registration_correction_rules: see registration_correction_rules.h. */
#include "registration/registration_correction_rules.h"
#include "text/names.h"

static const char *const state_names[CORRECTION_STATES] = {
    [CORRECTION_NONE] = "",
    [CORRECTION_OPEN] = "open",
    [CORRECTION_DONE] = "done",
    [CORRECTION_REFUSED] = "refused",
};

const char *correction_state_name(enum correction_state state)
{
    return state_names[state];
}

enum correction_state correction_state_of(struct str name)
{
    for (int i = CORRECTION_OPEN; i < CORRECTION_STATES; i++) {
        if (str_eq_c(name, state_names[i]))
            return (enum correction_state)i;
    }
    return CORRECTION_NONE;
}

static enum code actor(const struct correction_facts *facts)
{
    if (!facts->actor_fits)
        return CODE_NOT_FOUND;
    return facts->actor_active ? CODE_NONE : CODE_ACCOUNT_SUSPENDED;
}

enum code rules_ask_correction(const struct correction_facts *facts)
{
    enum code code = actor(facts);

    if (code == CODE_NONE && facts->open >= CORRECTIONS_OPEN_MAX)
        code = CODE_CORRECTIONS_MANY;
    return code;
}

enum code rules_answer_correction(const struct correction_facts *facts,
                                  enum correction_state outcome)
{
    enum code code = actor(facts);

    if (code == CODE_NONE && facts->state == CORRECTION_NONE)
        code = CODE_NOT_FOUND;
    if (code != CODE_NONE)
        return code;
    if (outcome != CORRECTION_DONE && outcome != CORRECTION_REFUSED)
        return CODE_STATE_CONFLICT;
    return facts->state == CORRECTION_OPEN ? CODE_NONE : CODE_CORRECTION_ANSWERED;
}

/* ---- what is right ---- */

enum value { VALUE_NAME, VALUE_NAME_KANA, VALUE_BIRTH_ON, VALUE_LICENSED_ON, VALUES };

/* Of which field each value is; the first one of a field is missed when there is none. */
static const struct {
    const char *name, *field;
} value_fields[VALUES] = {
    [VALUE_NAME] = {"name", "name"},
    [VALUE_NAME_KANA] = {"name_kana", "name"},
    [VALUE_BIRTH_ON] = {"birth_on", "birth_on"},
    [VALUE_LICENSED_ON] = {"licensed_on", "licensed_on"},
};

static enum code check_day(day_t day, day_t today)
{
    return day > today ? CODE_DATE_NOT_REAL : CODE_NONE;
}

static enum code check_value(enum value value, const struct correction_values *values, day_t today)
{
    switch (value) {
    case VALUE_NAME:
        return name_is_blank(values->name) ? CODE_FIELD_MISSING : CODE_NONE;
    case VALUE_NAME_KANA:
        if (name_is_blank(values->name_kana))
            return CODE_FIELD_MISSING;
        return name_is_kana(values->name_kana) ? CODE_NONE : CODE_NAME_KANA_FORMAT;
    case VALUE_BIRTH_ON:
        return check_day(values->birth_on, today);
    case VALUE_LICENSED_ON:
        return check_day(values->licensed_on, today);
    case VALUES:
        break;
    }
    must(false);
    return CODE_NONE;
}

enum code rules_correction_values(struct str field, enum correction_state outcome,
                                  const struct correction_values *values, day_t today,
                                  const char **ret_field)
{
    const bool said[VALUES] = {values->name.data != NULL, values->name_kana.data != NULL,
                               values->birth_on != DAY_NONE, values->licensed_on != DAY_NONE};
    const char *missing = NULL;
    bool any = false;
    enum code code;

    for (int i = 0; i < VALUES; i++) {
        bool fits = outcome == CORRECTION_DONE && str_eq_c(field, value_fields[i].field);

        *ret_field = value_fields[i].name;
        code = !said[i] ? CODE_NONE
               : !fits  ? CODE_CORRECTION_VALUE
                        : check_value((enum value)i, values, today);
        if (code != CODE_NONE)
            return code;
        any = any || said[i];
        if (fits && missing == NULL)
            missing = value_fields[i].name;
    }
    if (any || missing == NULL)
        return CODE_NONE;
    *ret_field = missing;
    return CODE_FIELD_MISSING;
}
