/* chain_private: how values become bytes. */
#pragma once
#include "chain/chain.h"

void chain_put_i16(struct buf *out, int16_t value);
void chain_put_i32(struct buf *out, int32_t value);
void chain_put_i64(struct buf *out, int64_t value);
void chain_put_time(struct buf *out, int64_t time_us);
void chain_put_day(struct buf *out, day_t day);
void chain_put_text(struct buf *out, struct str text);
/* Of a column that may be NULL. */
void chain_put_text_null(struct buf *out, struct str text);
