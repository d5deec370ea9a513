/*
 * mail_talk: MAIL, RCPT, DATA, the text, its dot, each after the answer to the one before. Whatever
 * else a host says ends the connection.
 */
#include "mail/mail_private.h"

void mail_talk_lost(struct mail_link *link, const char *why)
{
    struct mail_job *job = link->job;
    bool said_nothing = link->used && job != NULL && job->stage == MAIL_STAGE_MAIL;

    link->job = NULL;
    mail_link_close(link);
    if (job == NULL)
        return;
    if (said_nothing && !job->sender->aborted)
        mail_link_for(job); /* it had gone before we came back to it */
    else
        mail_job_lost(job, why);
}

/* ---- out ---- */

static void flush(struct mail_link *link)
{
    while (link->out_sent < link->out.len) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(link->easy, link->out.data + link->out_sent,
                                       link->out.len - link->out_sent, &sent);

        if (code == CURLE_AGAIN) {
            evfd_watch(link->evfd, EVFD_READ | EVFD_WRITE);
            return;
        }
        if (code != CURLE_OK) {
            mail_talk_lost(link, curl_easy_strerror(code));
            return;
        }
        link->out_sent += sent;
    }
    if (link->job != NULL && link->job->stage == MAIL_STAGE_TEXT && link->expecting)
        link->job->stage = MAIL_STAGE_DOT; /* from here on it may be out */
    evfd_watch(link->evfd, EVFD_READ);
}

static void expect_answer(struct mail_link *link)
{
    link->expecting = true;
    link->answer = (struct mail_answer){0};
    link->out_sent = 0;
    flush(link);
}

static void command(struct mail_link *link, enum mail_stage stage, const char *words,
                    const char *address)
{
    link->job->stage = stage;
    buf_clear(&link->out);
    buf_printf(&link->out, address == NULL ? "%s%s\r\n" : "%s<%s>\r\n", words,
               address == NULL ? "" : address);
    expect_answer(link);
}

void mail_talk_begin(struct mail_link *link)
{
    timer_start(&link->timer, link->sender->options.timeout_ms, 0);
    command(link, MAIL_STAGE_MAIL, "MAIL FROM:", link->job->from_address);
}

void mail_talk_text(struct mail_link *link)
{
    struct str rest = link->job->wire;
    struct str line;

    buf_clear(&link->out);
    while (str_cut(&rest, '\n', &line)) {
        bool last = rest.data == NULL;

        if (last && line.len == 0)
            break;
        if (line.len > 0 && line.data[0] == '.')
            buf_add_char(&link->out, '.');
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        buf_add_str(&link->out, line);
        buf_add_c(&link->out, "\r\n");
    }
    buf_add_c(&link->out, ".\r\n");
    expect_answer(link);
}

/* ---- in ---- */

static void end_with(struct mail_link *link, int code)
{
    struct mail_job *job = link->job;

    link->job = NULL;
    link->used = true;
    buf_free(&link->out);
    link->out_sent = 0;
    if (job->stage == MAIL_STAGE_DOT && code < 300)
        timer_start(&link->timer, MAIL_IDLE_MS, 0);
    else
        mail_link_close(link); /* its transaction is in some state */
    mail_job_answered(job, code);
}

/* A whole answer has come; `more` follows it that nobody asked for yet. */
static void go_on(struct mail_link *link, int code, bool more)
{
    static const int wanted[] = {
        [MAIL_STAGE_HELLO] = 2, [MAIL_STAGE_MAIL] = 2, [MAIL_STAGE_RCPT] = 2,
        [MAIL_STAGE_DATA] = 3,  [MAIL_STAGE_TEXT] = 0, [MAIL_STAGE_DOT] = 2,
    };
    struct mail_job *job = link->job;

    link->expecting = false;
    if (code >= 400 || (job->stage == MAIL_STAGE_DOT && code / 100 == 2)) {
        end_with(link, code);
        return;
    }
    if (code / 100 != wanted[job->stage] || more) {
        mail_talk_lost(link, "an answer out of place");
        return;
    }
    switch (job->stage) {
    case MAIL_STAGE_MAIL:
        command(link, MAIL_STAGE_RCPT, "RCPT TO:", job->to_address);
        return;
    case MAIL_STAGE_RCPT:
        command(link, MAIL_STAGE_DATA, "DATA", NULL);
        return;
    case MAIL_STAGE_DATA:
        job->stage = MAIL_STAGE_TEXT;
        mail_job_asked(job);
        return;
    case MAIL_STAGE_HELLO:
    case MAIL_STAGE_TEXT:
    case MAIL_STAGE_DOT:
        break;
    }
    must(false);
}

static void take_bytes(struct mail_link *link, struct str bytes)
{
    while (!link->closing) {
        struct str line;
        int code;
        enum mail_answer_state state = mail_answer_take(&link->answer, &bytes, &line, &code);

        if (state == MAIL_ANSWER_MORE)
            return;
        if (state == MAIL_ANSWER_BAD || !link->expecting) {
            mail_talk_lost(link, "not an answer of SMTP");
            return;
        }
        mail_job_heard(link->job, line);
        if (state == MAIL_ANSWER_LAST)
            go_on(link, code, bytes.len > 0);
    }
}

static void read_all(struct mail_link *link)
{
    while (!link->closing) {
        char bytes[4096];
        size_t got = 0;
        CURLcode code = curl_easy_recv(link->easy, bytes, sizeof(bytes), &got);

        if (code == CURLE_AGAIN)
            return;
        if (code != CURLE_OK || got == 0) {
            mail_talk_lost(link, code == CURLE_OK ? "the connection was closed"
                                                  : curl_easy_strerror(code));
            return;
        }
        take_bytes(link, (struct str){bytes, got});
    }
}

void mail_talk_on_socket(void *arg, int events)
{
    struct mail_link *link = arg;

    if ((events & EVFD_WRITE) != 0)
        flush(link);
    if ((events & (EVFD_READ | EVFD_ERROR)) != 0 && !link->closing)
        read_all(link);
}
