/* chain_link: the hash of a link; chain_commit() of the database computes the same. */
#include "chain/chain_private.h"

static void put_rows(struct buf *out, const struct chain_rows *rows)
{
    chain_put_i64(out, rows->no);
    chain_put_text(out, rows->relation);
    chain_put_i64(out, rows->rows);
    buf_add_str(out, rows->digest);
    buf_add_char(out, rows->has_ref);
    if (rows->has_ref) {
        chain_put_i64(out, rows->ref);
        chain_put_time(out, rows->at_us);
    }
}

struct chain_hash chain_link_hash(const struct chain_link *link)
{
    struct buf bytes = {0};
    struct chain_hash hash;

    buf_add_str(&bytes, link->prev);
    chain_put_text(&bytes, link->schema);
    chain_put_text(&bytes, link->topic);
    chain_put_i32(&bytes, link->part);
    chain_put_i64(&bytes, link->seq);
    chain_put_time(&bytes, link->at_us);
    for (size_t i = 0; i < link->count; i++)
        put_rows(&bytes, &link->rows[i]);
    hash = chain_hash_of(buf_str(&bytes));
    buf_free(&bytes);
    return hash;
}
