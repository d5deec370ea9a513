/*
 * The bytes of a ledger entry that are hashed: read again they give the same entry, so that no two
 * entries have the same bytes. Input that is no entry's bytes is used as far as it goes.
 */
#include <string.h>

#include "chain/chain.h"
#include "fuzz.h"

struct reader {
    const uint8_t *at, *end;
    bool short_of; /* more was wanted than there is, or something that is never written */
};

static uint64_t take_number(struct reader *reader, size_t width)
{
    uint64_t value = 0;

    if ((size_t)(reader->end - reader->at) < width) {
        reader->short_of = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++)
        value = value << 8 | *reader->at++;
    return value;
}

static struct str take_text(struct reader *reader)
{
    const uint8_t *nul = memchr(reader->at, '\0', (size_t)(reader->end - reader->at));
    struct str text = {(const char *)reader->at, 0};

    if (nul == NULL) {
        reader->short_of = true;
        return STR("");
    }
    text.len = (size_t)(nul - reader->at);
    reader->at = nul + 1;
    return text;
}

static bool take_flag(struct reader *reader)
{
    uint64_t flag = take_number(reader, 1);

    reader->short_of = reader->short_of || flag > 1;
    return flag == 1;
}

static struct str take_text_null(struct reader *reader)
{
    return take_flag(reader) ? take_text(reader) : STR_NONE;
}

/* Days count from 2000-01-01 in the bytes. */
static day_t take_day(struct reader *reader)
{
    int64_t day = (int64_t)(int32_t)take_number(reader, 4) + day_parse(STR("2000-01-01"));

    reader->short_of = reader->short_of || day > INT32_MAX;
    return reader->short_of ? 0 : (day_t)day;
}

static struct chain_entry take_entry(struct reader *reader, struct uuid *actor)
{
    struct chain_entry entry = {.session_id = (int64_t)take_number(reader, 8)};

    entry.doctor_id = (int64_t)take_number(reader, 8);
    entry.programme = take_text(reader);
    entry.revision = (int16_t)take_number(reader, 2);
    entry.row_no = (int32_t)take_number(reader, 4);
    entry.held_on = take_day(reader);
    entry.half_units = (int16_t)take_number(reader, 2);
    entry.kind = take_text(reader);
    entry.reason = take_text_null(reader);
    if (take_flag(reader)) {
        for (size_t i = 0; i < UUID_BYTES; i++)
            actor->bytes[i] = (uint8_t)take_number(reader, 1);
        entry.actor = actor;
    }
    entry.actor_role = take_text_null(reader);
    entry.actor_code = take_text_null(reader);
    return entry;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = {data, data + size, false};

    while (reader.at < reader.end) {
        const uint8_t *begin = reader.at;
        struct uuid actor = {{0}};
        struct chain_entry entry = take_entry(&reader, &actor);
        struct buf out = {0};

        if (reader.short_of)
            return 0;
        chain_entry_put(&out, &entry);
        must(out.len == (size_t)(reader.at - begin));
        must(memcmp(out.data, begin, out.len) == 0);
        buf_free(&out);
    }
    return 0;
}
