/*
 * mamisctl: what the subcommands share. A command-line tool: one thread, one thing after the other,
 * over the same libraries as the services.
 */
#pragma once
#include "base/log.h"
#include "base/settings.h"
#include "bus/bus.h"
#include "bus/bus_admin.h"
#include "db/db.h"
#include "secret/secret.h"
#include "work/work.h"

struct tool_settings {
#define SETTING(name, type, fallback, least, most, unit, flags, help) SETTING_FIELD_##type name;
#include "mamisctl/mamisctl_settings.def"
#undef SETTING
};

/* What mamisctl ends with. */
enum tool_exit {
    TOOL_OK = 0,
    TOOL_REFUSED = 1, /* input was refused, or verify found a difference */
    TOOL_USAGE = 2,
    TOOL_UNSETTLED = 3, /* done, but a service has not taken it over in time */
    TOOL_FAILED = 4,    /* a dependency was away, or a fault */
};

enum {
    TOOL_DEADLINE_MS = 600000, /* of one transaction */
    TOOL_SETTLE_MS = 90000,    /* until every projection has applied what was published */
};

struct tool {
    const struct tool_settings *settings;
    struct arena *arena; /* lives as long as the command */
    struct loop *loop;
    struct db_pool *db; /* NULL until tool_db_open() */
    struct bus *bus;    /* NULL until tool_bus_open() */
    struct work *work;  /* NULL until tool_work_open() */
};

/* A subcommand gets its own words, without "mamisctl NAME". */
struct tool_args {
    int count;
    char **words;
};

enum { TOOL_FORMS_MAX = 6 };

struct tool_command {
    const char *name;
    const char *help;
    enum tool_exit (*run)(struct tool *tool, struct tool_args *args);
    const char *forms[TOOL_FORMS_MAX]; /* how it is written; NULL at the end */
};

#define COMMAND(name) enum tool_exit command_##name(struct tool *tool, struct tool_args *args)
COMMAND(migrate);
COMMAND(topics);
COMMAND(import);
COMMAND(maintenance);
COMMAND(account);
COMMAND(token);
COMMAND(postcards);
COMMAND(verify);
COMMAND(anchor);
COMMAND(dead_letters);
COMMAND(parked);
COMMAND(strays);
COMMAND(replay);
COMMAND(republish);
COMMAND(status);
COMMAND(retention);
#undef COMMAND

/* ---- words of the command line ---- */

/* Takes `--name VALUE` out of the words; NULL when it is not there. */
const char *args_option(struct tool_args *args, const char *name);
bool args_flag(struct tool_args *args, const char *name);
/* Takes the next word that is no option; NULL when there is none. */
const char *args_word(struct tool_args *args);
/* True when nothing is left; else says what is not understood. */
bool args_done(const struct tool_args *args);

/* ---- talking to the servers ---- */

void tool_db_open(struct tool *tool);
void tool_bus_open(struct tool *tool);
/* As bus_admin_open(), with the settings. Errors: ERR_SETTINGS. */
CHECKED enum err tool_bus_admin_open(struct tool *tool, struct bus_admin **ret_admin,
                                     struct err_note *note);
/* The outbox of `service`; also opens db and bus. Once in a command. */
void tool_work_open(struct tool *tool, const char *service);
void tool_close(struct tool *tool);

/* db_run() or work_run(), and wait. */
CHECKED enum err tool_run(struct tool *tool, struct db_batch *batch, struct err_note *note);
CHECKED enum err tool_run_work(struct tool *tool, struct db_batch *batch, struct err_note *note);
/* Wait until what tool_run_work() published is acknowledged. False after `wait_ms`. */
bool tool_flush(struct tool *tool, uint64_t wait_ms);

/* "mamisctl: ..." on standard error. */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says why a step failed and gives the exit code that fits. */
enum tool_exit tool_fail(const char *step, enum err err, const struct err_note *note);

/* A whole file. Errors: ERR_SETTINGS (not readable), ERR_BODY_TOO_LARGE, with words in `note`. */
CHECKED enum err tool_read_file(const char *path, size_t bytes_max, struct buf *out,
                                struct err_note *note);
/* deploy/NAME of the data folder, in the tool's arena. */
const char *tool_data_path(struct tool *tool, const char *name);

/*
 * Wait until every consumer of `topics` has applied what is in them now. False when that did not
 * come about within TOOL_SETTLE_MS; then it has said who lags.
 */
bool tool_settle(struct tool *tool, const char *const *topics, size_t count);

enum { TOOL_RECEIVERS_MAX = 8 };

/* The services that receive anything of the topic, each once: their number. */
size_t tool_receivers(const char *topic, const char *out[TOOL_RECEIVERS_MAX]);
