/*
 * A wall clock that can be set while a program runs. Loaded before the C library (LD_PRELOAD); the
 * file named by CHAOS_CLOCK holds the microseconds to add, 8 bytes. Monotonic time is the real one.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_us;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CHAOS_CLOCK");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *place;

    if (file < 0)
        return;
    place = mmap(NULL, sizeof(*offset_us), PROT_READ, MAP_SHARED, file, 0);
    (void)close(file);
    if (place != MAP_FAILED)
        offset_us = place;
}

static int read_clock(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);
    int64_t micro;

    if (result != 0 || offset_us == NULL || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return result;
    micro = (int64_t)now->tv_sec * 1000000 + now->tv_nsec / 1000 + *offset_us;
    now->tv_sec = (time_t)(micro / 1000000);
    now->tv_nsec = (long)(micro % 1000000) * 1000;
    return 0;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    return read_clock(id, now);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact = {0};

    (void)zone;
    (void)read_clock(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *ret_now)
{
    struct timespec exact = {0};

    (void)read_clock(CLOCK_REALTIME, &exact);
    if (ret_now != NULL)
        *ret_now = exact.tv_sec;
    return exact.tv_sec;
}
