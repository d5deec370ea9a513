/*
 * chain: the hashes are those that PostgreSQL computes by the statements of 0087_chain.sql (which
 * gave the numbers here), and no change of a value leaves them as they are.
 */
#include "chain/chain.h"

#include <string.h>

#include "base/arena.h"
#include "lib/test.h"

static const struct uuid actor = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                                   0xbb, 0xcc, 0xdd, 0xee, 0xff}};

static int64_t time_of(const char *text)
{
    int64_t time_us;

    assert_true(time_parse(str_of(text), &time_us));
    return time_us;
}

static struct chain_entry entry_of(int64_t session_id, int64_t doctor_id, int32_t row_no,
                                   const char *held_on, int16_t half_units, const char *programme,
                                   const char *kind)
{
    return (struct chain_entry){.session_id = session_id,
                                .doctor_id = doctor_id,
                                .programme = str_of(programme),
                                .row_no = row_no,
                                .held_on = day_parse(str_of(held_on)),
                                .half_units = half_units,
                                .kind = str_of(kind)};
}

static void assert_hash(struct chain_hash hash, const char *hex)
{
    char text[2 * CHAIN_HASH_BYTES + 1];

    hex_encode(hash.bytes, sizeof(hash.bytes), text);
    assert_string_equal(text, hex);
}

static struct chain_hash digest_of(const struct chain_entry *entries, size_t count,
                                   int64_t upload_no, int64_t posted_us)
{
    struct arena *arena = arena_new();
    struct chain_ledger ledger;
    struct chain_hash hash;

    chain_ledger_begin(&ledger, arena, count, upload_no, posted_us);
    for (size_t i = 0; i < count; i++)
        chain_ledger_add(&ledger, &entries[i]);
    hash = chain_ledger_end(&ledger);
    arena_free(arena);
    return hash;
}

static void entries_in_any_order_have_the_hash_of_the_database(void **state)
{
    const char *hex = "6e778190a972b7005da73d0d71a64e5a0bc35425a7b7418a006d3d0433bd513d";
    const int64_t posted_us = time_of("2026-11-30T09:00:00.123456+09:00");
    struct chain_entry entries[] = {
        entry_of(1001, 7, 1, "2026-11-23", 4, "OP", "OPL-S"),
        entry_of(1001, 7, 1, "2026-11-23", 2, "CME", "CME-015"),
        entry_of(1001, 6, 2, "2026-11-23", 4, "OP", "OPL-S"),
        entry_of(1002, 5, 3, "1999-12-31", 1, "SP", "SPX"),
    };
    struct chain_entry first;

    (void)state;
    entries[2].revision = 2;
    assert_hash(digest_of(entries, ARRAY_LEN(entries), 42, posted_us), hex);
    for (size_t i = 0; i + 1 < ARRAY_LEN(entries); i++) {
        first = entries[i];
        entries[i] = entries[i + 1];
        entries[i + 1] = first;
        assert_hash(digest_of(entries, ARRAY_LEN(entries), 42, posted_us), hex);
    }
}

static struct chain_entry counter_entry(void)
{
    struct chain_entry entry = entry_of(1001, 7, 1, "2026-11-23", -4, "OP", "OPL-S");

    entry.revision = 1;
    entry.reason = STR("取消");
    entry.actor = &actor;
    entry.actor_role = STR("organiser");
    entry.actor_code = STR("");
    return entry;
}

static void a_counter_entry_has_the_hash_of_the_database(void **state)
{
    const struct chain_entry entry = counter_entry();

    (void)state;
    assert_hash(digest_of(&entry, 1, 43, time_of("2026-11-30T09:00:01+09:00")),
                "fc4443458d9b1cd3a7753a2e9ed73eaa86eeae6bbb28ccc2a69f9779c2ff052b");
}

static void every_value_counts(void **state)
{
    static const struct uuid other = {{1}};
    const struct chain_entry was = counter_entry();
    const struct chain_hash hash = digest_of(&was, 1, 43, 1000000);
    struct chain_entry is[12];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(is); i++)
        is[i] = was;
    is[0].session_id++;
    is[1].doctor_id++;
    is[2].programme = STR("OPL");
    is[3].revision = 3;
    is[4].row_no++;
    is[5].held_on++;
    is[6].half_units = 4;
    is[7].kind = STR("OPB-K");
    is[8].reason = STR_NONE;
    is[9].actor = &other;
    is[10].actor_role = STR("");
    is[11].actor_code = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(is); i++) {
        struct chain_hash changed = digest_of(&is[i], 1, 43, 1000000);

        assert_memory_not_equal(changed.bytes, hash.bytes, sizeof(hash.bytes));
    }
    assert_memory_not_equal(digest_of(&was, 1, 44, 1000000).bytes, hash.bytes, sizeof(hash.bytes));
    assert_memory_not_equal(digest_of(&was, 1, 43, 1000001).bytes, hash.bytes, sizeof(hash.bytes));
}

/* What stands at the end of one text does not count as the beginning of the next. */
static void texts_do_not_run_together(void **state)
{
    struct chain_entry one = entry_of(1, 1, 1, "2026-11-23", 4, "OP", "OPL-S");
    struct chain_entry other = one;

    (void)state;
    one.reason = STR("ab");
    one.actor_role = STR("c");
    other.reason = STR("a");
    other.actor_role = STR("bc");
    assert_memory_not_equal(digest_of(&one, 1, 1, 0).bytes, digest_of(&other, 1, 1, 0).bytes,
                            CHAIN_HASH_BYTES);
}

static void a_link_has_the_hash_of_the_database(void **state)
{
    uint8_t digests[3][CHAIN_HASH_BYTES];
    struct chain_rows rows[2] = {
        {.no = 8, .relation = STR("credit.audit"), .rows = 2},
        {.no = 9,
         .relation = STR("credit.ledger"),
         .rows = 1000,
         .has_ref = true,
         .ref = 42,
         .at_us = time_of("2026-11-30T09:00:00.4+09:00")},
    };
    struct chain_link link = {.schema = STR("credit"),
                              .topic = STR("mamis.credit.work"),
                              .part = 3,
                              .seq = 12,
                              .at_us = time_of("2026-11-30T09:00:00.5+09:00"),
                              .rows = rows,
                              .count = ARRAY_LEN(rows)};

    (void)state;
    memset(digests[0], 0xab, CHAIN_HASH_BYTES);
    memset(digests[1], 0x01, CHAIN_HASH_BYTES);
    memset(digests[2], 0x02, CHAIN_HASH_BYTES);
    link.prev = (struct str){(const char *)digests[0], CHAIN_HASH_BYTES};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i].digest = (struct str){(const char *)digests[1 + i], CHAIN_HASH_BYTES};
    assert_hash(chain_link_hash(&link),
                "c0f72ab06fc56ed2fd65d06b1468bf5d65f139b587e7e466a3fff4343d267d77");
    assert_true(chain_hash_is(chain_link_hash(&link), (struct str){link.prev.data, 32}) == false);
}

/* ---- anchors ---- */

static const uint8_t seed[CHAIN_SEED_BYTES] = {1, 2, 3};

static struct chain_anchor anchor_of(const char *topic, int64_t seq)
{
    struct chain_anchor anchor = {.at_us = time_of("2026-11-30T09:00:00+09:00"),
                                  .schema = STR("credit"),
                                  .topic = str_of(topic),
                                  .part = 3,
                                  .seq = seq};

    memset(anchor.hash.bytes, (int)seq, sizeof(anchor.hash.bytes));
    return anchor;
}

/* Three lines, one after the other, without their newlines. */
static void write_lines(struct buf *out, struct str lines[3])
{
    uint8_t last[CHAIN_SIGNATURE_BYTES] = {0};
    struct chain_signer signer;
    struct str rest;

    chain_signer_of(seed, &signer);
    for (int64_t i = 0; i < 3; i++) {
        struct chain_anchor anchor = anchor_of(i == 1 ? "" : "mamis.credit.work", 10 + i);

        chain_anchor_write(out, &anchor, &signer, last);
    }
    rest = buf_str(out);
    for (size_t i = 0; i < 3; i++)
        assert_true(str_cut(&rest, '\n', &lines[i]));
}

/* How many of these lines are good, up to the first that is not. */
static size_t good_lines(const struct str *lines, size_t count, const uint8_t *key)
{
    uint8_t last[CHAIN_SIGNATURE_BYTES] = {0};
    struct chain_anchor anchor;
    struct err_note note;
    size_t i = 0;

    while (i < count && chain_anchor_read(lines[i], key, last, &anchor, &note) == ERR_OK)
        i++;
    return i;
}

static void anchors_are_read_as_they_were_written(void **state)
{
    uint8_t last[CHAIN_SIGNATURE_BYTES] = {0};
    struct chain_anchor anchor;
    struct chain_signer signer;
    struct err_note note;
    struct str lines[3];
    struct buf out = {0};

    (void)state;
    chain_signer_of(seed, &signer);
    write_lines(&out, lines);
    for (int64_t i = 0; i < 3; i++) {
        struct chain_anchor was = anchor_of(i == 1 ? "" : "mamis.credit.work", 10 + i);

        assert_int_equal(chain_anchor_read(lines[i], signer.public_key, last, &anchor, &note),
                         ERR_OK);
        assert_true(anchor.at_us == was.at_us && anchor.part == was.part && anchor.seq == was.seq);
        assert_true(str_eq(anchor.schema, was.schema) && str_eq(anchor.topic, was.topic));
        assert_memory_equal(anchor.hash.bytes, was.hash.bytes, sizeof(was.hash.bytes));
    }
    buf_free(&out);
}

static void no_line_can_be_taken_out_or_exchanged(void **state)
{
    struct chain_signer signer, stranger;
    struct str lines[3];
    struct buf out = {0};

    (void)state;
    chain_signer_of(seed, &signer);
    chain_signer_of((const uint8_t[CHAIN_SEED_BYTES]){4}, &stranger);
    write_lines(&out, lines);
    assert_int_equal(good_lines(lines, 3, signer.public_key), 3);
    assert_int_equal(good_lines(lines, 3, stranger.public_key), 0);
    assert_int_equal(good_lines(lines + 1, 2, signer.public_key), 0);
    assert_int_equal(good_lines((struct str[]){lines[0], lines[2]}, 2, signer.public_key), 1);
    assert_int_equal(good_lines((struct str[]){lines[0], lines[0]}, 2, signer.public_key), 1);
    buf_free(&out);
}

/* Whatever single byte is another one, the line is refused. */
static void no_byte_of_a_line_can_be_changed(void **state)
{
    struct chain_signer signer;
    struct str lines[3];
    struct buf out = {0};

    (void)state;
    chain_signer_of(seed, &signer);
    write_lines(&out, lines);
    for (size_t i = 0; i < lines[0].len; i++) {
        char *byte = out.data + (lines[0].data - out.data) + i;

        *byte ^= 1;
        assert_int_equal(good_lines(lines, 1, signer.public_key), 0);
        *byte ^= 1;
    }
    assert_int_equal(good_lines(lines, 1, signer.public_key), 1);
    lines[0].len--;
    assert_int_equal(good_lines(lines, 1, signer.public_key), 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_in_any_order_have_the_hash_of_the_database),
        cmocka_unit_test(a_counter_entry_has_the_hash_of_the_database),
        cmocka_unit_test(every_value_counts),
        cmocka_unit_test(texts_do_not_run_together),
        cmocka_unit_test(a_link_has_the_hash_of_the_database),
        cmocka_unit_test(anchors_are_read_as_they_were_written),
        cmocka_unit_test(no_line_can_be_taken_out_or_exchanged),
        cmocka_unit_test(no_byte_of_a_line_can_be_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
