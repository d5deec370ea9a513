/*
 * base: the words every file uses: error results, `must`, string views, arrays.
 * No I/O and no product words here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/errors.h" /* enum err, enum err_class: made from proto/errors.yaml */

/* The caller has to look at the result. */
#define CHECKED __attribute__((warn_unused_result))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that embeds `member`, from a pointer to that member. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* On failure set `err` and leave by the function's one exit. Never used on loops' way back. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        err = (expression);                                                                        \
        if (err != ERR_OK)                                                                         \
            goto cleanup;                                                                          \
    } while (0)

/* A condition that only our own mistake can break; stays on in release builds, never for input. */
#define must(condition) ((condition) ? (void)0 : must_failed(#condition, __FILE__, __LINE__))

_Noreturn void must_failed(const char *condition, const char *file, int line);

/* Where an error was found, in words for the log (never shown to people outside). */
enum { ERR_NOTE_BYTES = 256 };

struct err_note {
    char text[ERR_NOTE_BYTES];
};

/* Fill `note` (may be NULL) and give back `err`: `return err_say(note, ERR_X, "line %d", n);` */
enum err err_say(struct err_note *note, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
