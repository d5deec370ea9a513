/* fees: which line of which table. No I/O, no clock. */
#include "fees/fees.h"
#include "domain/calendar.h"

static const struct fee_table *table_of(const struct fee_book *book, day_t on)
{
    const struct fee_table *found = NULL;

    for (size_t i = 0; i < book->count && book->tables[i].from <= on; i++)
        found = &book->tables[i];
    return found;
}

/* The reference day lies in the fiscal year, which begins in April. */
static day_t reference_of(const struct fee_table *table, int year)
{
    return day_from_ymd(table->month < 4 ? year + 1 : year, table->month, table->mday);
}

static int age_on(day_t birth_on, day_t on)
{
    int birth_year, year, month, mday, age;

    if (birth_on == DAY_NONE || birth_on > on)
        return FEE_AGE_UNKNOWN;
    day_to_ymd(birth_on, &birth_year, &month, &mday);
    day_to_ymd(on, &year, &month, &mday);
    age = year - birth_year;
    return day_add_years(birth_on, age) > on ? age - 1 : age;
}

/*
 * Fiscal years since graduation, 1 for the first. The licence is registered in the weeks around
 * the end of the fiscal year in which one graduates: in March, or afterwards in the first year.
 */
static int years_after(day_t licensed_on, int year)
{
    return year - fiscal_year(day_add_months(licensed_on, 1)) + 1;
}

static bool is_waived(const struct fee_table *table, struct str category, day_t licensed_on,
                      int year)
{
    if (licensed_on == DAY_NONE || years_after(licensed_on, year) > table->waived_years)
        return false;
    for (size_t i = 0; i < table->waived_count; i++) {
        if (str_eq_c(category, table->waived[i]))
            return true;
    }
    return false;
}

/* False when no line fits, or when the age would decide and is not known. */
static bool amount_of(const struct fee_line *lines, size_t count, struct str category, int age,
                      int64_t *ret_yen)
{
    for (size_t i = 0; i < count; i++) {
        if (!str_eq_c(category, lines[i].category))
            continue;
        if (lines[i].age_max > 0 && age == FEE_AGE_UNKNOWN)
            return false;
        if (lines[i].age_max > 0 && age > lines[i].age_max)
            continue;
        *ret_yen = lines[i].yen;
        return true;
    }
    return false;
}

void fee_of(const struct fee_book *book, struct str category, day_t birth_on, day_t licensed_on,
            day_t on, struct fee *ret)
{
    const struct fee_table *table = table_of(book, on);

    *ret = (struct fee){.fiscal_year = fiscal_year(on), .age = FEE_AGE_UNKNOWN};
    if (table == NULL)
        return;
    ret->age = age_on(birth_on, reference_of(table, ret->fiscal_year));
    ret->waived = is_waived(table, category, licensed_on, ret->fiscal_year);
    if (ret->waived) {
        ret->yen_known = true;
        ret->insurance_known = amount_of(table->insurance, table->insurance_count, category,
                                         ret->age, &ret->insurance_yen);
    } else {
        ret->yen_known = amount_of(table->fees, table->fee_count, category, ret->age, &ret->yen);
        ret->insurance_known = ret->yen_known;
    }
}
