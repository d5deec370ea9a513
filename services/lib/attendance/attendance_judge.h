/*
 * attendance_judge: one verdict for each row of a chunk (formats.md section 1). Pure: rows,
 * doctors, what stands, time and policy come in; outcomes, problems and credits come out.
 *
 * A seminar's rows are judged in their order, chunk after chunk. What earlier chunks and uploads
 * left behind comes in as facts; what this chunk does to its own later rows is handled here.
 */
#pragma once
#include "attendance/attendance_match.h"
#include "base/clock.h"
#include "domain/offers.h"

struct attendance_session {
    int64_t session_id;
    struct str session_no;
    int64_t starts_us;
    int64_t ends_us;
    uint32_t grace_minutes;
    enum delivery delivery;
    struct offers offers;
    int64_t leader_register_no; /* NUMBER_NONE: no leader is named */
    uint32_t places_held;       /* visits: doctors who stand posted or wait, before this chunk */
};

struct attendance_seminar {
    struct str seminar_no;
    const struct attendance_session *sessions;
    size_t count;
};

/*
 * For each row the place of the session it names in the seminar's list, in the arena; the only one
 * where there is one and the cell is empty. -1: it names none, or none that there is.
 */
const int32_t *attendance_places(struct arena *arena, const struct attendance_rows *rows,
                                 const struct attendance_seminar *seminar);

enum fact { FACT_POSTED, FACT_WAITING, FACT_ALREADY_POSTED };

/*
 * Something that holds for a doctor and a session before this chunk: a ledger entry that stands (of
 * any upload), a waiting row (of any upload), an already posted row of this upload.
 */
struct attendance_fact {
    int64_t doctor_id;
    uint32_t session; /* place in the seminar's list */
    uint8_t fact;     /* enum fact */
    uint8_t kind;     /* enum kind of FACT_POSTED */
    uint32_t row_no;  /* of this upload; 0: another upload's */
};

/* The alternative a doctor chose at sign-up (R-SEM-09). */
struct attendance_choice {
    int64_t doctor_id;
    uint32_t session;
    uint8_t kind;
};

struct attendance_case {
    const struct attendance_header *header;
    const struct attendance_rows *rows;
    const struct attendance_numbers *numbers; /* of these rows */
    const struct attendance_seminar *seminar;
    const int32_t *places; /* of these rows: attendance_places() */
    /* The doctor_id of each session's leader, 0 for none; NULL: only their numbers are known. */
    const int64_t *leaders;
    const struct attendance_doctor *doctors;
    size_t doctor_count;
    const struct attendance_fact *facts; /* of these doctors, and of the whole seminar */
    size_t fact_count;
    const struct attendance_choice *choices; /* in the order of their doctor_ids */
    size_t choice_count;
    int64_t received_us;    /* of the upload: the clock of session_not_ended */
    bool reject_no_my_page; /* policy no_my_page=reject */
};

/* Values for the code's texts; those without data are not named by them. */
struct attendance_problem {
    enum code code;    /* may be a variant: code_name() gives the public name */
    struct str column; /* as the file's header writes it, else its Japanese name */
    struct str value;
    struct str expected;
};

struct attendance_credit {
    uint32_t row; /* place of its verdict */
    uint8_t kind; /* enum kind, which gives the programme */
    int16_t half_units;
};

struct attendance_verdict {
    uint8_t outcome;    /* enum outcome */
    bool waits_already; /* OUTCOME_WAITING with a waiting row of an earlier upload: no second one */
    enum code reason;   /* CODE_NONE when there is none; of a refused row its first problem */
    enum code note;     /* CODE_LOST_CHARACTER, CODE_SMALL_KANA or CODE_NONE: no problem */
    int32_t doctor;     /* place in the list; -1: none found, or the numbers disagree */
    int32_t session;    /* place in the seminar's list; -1: unknown */
    uint32_t same_as_row; /* row_no of CODE_SAME_UPLOAD, else 0 */
    int64_t suggestion;   /* a register number (attendance_suggest.h); 0: none */
    uint32_t problem;     /* the first of them */
    uint32_t problem_count;
    /* What posts (OUTCOME_POSTED), or will when My Page is complete (OUTCOME_WAITING). */
    uint32_t credit;
    uint32_t credit_count;
};

struct attendance_verdicts {
    struct attendance_verdict *list; /* one for each row */
    size_t count;
    struct attendance_problem *problems; /* row by row, in the order of the codes */
    size_t problem_count;
    struct attendance_credit *credits; /* row by row, in the order of the session's offers */
    size_t credit_count;
    uint32_t outcomes[OUTCOME_COUNT]; /* rows of each */
};

/* Memory: verdicts live in the arena; their texts borrow rows, header and the arena. */
void attendance_judge(struct arena *arena, const struct attendance_case *judged,
                      struct attendance_verdicts *ret_verdicts);
