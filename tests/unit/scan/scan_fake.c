/* scan_fake: see the header. */
#include "unit/scan/scan_fake.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scan/scan_address.h"

enum { HEAD_BYTES = 14 /* "zINSTREAM", NUL, the size */, TAIL_BYTES = 4 };

static void hang_up(struct scan_fake *fake)
{
    if (fake->peer < 0)
        return;
    evfd_close(fake->talking);
    close(fake->peer);
    fake->talking = NULL;
    fake->peer = -1;
}

static bool is_time(const struct scan_fake *fake)
{
    uint32_t size;

    if (fake->script.after != SCAN_FAKE_ALL)
        return fake->script.after >= 0 && fake->len >= (size_t)fake->script.after;
    if (fake->len < HEAD_BYTES)
        return false;
    memcpy(&size, fake->got + HEAD_BYTES - sizeof(size), sizeof(size));
    return fake->len >= HEAD_BYTES + ntohl(size) + TAIL_BYTES;
}

static void answer(struct scan_fake *fake)
{
    struct str say = fake->script.say;

    if (!is_time(fake))
        return;
    evfd_watch(fake->talking, 0);
    if (say.data != NULL)
        must(send(fake->peer, say.data, say.len, MSG_NOSIGNAL) == (ssize_t)say.len);
    if (fake->script.hang_up)
        hang_up(fake);
}

static void on_bytes(void *arg, int events)
{
    struct scan_fake *fake = arg;
    ssize_t len = recv(fake->peer, fake->got + fake->len, sizeof(fake->got) - fake->len, 0);

    (void)events;
    if (len <= 0) {
        hang_up(fake);
        return;
    }
    fake->len += (size_t)len;
    answer(fake);
}

static void on_connection(void *arg, int events)
{
    struct scan_fake *fake = arg;

    (void)events;
    hang_up(fake);
    fake->len = 0;
    fake->peer = accept4(fake->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    must(fake->peer >= 0);
    fake->talking = evfd_open(fake->loop, fake->peer, on_bytes, fake);
    evfd_watch(fake->talking, fake->script.after == SCAN_FAKE_NEVER ? 0 : EVFD_READ);
    answer(fake);
}

static void tell_port(int listener, char *address, size_t address_bytes)
{
    struct sockaddr_in name;
    socklen_t len = sizeof(name);

    must(getsockname(listener, (struct sockaddr *)&name, &len) == 0);
    (void)snprintf(address, address_bytes, "tcp:127.0.0.1:%u", ntohs(name.sin_port));
}

void scan_fake_open(struct scan_fake *fake, struct loop *loop, char *address, size_t address_bytes)
{
    bool tcp = strncmp(address, "tcp:", 4) == 0;
    struct scan_address name;

    fake->loop = loop;
    fake->peer = -1;
    must(scan_address_read(str_of(address), &name, NULL) == ERR_OK);
    if (tcp)
        ((struct sockaddr_in *)&name.bytes)->sin_port = 0;
    else
        (void)unlink(address + strlen("unix:"));
    fake->listener = socket(name.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(bind(fake->listener, (struct sockaddr *)&name.bytes, name.len) == 0 &&
         listen(fake->listener, 0) == 0);
    if (tcp)
        tell_port(fake->listener, address, address_bytes);
    fake->listening = evfd_open(loop, fake->listener, on_connection, fake);
    evfd_watch(fake->listening, EVFD_READ);
}

void scan_fake_close(struct scan_fake *fake)
{
    hang_up(fake);
    evfd_close(fake->listening);
    close(fake->listener);
}
