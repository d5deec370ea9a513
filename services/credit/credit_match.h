/*
 * credit_match: who the rows of a chunk speak of, and what stands for them already.
 */
#pragma once
#include "attendance/attendance_map.h"
#include "credit/credit_directory.h"
#include "credit/credit_upload.h"

/* What holds for the doctors in the seminar's sessions. A question that needs no asking is NULL. */
struct match_facts {
    struct db_query *ledger;
    struct db_query *rows;
    struct db_query *certificates; /* where a session has alternatives */
    struct db_query *choices;      /* likewise: what was chosen at sign-up */
    struct db_query *trial;        /* of a dry run: what its earlier chunks would have posted */
};

struct match {
    struct attendance_doctor *doctors;
    size_t doctor_count;
    /* The doctors and sessions that the rows put together, each pair once. */
    struct match_pairs {
        int64_t *doctor_ids, *session_ids;
        size_t count;
    } pairs;
    struct attendance_fact *facts;
    size_t fact_count;
    struct attendance_choice *choices; /* in the order of their doctor_ids */
    size_t choice_count;
    /* Highest revision + 1 by (doctor_id, session and programme). */
    struct attendance_map revisions;
};

/*
 * Which of the upload's own rows are compared with: those before a row, and all but one; or none,
 * see match_key_tells().
 */
struct match_span {
    bool key_tells;
    uint32_t before; /* row_no */
    uint32_t except; /* row_no; 0: none */
};

/* Sets the match's doctors: who has these numbers, out of the directory, in the arena. */
void match_doctors(struct match *match, const struct directory *directory,
                   const struct attendance_numbers *numbers, struct arena *arena);

/* The doctor_id of each session's leader, 0 for none, in the arena. */
const int64_t *match_leaders(const struct directory *directory,
                             const struct attendance_seminar *seminar, struct arena *arena);

/* Sets its pairs; `places` are those of `rows` rows in the seminar's list. */
void match_pairs(struct match *match, const struct directory *directory,
                 const struct attendance_numbers *numbers, const int32_t *places, size_t rows,
                 const struct attendance_seminar *seminar, struct arena *arena);

/*
 * Whether the ledger's key alone finds what a row of the upload repeats, so that nothing has to be
 * asked before it is written: whatever stands in the seminar was posted by earlier chunks of this
 * upload, none of whose rows wait or repeat one, and a row that repeats one of theirs wants the
 * same credits again. A chunk that the key refused is judged again, by asking.
 */
bool match_key_tells(const struct attendance_header *header, const struct upload *upload);

/* Nothing is asked when no doctor was found. */
void match_facts_add(struct match_facts *query, struct db_batch *batch, const struct match *match,
                     const struct upload *upload, struct match_span span, struct arena *arena);
CHECKED enum err match_facts_take(const struct match_facts *query, struct match *match,
                                  const struct upload *upload, struct arena *arena,
                                  struct err_note *note);

/* The revision that posting now gets: 0, or one more than the highest there is. */
int16_t match_revision(struct match *match, int64_t doctor_id, size_t session,
                       enum programme programme);
