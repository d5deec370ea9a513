/* http_server: the listening socket, libmicrohttpd's descriptor on our loop, and its end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_private.h"

enum { PUMP_ROUNDS = 4, CLOSE_ROUNDS = 8, HTTP_CLOSE_TICK_MS = 20 };

/* ---- driving libmicrohttpd ---- */

/* Let it work, then come back when it wants to. It does not notice resumed connections by itself.
 */
static void pump(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    bool wanted = true;

    if (server->daemon == NULL)
        return;
    for (int i = 0; i < PUMP_ROUNDS && wanted && wait_ms == 0; i++) {
        server->resumed = false;
        (void)MHD_run(server->daemon);
        wanted = MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES;
        if (server->resumed) {
            wanted = true;
            wait_ms = 0;
        }
    }
    if (wanted)
        timer_start(&server->pump, wait_ms, 0);
    else
        timer_stop(&server->pump);
}

void http_server_resumed(struct http_server *server)
{
    if (server->resumed)
        return;
    server->resumed = true;
    timer_start(&server->pump, 0, 0);
}

static void on_ready(void *arg, int events)
{
    (void)events;
    pump(arg);
}

static void on_pump(void *arg)
{
    pump(arg);
}

static void on_reap(void *arg)
{
    http_request_reap(arg);
}

static void close_step(struct http_server *server, uint64_t now_ms);

static void on_sweep(void *arg)
{
    struct http_server *server = arg;
    uint64_t now_ms = clock_mono_ms();

    http_conn_sweep(server, now_ms);
    http_linger_sweep(server, now_ms);
    if (server->closing)
        close_step(server, now_ms);
}

/* ---- opening ---- */

/* Fills `ret_address`; 0 when `text` is no numeric address. */
static socklen_t address_parse(const char *text, uint16_t port,
                               struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *v4 = (void *)ret_address;
    struct sockaddr_in6 *v6 = (void *)ret_address;

    memset(ret_address, 0, sizeof(*ret_address));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof(*v6);
    }
    return 0;
}

static enum err listen_on(const struct http_options *options, int *ret_fd, struct err_note *note)
{
    struct sockaddr_storage address;
    socklen_t len = address_parse(options->address, options->port, &address);
    int one = 1;
    int fd = -1;

    if (len == 0)
        return err_say(note, ERR_PORT, "%s is no numeric address", options->address);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, HTTP_BACKLOG) == 0) {
        *ret_fd = fd;
        return ERR_OK;
    }
    (void)err_say(note, ERR_PORT, "%s port %u: %s", options->address, options->port,
                  strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return ERR_PORT;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port)
                                         : ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* Escapes are ours to judge: libmicrohttpd leaves them as they are. */
static size_t unescape_nothing(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context, (void)mhd;
    return strlen(text);
}

static void server_free(struct http_server *server)
{
    free(server->places);
    free(server);
}

static struct MHD_Daemon *daemon_start(struct http_server *server, int fd, unsigned connections_max)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, http_on_access, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(server->idle_timeout_ms + 999) / 1000,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL_BYTES, MHD_OPTION_URI_LOG_CALLBACK,
        http_on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        http_on_connection, server, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_END);
}

enum err http_open(struct loop *loop, const struct http_options *options,
                   const struct http_route *routes, size_t count, void *context,
                   struct http_server **ret_server, struct err_note *note)
{
    struct http_server *server;
    const union MHD_DaemonInfo *info;
    int fd = -1;
    enum err err = listen_on(options, &fd, note);

    if (err != ERR_OK)
        return err;
    server = heap_zero(sizeof(*server));
    server->loop = loop;
    http_routes_take(server, routes, count);
    server->context = context;
    server->hosts = options->hosts;
    server->trusted_proxies = options->trusted_proxies;
    server->idle_timeout_ms = options->idle_timeout_ms;
    server->held_bytes_max = options->held_bytes_max;
    server->port = port_of(fd);
    server->daemon = daemon_start(server, fd, options->connections_max);
    if (server->daemon == NULL) {
        (void)close(fd);
        server_free(server);
        return err_say(note, ERR_PORT, "the HTTP server did not start on %s", options->address);
    }
    timer_open(&server->pump, loop, on_pump, server);
    timer_open(&server->sweep, loop, on_sweep, server);
    timer_open(&server->reap, loop, on_reap, server);
    server->open_timers = 3;
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    must(info != NULL);
    server->evfd = evfd_open(loop, info->epoll_fd, on_ready, server);
    evfd_watch(server->evfd, EVFD_READ);
    timer_start(&server->sweep, HTTP_SWEEP_MS, HTTP_SWEEP_MS);
    timer_start(&server->pump, 0, 0); /* puts the listening socket into its epoll set */
    *ret_server = server;
    return ERR_OK;
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}

void http_set_fallback(struct http_server *server, http_handler_fn handle)
{
    server->fallback = handle;
}

void http_set_refusal(struct http_server *server, http_refusal_fn refuse)
{
    server->refuse = refuse;
}

void http_stats(const struct http_server *server, struct http_stats *ret_stats)
{
    const union MHD_DaemonInfo *info =
        server->daemon == NULL
            ? NULL
            : MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    *ret_stats = (struct http_stats){
        .requests = server->requests,
        .refused = server->refused,
        .connections = info == NULL ? 0 : info->num_connections,
        .open = server->open_count,
        .held_bytes = server->held_bytes,
        .not_held = server->not_held,
    };
}

/* ---- closing ---- */

static void on_timer_closed(void *arg)
{
    struct http_server *server = arg;

    server->open_timers--;
    if (server->open_timers > 0)
        return;
    if (server->closed != NULL)
        server->closed(server->closed_arg);
    server_free(server);
}

/* Every suspended connection has to be resumed before libmicrohttpd may end. */
static void stop_daemon(struct http_server *server)
{
    server->aborting = true;
    for (struct http_request *request = server->open; request != NULL; request = request->next)
        http_request_wake(request);
    for (int i = 0; i < CLOSE_ROUNDS; i++)
        (void)MHD_run(server->daemon);
    evfd_close(server->evfd);
    timer_stop(&server->pump);
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    http_linger_sweep(server, UINT64_MAX);
}

/*
 * First the connections go, when all is answered or the time is over. Requests whose handlers still
 * work live on until those answer, and the server with them.
 */
static void close_step(struct http_server *server, uint64_t now_ms)
{
    if (server->daemon != NULL && server->open_count > 0 && now_ms < server->close_by_ms)
        return;
    if (server->daemon != NULL)
        stop_daemon(server);
    http_request_reap(server);
    if (server->open_count > 0)
        return;
    timer_stop(&server->sweep);
    timer_close(&server->pump, on_timer_closed);
    timer_close(&server->sweep, on_timer_closed);
    timer_close(&server->reap, on_timer_closed);
}

void http_close(struct http_server *server, uint32_t wait_ms, void (*closed)(void *arg), void *arg)
{
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);

    if (fd != MHD_INVALID_SOCKET)
        (void)close(fd);
    server->closing = true;
    server->closed = closed;
    server->closed_arg = arg;
    server->close_by_ms = clock_mono_ms() + wait_ms;
    timer_start(&server->sweep, 0, HTTP_CLOSE_TICK_MS);
    pump(server);
}
