/*
 * proxy: forwards connections between two Unix sockets on threads of its own, and holds, cuts or
 * slows them when a test wants. Any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum proxy_way { PROXY_UP, PROXY_DOWN }; /* to the server, to the client */

struct proxy;

/* Listens on `path` and connects each client to `target`. Aborts on failure. */
struct proxy *proxy_start(const char *path, const char *target);
/* Cuts everything and frees it. */
void proxy_stop(struct proxy *proxy);
/* While held, bytes of that way wait. */
void proxy_hold(struct proxy *proxy, enum proxy_way way, bool hold);
/* Cut all connections now. */
void proxy_cut(struct proxy *proxy);
/* Cut all connections when so many more bytes went that way; -1: do not. */
void proxy_cut_after(struct proxy *proxy, enum proxy_way way, int64_t bytes);
/* Forward at most so many bytes at once. */
void proxy_piece(struct proxy *proxy, size_t bytes);
/* Bytes forwarded so far. */
int64_t proxy_bytes(struct proxy *proxy, enum proxy_way way);
