/*
 * hashes: the bare rate of Argon2id, as the gateway uses it: 19 MiB, two passes.
 *
 *   hashes THREADS SECONDS
 *
 * Prints hashes a second of all threads together.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 64, PASSES = 2, MEMORY_BYTES = 19456 * 1024 };

static atomic_ulong made;
static double end_s;

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *work(void *arg)
{
    static const char password[] = "0123456789abcdef0123456789abcdef"; /* an HMAC's length */
    char hash[crypto_pwhash_STRBYTES];

    (void)arg;
    while (now_s() < end_s) {
        if (crypto_pwhash_str_alg(hash, password, sizeof(password) - 1, PASSES, MEMORY_BYTES,
                                  crypto_pwhash_ALG_ARGON2ID13) != 0)
            exit(1);
        if (now_s() < end_s)
            atomic_fetch_add(&made, 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    int count = argc == 3 ? atoi(argv[1]) : 0;
    double seconds;

    if (count < 1 || count > THREADS_MAX || sodium_init() < 0)
        return 2;
    seconds = atof(argv[2]);
    end_s = now_s() + seconds;
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%.2f\n", (double)made / seconds);
    return 0;
}
