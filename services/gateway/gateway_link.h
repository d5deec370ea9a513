/*
 * gateway_link: links in mails. The row holds the id only; the secret is computed from it, so
 * events carry no secret either. A link is used up by a POST of the page it opens, never by a GET.
 */
#pragma once
#include "gateway/gateway_call.h"

#define LINK_EMAIL_CONFIRM "email_confirm"
#define LINK_PASSWORD_RESET "password_reset"
#define LINK_SIGNUP_CONFIRM "signup_confirm"
#define LINK_FIRST_LOGIN "first_login"
#define LINK_DELEGATE_INVITE "delegate_invite"
/* Of the mail about failed sign-ins: as a reset, so a stranger's guesses keep nobody out. */
#define LINK_GET_IN "get_in"

struct link_new {
    struct uuid link_id; /* all zero: a new one is made */
    const char *purpose;
    struct uuid account_id;
    struct str email;
    uint32_t good_s;
    struct str name, from_name; /* of an invitation: whom, and by whom; may be STR_NONE */
};

/* Adds the row and the event that makes notification send it. */
void link_issue(struct call *call, struct db_batch *batch, const struct link_new *link);

/* The row alone, for a link that a worker mails when it has agreed. */
void link_row_add(struct call *call, struct db_batch *batch, const struct link_new *link,
                  struct uuid link_id);
/* Uses the link up; whoever comes second changes nothing at all. */
void link_burn(struct call *call, struct db_batch *batch, struct uuid link_id);

/* Of a link that was found good. `login_id` is empty when the person has no password yet. */
struct link_found {
    struct uuid link_id, account_id;
    struct str login_id, name, email;
    struct str password; /* as given; data NULL: none */
};
/* A doctor's delegate accepts: the rest of the call. Takes over its flow. */
void delegate_accept(struct call *call, const struct link_found *found);

/*
 * Sign-in failed often for this account: its owner is mailed a link to get in, at most one a day.
 * Goes on at `next`; call link_get_in_send() there.
 */
void link_get_in_find(struct call *call, struct uuid account_id, int next);
/* False when no mail is due. Goes on at `next` otherwise. */
bool link_get_in_send(struct call *call, struct uuid account_id, int next);

/* So many links of one account in an hour: nobody's mailbox is to be filled. */
enum { LINKS_PER_HOUR_MAX = 10, LINKS_RETRY_S = 600 };

/* Adds the question how many were issued in the last hour; column 0. */
struct db_query *link_count(struct call *call, struct db_batch *batch, const char *purpose);

/* ---- parts, for those who do more with a link than POST /links ---- */

/* A link whose mail somebody else orders: its row alone, which nobody can use before. */
struct link_row {
    struct uuid link_id;
    struct link_new link;
    int64_t expires_us;
};
void link_row_init(struct call *call, struct link_row *row, const char *purpose,
                   struct uuid account_id, struct str email, uint32_t good_s);

/* A link as it was given. Texts live as long as the query. */
struct link_seen {
    struct uuid link_id, account_id;
    struct str text, purpose;
    struct db_query *query;
};
/* Adds the question for it. False: it is none of ours. */
bool link_see(struct call *call, struct db_batch *batch, struct str text,
              struct link_seen *ret_seen);
/* After a good run: CODE_NONE, or why it cannot be used. */
enum code link_judge(struct call *call, struct link_seen *seen);

/*
 * gateway_first_link.c: the link of an accepted sign-up signs in for first login, like a postcard:
 * as often as it takes, until that is over. Takes over the call's flow.
 */
void first_link_use(struct call *call, struct uuid account_id);
/* First login is over: its links are worth nothing from here on. */
void first_link_end(struct db_batch *batch, struct uuid account_id, int64_t now_us);
