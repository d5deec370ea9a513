/*
 * arena: memory that is released in one call. One for each request, event or batch.
 * Running out of memory aborts, so sizes from outside are checked against a limit first.
 */
#pragma once
#include <stdarg.h>

#include "base/str.h"

struct arena;

struct arena *arena_new(void);
/* NULL is allowed. */
void arena_free(struct arena *arena);
/* Zeroed, aligned for any type; lives until arena_free(). */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *bytes, size_t len);
/* NUL-terminated copies. */
char *arena_strdup(struct arena *arena, const char *text);
struct str arena_str(struct arena *arena, struct str text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes handed out so far, for limits and tests. */
size_t arena_bytes(const struct arena *arena);

#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

/* Call `release(object)` when the arena is freed, newest first (e.g. json_decref, PQclear). */
void arena_defer(struct arena *arena, void (*release)(void *object), void *object);

/* malloc and friends that abort instead of returning NULL; released with free(). */
void *heap_alloc(size_t size);
void *heap_zero(size_t size);
void *heap_realloc(void *pointer, size_t size);
char *heap_strdup(const char *text);
