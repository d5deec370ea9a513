/*
 * settings: a table of named values. Default, then file, then environment; everything is checked
 * before the loop starts, and an unknown key is an error. A table is made from a .def file:
 *
 *   SETTING(batch_max, U32, "100", 1, 1000, "events", 0, "Most events handled at once")
 *
 * name, type (U32, TEXT, BOOL), default, least, most, unit, flags (SETTING_SECRET), help.
 * In a file: `batch_max = 100`, `#` begins a comment. In the environment: MAMIS_BATCH_MAX.
 */
#pragma once
#include "base/str.h"

enum { SETTINGS_FILE_BYTES_MAX = 64 * 1024, SETTING_SECRET = 1, SETTING_REQUIRED = 2 };

enum setting_type { SETTING_U32, SETTING_TEXT, SETTING_BOOL };

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset; /* of the value in the settings struct */
    const char *fallback;
    uint32_t least; /* U32: value; TEXT: bytes */
    uint32_t most;
    const char *unit;
    unsigned flags;
    const char *help;
};

/* Field types of the settings struct that a .def file makes. */
#define SETTING_FIELD_U32 uint32_t
#define SETTING_FIELD_TEXT const char *
#define SETTING_FIELD_BOOL bool

/*
 * Fill `out` from defaults, then `file` (NULL for none), then the environment. Several tables may
 * share one file: keys of `known` tables are accepted, others refused by name and line.
 * Memory: texts live until the process ends. Errors: ERR_SETTINGS with the place in `note`.
 */
struct settings_table {
    const struct setting *settings;
    size_t count;
    void *out;
};
CHECKED enum err settings_load(const struct settings_table *tables, size_t count, const char *file,
                               struct err_note *note);
/* `--help-settings`: one line each on standard output; secrets show no value. */
void settings_print(const struct settings_table *tables, size_t count);
