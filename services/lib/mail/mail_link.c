/*
 * mail_link: a connection to the smart host. libcurl makes it (CURLOPT_CONNECT_ONLY) with its own
 * sockets and timers on our loop.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "mail/mail_private.h"

/* ---- libcurl's sockets and timer, while it connects ---- */

struct mail_watch {
    struct mail_link *link;
    struct evfd *evfd;
    curl_socket_t fd;
};

static size_t take_line(char *line, size_t size, size_t count, void *arg)
{
    struct mail_link *link = arg;

    if (link->job != NULL)
        mail_job_heard(link->job, (struct str){line, size * count});
    return size * count;
}

static void connected(struct mail_link *link, CURLcode code)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    long smtp = 0;

    timer_stop(&link->timer);
    if (code == CURLE_OK)
        (void)curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd != CURL_SOCKET_BAD) {
        link->fd = fd;
        link->evfd = evfd_open(link->sender->loop, fd, mail_talk_on_socket, link);
        mail_talk_begin(link);
        return;
    }
    (void)curl_easy_getinfo(link->easy, CURLINFO_RESPONSE_CODE, &smtp);
    if (smtp >= 400 && smtp < 600) {
        struct mail_job *job = link->job;

        link->job = NULL;
        mail_job_answered(job, (int)smtp);
        mail_link_close(link);
        return;
    }
    mail_talk_lost(link, curl_easy_strerror(code));
}

static void take_finished(struct mail_link *link)
{
    CURLMsg *message = NULL;
    int left;

    if (link->fd < 0 && !link->closing)
        message = curl_multi_info_read(link->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE)
        connected(link, message->data.result);
}

static void on_connect_socket(void *arg, int events)
{
    struct mail_watch *watch = arg;
    struct mail_link *link = watch->link;
    int action = 0;
    int running;

    if ((events & EVFD_READ) != 0)
        action |= CURL_CSELECT_IN;
    if ((events & EVFD_WRITE) != 0)
        action |= CURL_CSELECT_OUT;
    if ((events & EVFD_ERROR) != 0)
        action |= CURL_CSELECT_ERR;
    (void)curl_multi_socket_action(link->multi, watch->fd, action, &running); /* may free it */
    take_finished(link);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
    struct mail_link *link = arg;
    struct mail_watch *watch = mine;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            evfd_close(watch->evfd);
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = heap_zero(sizeof(*watch));
        watch->link = link;
        watch->fd = fd;
        watch->evfd = evfd_open(link->sender->loop, fd, on_connect_socket, watch);
        (void)curl_multi_assign(link->multi, fd, watch);
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EVFD_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EVFD_WRITE;
    evfd_watch(watch->evfd, events);
    return 0;
}

static int set_timer(CURLM *multi, long delay_ms, void *arg)
{
    struct mail_link *link = arg;

    (void)multi;
    if (link->fd >= 0 || link->closing)
        return 0;
    if (delay_ms < 0)
        timer_stop(&link->timer);
    else
        timer_start(&link->timer, (uint64_t)delay_ms, 0);
    return 0;
}

static void on_timer(void *arg)
{
    struct mail_link *link = arg;
    int running;

    if (link->fd >= 0) {
        mail_talk_lost(link, "no answer in time");
        return;
    }
    (void)curl_multi_socket_action(link->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(link);
}

/* ---- life ---- */

static void configure(struct mail_link *link)
{
    const struct mail_options *options = &link->sender->options;
    CURL *easy = link->easy;

    (void)curl_multi_setopt(link->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(link->multi, CURLMOPT_SOCKETDATA, link);
    (void)curl_multi_setopt(link->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(link->multi, CURLMOPT_TIMERDATA, link);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_URL, link->sender->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor one from the environment */
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a resolver's thread */
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)MAIL_CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, link);
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL,
                           (long)(options->tls_required ? CURLUSESSL_ALL : CURLUSESSL_NONE));
}

static void link_new(struct mail_job *job)
{
    struct mail_sender *sender = job->sender;
    struct mail_link *link = heap_zero(sizeof(*link));

    link->sender = sender;
    link->fd = -1;
    link->job = job;
    job->link = link;
    link->next = sender->links;
    sender->links = link;
    timer_open(&link->timer, sender->loop, on_timer, link);
    link->multi = curl_multi_init();
    link->easy = curl_easy_init();
    must(link->multi != NULL && link->easy != NULL);
    configure(link);
    must(curl_multi_add_handle(link->multi, link->easy) == CURLM_OK);
}

void mail_link_for(struct mail_job *job)
{
    for (struct mail_link *link = job->sender->links; link != NULL; link = link->next) {
        if (link->job != NULL)
            continue;
        link->job = job;
        job->link = link;
        mail_talk_begin(link);
        return;
    }
    link_new(job);
}

static void timer_closed(void *arg)
{
    struct mail_link *link = arg;
    struct mail_sender *sender = link->sender;

    buf_free(&link->out);
    free(link);
    sender->links_closing--;
    mail_sender_maybe_closed(sender);
}

void mail_link_close(struct mail_link *link)
{
    struct mail_link **at = &link->sender->links;

    must(!link->closing && link->job == NULL);
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    link->closing = true;
    link->sender->links_closing++;
    if (link->fd >= 0) {
        size_t sent;

        evfd_close(link->evfd);
        if (link->out.len == 0) /* nothing is under way; nobody waits for the answer */
            (void)curl_easy_send(link->easy, "QUIT\r\n", 6, &sent);
        (void)shutdown(link->fd, SHUT_RDWR);
    }
    (void)curl_multi_remove_handle(link->multi, link->easy);
    curl_easy_cleanup(link->easy);
    (void)curl_multi_cleanup(link->multi);
    timer_close(&link->timer, timer_closed);
}
