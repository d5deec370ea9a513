/* notification_rules: what becomes of a mail after an attempt. Decides only. */
#include "notification/notification_queue.h"

enum { RULES_RETRY_MAX_S = 4 * 3600, RULES_GIVE_UP_S = 5 * CLOCK_DAY_S };

static int64_t backoff_us(int32_t attempts)
{
    int64_t wait_s = notification_settings.mail_retry_s;

    for (int32_t i = 1; i < attempts && wait_s < RULES_RETRY_MAX_S; i++)
        wait_s *= 2;
    return (wait_s < RULES_RETRY_MAX_S ? wait_s : RULES_RETRY_MAX_S) * CLOCK_SECOND_US;
}

static struct mail_outcome final(const struct due_mail *mail, const char *state, int64_t now_us)
{
    return (struct mail_outcome){
        .state = state, .ambiguous = mail->ambiguous, .counted = true, .next_try_us = now_us};
}

/* Not the mail's fault: it goes to the end of those that are due. */
static struct mail_outcome at_once(const struct due_mail *mail, int64_t now_us)
{
    return (struct mail_outcome){
        .state = "ready", .ambiguous = mail->ambiguous, .next_try_us = now_us};
}

static struct mail_outcome later(const struct due_mail *mail, int64_t now_us)
{
    bool too_old = now_us - mail->created_us > RULES_GIVE_UP_S * CLOCK_SECOND_US;
    struct mail_outcome outcome = final(mail, too_old ? "expired" : "deferred", now_us);

    outcome.next_try_us += backoff_us(mail->attempts);
    return outcome;
}

/* Once more with the same Message-ID, never a third time. */
static struct mail_outcome unanswered(const struct due_mail *mail, int64_t now_us)
{
    struct mail_outcome outcome =
        mail->ambiguous ? final(mail, "expired", now_us) : later(mail, now_us);

    outcome.ambiguous = true;
    return outcome;
}

struct mail_outcome notification_rules_outcome(const struct due_mail *mail, enum err err,
                                               const struct mail_result *result, bool closing,
                                               int64_t now_us)
{
    if (err == ERR_BUSY || err == ERR_STOPPING)
        return at_once(mail, now_us);
    if (err != ERR_OK) /* no address, or one that is none: it will not get better */
        return final(mail, "suppressed", now_us);
    switch (result->verdict) {
    case MAIL_DELIVERED:
        return final(mail, "delivered", now_us);
    case MAIL_BOUNCED:
        return final(mail, "bounced", now_us);
    case MAIL_AMBIGUOUS:
        return unanswered(mail, now_us);
    case MAIL_DEFERRED:
        if (!result->reached || (closing && result->code == 0))
            return at_once(mail, now_us);
        return later(mail, now_us);
    }
    must(false);
    return (struct mail_outcome){0};
}
