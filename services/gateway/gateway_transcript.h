/*
 * gateway_transcript: a doctor's credits as a paper or a table, with a code by which anybody can
 * ask whether it is genuine.
 *
 *   gateway_transcript.c        the request: read, draw on a thread, keep what was issued, answer
 *   gateway_transcript_make.c   what stands in it; runs on a thread
 *   gateway_transcript_check.c  GET /transcripts/{code}
 */
#pragma once
#include <jansson.h>

#include "base/clock.h"
#include "domain/kinds.h"
#include "domain/paper_code.h"
#include "secret/secret.h"

enum {
    TRANSCRIPT_ENTRIES_MAX = 2000,
    TRANSCRIPT_PAGES_MAX = 120,
    TRANSCRIPT_BYTES_MAX = 8 * 1024 * 1024,
    TRANSCRIPT_YEARS_MAX = 100,
};

enum transcript_format { TRANSCRIPT_PDF, TRANSCRIPT_CSV };

struct transcript_entry {
    day_t held_on;
    enum kind kind;
    int32_t half_units;
    struct str seminar_no, seminar_title, session_no, session_title, delivery;
};

struct transcript_year {
    int year;
    int64_t half_units[PROGRAMME_COUNT];
};

struct transcript_sums {
    int64_t half_units[KIND_COUNT];
    struct transcript_year years[TRANSCRIPT_YEARS_MAX]; /* oldest first */
    size_t year_count;
};

/* All that goes into one, and what comes out. */
struct transcript {
    enum transcript_format format;
    char code[PAPER_CODE_BYTES];
    int64_t as_of_us;
    struct str site, note, check_url; /* who issues it, what he adds, where to ask */
    struct str name, name_kana, mamis_no, register_no;
    struct str programme;                   /* asked for; data NULL: all */
    day_t from, to;                         /* DAY_NONE: open */
    const struct transcript_entry *entries; /* oldest first */
    size_t count;
    struct transcript_sums sums;
    struct buf out;
    uint8_t sha256[SECRET_DIGEST_BYTES];
    enum err err; /* of drawing */
    struct err_note err_note;
};

/* False when there are more years than can be. Entries are oldest first. */
bool transcript_sum(const struct transcript_entry *entries, size_t count,
                    struct transcript_sums *ret_sums);
/* [{"programme", "kind", "half_units"}], [{"fiscal_year", ...}]. New references. */
json_t *transcript_totals(const struct transcript_sums *sums);
json_t *transcript_years(const struct transcript_sums *sums);

/* Work of a thread: `arg` is a struct transcript whose out, sha256 and err are filled in. */
void transcript_make(void *arg);

/*
 * The first character of each word of a name, the others as stars; of a word that is one character
 * long nothing, unless it is the first. Lives in the arena.
 */
struct str transcript_mask(struct arena *arena, struct str name);
/* "1.5" */
struct str transcript_units(struct arena *arena, int64_t half_units);
