/*
 * attendance_cases: tables of verdicts. The rows of a small file, and of each what becomes of it:
 * "outcome [reason] [=row] [again] [KIND:half units ..] [!problem column=value>expected ..]
 * [~note]".
 */
#pragma once
#include "attendance/attendance_judge.h"

enum { DOCTORS = 20, FIRST_REGISTER_NO = 101 };

struct fixture {
    struct arena *arena;
    struct attendance_doctor doctors[DOCTORS];
    struct attendance_session sessions[3];
    struct attendance_seminar seminar;
    struct attendance_fact facts[8];
    size_t fact_count;
    struct attendance_choice choices[2];
    size_t choice_count;
    bool reject_no_my_page;
    int64_t received_us;
    struct attendance_verdicts verdicts;
};

/*
 * One seminar S2025-0001 with one session on 2025-10-10, 13:00 to 15:00, no grace:
 * OPB-K:2|OPL-S:2;CME-007:1.5. Doctors 101.. are all called サトウケンイチ and complete, except:
 * 101 certified for OP (2025-10-10 to 2030-10-09) and SP (2020-10-11 to 2025-10-10), 102 of another
 * name and with a former one, 103 without My Page, 104 closed, 105 with a temporary password, 106
 * with certificates still to be linked. Their ids begin with 1000.
 */
int cases_set_up(void **state);
int cases_tear_down(void **state);

#define CASE(test) cmocka_unit_test_setup_teardown(test, cases_set_up, cases_tear_down)

/* RFC 3339 */
int64_t us(const char *text);
void set_offers(struct attendance_session *session, const char *text);
void set_session(struct attendance_session *session, const char *no, const char *starts,
                 const char *ends, const char *offers);

/* Judge rows (numbered from 1) below a header: each verdict must be its line of `want`. */
void expect(struct fixture *fixture, const char *head, const char *rows, const char *want);
