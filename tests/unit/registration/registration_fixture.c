/* registration_fixture: see registration_fixture.h. */
#include "registration_fixture.h"

struct bench bench;
struct registration registration;

int open_bench(void **state)
{
    (void)state;
    bench_open(&bench, "mamis_registration");
    registration = (struct registration){.loop = bench.loop, .db = bench.db, .work = bench.work};
    return 0;
}

int close_bench(void **state)
{
    (void)state;
    bench_close(&bench);
    return 0;
}

int64_t count(const char *sql)
{
    return bench_i64(&bench, sql);
}
