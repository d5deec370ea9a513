/*
 * gateway_watch: streams of server-sent events that say what changed. All streams of one kind are
 * served by one query every 250 ms; the event id is what was seen, so any instance resumes a
 * stream. Who watches was allowed to when the stream began, and is checked each minute.
 *
 *   gateway_watch.c          the streams: turns, checks, comments, the end
 *   gateway_watch_upload.c   progress of an upload
 *   gateway_watch_doctor.c   what changes on a doctor's My Page
 */
#pragma once
#include "gateway/gateway_command.h"

/* One open stream. */
struct watch {
    struct watch *next;
    struct http_request *request;
    struct who who;
    enum watch_kind kind;
    struct uuid upload_id;
    int64_t version; /* of the upload, last told */
    int64_t doctor_id;
    int64_t entries, standing; /* of the doctor, last told */
    bool english;
    bool asked; /* in the query that is under way */
    bool over;  /* ended; taken from the list at the next turn */
    uint64_t told_ms;
    uint64_t check_ms; /* when to look again who it is */
    struct db_query *check;
};

struct watchers {
    struct gateway *gateway;
    struct watch *list;
    unsigned count, counts[WATCH_KINDS];
    struct timer timer;
    struct flow flow;
    bool running;
    uint64_t since_ms; /* when this turn began */
    struct db_query *queries[WATCH_KINDS];
    int64_t turns; /* of the credit processes, as portal.doctor_marks() saw them; -1: look */
    void (*closed)(void *arg);
    void *closed_arg;
};

/*
 * Turn the call's answer into a stream and put it into the list; NULL when there are too many: the
 * problem is answered then and the flow ended. The caller fills in what it watches; the call has no
 * request any more.
 */
struct watch *watch_begin(struct call *call, enum watch_kind kind);
void watch_write(struct watch *watch, struct str event);
void watch_end(struct watch *watch);

/* gateway_watch_upload.c, gateway_watch_doctor.c: one query for all of the kind, then each's news.
 */
struct db_query *watch_upload_ask(struct watchers *watchers, struct db_batch *batch);
void watch_upload_tell(struct watchers *watchers, struct watch *watch);
struct db_query *watch_doctor_ask(struct watchers *watchers, struct db_batch *batch);
void watch_doctor_tell(struct watchers *watchers, struct watch *watch);
