/* attendance_samples: reading tests/data/members.csv and seminars.csv. */
#include "attendance_samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "text/csv.h"
#include "text/fold.h"

enum { FIELDS_MAX = 24, SESSIONS_MAX = 256 };

/* One line of a file of ours: fields by the names in its header. */
struct table {
    struct arena *arena;
    struct str rest;
    struct str names[FIELDS_MAX];
    struct str fields[FIELDS_MAX];
    size_t count;
};

struct str samples_file(struct arena *arena, const char *path)
{
    const char *full = arena_printf(arena, "%s/%s", TEST_SOURCE_DIR, path);
    FILE *file = fopen(full, "rb");
    char *data;
    long size;

    if (file == NULL) {
        perror(full);
        exit(1);
    }
    must(fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    must(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    data = arena_alloc(arena, (size_t)size + 1);
    must(fread(data, 1, (size_t)size, file) == (size_t)size);
    must(fclose(file) == 0);
    return (struct str){data, (size_t)size};
}

static bool next_line(struct table *table, struct str *fields)
{
    struct str line;
    struct csv_fields left;
    struct csv_field field;
    size_t count = 0;

    if (!str_cut(&table->rest, '\n', &line) || line.len == 0)
        return false;
    left = csv_fields_of(line, ',');
    while (csv_fields_next(&left, &field)) {
        must(count < FIELDS_MAX);
        fields[count++] = csv_field_text(table->arena, &field);
    }
    table->count = count;
    return true;
}

static void open_table(struct table *table, struct arena *arena, const char *path)
{
    *table = (struct table){.arena = arena, .rest = samples_file(arena, path)};
    must(next_line(table, table->names));
}

static struct str field(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (str_eq_c(table->names[i], name))
            return table->fields[i];
    }
    must(false);
}

static int64_t number(const struct table *table, const char *name)
{
    const struct str text = field(table, name);
    int64_t value = NUMBER_NONE;

    must(text.len == 0 || str_to_i64(text, &value));
    return value;
}

static void load_doctors(struct samples *samples)
{
    enum { DOCTORS_MAX = 4000 };
    struct table table;

    samples->doctors = arena_array(samples->arena, struct attendance_doctor, DOCTORS_MAX);
    open_table(&table, samples->arena, "tests/data/members.csv");
    while (next_line(&table, table.fields)) {
        struct attendance_doctor *doctor = &samples->doctors[samples->doctor_count++];

        must(samples->doctor_count < DOCTORS_MAX);
        *doctor = (struct attendance_doctor){
            .doctor_id = 7000000 + (int64_t)samples->doctor_count,
            .register_no = register_no_parse(field(&table, "register_no")),
            .mamis_no = mamis_no_parse(field(&table, "mamis_no")),
            .kana = fold_kana(samples->arena, field(&table, "name_kana")),
            .former_kana = fold_kana(samples->arena, field(&table, "former_name_kana")),
            .op_from = day_parse(field(&table, "op_from")),
            .op_to = day_parse(field(&table, "op_to")),
            .sp_from = day_parse(field(&table, "sp_from")),
            .sp_to = day_parse(field(&table, "sp_to")),
        };
        must(doctor->register_no != NUMBER_NONE);
        must(my_page_of_name(field(&table, "my_page"), &doctor->my_page));
    }
}

/* "2025-03-31 13:00" in Japan. */
static int64_t time_of(struct str text)
{
    struct arena *arena = arena_new();
    struct cell_time time;

    must(cell_time_parse(arena, text, &time) && time.day != DAY_NONE);
    arena_free(arena);
    return cell_time_us(&time, 0, 0, 0);
}

static void load_session(const struct table *table, struct attendance_session *session, size_t at)
{
    *session = (struct attendance_session){
        .session_id = 100 + (int64_t)at,
        .session_no = field(table, "session_no"),
        .starts_us = time_of(field(table, "starts_at")),
        .ends_us = time_of(field(table, "ends_at")),
        .grace_minutes = (uint32_t)number(table, "grace_minutes"),
        .leader_register_no = number(table, "leader_register_no"),
    };
    must(delivery_of_name(field(table, "delivery"), &session->delivery));
    must(offers_parse(field(table, "offers"), session->delivery, &session->offers) == OFFERS_FINE);
}

static void load_seminars(struct samples *samples)
{
    struct attendance_session *sessions =
        arena_array(samples->arena, struct attendance_session, SESSIONS_MAX);
    struct attendance_seminar *seminar = NULL;
    struct table table;

    samples->seminars = arena_array(samples->arena, struct attendance_seminar, SESSIONS_MAX);
    open_table(&table, samples->arena, "tests/data/seminars.csv");
    for (size_t at = 0; next_line(&table, table.fields); at++) {
        const struct str seminar_no = field(&table, "seminar_no");

        must(at < SESSIONS_MAX);
        load_session(&table, &sessions[at], at);
        if (seminar == NULL || !str_eq(seminar->seminar_no, seminar_no)) {
            seminar = &samples->seminars[samples->seminar_count++];
            *seminar = (struct attendance_seminar){seminar_no, &sessions[at], 0};
        }
        seminar->count++;
    }
}

struct samples *samples_load(void)
{
    struct arena *arena = arena_new();
    struct samples *samples = arena_new_of(arena, struct samples);

    samples->arena = arena;
    load_doctors(samples);
    load_seminars(samples);
    return samples;
}

void samples_free(struct samples *samples)
{
    arena_free(samples->arena);
}

const struct attendance_seminar *samples_seminar(const struct samples *samples,
                                                 struct str seminar_no)
{
    for (size_t i = 0; i < samples->seminar_count; i++) {
        if (str_eq(samples->seminars[i].seminar_no, seminar_no))
            return &samples->seminars[i];
    }
    return NULL;
}

const struct attendance_doctor *samples_doctor(const struct samples *samples, int64_t register_no)
{
    for (size_t i = 0; i < samples->doctor_count; i++) {
        if (samples->doctors[i].register_no == register_no)
            return &samples->doctors[i];
    }
    return NULL;
}
