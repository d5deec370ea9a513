/* arena: blocks chained newest first; large pieces get a block of their own. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 8 * 1024, ARENA_BLOCK_BYTES_MAX = 256 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    _Alignas(max_align_t) char data[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *object);
    void *object;
};

struct arena {
    struct block *blocks;
    struct deferred *deferred;
    size_t block_bytes;
    size_t bytes;
};

void *heap_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    must(memory != NULL);
    return memory;
}

void *heap_zero(size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);

    must(memory != NULL);
    return memory;
}

void *heap_realloc(void *pointer, size_t size)
{
    void *memory = realloc(pointer, size > 0 ? size : 1);

    must(memory != NULL);
    return memory;
}

char *heap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(heap_alloc(size), text, size);
}

struct arena *arena_new(void)
{
    struct arena *arena = heap_zero(sizeof(*arena));

    arena->block_bytes = ARENA_BLOCK_BYTES;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    for (struct deferred *next = arena->deferred; next != NULL; next = next->next)
        next->release(next->object);
    while (arena->blocks != NULL) {
        struct block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    free(arena);
}

static struct block *block_add(struct arena *arena, size_t size)
{
    struct block *block = heap_zero(sizeof(*block) + size);

    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    struct block *block = arena->blocks;
    void *memory;

    must(size < SIZE_MAX - align);
    size = (size + align - 1) / align * align;
    if (block == NULL || block->size - block->used < size) {
        if (size > arena->block_bytes / 2) {
            /* Its own block, put behind the one in use, so that this one still fills up. */
            struct block *own = block_add(arena, size);

            own->used = size;
            if (block != NULL) {
                arena->blocks = block;
                own->next = block->next;
                block->next = own;
            }
            arena->bytes += size;
            return own->data;
        }
        block = block_add(arena, arena->block_bytes);
        if (arena->block_bytes < ARENA_BLOCK_BYTES_MAX)
            arena->block_bytes *= 2;
    }
    memory = block->data + block->used;
    block->used += size;
    arena->bytes += size;
    return memory;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
    void *memory = arena_alloc(arena, len);

    if (len > 0)
        memcpy(memory, bytes, len);
    return memory;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text) + 1);
}

struct str arena_str(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return (struct str){copy, text.len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;
    char *text;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(len >= 0);
    text = arena_alloc(arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->bytes;
}

void arena_defer(struct arena *arena, void (*release)(void *object), void *object)
{
    struct deferred *deferred = arena_new_of(arena, struct deferred);

    deferred->release = release;
    deferred->object = object;
    deferred->next = arena->deferred;
    arena->deferred = deferred;
}
