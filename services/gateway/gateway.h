/*
 * gateway: what the files of this process share.
 *
 * One request is one call (gateway_call.h): a flow that first finds out who asks, then goes through
 * the steps of its endpoint. Endpoints are functions named after the operations of openapi.yaml;
 * one that is missing does not link.
 */
#pragma once
#include "fees/fees.h"
#include "gen/access.h"
#include "gen/routes.h"
#include "http/http.h"
#include "proc/proc.h"
#include "retention/retention.h"
#include "scan/scan.h"
#include "secret/secret.h"

struct gateway_settings {
#define SETTING(name, type, fallback, least, most, unit, flags, help) SETTING_FIELD_##type name;
#include "gateway/gateway_settings.def"
#undef SETTING
};

enum {
    GATEWAY_SETTING_COUNT = 0
#define SETTING(name, type, fallback, least, most, unit, flags, help) +1
#include "gateway/gateway_settings.def"
#undef SETTING
    ,
    GATEWAY_READ_MS = 5000,
    GATEWAY_WRITE_MS = 10000,
    GATEWAY_LIST_MAX = 16, /* entries of a setting that is a list */
};

extern struct gateway_settings gateway_settings;
extern const struct setting gateway_setting_table[GATEWAY_SETTING_COUNT];

struct files;
struct maintenance;
struct place;
struct places;
struct queue;
struct replies;
struct watchers;
struct sweep;
struct throttle;

struct gateway {
    struct proc *proc;
    struct loop *loop;
    struct db_pool *db;
    struct cache *cache;
    struct bus *bus;
    struct work *work;
    struct pool *hashes; /* threads that hash passwords */
    struct pool *papers; /* threads that draw transcripts */
    struct scan *scan;   /* looks at papers that come in; NULL: nobody does */
    struct http_server *http;
    struct maintenance *maintenance; /* the calendar */
    const struct gateway_settings *settings;
    struct secret_key pepper, temp_key, link_key, factor_key;
    bool factor_required;                    /* of everybody but doctors */
    const char *cookie;                      /* name of the session cookie */
    bool secure;                             /* public_url is https */
    const char *rp_id;                       /* host that passkeys are made for */
    const char *hosts[GATEWAY_LIST_MAX + 1]; /* that of public_url and others, NULL at the end */
    const char *proxies[GATEWAY_LIST_MAX + 1];
    struct str kind_names[2];    /* JSON object: name of each kind by its code; [1]: English */
    struct str notices;          /* JSON list */
    struct buf passwords;        /* that leaked; see gateway_password.h */
    struct files *files;         /* the portal's pages */
    struct replies *replies;     /* requests that wait for the answer to a command */
    struct watchers *watchers;   /* streams of upload progress and of My Page */
    struct place *place_list;    /* files that come in now */
    struct places *places;       /* keeps their rows; NULL at the end */
    struct retention *retention; /* what is kept how long */
    struct fee_book fees;        /* what members pay a year */
    struct sweep *sweep;         /* tidies up now and then */
    struct queue *queue;         /* in front of signing in */
    struct throttle *guesses;    /* secrets that are compared now or soon, as they came */
    unsigned entering;           /* who may sign in and has not come to the hash threads yet */
    unsigned licences_open;      /* copies of licences that come in now */
    unsigned closing;            /* parts whose close callback is still to come */
    bool stopping;
    bool marks_owed; /* sessions ended that Redis may still call good: it is not asked meanwhile */
    struct gateway_figures {
        uint64_t calls, refused, failed;
        uint64_t session_cached, session_read;
        uint64_t sign_ins, sign_ins_failed, sign_ins_throttled, queued;
        uint64_t commands, commands_late;
        uint64_t uploads, upload_bytes;
        uint64_t transcripts, transcript_checks;
        struct metric_histogram command; /* accepted to answered */
    } figures;
};

/* ---- gateway_start.c ---- */

enum err gateway_start(struct proc *proc, void *state, struct err_note *note);
void gateway_stop(struct proc *proc, void *state);
bool gateway_ready(struct proc *proc, void *state, struct err_note *why);
void gateway_metrics(struct proc *proc, void *state, struct buf *out);

/* ---- gateway_call.c ---- */

/* See proc_service.routes: the very table that http_open() was given. */
void gateway_routes(struct buf *out);

/* ---- gateway_files.c: pages and scripts, loaded at start ---- */

/* Errors: ERR_SETTINGS with the place in `note`. `dir` empty: nothing is served. */
CHECKED enum err files_load(const char *dir, struct files **ret_files, struct err_note *note);
void files_free(struct files *files);
/* Headers of every page. */
void files_set_security(struct gateway *gateway, struct http_request *request);
/* Answers everything that is no route: see http_set_fallback(). */
void files_answer(void *gateway, struct http_request *request);

/* ---- gateway_replies.c: answers to commands that this instance waits for ---- */

struct replies *replies_open(struct gateway *gateway);
/* Flows that wait go on with ERR_TIMEOUT. */
void replies_close(struct replies *replies, void (*closed)(void *arg), void *arg);

/* A place to wait; embedded in the one who waits. */
struct reply_wait {
    struct reply_wait *next;
    struct uuid operation_id;
    uint64_t until_ms; /* monotonic */
    struct flow *flow; /* NULL: nobody waits yet, an early answer is kept */
    bool come;
    bool done;      /* status done, not failed */
    json_t *result; /* owned by the arena of the one who waits; NULL for none */
    json_t *problem;
    struct arena *arena;
};
/* Expect an answer from now on, before the command is sent. */
void reply_expect(struct replies *replies, struct reply_wait *wait);
/* Resume `flow` when the answer is there (wait->come) or the time is over, always with ERR_OK. */
void reply_await(struct replies *replies, struct reply_wait *wait, struct flow *flow);
/* Stop expecting; harmless when it has come. */
void reply_forget(struct replies *replies, struct reply_wait *wait);
unsigned replies_waiting(const struct replies *replies);

/* ---- gateway_sweep.c: what is out of date goes; sessions that ended leave Redis ---- */

/* Whether retention.json says how long each table is kept. Errors: ERR_SETTINGS. */
CHECKED enum err sweep_check(const struct gateway *gateway, struct err_note *note);
struct sweep *sweep_open(struct gateway *gateway);
void sweep_close(struct sweep *sweep, void (*closed)(void *arg), void *arg);
/* Sessions ended just now: tell Redis soon. */
void sweep_soon(struct sweep *sweep);

/* ---- gateway_place.c: what each organiser may have under way; see gateway_place.h ---- */

struct places *places_open(struct gateway *gateway);
void places_close(struct places *places, void (*closed)(void *arg), void *arg);

/* ---- gateway_queue.c: who waits to sign in; see gateway_queue.h ---- */

struct queue *queue_open(struct gateway *gateway);
void queue_close(struct queue *queue, void (*closed)(void *arg), void *arg);
/* How many wait for their turn, as far as this gateway knows. */
int64_t queue_waiting(const struct queue *queue);

/* ---- gateway_maintenance.c: when users may not use the system; see gateway_maintenance.h ---- */

struct maintenance *maintenance_open(struct gateway *gateway);
void maintenance_close(struct maintenance *maintenance, void (*closed)(void *arg), void *arg);

/* ---- gateway_watch.c: streams that say what changed ---- */

enum watch_kind { WATCH_UPLOAD, WATCH_DOCTOR, WATCH_KINDS };

struct watchers *watchers_open(struct gateway *gateway);
/* End every stream; clients come back and resume elsewhere. */
void watchers_end(struct watchers *watchers);
void watchers_close(struct watchers *watchers, void (*closed)(void *arg), void *arg);
unsigned watchers_count(const struct watchers *watchers, enum watch_kind kind);
