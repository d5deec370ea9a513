/*
 * chain: the bytes whose hashes make ledger and audit tamper-evident. Any thread; no I/O.
 *
 * A transaction's rows in one table give one digest; the digests of a transaction and the hash of
 * the link before give its link's hash (deploy/migrations/0087_chain.sql). The database computes
 * links, and digests of tables whose rows carry a number; the worker computes those of the ledger;
 * `mamisctl verify` computes all of them again.
 *
 * Numbers are big-endian, of the width they have in their column; a text ends in NUL, which no text
 * contains; what may be NULL begins with 1 or is 0 alone; times count microseconds and days from
 * 2000-01-01: as the functions of PostgreSQL that send a value write it, so that one statement of
 * SQL gives the same bytes. No two rows have the same bytes, and none begin those of another.
 */
#pragma once
#include "base/clock.h"
#include "base/uuid.h"

enum { CHAIN_HASH_BYTES = 32 };

struct chain_hash {
    uint8_t bytes[CHAIN_HASH_BYTES];
};

/* "credit.ledger": as its rows are called where they are counted. */
#define CHAIN_LEDGER "credit.ledger"

/* ---- SHA-256 in pieces ---- */

struct chain_sum;

struct chain_sum *chain_sum_new(void);
void chain_sum_add(struct chain_sum *sum, struct str bytes);
/* The hash; frees `sum`. */
struct chain_hash chain_sum_end(struct chain_sum *sum);
/* Without a hash. NULL is accepted. */
void chain_sum_free(struct chain_sum *sum);
struct chain_hash chain_hash_of(struct str bytes);
bool chain_hash_is(struct chain_hash hash, struct str bytes);

/* ---- entries of the ledger ---- */

/* One row, without what all rows of its transaction share: upload_no and posted_at. */
struct chain_entry {
    int64_t session_id, doctor_id;
    struct str programme;
    int16_t revision;
    int32_t row_no;
    day_t held_on;
    int16_t half_units;
    struct str kind;
    struct str reason;        /* data NULL: NULL; also in those below */
    const struct uuid *actor; /* NULL: NULL */
    struct str actor_role, actor_code;
};

/* Append the bytes that come before the rows, and those of a row. */
void chain_ledger_head(struct buf *out, int64_t upload_no, int64_t posted_us);
void chain_entry_put(struct buf *out, const struct chain_entry *entry);

/* Rows of one transaction, given in any order and hashed in that of the ledger's key. */
struct chain_ledger {
    struct buf head, rows;
    size_t *ends; /* of each row in `rows` */
    size_t count;
    struct arena *arena;
};

void chain_ledger_begin(struct chain_ledger *ledger, struct arena *arena, size_t most,
                        int64_t upload_no, int64_t posted_us);
void chain_ledger_add(struct chain_ledger *ledger, const struct chain_entry *entry);
/* Nothing is left to be freed afterwards. */
struct chain_hash chain_ledger_end(struct chain_ledger *ledger);

/* ---- links ---- */

/* What a transaction wrote to one table. */
struct chain_rows {
    int64_t no;
    struct str relation;
    int64_t rows;
    struct str digest;
    bool has_ref;
    int64_t ref, at_us;
};

struct chain_link {
    struct str schema, topic;
    int32_t part;
    int64_t seq, at_us;
    struct str prev;
    const struct chain_rows *rows; /* ascending by `no` */
    size_t count;
};

struct chain_hash chain_link_hash(const struct chain_link *link);

/* ---- anchors: one line says how far a chain was, signed with Ed25519 ---- */

enum {
    CHAIN_SEED_BYTES = 32,
    CHAIN_PUBLIC_BYTES = 32,
    CHAIN_SECRET_BYTES = 64,
    CHAIN_SIGNATURE_BYTES = 64,
    CHAIN_ANCHOR_BYTES_MAX = 512, /* of a line */
};

struct chain_anchor {
    int64_t at_us;
    struct str schema, topic;
    int32_t part;
    int64_t seq;
    struct chain_hash hash;
};

/* What anchors of one file are signed with. Memory: the caller wipes it. */
struct chain_signer {
    uint8_t public_key[CHAIN_PUBLIC_BYTES];
    uint8_t secret[CHAIN_SECRET_BYTES];
};
void chain_signer_of(const uint8_t seed[CHAIN_SEED_BYTES], struct chain_signer *ret_signer);

/*
 * A line of the file, with its newline. `last` is the signature of the line before (zeros: none),
 * which is signed too, so that no line can be taken out or exchanged; it becomes this line's.
 */
void chain_anchor_write(struct buf *out, const struct chain_anchor *anchor,
                        const struct chain_signer *signer, uint8_t last[CHAIN_SIGNATURE_BYTES]);
/*
 * A line without its newline; `*ret_anchor` borrows from it. Errors: ERR_SCHEMA, which also means
 * that it was not signed with this key after that line.
 */
CHECKED enum err chain_anchor_read(struct str line, const uint8_t public_key[CHAIN_PUBLIC_BYTES],
                                   uint8_t last[CHAIN_SIGNATURE_BYTES],
                                   struct chain_anchor *ret_anchor, struct err_note *note);
