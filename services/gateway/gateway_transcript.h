/*
 * gateway_transcript: a doctor's credits as a paper or a table, with a code by which anybody can
 * ask whether it is genuine.
 *
 *   gateway_transcript.c        the request: read, draw on a thread, keep what was issued, answer
 *   gateway_transcript_make.c   what stands in it; runs on a thread
 *   gateway_transcript_words.c  in which words
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
    bool english;
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

enum transcript_word {
    WORD_ALL,
    WORD_TITLE,
    WORD_NAME,
    WORD_NAME_KANA,
    WORD_MAMIS_NO,
    WORD_REGISTER_NO,
    WORD_PROGRAMMES,
    WORD_DAYS,
    WORD_ISSUED,
    WORD_CODE,
    WORD_CHECK_PAGE,
    WORD_TOTALS,
    WORD_YEARS,
    WORD_ENTRIES,
    WORD_NONE,
    WORD_PROGRAMME,
    WORD_KIND,
    WORD_KIND_CODE,
    WORD_UNITS,
    WORD_YEAR,
    WORD_HELD_ON,
    WORD_SEMINAR,
    WORD_SEMINAR_NO,
    WORD_SEMINAR_TITLE,
    WORD_SESSION_NO,
    WORD_SESSION_TITLE,
    WORD_FORM,
    WORD_DELIVERY,
    WORD_NOTE_AS_OF,
    WORD_NOTE_CHECK,
    WORD_VENUE,
    WORD_WEB,
    WORD_VISIT,
    WORD_COUNT,
};

struct str transcript_word(enum transcript_word word, bool english);
/* Words for people; what is built lives in the arena. DAY_NONE: nothing. */
struct str transcript_day(struct arena *arena, day_t day, bool english);
struct str transcript_time(struct arena *arena, int64_t time_us, bool english);
struct str transcript_period(struct arena *arena, day_t from, day_t to, bool english);
/* Data NULL: all. */
struct str transcript_programme(struct str code, bool english);
struct str transcript_delivery(struct str delivery, bool english);
/*
 * The first character of each word of a name, the others as stars; of a word that is one character
 * long nothing, unless it is the first. Lives in the arena.
 */
struct str transcript_mask(struct arena *arena, struct str name);
/* "1.5" */
struct str transcript_units(struct arena *arena, int64_t half_units);
