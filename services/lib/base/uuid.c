/* uuid: version 7 identifiers and random bytes. */
#include "base/uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void random_bytes(void *out, size_t len)
{
    char *at = out;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        must(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

/*
 * Milliseconds and twelve bits behind them: those of the last identifier + 1 while the clock stands
 * or has gone back, so that the identifiers of one thread ascend.
 */
static uint64_t next_moment(void)
{
    static _Thread_local uint64_t last;
    struct timespec now;
    uint64_t moment;

    must(clock_gettime(CLOCK_REALTIME, &now) == 0);
    moment = ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) << 12;
    last = moment > last ? moment : last + 1;
    return last;
}

struct uuid uuid_new(void)
{
    struct uuid uuid;
    const uint64_t moment = next_moment();

    random_bytes(uuid.bytes, sizeof(uuid.bytes));
    for (int i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(moment >> (52 - 8 * i));
    uuid.bytes[6] = (uint8_t)(0x70 | (moment >> 8 & 0x0f));
    uuid.bytes[7] = (uint8_t)moment;
    uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
    return uuid;
}

bool uuid_eq(struct uuid left, struct uuid right)
{
    return memcmp(left.bytes, right.bytes, UUID_BYTES) == 0;
}

/* Where the dashes stand, counted in bytes before them. */
static bool dash_before(int byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(struct uuid uuid, char out[UUID_TEXT_BYTES])
{
    for (int i = 0; i < UUID_BYTES; i++) {
        if (dash_before(i))
            *out++ = '-';
        hex_encode(&uuid.bytes[i], 1, out);
        out += 2;
    }
    *out = '\0';
}

bool uuid_parse(struct str text, struct uuid *ret_uuid)
{
    struct uuid uuid;
    const char *at = text.data;

    if (text.len != UUID_TEXT_BYTES - 1)
        return false;
    for (int i = 0; i < UUID_BYTES; i++) {
        if (dash_before(i) && *at++ != '-')
            return false;
        if (!hex_decode((struct str){at, 2}, &uuid.bytes[i], 1))
            return false;
        at += 2;
    }
    *ret_uuid = uuid;
    return true;
}
