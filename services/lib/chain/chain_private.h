/* chain_private: how values become bytes. */
#pragma once
#include <endian.h>
#include <string.h>

#include "chain/chain.h"

/* Numbers, highest byte first. */
static inline void chain_write_i16(uint8_t *at, int16_t value)
{
    const uint16_t number = htobe16((uint16_t)value);

    memcpy(at, &number, sizeof(number));
}

static inline void chain_write_i32(uint8_t *at, int32_t value)
{
    const uint32_t number = htobe32((uint32_t)value);

    memcpy(at, &number, sizeof(number));
}

static inline void chain_write_i64(uint8_t *at, int64_t value)
{
    const uint64_t number = htobe64((uint64_t)value);

    memcpy(at, &number, sizeof(number));
}

/* From 1970-01-01 to 2000-01-01, where PostgreSQL begins to count. */
enum { CHAIN_EPOCH_DAYS = 10957 };

static inline int32_t chain_day(day_t day)
{
    return day - CHAIN_EPOCH_DAYS;
}

void chain_put_i32(struct buf *out, int32_t value);
void chain_put_i64(struct buf *out, int64_t value);
void chain_put_time(struct buf *out, int64_t time_us);
void chain_put_text(struct buf *out, struct str text);
/* Of a column that may be NULL. */
void chain_put_text_null(struct buf *out, struct str text);
