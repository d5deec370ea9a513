/*
 * mail: builds messages with GMime and hands them to a smart host with libcurl on the loop.
 * Loop thread only.
 */
#pragma once
#include "flow/flow.h"

struct mail_message {
    const char *message_id; /* without <>; fixed for each occasion */
    const char *from_name;
    const char *from_address;
    const char *to_name;    /* "" for none */
    const char *to_address; /* checked by mail_address_ok() */
    const char *subject;    /* UTF-8; CR or LF are refused */
    const char *text;       /* UTF-8, LF line ends */
    int64_t date_us;
};

/* One address, allow-list grammar: local part of letters, digits and . _ % + - ; a dotted domain.
 */
bool mail_address_ok(struct str address);

/*
 * The message as it goes over the wire (CRLF). Lives in the arena.
 * Errors: ERR_MAIL_ADDRESS, ERR_MAIL_HEADER.
 */
CHECKED enum err mail_build(struct arena *arena, const struct mail_message *message,
                            struct str *ret_wire, struct err_note *note);

struct mail_sender;
struct mail_job; /* a message under way */

struct mail_options {
    const char *smart_host; /* "smtp://127.0.0.1:2525", "smtps://..." */
    const char *helo;
    unsigned connections_max;
    uint32_t timeout_ms; /* for the whole message; the final dot alone may take 600000 */
    bool tls_required;   /* false only for loopback */
};

enum mail_verdict {
    MAIL_DELIVERED, /* 250 after the dot */
    MAIL_DEFERRED,  /* 4xx, a host that refuses everybody, no connection: nothing was accepted */
    MAIL_BOUNCED,   /* 5xx for this message */
    MAIL_AMBIGUOUS, /* lost between the final dot and the answer */
};

struct mail_result {
    enum mail_verdict verdict;
    int code;             /* of the answer that the verdict rests on, 0 for none */
    bool reached;         /* the smart host said something */
    bool address_refused; /* bounced for the recipient's address, not for the text */
    char text[200];       /* last line of that answer, or what went wrong; printable */
};

/* The options are copied, their texts borrowed. */
struct mail_sender *mail_open(struct loop *loop, const struct mail_options *options);
/* Ends what is under way, then closes. `closed` from the loop. */
void mail_close(struct mail_sender *sender, void (*closed)(void *arg), void *arg);

/*
 * Begin to hand over a message, up to the smart host's leave to send the text. When it resumes
 * `flow` with ERR_OK, either `*ret_job` waits for mail_text() or mail_drop(), and nothing of the
 * text has left; or it is NULL and `*ret_result` says how it ended.
 *
 * Memory: borrows `wire`, `ret_job` and `ret_result` until the end.
 * Errors: ERR_BUSY (`connections_max` messages are under way), ERR_STOPPING (after mail_abort()).
 */
void mail_begin(struct mail_sender *sender, const char *from_address, const char *to_address,
                struct str wire, struct mail_result *ret_result, struct mail_job **ret_job,
                struct flow *flow);
/* Send the text. Resumes with ERR_OK; `*ret_result` is filled and the job gone. */
void mail_text(struct mail_job *job, struct flow *flow);
/* Give it up instead: deferred, `*ret_result` is filled. Nothing resumes. */
void mail_drop(struct mail_job *job);
/* End now what is under way, deferred or, after the final dot, ambiguous. Takes no more. */
void mail_abort(struct mail_sender *sender);
