/* gateway_start: opens what the process needs, in one visible order, and closes it in reverse. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "domain/kinds.h"
#include "gateway/gateway_call.h"
#include "gateway/gateway_password.h"
#include "gen/topics.h"

struct gateway_settings gateway_settings;

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct gateway_settings, name),                            \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
const struct setting gateway_setting_table[GATEWAY_SETTING_COUNT] = {
#include "gateway/gateway_settings.def"
};
#undef SETTING

enum {
    NOTICES_BYTES_MAX = 256 * 1024,
    HASH_NICE = 19, /* whatever else there is to do goes first */
    PAPER_NICE = 10,
    LARGE_BLOCK_BYTES = 128 * 1024,
    CLOSE_WAIT_MS = 1500,
};

/* ---- what settings say ---- */

/* `text` at commas, each a C string that lives for ever; NULL ends the list. */
static enum err split(const char *name, const char *text, const char **list, size_t used,
                      struct err_note *note)
{
    struct str left = str_of(text), item;

    while (left.len > 0 && str_cut(&left, ',', &item)) {
        item = str_trim(item);
        if (item.len == 0)
            continue;
        if (used >= GATEWAY_LIST_MAX)
            return err_say(note, ERR_SETTINGS, "%s: more than %d", name, GATEWAY_LIST_MAX);
        char *copy = heap_zero(item.len + 1);
        memcpy(copy, item.data, item.len);
        list[used++] = copy;
    }
    list[used] = NULL;
    return ERR_OK;
}

/* On a machine of one's own both names of the loopback lead here. */
static size_t add_loopback(struct gateway *gateway, struct str host, size_t used)
{
    static const char *const names[] = {"127.0.0.1", "localhost"};
    struct str port = host, name;

    (void)str_cut(&port, ':', &name);
    for (size_t i = 0; i < 2; i++) {
        if (!str_eq_c(name, names[i]))
            continue;
        struct buf other = {0};
        buf_printf(&other, "%s%s%.*s", names[1 - i], port.len > 0 ? ":" : "", STR_ARG(port));
        gateway->hosts[used++] = other.data;
    }
    return used;
}

/* The host without its port. Browsers make no passkeys for addresses: the loopback has a name. */
static const char *rp_id(struct str host)
{
    struct str name = STR_NONE;
    char *copy;

    (void)str_cut(&host, ':', &name);
    if (str_eq_c(name, "127.0.0.1"))
        name = STR("localhost");
    copy = heap_zero(name.len + 1);
    memcpy(copy, name.data, name.len);
    return copy;
}

static enum err read_url(struct gateway *gateway, const char *url, struct err_note *note)
{
    struct str host = str_of(url);
    char *copy;

    gateway->secure = str_starts(host, STR("https://"));
    if (!gateway->secure && !str_starts(host, STR("http://")))
        return err_say(note, ERR_SETTINGS, "public_url begins with http:// or https://");
    host.data += gateway->secure ? 8 : 7;
    host.len -= gateway->secure ? 8 : 7;
    while (host.len > 0 && host.data[host.len - 1] == '/')
        host.len--;
    if (host.len == 0 || memchr(host.data, '/', host.len) != NULL)
        return err_say(note, ERR_SETTINGS, "public_url is scheme and host, without a path");
    copy = heap_zero(host.len + 1);
    memcpy(copy, host.data, host.len);
    gateway->hosts[0] = copy;
    gateway->rp_id = rp_id(host);
    gateway->cookie = gateway->secure ? "__Host-mamis_session" : "mamis_session";
    return split("http_hosts", gateway->settings->http_hosts, gateway->hosts,
                 add_loopback(gateway, host, 1), note);
}

static enum err read_keys(struct gateway *gateway, struct err_note *note)
{
    const struct proc_settings *common = proc_settings(gateway->proc);
    enum err err;

    TRY(secret_key_load(gateway->settings->pepper_file, &gateway->pepper, note));
    TRY(secret_key_load(gateway->settings->temp_key_file, &gateway->temp_key, note));
    TRY(secret_key_load(gateway->settings->factor_key_file, &gateway->factor_key, note));
    TRY(secret_key_load(common->link_key_file, &gateway->link_key, note));
cleanup:
    return err;
}

static enum err read_factor(struct gateway *gateway, struct err_note *note)
{
    const char *word = gateway->settings->second_factor_staff;

    gateway->factor_required = strcmp(word, "required") == 0;
    if (!gateway->factor_required && strcmp(word, "optional") != 0)
        return err_say(note, ERR_SETTINGS, "second_factor_staff wants required or optional");
    if (!gateway->factor_required && strcmp(proc_settings(gateway->proc)->env, "production") == 0)
        return err_say(note, ERR_SETTINGS, "second_factor_staff: production wants required");
    return ERR_OK;
}

static struct str kinds_of(bool english)
{
    json_t *names = json_object();
    char *text;

    for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        must(json_object_set_new(names, kind_code((enum kind)kind),
                                 json_string(kind_name((enum kind)kind, english))) == 0);
    text = json_dumps(names, JSON_COMPACT);
    must(text != NULL);
    json_decref(names);
    return str_of(text);
}

static void collect_kinds(struct gateway *gateway)
{
    gateway->kind_names[false] = kinds_of(false);
    gateway->kind_names[true] = kinds_of(true);
}

static enum err read_notices(struct gateway *gateway, struct err_note *note)
{
    const char *path = gateway->settings->notices_file;
    struct buf built = {0};
    json_error_t error;
    json_t *notices;
    char *text;

    if (*path == '\0') {
        const char *data_dir = proc_settings(gateway->proc)->data_dir;

        buf_printf(&built, "%s/deploy/site/notices.json",
                   *data_dir != '\0' ? data_dir : MAMIS_SOURCE_DIR);
        path = built.data;
    }
    notices = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_array(notices) || json_array_size(notices) > 50) {
        (void)err_say(note, ERR_SETTINGS, "notices: %s: %s", path, error.text);
        json_decref(notices);
        buf_free(&built);
        return ERR_SETTINGS;
    }
    text = json_dumps(notices, JSON_COMPACT);
    must(text != NULL);
    gateway->notices = str_of(text);
    json_decref(notices);
    buf_free(&built);
    return ERR_OK;
}

static void rule_file(const struct gateway *gateway, const char *name, char path[1024])
{
    const char *data_dir = proc_settings(gateway->proc)->data_dir;

    (void)snprintf(path, 1024, "%s/deploy/rules/%s",
                   *data_dir != '\0' ? data_dir : MAMIS_SOURCE_DIR, name);
}

static enum err read_rules(struct gateway *gateway, struct err_note *note)
{
    char path[1024];
    enum err err;

    rule_file(gateway, "retention.json", path);
    TRY(retention_load(path, &gateway->retention, note));
    TRY(sweep_check(gateway, note));
    rule_file(gateway, "fees.json", path);
    TRY(fees_load(path, &gateway->fees, note));
cleanup:
    return err;
}

/* A list of an operator's own, that of the image, or that of the build. */
static enum err read_passwords(struct gateway *gateway, struct err_note *note)
{
    const char *data_dir = proc_settings(gateway->proc)->data_dir;
    const char *path = gateway->settings->passwords_file;
    char built[1024];

    (void)snprintf(built, sizeof(built), "%s/passwords.txt",
                   *data_dir != '\0' ? data_dir : MAMIS_BUILD_DIR);
    return password_list_load(*path != '\0' ? path : built, &gateway->passwords, note);
}

/* ---- start ---- */

static enum err open_http(struct gateway *gateway, struct err_note *note)
{
    const struct gateway_settings *settings = gateway->settings;
    const struct http_options options = {
        .address = settings->http_address,
        .port = (uint16_t)settings->http_port,
        .connections_max = settings->http_connections_max,
        .hosts = gateway->hosts,
        .trusted_proxies = gateway->proxies,
        .idle_timeout_ms = settings->http_idle_ms,
        .held_bytes_max = settings->http_held_bytes_max,
    };
    enum err err;

    TRY(http_open(gateway->loop, &options, call_routes(), ROUTE_COUNT, gateway, &gateway->http,
                  note));
    http_set_fallback(gateway->http, files_answer);
    http_set_refusal(gateway->http, call_refuse);
    LOG_INFO("http_open", F_STR("address", settings->http_address),
             F_I64("port", http_port(gateway->http)));
cleanup:
    return err;
}

static enum err open_scan(struct gateway *gateway, struct err_note *note)
{
    const struct scan_options options = {
        .address = gateway->settings->scanner,
        .files_max = gateway->settings->licences_max,
        .deadline_ms = gateway->settings->scanner_wait_ms,
    };

    if (*options.address == '\0')
        return ERR_OK;
    return scan_open(gateway->loop, &options, &gateway->scan, note);
}

static void open_bus(struct gateway *gateway)
{
    static const char *const topics[] = {TOPIC_REGISTRATION_COMMANDS, TOPIC_CREDIT_WORK,
                                         TOPIC_RENEWAL_COMMANDS, TOPIC_ACCOUNT_EVENTS};

    gateway->bus = proc_bus(gateway->proc);
    gateway->work = proc_work(gateway->proc);
    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        bus_warm(gateway->bus, topics[i]);
    gateway->replies = replies_open(gateway);
}

/*
 * Bodies and answers come in pieces of a quarter MiB, hundreds at a time. Left to itself malloc()
 * learns to keep such blocks and cuts them up, so that they would not go back to the system.
 */
static void return_large_blocks(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
}

enum err gateway_start(struct proc *proc, void *state, struct err_note *note)
{
    struct gateway *gateway = state;
    enum err err;

    return_large_blocks();
    gateway->proc = proc;
    gateway->loop = proc_loop(proc);
    gateway->settings = &gateway_settings;
    TRY(read_url(gateway, proc_settings(proc)->public_url, note));
    TRY(split("trusted_proxies", gateway_settings.trusted_proxies, gateway->proxies, 0, note));
    TRY(read_keys(gateway, note));
    TRY(read_factor(gateway, note));
    TRY(read_notices(gateway, note));
    TRY(read_rules(gateway, note));
    TRY(read_passwords(gateway, note));
    TRY(open_scan(gateway, note));
    TRY(files_load(gateway_settings.portal_dir, &gateway->files, note));
    collect_kinds(gateway);
    gateway->db = proc_db(proc);
    gateway->cache = proc_cache(proc);
    gateway->hashes = pool_new(gateway->loop, gateway_settings.hash_threads,
                               gateway_settings.hash_waiting_max, HASH_NICE);
    gateway->papers = pool_new(gateway->loop, gateway_settings.paper_threads,
                               gateway_settings.paper_waiting_max, PAPER_NICE);
    gateway->maintenance = maintenance_open(gateway);
    gateway->queue = queue_open(gateway);
    gateway->sweep = sweep_open(gateway);
    gateway->places = places_open(gateway);
    open_bus(gateway);
    gateway->watchers = watchers_open(gateway);
    TRY(open_http(gateway, note));
cleanup:
    return err;
}

/* ---- stop ---- */

static void part_closed(void *arg)
{
    struct gateway *gateway = arg;

    if (--gateway->closing > 0)
        return;
    pool_free(gateway->hashes);
    pool_free(gateway->papers);
    files_free(gateway->files);
    buf_free(&gateway->passwords);
    retention_free(gateway->retention);
    secret_wipe(&gateway->pepper, sizeof(gateway->pepper));
    secret_wipe(&gateway->temp_key, sizeof(gateway->temp_key));
    secret_wipe(&gateway->factor_key, sizeof(gateway->factor_key));
    secret_wipe(&gateway->link_key, sizeof(gateway->link_key));
    proc_stopped(gateway->proc);
}

static void http_closed(void *arg)
{
    struct gateway *gateway = arg;

    gateway->http = NULL;
    gateway->closing = gateway->scan != NULL ? 7 : 6;
    if (gateway->scan != NULL)
        scan_close(gateway->scan, part_closed, gateway);
    watchers_close(gateway->watchers, part_closed, gateway);
    replies_close(gateway->replies, part_closed, gateway);
    sweep_close(gateway->sweep, part_closed, gateway);
    places_close(gateway->places, part_closed, gateway);
    queue_close(gateway->queue, part_closed, gateway);
    maintenance_close(gateway->maintenance, part_closed, gateway);
}

void gateway_stop(struct proc *proc, void *state)
{
    struct gateway *gateway = state;

    (void)proc;
    gateway->stopping = true;
    watchers_end(gateway->watchers);
    http_close(gateway->http, CLOSE_WAIT_MS, http_closed, gateway);
}

bool gateway_ready(struct proc *proc, void *state, struct err_note *why)
{
    const struct gateway *gateway = state;

    (void)proc;
    if (!db_up(gateway->db))
        (void)err_say(why, ERR_DB_DOWN, "PostgreSQL does not answer");
    return db_up(gateway->db);
}

static void scan_metrics(const struct scan *scan, struct buf *out)
{
    struct scan_stats stats = {0};

    if (scan != NULL)
        scan_stats(scan, &stats);
    metric_add(out, "scans_total", "verdict=\"clean\"", (int64_t)stats.clean);
    metric_add(out, "scans_total", "verdict=\"found\"", (int64_t)stats.found);
    metric_add(out, "scans_total", "verdict=\"none\"", (int64_t)stats.failed);
    metric_add(out, "scans_open", "", stats.open);
    metric_histogram_add(out, "scan", "", &stats.took);
}

void gateway_metrics(struct proc *proc, void *state, struct buf *out)
{
    const struct gateway *gateway = state;
    const struct gateway_figures *figures = &gateway->figures;
    struct http_stats http = {0};

    (void)proc;
    if (gateway->http != NULL)
        http_stats(gateway->http, &http);
    metric_add(out, "http_requests_total", "", (int64_t)http.requests);
    metric_add(out, "http_refused_total", "", (int64_t)http.refused);
    metric_add(out, "http_connections", "", http.connections);
    metric_add(out, "http_open", "", http.open);
    metric_add(out, "http_held_bytes", "", (int64_t)http.held_bytes);
    metric_add(out, "http_not_held_total", "", (int64_t)http.not_held);
    metric_add(out, "calls_total", "", (int64_t)figures->calls);
    metric_add(out, "calls_refused_total", "", (int64_t)figures->refused);
    metric_add(out, "calls_failed_total", "", (int64_t)figures->failed);
    metric_add(out, "sessions_total", "from=\"redis\"", (int64_t)figures->session_cached);
    metric_add(out, "sessions_total", "from=\"postgresql\"", (int64_t)figures->session_read);
    metric_add(out, "sign_ins_total", "result=\"good\"", (int64_t)figures->sign_ins);
    metric_add(out, "sign_ins_total", "result=\"failed\"", (int64_t)figures->sign_ins_failed);
    metric_add(out, "sign_ins_total", "result=\"throttled\"", (int64_t)figures->sign_ins_throttled);
    metric_add(out, "sign_ins_total", "result=\"queued\"", (int64_t)figures->queued);
    metric_add(out, "sign_in_queue", "", queue_waiting(gateway->queue));
    metric_pool_add(out, "pool=\"hashes\"", gateway->hashes);
    metric_pool_add(out, "pool=\"papers\"", gateway->papers);
    metric_add(out, "commands_total", "", (int64_t)figures->commands);
    metric_add(out, "commands_late_total", "", (int64_t)figures->commands_late);
    metric_add(out, "commands_waiting", "", replies_waiting(gateway->replies));
    metric_add(out, "uploads_total", "", (int64_t)figures->uploads);
    metric_add(out, "upload_bytes_total", "", (int64_t)figures->upload_bytes);
    metric_add(out, "watchers", "of=\"uploads\"", watchers_count(gateway->watchers, WATCH_UPLOAD));
    metric_add(out, "watchers", "of=\"doctors\"", watchers_count(gateway->watchers, WATCH_DOCTOR));
    metric_add(out, "transcripts_total", "", (int64_t)figures->transcripts);
    metric_add(out, "transcript_checks_total", "", (int64_t)figures->transcript_checks);
    metric_histogram_add(out, "command", "", &figures->command);
    scan_metrics(gateway->scan, out);
}
