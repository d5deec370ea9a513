/* signup: see signup.h. */
#include "domain/signup.h"

#include "domain/calendar.h"
#include "domain/numbers.h"
#include "text/names.h"

static enum code check_days(const struct signup *signup, day_t today, const char **ret_pointer)
{
    *ret_pointer = "/birth_on";
    if (signup->birth_on == DAY_NONE || signup->birth_on > today)
        return CODE_DATE_NOT_REAL;
    *ret_pointer = "/licensed_on";
    if (signup->licensed_on == DAY_NONE || signup->licensed_on > today ||
        signup->licensed_on < day_add_years(signup->birth_on, SIGNUP_AGE_LEAST))
        return CODE_DATE_NOT_REAL;
    return CODE_NONE;
}

enum code signup_check(const struct signup *signup, day_t today, const char **ret_pointer)
{
    *ret_pointer = "/name";
    if (name_is_blank(signup->name))
        return CODE_FIELD_TOO_SHORT;
    *ret_pointer = "/name_kana";
    if (name_is_blank(signup->name_kana))
        return CODE_FIELD_TOO_SHORT;
    if (!name_is_kana(signup->name_kana))
        return CODE_NAME_KANA_FORMAT;
    *ret_pointer = "/register_no";
    if (register_no_parse(signup->register_no) == NUMBER_NONE)
        return CODE_REGISTER_NO_FORMAT;
    return check_days(signup, today, ret_pointer);
}
