/*
 * mail_send: libcurl's multi interface on the loop. What matters is the moment after the final dot:
 * a connection lost there leaves it open whether the smart host took the message.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mail/mail.h"

enum { MAIL_CONNECT_MS = 10000 };

struct mail_sender {
    struct loop *loop;
    struct mail_options options;
    char *url;
    CURLM *multi;
    struct timer timer;
    unsigned active;
    struct mail_job *jobs;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct mail_job {
    struct mail_sender *sender;
    struct mail_job *next;
    CURL *easy;
    struct curl_slist *to;
    struct str wire;
    size_t sent;
    bool all_sent; /* the final dot is on its way */
    struct mail_result result;
    struct mail_result *ret_result;
    struct flow *flow;
};

static size_t give_bytes(char *out, size_t size, size_t count, void *arg)
{
    struct mail_job *job = arg;
    size_t left = job->wire.len - job->sent;
    size_t most = size * count < left ? size * count : left;

    memcpy(out, job->wire.data + job->sent, most);
    job->sent += most;
    if (most == 0)
        job->all_sent = true;
    return most;
}

/* Keeps the last answer line, printable, for the log and the mail's row. */
static size_t take_line(char *line, size_t size, size_t count, void *arg)
{
    struct mail_job *job = arg;
    size_t len = size * count;
    size_t used = 0;

    for (size_t i = 0; i < len && used < sizeof(job->result.text) - 1; i++) {
        if (line[i] >= ' ' && line[i] < 0x7f)
            job->result.text[used++] = line[i];
    }
    job->result.text[used] = '\0';
    return len;
}

static enum mail_verdict judge(const struct mail_job *job, CURLcode code, long smtp)
{
    if (code == CURLE_OK)
        return MAIL_DELIVERED;
    if (smtp >= 500 && smtp < 600)
        return MAIL_BOUNCED;
    if (smtp >= 400 && smtp < 500)
        return MAIL_DEFERRED;
    return job->all_sent ? MAIL_AMBIGUOUS : MAIL_DEFERRED;
}

static void job_unlink(struct mail_job *job)
{
    struct mail_job **at = &job->sender->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    job->sender->active--;
}

static void job_end(struct mail_job *job, CURLcode code)
{
    long smtp = 0;

    (void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &smtp);
    job->result.code = (int)smtp;
    job->result.verdict = judge(job, code, smtp);
    if (job->result.text[0] == '\0')
        (void)snprintf(job->result.text, sizeof(job->result.text), "%s", curl_easy_strerror(code));
    *job->ret_result = job->result;
    (void)curl_multi_remove_handle(job->sender->multi, job->easy);
    curl_easy_cleanup(job->easy);
    curl_slist_free_all(job->to);
    job_unlink(job);
    flow_resume(job->flow, ERR_OK);
    free(job);
}

static void take_finished(struct mail_sender *sender)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(sender->multi, &left)) != NULL) {
        struct mail_job *job;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        job_end(job, message->data.result);
    }
}

/* ---- libcurl's sockets and timer on the loop ---- */

struct mail_socket {
    struct mail_sender *sender;
    struct evfd *evfd;
    curl_socket_t fd;
};

static void on_socket(void *arg, int events)
{
    struct mail_socket *socket = arg;
    struct mail_sender *sender = socket->sender;
    int action = 0;
    int running;

    if ((events & EVFD_READ) != 0)
        action |= CURL_CSELECT_IN;
    if ((events & EVFD_WRITE) != 0)
        action |= CURL_CSELECT_OUT;
    if ((events & EVFD_ERROR) != 0)
        action |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(sender->multi, socket->fd, action, &running);
    take_finished(sender);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
    struct mail_sender *sender = arg;
    struct mail_socket *socket = mine;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL)
            evfd_close(socket->evfd);
        free(socket);
        return 0;
    }
    if (socket == NULL) {
        socket = heap_zero(sizeof(*socket));
        socket->sender = sender;
        socket->fd = fd;
        socket->evfd = evfd_open(sender->loop, fd, on_socket, socket);
        (void)curl_multi_assign(sender->multi, fd, socket);
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EVFD_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EVFD_WRITE;
    evfd_watch(socket->evfd, events);
    return 0;
}

static void on_timer(void *arg)
{
    struct mail_sender *sender = arg;
    int running;

    (void)curl_multi_socket_action(sender->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(sender);
}

static int set_timer(CURLM *multi, long delay_ms, void *arg)
{
    struct mail_sender *sender = arg;

    (void)multi;
    if (delay_ms < 0)
        timer_stop(&sender->timer);
    else
        timer_start(&sender->timer, delay_ms == 0 ? 1 : (uint64_t)delay_ms, 0);
    return 0;
}

/* ---- the public side ---- */

struct mail_sender *mail_open(struct loop *loop, const struct mail_options *options)
{
    struct mail_sender *sender = heap_zero(sizeof(*sender));
    size_t url_bytes = strlen(options->smart_host) + strlen(options->helo) + 2;

    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    sender->loop = loop;
    sender->options = *options;
    sender->url = heap_alloc(url_bytes);
    (void)snprintf(sender->url, url_bytes, "%s/%s", options->smart_host, options->helo);
    sender->multi = curl_multi_init();
    must(sender->multi != NULL);
    timer_open(&sender->timer, loop, on_timer, sender);
    (void)curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(sender->multi, CURLMOPT_SOCKETDATA, sender);
    (void)curl_multi_setopt(sender->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(sender->multi, CURLMOPT_TIMERDATA, sender);
    (void)curl_multi_setopt(sender->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                            (long)options->connections_max);
    return sender;
}

static void sender_closed(void *arg)
{
    struct mail_sender *sender = arg;
    void (*closed)(void *) = sender->closed;
    void *closed_arg = sender->closed_arg;

    free(sender->url);
    free(sender);
    if (closed != NULL)
        closed(closed_arg);
}

void mail_close(struct mail_sender *sender, void (*closed)(void *arg), void *arg)
{
    sender->closed = closed;
    sender->closed_arg = arg;
    while (sender->jobs != NULL)
        job_end(sender->jobs, CURLE_ABORTED_BY_CALLBACK);
    (void)curl_multi_cleanup(sender->multi);
    timer_close(&sender->timer, sender_closed);
}

static void job_configure(struct mail_job *job, const char *from, const char *to)
{
    const struct mail_options *options = &job->sender->options;
    CURL *easy = job->easy;

    job->to = curl_slist_append(NULL, to);
    must(job->to != NULL);
    (void)curl_easy_setopt(easy, CURLOPT_URL, job->sender->url);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, job->to);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, job);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)MAIL_CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL,
                           (long)(options->tls_required ? CURLUSESSL_ALL : CURLUSESSL_NONE));
}

void mail_send(struct mail_sender *sender, const char *from_address, const char *to_address,
               struct str wire, struct mail_result *ret_result, struct flow *flow)
{
    struct mail_job *job;

    if (sender->active >= sender->options.connections_max) {
        flow_fail(flow, ERR_BUSY, "%u messages are under way", sender->active);
        return;
    }
    job = heap_zero(sizeof(*job));
    job->sender = sender;
    job->wire = wire;
    job->ret_result = ret_result;
    job->flow = flow;
    job->easy = curl_easy_init();
    must(job->easy != NULL);
    job->next = sender->jobs;
    sender->jobs = job;
    sender->active++;
    job_configure(job, from_address, to_address);
    must(curl_multi_add_handle(sender->multi, job->easy) == CURLM_OK);
}
