/* chain_ledger: entries of the ledger as bytes, and the digest of a transaction's. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "chain/chain_private.h"

void chain_ledger_head(struct buf *out, int64_t upload_no, int64_t posted_us)
{
    chain_put_text(out, STR(CHAIN_LEDGER));
    chain_put_i64(out, upload_no);
    chain_put_time(out, posted_us);
}

void chain_entry_put(struct buf *out, const struct chain_entry *entry)
{
    chain_put_i64(out, entry->session_id);
    chain_put_i64(out, entry->doctor_id);
    chain_put_text(out, entry->programme);
    chain_put_i16(out, entry->revision);
    chain_put_i32(out, entry->row_no);
    chain_put_day(out, entry->held_on);
    chain_put_i16(out, entry->half_units);
    chain_put_text(out, entry->kind);
    chain_put_text_null(out, entry->reason);
    buf_add_char(out, entry->actor != NULL);
    if (entry->actor != NULL)
        buf_add(out, entry->actor->bytes, UUID_BYTES);
    chain_put_text_null(out, entry->actor_role);
    chain_put_text_null(out, entry->actor_code);
}

void chain_ledger_begin(struct chain_ledger *ledger, struct arena *arena, size_t most,
                        int64_t upload_no, int64_t posted_us)
{
    *ledger = (struct chain_ledger){.arena = arena, .ends = arena_array(arena, size_t, most)};
    chain_ledger_head(&ledger->head, upload_no, posted_us);
}

void chain_ledger_add(struct chain_ledger *ledger, const struct chain_entry *entry)
{
    chain_entry_put(&ledger->rows, entry);
    ledger->ends[ledger->count++] = ledger->rows.len;
}

/* The bytes begin with the key, whose numbers are not negative: their order is that of the key. */
static int by_bytes(const void *left, const void *right)
{
    const struct str *one = left;
    const struct str *other = right;
    const int order = memcmp(one->data, other->data, one->len < other->len ? one->len : other->len);

    if (order != 0)
        return order;
    return (one->len > other->len) - (one->len < other->len);
}

struct chain_hash chain_ledger_end(struct chain_ledger *ledger)
{
    struct str *list = arena_array(ledger->arena, struct str, ledger->count);
    struct chain_sum *sum = chain_sum_new();
    bool in_order = true;
    size_t from = 0;

    for (size_t i = 0; i < ledger->count; from = ledger->ends[i++]) {
        list[i] = (struct str){ledger->rows.data + from, ledger->ends[i] - from};
        in_order = in_order && (i == 0 || by_bytes(&list[i - 1], &list[i]) < 0);
    }
    chain_sum_add(sum, buf_str(&ledger->head));
    if (in_order) {
        chain_sum_add(sum, buf_str(&ledger->rows));
    } else {
        qsort(list, ledger->count, sizeof(*list), by_bytes);
        for (size_t i = 0; i < ledger->count; i++)
            chain_sum_add(sum, list[i]);
    }
    buf_free(&ledger->head);
    buf_free(&ledger->rows);
    return chain_sum_end(sum);
}
