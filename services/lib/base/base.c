/* base: what `must` and error notes do. */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "{\"level\":\"error\",\"event\":\"must_failed\",\"condition\":\"");
    for (const char *c = condition; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', stderr);
        fputc(*c, stderr);
    }
    fprintf(stderr, "\",\"file\":\"%s\",\"line\":%d}\n", file, line);
    abort();
}

enum err err_say(struct err_note *note, enum err err, const char *format, ...)
{
    if (note != NULL) {
        va_list args;

        va_start(args, format);
        (void)vsnprintf(note->text, sizeof(note->text), format, args);
        va_end(args);
    }
    return err;
}
