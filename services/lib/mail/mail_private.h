/*
 * mail_private: what the files of lib/mail share. Nobody else includes it.
 *
 *   mail_build.c  a message's bytes
 *   mail_send.c   messages under way, and what their end means
 *   mail_answer.c what a server answers
 *   mail_talk.c   the SMTP dialogue of one message on a connection
 *   mail_link.c   connections: libcurl brings them up to where MAIL may be said (address, TCP,
 *                 TLS, greeting, EHLO), then they are ours, for one message after another
 *
 * libcurl could do the dialogue too, but waits for the answer to the final dot and to QUIT in the
 * middle of the loop, and ends a message that is taken away from it with a final dot.
 */
#pragma once
#include <curl/curl.h>

#include "mail/mail.h"
#include "mail/mail_answer.h"

enum {
    MAIL_CONNECT_MS = 30000, /* until the host is ready for MAIL */
    MAIL_IDLE_MS = 15000,    /* then a connection without work is closed */
};

/* How far a message has come: what was said last. */
enum mail_stage {
    MAIL_STAGE_HELLO,
    MAIL_STAGE_MAIL,
    MAIL_STAGE_RCPT,
    MAIL_STAGE_DATA,
    MAIL_STAGE_TEXT, /* the host waits for it, or some of it is on its way */
    MAIL_STAGE_DOT,
};

struct mail_link {
    struct mail_sender *sender;
    struct mail_link *next;
    CURLM *multi; /* one for each connection, so that they have nothing to do with each other */
    CURL *easy;
    int fd; /* -1 while libcurl has it */
    struct evfd *evfd;
    struct timer timer;   /* libcurl's, then the deadline of what goes on */
    struct mail_job *job; /* NULL: idle */
    bool closing;
    bool used;      /* a message went over it before */
    bool expecting; /* an answer */
    struct buf out;
    size_t out_sent;
    struct mail_answer answer;
};

struct mail_sender {
    struct loop *loop;
    struct mail_options options;
    char *url;
    struct mail_link *links;
    unsigned links_closing;
    unsigned active;
    bool aborted;
    struct mail_job *jobs;
    bool closing;
    struct timer timer; /* closing: `closed` is called from the loop */
    void (*closed)(void *arg);
    void *closed_arg;
};

struct mail_job {
    struct mail_sender *sender;
    struct mail_job *next;
    struct mail_link *link; /* NULL: ended, and its owner has not taken note yet */
    enum mail_stage stage;
    char *from_address, *to_address;
    struct str wire;
    struct mail_result result;
    struct mail_result *ret_result;
    struct mail_job **ret_job;
    struct flow *flow; /* NULL while the message waits for its owner */
};

/* ---- mail_send.c ---- */

/* The host waits for the text: up to the owner now. */
void mail_job_asked(struct mail_job *job);
/* It ended with an answer to what was said last, or without one (`why` in words). */
void mail_job_answered(struct mail_job *job, int code);
void mail_job_lost(struct mail_job *job, const char *why);
/* Keep a line of the host's, printable. */
void mail_job_heard(struct mail_job *job, struct str line);
void mail_sender_maybe_closed(struct mail_sender *sender);

/* ---- mail_talk.c ---- */

/* The connection is ready: begin with MAIL. */
void mail_talk_begin(struct mail_link *link);
/* Send the text and the dot. */
void mail_talk_text(struct mail_link *link);
/* It is over, whatever was under way: the job is told, then the connection closed. */
void mail_talk_lost(struct mail_link *link, const char *why);
void mail_talk_on_socket(void *arg, int events);

/* ---- mail_link.c ---- */

/* Give `job` an idle connection or a new one. */
void mail_link_for(struct mail_job *job);
void mail_link_close(struct mail_link *link);
