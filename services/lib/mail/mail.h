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

struct mail_options {
    const char *smart_host; /* "smtp://127.0.0.1:2525", "smtps://..." */
    const char *helo;
    unsigned connections_max;
    uint32_t timeout_ms; /* for the final dot: 600000 */
    bool tls_required;   /* false only for loopback */
};

enum mail_verdict {
    MAIL_DELIVERED, /* 250 after the dot */
    MAIL_DEFERRED,  /* 4xx, or no connection: nothing was accepted */
    MAIL_BOUNCED,   /* 5xx */
    MAIL_AMBIGUOUS, /* lost between the final dot and the answer */
};

struct mail_result {
    enum mail_verdict verdict;
    int code;       /* SMTP code, 0 for none */
    char text[200]; /* the answer's first line, printable */
};

struct mail_sender *mail_open(struct loop *loop, const struct mail_options *options);
void mail_close(struct mail_sender *sender, void (*closed)(void *arg), void *arg);
/* Resumes with ERR_OK and a verdict; ERR_BUSY when `connections_max` messages are under way. */
void mail_send(struct mail_sender *sender, const char *from_address, const char *to_address,
               struct str wire, struct mail_result *ret_result, struct flow *flow);
