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

static void put_nothing_said(struct buf *out)
{
    static const char nulls[4];

    buf_add(out, nulls, sizeof(nulls));
}

/* A million entries are hashed in the time that posting may take: few and large steps. */
void chain_entry_put(struct buf *out, const struct chain_entry *entry)
{
    uint8_t bytes[16];

    chain_write_i64(bytes, entry->session_id);
    chain_write_i64(bytes + 8, entry->doctor_id);
    buf_add(out, bytes, 16);
    chain_put_text(out, entry->programme);
    chain_write_i16(bytes, entry->revision);
    chain_write_i32(bytes + 2, entry->row_no);
    chain_write_i32(bytes + 6, chain_day(entry->held_on));
    chain_write_i16(bytes + 10, entry->half_units);
    buf_add(out, bytes, 12);
    chain_put_text(out, entry->kind);
    if (entry->reason.data == NULL && entry->actor == NULL && entry->actor_role.data == NULL &&
        entry->actor_code.data == NULL) {
        put_nothing_said(out);
        return;
    }
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

/* The rows in `list` one after the other. */
static void sort_rows(struct buf *rows, struct str *list, size_t count)
{
    struct buf sorted = {0};

    qsort(list, count, sizeof(*list), by_bytes);
    for (size_t i = 0; i < count; i++)
        buf_add_str(&sorted, list[i]);
    buf_free(rows);
    *rows = sorted;
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
    if (!in_order)
        sort_rows(&ledger->rows, list, ledger->count);
    chain_sum_add(sum, buf_str(&ledger->head));
    chain_sum_add(sum, buf_str(&ledger->rows));
    buf_free(&ledger->head);
    buf_free(&ledger->rows);
    return chain_sum_end(sum);
}
