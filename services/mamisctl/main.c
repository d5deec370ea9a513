/*
 * mamisctl: the operators' tool. usage: mamisctl [--settings FILE] COMMAND [ARGUMENT...]
 * Every subcommand is a file of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mamisctl/mamisctl.h"

static struct tool_settings settings;

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct tool_settings, name),                               \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
static const struct setting table[] = {
#include "mamisctl/mamisctl_settings.def"
};
#undef SETTING

static const struct tool_command commands[] = {
    {"migrate", "bring the database's tables up to date", command_migrate, {"migrate"}},
    {"topics", "make the Kafka topics that are missing", command_topics, {"topics"}},
    {"import",
     "take over a CSV file; nothing is taken unless all lines are good",
     command_import,
     {"import organisers|seminars FILE [--preview] [--keep-good BAD.csv]",
      "import members FILE [--preview] [--keep-good BAD.csv] [--postcards OUT.csv [--resume]]"
      " [--password-for-tests PW]"}},
    {"account",
     "accounts of staff and organisers; the password - is read from standard input",
     command_account,
     {"account create --role ROLE --login ID --password PW --name NAME [--email ADDRESS]"
      " [--organiser CODE] [--l1 CODE] [--l2 CODE] [--administrator]",
      "account list [--role ROLE]", "account reset-password --login ID --password PW",
      "account reset-second-factor --login ID",
      "account suspend|restore --login ID | --register-no N",
      "account link LIST.txt|--all --reason TEXT | --preview"}},
    {"maintenance",
     "when nobody but administrators may use the system; TIME: 2026-03-30T00:00:00+09:00, or now",
     command_maintenance,
     {"maintenance list", "maintenance plan --from TIME --to TIME --note TEXT [--note-en TEXT]",
      "maintenance change ID [--from TIME] [--to TIME] [--note TEXT] [--note-en TEXT]",
      "maintenance end ID"}},
    {"token",
     "access of organisers' programs",
     command_token,
     {"token create --organiser CODE --scope attendance:write [--label TEXT] [--days N]",
      "token list [--organiser CODE]", "token revoke TOKEN_ID"}},
    {"postcards",
     "a new temporary ID and password for a doctor who has not finished first login",
     command_postcards,
     {"postcards reissue --register-no N --out FILE"}},
    {"verify",
     "prove that ledger, uploads, events, copies and chains agree",
     command_verify,
     {"verify [--wait SECONDS] [--timing] [--books | --anchors FILE [--anchor-public HEX]]"}},
    {"anchor",
     "append how far the chains are to a file that is kept elsewhere",
     command_anchor,
     {"anchor [--file FILE]"}},
    {"dead-letters",
     "messages that could not be handled",
     command_dead_letters,
     {"dead-letters list [--service NAME]", "dead-letters show SERVICE ID",
      "dead-letters retry SERVICE ID|all"}},
    {"parked",
     "events that Kafka refused as too large, and publishing them again",
     command_parked,
     {"parked list", "parked retry"}},
    {"strays",
     "events in Kafka of a past that a restore gave up, and passing them without effect",
     command_strays,
     {"strays list", "strays pass"}},
    {"replay",
     "publish a lost topic again from the outboxes",
     command_replay,
     {"replay --topic TOPIC"}},
    {"republish",
     "publish the present state of every row again",
     command_republish,
     {"republish doctors|accounts|certificates|maintenance|seminars|credits"}},
    {"retention",
     "what is kept how long, since when, and what is overdue",
     command_retention,
     {"retention [--why]"}},
    {"status", "offsets, unsent events, dead letters, uploads", command_status, {"status"}},
};

static void print_forms(FILE *out, const struct tool_command *command)
{
    for (size_t i = 0; i < TOOL_FORMS_MAX && command->forms[i] != NULL; i++)
        (void)fprintf(out, "  mamisctl %s\n", command->forms[i]);
}

static void print_usage(FILE *out)
{
    (void)fprintf(out, "usage: mamisctl [--settings FILE] COMMAND [ARGUMENT...]\n"
                       "       mamisctl --help-settings\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        (void)fprintf(out, "\n%s:\n", commands[i].help);
        print_forms(out, &commands[i]);
    }
}

static const struct tool_command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Business time; refused in production, as the services do. */
static enum err set_clock(struct err_note *note)
{
    int64_t offset_us;

    if (!str_to_i64(str_of(settings.now_offset_us), &offset_us))
        return err_say(note, ERR_SETTINGS, "now_offset_us is no whole number");
    if (offset_us != 0 && strcmp(settings.env, "production") == 0)
        return err_say(note, ERR_SETTINGS, "now_offset_us is refused where env is production");
    clock_set_offset(offset_us);
    return ERR_OK;
}

static enum tool_exit run_command(const struct tool_command *command, struct tool_args *args,
                                  const char *file)
{
    const struct settings_table tables[] = {{table, ARRAY_LEN(table), &settings}};
    struct tool tool = {.settings = &settings};
    struct err_note note = {0};
    enum tool_exit result;

    if (settings_load(tables, ARRAY_LEN(tables), file, &note) != ERR_OK ||
        set_clock(&note) != ERR_OK) {
        tool_say("%s", note.text);
        return TOOL_USAGE;
    }
    tool.arena = arena_new();
    tool.loop = loop_new();
    result = command->run(&tool, args);
    if (result == TOOL_USAGE) {
        tool_say("not understood; usage:");
        print_forms(stderr, command);
    }
    tool_close(&tool);
    loop_free(tool.loop);
    arena_free(tool.arena);
    return result;
}

int main(int argc, char **argv)
{
    const struct settings_table tables[] = {{table, ARRAY_LEN(table), &settings}};
    struct tool_args args = {argc - 1, argv + 1};
    const struct tool_command *command;
    const char *file = NULL;

    if (args.count >= 2 && strcmp(args.words[0], "--settings") == 0) {
        file = args.words[1];
        args.count -= 2;
        args.words += 2;
    }
    if (args.count == 0) {
        print_usage(stderr);
        return TOOL_USAGE;
    }
    if (strcmp(args.words[0], "--help-settings") == 0) {
        settings_print(tables, ARRAY_LEN(tables));
        return TOOL_OK;
    }
    if (strcmp(args.words[0], "--help") == 0 || strcmp(args.words[0], "help") == 0) {
        print_usage(stdout);
        return TOOL_OK;
    }
    command = find_command(args.words[0]);
    if (command == NULL) {
        tool_say("there is no command \"%s\"; mamisctl --help lists them", args.words[0]);
        return TOOL_USAGE;
    }
    log_init("mamisctl", LOG_LEVEL_ERROR); /* each command tells its own failures */
    args.count--;
    args.words++;
    return (int)run_command(command, &args, file);
}
