/* A settings file of any bytes: refused with its place, or every value is within its limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/settings.h"
#include "fuzz.h"

enum { WORD_MOST = 16, NUMBER_LEAST = 1, NUMBER_MOST = 1000 };

static struct values {
    uint32_t number;
    const char *word, *secret;
    bool flag;
} values;

static const struct setting settings[] = {
    {"number", SETTING_U32, offsetof(struct values, number), "100", NUMBER_LEAST, NUMBER_MOST,
     "things", 0, "A number"},
    {"word", SETTING_TEXT, offsetof(struct values, word), "well", 1, WORD_MOST, "word", 0,
     "A word"},
    {"secret", SETTING_TEXT, offsetof(struct values, secret), "", 0, WORD_MOST, "text",
     SETTING_SECRET, "Never shown"},
    {"flag", SETTING_BOOL, offsetof(struct values, flag), "false", 0, 0, "-", 0, "Yes or no"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct settings_table table = {settings, sizeof(settings) / sizeof(settings[0]), &values};
    struct err_note note = {.text = ""};
    int fd = memfd_create("settings", 0);
    char path[40];

    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (settings_load(&table, 1, path, &note) == ERR_OK) {
        must(values.number >= NUMBER_LEAST && values.number <= NUMBER_MOST);
        must(strlen(values.word) >= 1 && strlen(values.word) <= WORD_MOST);
        must(strlen(values.secret) <= WORD_MOST);
    } else {
        must(note.text[0] != '\0');
    }
    (void)close(fd);
    free((char *)(uintptr_t)values.word); /* a process loads its settings once and keeps them */
    free((char *)(uintptr_t)values.secret);
    values = (struct values){0};
    return 0;
}
