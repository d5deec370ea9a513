/* Shared by the files of the judge; nobody else includes it. */
#pragma once
#include "attendance/attendance_cells.h"
#include "attendance/attendance_judge.h"
#include "attendance/attendance_map.h"

/* Codes of problems are below; each is a bit of `found`. */
#define PROBLEM_CODES 64

/* What stands for a doctor and a session, before the present row. */
struct stand {
    uint8_t kinds[PROGRAMME_COUNT]; /* enum kind posted in each programme; KIND_NONE: none */
    bool waiting;                   /* a row waits, of this upload or another */
    bool waiting_elsewhere;         /* ... of another */
    uint32_t row_no;                /* first row of this upload that stood; 0: none */
};

/* The kinds a row is for. */
struct wish {
    uint8_t offers[OFFERS_MAX]; /* places in the session's offers */
    uint8_t count;
    uint8_t programmes; /* how many, known also while alternatives are open */
    bool settled;       /* one kind for each programme, no problem among them */
};

struct judging {
    struct arena *arena;
    const struct attendance_case *in;
    struct attendance_verdicts *out;
    struct attendance_map doctors; /* part 0: register numbers, part 1: MAMIS numbers */
    struct attendance_map stand_map;
    struct stand *stands;
    uint32_t stand_count;
    uint32_t *places_held; /* of each session */
    struct str *offers;    /* of each session, for people; made when first needed */
    struct str seminar_no; /* width folded */
    struct str sessions;   /* for people; made when first needed */
    struct str kind_cell;  /* the kinds read last, for most rows have the same */
    struct cell_kinds kinds;

    /* The present row. */
    const struct attendance_row *row;
    size_t at;
    struct attendance_verdict *verdict;
    const struct attendance_doctor *doctor;   /* NULL: none found */
    const struct attendance_session *session; /* NULL: unknown */
    uint64_t found;
    struct attendance_problem problems[PROBLEM_CODES];
};

/* The row has this problem; the first of a code counts. The column is the code's own. */
void judge_problem(struct judging *judging, enum code code, struct str value, struct str expected);
/* ... in this column. */
void judge_problem_in(struct judging *judging, enum code code, enum column column, struct str value,
                      struct str expected);
static inline struct str judge_cell(const struct judging *judging, enum column column)
{
    return judging->row->cells[column];
}

/* attendance_judge_doctor: who it is. Sets judging->doctor. */
void judge_doctor_init(struct judging *judging);
void judge_doctor(struct judging *judging);

/* attendance_judge_session: where and when. Sets judging->session. */
void judge_session_init(struct judging *judging);
void judge_session(struct judging *judging);
void judge_times(struct judging *judging);

/* attendance_judge_kinds: for what. */
void judge_kinds(struct judging *judging, struct wish *ret_wish);

/* attendance_judge_stand: what stands already. */
void judge_stand_init(struct judging *judging);
/* The present doctor's and session's; NULL while either is unknown. */
struct stand *judge_stand(struct judging *judging);
void judge_conflicts(struct judging *judging, const struct stand *stand, const struct wish *wish);
/* Of a row without problems: its outcome, its credits, and what stands after it. */
void judge_outcome(struct judging *judging, struct stand *stand, const struct wish *wish);
