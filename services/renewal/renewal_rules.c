/* renewal_rules: count credits and handbook lines towards a renewal (R-OPR, R-SEM-12, R-CRT-04). */
#include "renewal/renewal_rules.h"

#include <string.h>

#include "domain/calendar.h"

const char *not_counted_name(enum not_counted reason)
{
    switch (reason) {
    case COUNTED:
        return NULL;
    case NOT_COUNTED_WEB_CAP:
        return "web_cap";
    case NOT_COUNTED_BEFORE_PERIOD:
        return "before_period";
    case NOT_COUNTED_AFTER_PERIOD:
        return "after_period";
    case NOT_COUNTED_KIND:
        return "kind_not_counted";
    }
    must(false);
    return NULL;
}

int rules_kind_index(const struct rule_set *rules, const char *kind)
{
    for (size_t i = 0; i < rules->kind_count; i++) {
        if (strcmp(rules->kinds[i].code, kind) == 0)
            return (int)i;
    }
    return -1;
}

static bool inside(struct period period, day_t day)
{
    return day >= period.from && day <= period.to;
}

static int32_t least(int32_t left, int32_t right)
{
    return left < right ? left : right;
}

/* The first look at a credit: everything but the web cap. */
static enum not_counted judge(const struct rule_set *rules, struct period period,
                              const struct rules_credit *credit)
{
    int index = rules_kind_index(rules, credit->kind);

    if (index < 0 || (credit->web && rules->kinds[index].web == RULES_WEB_NEVER))
        return NOT_COUNTED_KIND;
    if (credit->held_on < period.from)
        return NOT_COUNTED_BEFORE_PERIOD;
    if (credit->held_on > period.to)
        return NOT_COUNTED_AFTER_PERIOD;
    return COUNTED;
}

static bool is_capped(const struct rule_set *rules, const struct rules_credit *credit)
{
    int index = rules_kind_index(rules, credit->kind);

    return index >= 0 && credit->web && rules->kinds[index].web == RULES_WEB_CAPPED;
}

/* Everything that no cap concerns; capped credits of the period wait as NOT_COUNTED_WEB_CAP. */
static void count_uncapped(const struct rule_set *rules, struct period period,
                           struct rules_credit *credits, size_t count, struct standing *standing)
{
    for (size_t i = 0; i < count; i++) {
        struct rules_credit *credit = &credits[i];
        struct rules_line *line;

        credit->counted_half_units = 0;
        credit->reason = judge(rules, period, credit);
        if (credit->reason != COUNTED)
            continue;
        line = &standing->lines[rules_kind_index(rules, credit->kind)];
        line->posted_half_units += credit->half_units;
        if (is_capped(rules, credit)) {
            credit->reason = NOT_COUNTED_WEB_CAP;
            continue;
        }
        credit->counted_half_units = credit->half_units;
        line->counted_half_units += credit->half_units;
    }
}

static void count_handbook(const struct rule_set *rules, struct period period,
                           const struct rules_handbook *handbook, size_t count, bool verified_only,
                           struct standing *standing)
{
    for (size_t i = 0; i < count; i++) {
        const struct rules_handbook *entry = &handbook[i];
        int index = rules_kind_index(rules, entry->kind);
        struct rules_line *line;

        if (index < 0 || entry->last_on == DAY_NONE || !inside(period, entry->last_on) ||
            entry->last_on > rules->handbook_until)
            continue;
        line = &standing->lines[index];
        line->declared_half_units += entry->declared_half_units;
        if (entry->verified_half_units >= 0) {
            if (line->verified_half_units < 0)
                line->verified_half_units = 0;
            line->verified_half_units += entry->verified_half_units;
            line->counted_half_units += entry->verified_half_units;
        } else if (!verified_only) {
            line->counted_half_units += entry->declared_half_units;
        }
    }
}

/* Take up to `wanted` of one capped credit. Returns how much. */
static int32_t take_web(struct rules_credit *credit, int32_t wanted, struct rules_line *line)
{
    int32_t taken = least(credit->half_units - credit->counted_half_units, wanted);

    credit->counted_half_units += taken;
    line->counted_half_units += taken;
    if (credit->counted_half_units == credit->half_units)
        credit->reason = COUNTED;
    return taken;
}

/* First what the minimums of the kinds need, so that the cap cannot be used up by another kind. */
static void count_web(const struct rule_set *rules, struct rules_credit *credits, size_t count,
                      struct standing *standing)
{
    int32_t room = rules->web_cap_half_units;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            struct rules_credit *credit = &credits[i];
            struct rules_line *line;
            int32_t wanted = room;

            if (credit->reason != NOT_COUNTED_WEB_CAP)
                continue;
            line = &standing->lines[rules_kind_index(rules, credit->kind)];
            if (pass == 0)
                wanted = least(wanted, line->needed_half_units - line->counted_half_units);
            if (wanted > 0)
                room -= take_web(credit, wanted, line);
        }
    }
}

static void sum_up(const struct rule_set *rules, struct standing *standing)
{
    standing->eligible = true;
    standing->counted_half_units = 0;
    for (size_t i = 0; i < rules->kind_count; i++) {
        struct rules_line *line = &standing->lines[i];

        standing->counted_half_units += line->counted_half_units;
        line->missing_half_units = line->needed_half_units - line->counted_half_units;
        if (line->missing_half_units < 0)
            line->missing_half_units = 0;
        if (line->missing_half_units > 0)
            standing->eligible = false;
    }
    standing->missing_half_units = rules->needed_half_units - standing->counted_half_units;
    if (standing->missing_half_units < 0)
        standing->missing_half_units = 0;
    if (standing->missing_half_units > 0)
        standing->eligible = false;
}

static void count_all(const struct rule_set *rules, struct period period,
                      struct rules_credit *credits, size_t credit_count,
                      const struct rules_handbook *handbook, size_t handbook_count,
                      bool verified_only, struct standing *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < rules->kind_count; i++) {
        out->lines[i].needed_half_units = rules->kinds[i].needed_half_units;
        out->lines[i].verified_half_units = -1;
    }
    count_uncapped(rules, period, credits, credit_count, out);
    count_handbook(rules, period, handbook, handbook_count, verified_only, out);
    count_web(rules, credits, credit_count, out);
    sum_up(rules, out);
}

void rules_standing(const struct rule_set *rules, struct period period,
                    struct rules_credit *credits, size_t credit_count,
                    const struct rules_handbook *handbook, size_t handbook_count,
                    struct standing *ret_standing)
{
    struct standing sure;

    /* Without what nobody verified; then the full count, whose marks on the credits stay. */
    count_all(rules, period, credits, credit_count, handbook, handbook_count, true, &sure);
    count_all(rules, period, credits, credit_count, handbook, handbook_count, false, ret_standing);
    ret_standing->depends_on_declared = ret_standing->eligible && !sure.eligible;
}

enum handbook_fault rules_handbook_check(const struct rule_set *rules, struct period period,
                                         const struct rules_handbook *line)
{
    if (rules_kind_index(rules, line->kind) < 0)
        return HANDBOOK_KIND;
    if (line->declared_half_units < 0 || line->declared_half_units % rules->step_half_units != 0)
        return HANDBOOK_HALF_UNITS;
    if (line->last_on == DAY_NONE || !inside(period, line->last_on) ||
        line->last_on > rules->handbook_until)
        return HANDBOOK_DATE;
    return HANDBOOK_FINE;
}

struct period rules_next_period(const struct rule_set *rules, struct period period)
{
    struct period next = {.from = period.to + 1};

    next.to = period_last(next.from, rules->validity_years);
    return next;
}

struct period rules_window(const struct rule_set *rules, struct period period)
{
    struct period window = {
        .from = day_add_months(period.to, -rules->opens_months_before),
        .to = day_add_months(period.to, rules->closes_months_after),
    };

    if (rules->late_from != DAY_NONE && period.to >= rules->late_from &&
        window.to < rules->late_until)
        window.to = rules->late_until;
    return window;
}

const struct rule_set *rules_for(const struct rule_set *sets, size_t count, struct str programme,
                                 day_t from)
{
    const struct rule_set *best = NULL;

    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(programme, sets[i].programme) && sets[i].periods_from <= from &&
            (best == NULL || sets[i].periods_from > best->periods_from))
            best = &sets[i];
    }
    return best;
}
