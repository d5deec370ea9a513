/*
 * mail_send: messages under way. Two moments matter. Before the text a message waits, so that its
 * owner can write down that it may be out from now on. After the final dot a lost connection
 * leaves it open whether the smart host took the message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/mail_private.h"

static void job_free(struct mail_job *job)
{
    struct mail_job **at = &job->sender->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->sender->active--;
    free(job->from_address);
    free(job->to_address);
    free(job);
}

static void job_end(struct mail_job *job)
{
    job->link = NULL;
    *job->ret_result = job->result;
    if (job->flow == NULL)
        return; /* its owner will find it ended */
    flow_resume(job->flow, ERR_OK);
    job_free(job);
}

void mail_job_asked(struct mail_job *job)
{
    struct flow *flow = job->flow;

    job->flow = NULL;
    *job->ret_job = job;
    flow_resume(flow, ERR_OK);
}

void mail_job_answered(struct mail_job *job, int code)
{
    struct mail_result *result = &job->result;

    result->code = code;
    result->verdict = MAIL_DEFERRED;
    if (code < 400) {
        result->verdict = MAIL_DELIVERED;
    } else if (code >= 500 && job->stage >= MAIL_STAGE_MAIL) {
        /* Before MAIL the host means us, not the message: it may think better of it. */
        result->verdict = MAIL_BOUNCED;
        result->address_refused = job->stage == MAIL_STAGE_RCPT;
    }
    job_end(job);
}

void mail_job_lost(struct mail_job *job, const char *why)
{
    job->result.verdict = job->stage == MAIL_STAGE_DOT ? MAIL_AMBIGUOUS : MAIL_DEFERRED;
    (void)snprintf(job->result.text, sizeof(job->result.text), "%s", why);
    job_end(job);
}

void mail_job_heard(struct mail_job *job, struct str line)
{
    char *text = job->result.text;
    size_t used = 0;

    for (size_t i = 0; i < line.len && used < sizeof(job->result.text) - 1; i++) {
        if (line.data[i] >= ' ' && line.data[i] < 0x7f)
            text[used++] = line.data[i];
    }
    text[used] = '\0';
    job->result.reached = true;
}

void mail_begin(struct mail_sender *sender, const char *from_address, const char *to_address,
                struct str wire, struct mail_result *ret_result, struct mail_job **ret_job,
                struct flow *flow)
{
    struct mail_job *job;

    *ret_job = NULL;
    if (sender->aborted) {
        flow_fail(flow, ERR_STOPPING, "no more messages are taken");
        return;
    }
    if (sender->active >= sender->options.connections_max) {
        flow_fail(flow, ERR_BUSY, "%u messages are under way", sender->active);
        return;
    }
    job = heap_zero(sizeof(*job));
    job->sender = sender;
    job->from_address = heap_strdup(from_address);
    job->to_address = heap_strdup(to_address);
    job->wire = wire;
    job->ret_result = ret_result;
    job->ret_job = ret_job;
    job->flow = flow;
    job->next = sender->jobs;
    sender->jobs = job;
    sender->active++;
    mail_link_for(job);
}

void mail_text(struct mail_job *job, struct flow *flow)
{
    must(job->flow == NULL);
    job->flow = flow;
    if (job->link == NULL) { /* ended meanwhile */
        flow_resume(flow, ERR_OK);
        job_free(job);
        return;
    }
    mail_talk_text(job->link);
}

void mail_drop(struct mail_job *job)
{
    must(job->flow == NULL);
    if (job->link != NULL)
        mail_talk_lost(job->link, "given up before the text");
    job_free(job);
}

void mail_abort(struct mail_sender *sender)
{
    struct mail_link *next;

    sender->aborted = true;
    for (struct mail_link *link = sender->links; link != NULL; link = next) {
        next = link->next;
        mail_talk_lost(link, "stopped");
    }
}

/* ---- a sender's life ---- */

static void gone(void *arg)
{
    struct mail_sender *sender = arg;
    void (*closed)(void *) = sender->closed;
    void *closed_arg = sender->closed_arg;

    free(sender->url);
    free(sender);
    if (closed != NULL)
        closed(closed_arg);
}

struct mail_sender *mail_open(struct loop *loop, const struct mail_options *options)
{
    struct mail_sender *sender = heap_zero(sizeof(*sender));
    size_t url_bytes = strlen(options->smart_host) + strlen(options->helo) + 2;

    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    sender->loop = loop;
    sender->options = *options;
    sender->url = heap_alloc(url_bytes);
    (void)snprintf(sender->url, url_bytes, "%s/%s", options->smart_host, options->helo);
    timer_open(&sender->timer, loop, NULL, sender);
    return sender;
}

void mail_sender_maybe_closed(struct mail_sender *sender)
{
    if (!sender->closing || sender->links_closing > 0)
        return;
    sender->closing = false; /* once */
    timer_close(&sender->timer, gone);
}

void mail_close(struct mail_sender *sender, void (*closed)(void *arg), void *arg)
{
    sender->closed = closed;
    sender->closed_arg = arg;
    mail_abort(sender);
    must(sender->jobs == NULL); /* their owners have ended them before */
    sender->closing = true;
    mail_sender_maybe_closed(sender);
}
