/* registration_maintenance_rules: see there. */
#include "registration/registration_maintenance_rules.h"

static void refuse(struct maintenance_verdict *verdict, enum code code, const char *pointer)
{
    *verdict = (struct maintenance_verdict){.refusal = code, .pointer = pointer};
}

static bool over(const struct maintenance *known, int64_t now_us)
{
    return known->called_off || known->ends_us <= now_us;
}

static bool same(const struct maintenance *left, const struct maintenance *right)
{
    return left->starts_us == right->starts_us && left->ends_us == right->ends_us &&
           str_eq(left->note, right->note) && str_eq(left->note_en, right->note_en);
}

static bool overlaps(const struct maintenance *wanted, const struct maintenance *others,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!others[i].called_off && !uuid_eq(others[i].window_id, wanted->window_id) &&
            others[i].starts_us < wanted->ends_us && wanted->starts_us < others[i].ends_us)
            return true;
    }
    return false;
}

/* CODE_NONE when these times are possible now. */
static enum code check_times(const struct maintenance *known, const struct maintenance *wanted,
                             int64_t now_us, const char **ret_pointer)
{
    bool running = known->version > 0 && known->starts_us <= now_us;

    *ret_pointer = "/starts_at";
    if (known->version > 0 && over(known, now_us))
        return CODE_MAINTENANCE_PAST;
    if (running ? wanted->starts_us != known->starts_us
                : wanted->starts_us < now_us - MAINTENANCE_LATE_S * CLOCK_SECOND_US)
        return CODE_MAINTENANCE_PAST;
    *ret_pointer = "/ends_at";
    if (wanted->ends_us <= wanted->starts_us ||
        wanted->ends_us - wanted->starts_us >
            MAINTENANCE_DAYS_MAX * (int64_t)CLOCK_DAY_S * CLOCK_SECOND_US)
        return CODE_MAINTENANCE_LENGTH;
    return wanted->ends_us <= now_us ? CODE_MAINTENANCE_PAST : CODE_NONE;
}

static int64_t whole_second(int64_t at_us)
{
    return at_us - at_us % CLOCK_SECOND_US;
}

void maintenance_rules_plan(struct maintenance *known, const struct maintenance *wanted,
                            const struct maintenance *others, size_t count, int64_t now_us,
                            struct maintenance_verdict *ret_verdict)
{
    struct maintenance asked = *wanted;
    const char *pointer;
    enum code code;

    asked.starts_us = whole_second(wanted->starts_us);
    asked.ends_us = whole_second(wanted->ends_us);
    *ret_verdict = (struct maintenance_verdict){.refusal = CODE_NONE};
    if (known->version > 0 && same(known, &asked)) /* the same once more */
        return;
    code = check_times(known, &asked, now_us, &pointer);
    if (code == CODE_NONE && overlaps(&asked, others, count)) {
        pointer = "/starts_at";
        code = CODE_MAINTENANCE_OVERLAP;
    }
    if (code != CODE_NONE) {
        refuse(ret_verdict, code, pointer);
        return;
    }
    known->starts_us = asked.starts_us;
    known->ends_us = asked.ends_us;
    known->note = asked.note;
    known->note_en = asked.note_en;
    ret_verdict->changed = true;
}

void maintenance_rules_end(struct maintenance *known, int64_t now_us,
                           struct maintenance_verdict *ret_verdict)
{
    *ret_verdict = (struct maintenance_verdict){.refusal = CODE_NONE};
    if (over(known, now_us))
        return;
    if (known->starts_us < now_us)
        known->ends_us = now_us;
    else
        known->called_off = true;
    ret_verdict->changed = true;
}
