/* scan_address: see the header. */
#include "scan/scan_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static bool cut_prefix(struct str *text, struct str prefix)
{
    if (!str_starts(*text, prefix))
        return false;
    text->data += prefix.len;
    text->len -= prefix.len;
    return true;
}

static bool read_unix(struct str path, struct scan_address *address)
{
    struct sockaddr_un *name = (struct sockaddr_un *)&address->bytes;

    if (path.len == 0 || path.data[0] != '/' || path.len >= sizeof(name->sun_path))
        return false;
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path.data, path.len);
    address->len = sizeof(*name);
    return true;
}

/* What stands before the last colon, without brackets, and the port behind it. */
static bool split(struct str text, char host[INET6_ADDRSTRLEN], in_port_t *port)
{
    const char *colon = text.len > 0 ? memrchr(text.data, ':', text.len) : NULL;
    size_t len = colon != NULL ? (size_t)(colon - text.data) : 0;
    int64_t number;

    if (len == 0 || !str_to_i64((struct str){colon + 1, text.len - len - 1}, &number) ||
        number < 1 || number > UINT16_MAX)
        return false;
    if (text.data[0] == '[' && text.data[len - 1] == ']' && len > 2) {
        text.data++;
        len -= 2;
    }
    if (len >= INET6_ADDRSTRLEN)
        return false;
    memcpy(host, text.data, len);
    host[len] = '\0';
    *port = htons((uint16_t)number);
    return true;
}

static bool read_tcp(struct str text, struct scan_address *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&address->bytes;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->bytes;
    char host[INET6_ADDRSTRLEN];
    in_port_t port;

    if (!split(text, host, &port))
        return false;
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = port;
        address->len = sizeof(*four);
        return true;
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = port;
        address->len = sizeof(*six);
        return true;
    }
    return false;
}

enum err scan_address_read(struct str text, struct scan_address *ret_address, struct err_note *note)
{
    struct scan_address address = {.len = 0};
    struct str rest = text;
    bool good = (cut_prefix(&rest, STR("unix:")) && read_unix(rest, &address)) ||
                (cut_prefix(&rest, STR("tcp:")) && read_tcp(rest, &address));

    if (!good)
        return err_say(note, ERR_SETTINGS,
                       "'%.*s' is neither unix:/PATH nor tcp:ADDRESS:PORT with a numeric address",
                       STR_ARG(text));
    *ret_address = address;
    return ERR_OK;
}
