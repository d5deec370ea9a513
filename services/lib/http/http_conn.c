/* http_conn: accepted connections and the deadlines that libmicrohttpd does not know. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "http/http_private.h"

static void conn_add(struct http_server *server, struct MHD_Connection *mhd, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_conn *conn = heap_zero(sizeof(*conn));

    conn->fd = info == NULL ? -1 : info->connect_fd;
    conn->deadline_ms = clock_mono_ms() + HTTP_HEAD_DEADLINE_MS;
    conn->next = server->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    server->conns = conn;
    *context = conn;
}

static void conn_remove(struct http_server *server, struct http_conn *conn)
{
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    free(conn);
}

void http_on_connection(void *context_of_server, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context_of_server;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        conn_add(server, mhd, context);
    else if (*context != NULL)
        conn_remove(server, *context);
}

void http_conn_deadline(struct http_request *request, uint64_t wait_ms)
{
    if (request->conn != NULL)
        request->conn->deadline_ms = wait_ms == 0 ? 0 : clock_mono_ms() + wait_ms;
}

/*
 * A client that sends or reads a byte now and then never looks idle to libmicrohttpd. Shutting the
 * socket down makes it see the end of the stream and clean up in its own time.
 */
void http_conn_sweep(struct http_server *server, uint64_t now_ms)
{
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next) {
        if (conn->deadline_ms == 0 || now_ms < conn->deadline_ms)
            continue;
        conn->deadline_ms = 0;
        (void)shutdown(conn->fd, SHUT_RDWR);
    }
}

const char *http_conn_peer(struct arena *arena, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";

    if (info == NULL || info->client_addr == NULL)
        return "";
    if (info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *address = (const void *)info->client_addr;
        (void)inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    } else if (info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *address = (const void *)info->client_addr;
        (void)inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
    }
    return arena_strdup(arena, text);
}
