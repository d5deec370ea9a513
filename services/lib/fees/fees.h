/*
 * fees: annual fees of the national association as dated rules (R-MEM-09), from
 * deploy/rules/fees.json. An estimate for people who choose a category; nobody is charged by it.
 * Money is in yen, days are days in Japan.
 */
#pragma once
#include "base/clock.h"
#include "base/str.h"

enum { FEE_TABLES_MAX = 16, FEE_LINES_MAX = 16, FEE_CATEGORY_BYTES = 4 };

struct fee_line {
    char category[FEE_CATEGORY_BYTES];
    int age_max; /* 0: any age */
    int64_t yen;
};

/* One dated table. */
struct fee_table {
    day_t from;
    int month, mday; /* ages count on this day of the fiscal year */
    struct fee_line fees[FEE_LINES_MAX];
    size_t fee_count;
    int waived_years; /* fiscal years after graduation; 0: nobody is waived */
    char waived[FEE_LINES_MAX][FEE_CATEGORY_BYTES];
    size_t waived_count;
    struct fee_line insurance[FEE_LINES_MAX]; /* of those who are waived */
    size_t insurance_count;
};

struct fee_book {
    struct fee_table tables[FEE_TABLES_MAX]; /* ascending */
    size_t count;
};

/* Errors: ERR_SETTINGS, with file and field. */
CHECKED enum err fees_load(const char *path, struct fee_book *book, struct err_note *note);

enum { FEE_AGE_UNKNOWN = -1 };

struct fee {
    int fiscal_year;
    int age;     /* on the reference day; FEE_AGE_UNKNOWN when that cannot be said */
    bool waived; /* then `yen` is 0 */
    /* False: there is no published amount, or it cannot be told without the date of birth. */
    bool yen_known, insurance_known;
    int64_t yen;
    int64_t insurance_yen; /* to be paid beside the fee; 0 where the fee includes it */
};

/* Fee of the fiscal year of `on`. Days may be DAY_NONE. */
void fee_of(const struct fee_book *book, struct str category, day_t birth_on, day_t licensed_on,
            day_t on, struct fee *ret);
