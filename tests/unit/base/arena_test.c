/* arena: alignment, large pieces, release order. */
#include <string.h>

#include "base/arena.h"
#include "lib/test.h"

static void pieces_are_zeroed_and_aligned(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    for (size_t size = 1; size < 40000; size = size * 3 + 1) {
        unsigned char *piece = arena_alloc(arena, size);

        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xff, size);
    }
    assert_true(arena_bytes(arena) > 40000);
    arena_free(arena);
}

static void a_large_piece_leaves_the_open_block_in_use(void **state)
{
    struct arena *arena = arena_new();
    char *first = arena_alloc(arena, 16);
    char *second;

    (void)state;
    (void)arena_alloc(arena, 1 << 20);
    second = arena_alloc(arena, 16);
    assert_ptr_equal(second, first + 16);
    arena_free(arena);
}

static int order[3];
static int released;

static void note_release(void *object)
{
    order[released++] = *(int *)object;
}

static void deferred_releases_run_newest_first(void **state)
{
    static int names[3] = {1, 2, 3};
    struct arena *arena = arena_new();

    (void)state;
    released = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        arena_defer(arena, note_release, &names[i]);
    arena_free(arena);
    assert_int_equal(released, 3);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[2], 1);
}

static void printf_and_copies_end_in_nul(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(arena_str(arena, (struct str){"abcdef", 3}).data, "abc");
    assert_string_equal(arena_strdup(arena, ""), "");
    arena_free(arena);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_and_aligned),
        cmocka_unit_test(a_large_piece_leaves_the_open_block_in_use),
        cmocka_unit_test(deferred_releases_run_newest_first),
        cmocka_unit_test(printf_and_copies_end_in_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
