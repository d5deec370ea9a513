/* training_rules: see training_rules.h. */
#include "registration/training_rules.h"
#include "domain/calendar.h"

int training_notice(day_t today)
{
    int year, month, mday;

    day_to_ymd(today, &year, &month, &mday);
    return month == 2 ? 1 : month == 3 ? 2 : 0;
}

bool training_goes_on(const struct standing *standing)
{
    return standing->member[3] &&
           (str_eq_c(standing->category[3], "A2C") || str_eq_c(standing->category[3], "C"));
}

enum code training_dismiss(const struct training_wish *wish)
{
    const struct filing *filing = wish->filing;

    if (!wish->own && (filing->actor.office.layer == 0 || !filing_concerns(filing)))
        return CODE_DOCTOR_NOT_FOUND;
    if (filing->closed)
        return CODE_ACCOUNT_SUSPENDED;
    if (!training_goes_on(&filing->standing))
        return CODE_NO_TRAINEE;
    if (wish->new_end_on != DAY_NONE &&
        (wish->new_end_on < filing->today ||
         wish->new_end_on > day_add_years(filing->today, TRAINING_END_YEARS_MAX)))
        return CODE_TRAINING_ENDS_ON;
    return CODE_NONE;
}
