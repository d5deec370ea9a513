/*
 * attendance_samples: the doctors and seminars of tests/data, as the credit service knows them.
 */
#pragma once
#include "attendance/attendance_cells.h"
#include "attendance/attendance_judge.h"

struct samples {
    struct arena *arena;
    struct attendance_doctor *doctors;
    size_t doctor_count;
    struct attendance_seminar *seminars;
    size_t seminar_count;
};

/* Everything; ends the test program when a file cannot be read. */
struct samples *samples_load(void);
void samples_free(struct samples *samples);

const struct attendance_seminar *samples_seminar(const struct samples *samples,
                                                 struct str seminar_no);
const struct attendance_doctor *samples_doctor(const struct samples *samples, int64_t register_no);

/* A file below the repository's top; the arena's. */
struct str samples_file(struct arena *arena, const char *path);
