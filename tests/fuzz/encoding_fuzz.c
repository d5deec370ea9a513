/* Any bytes: detection does not depend on slices, and decoding gives valid UTF-8. */
#include "fuzz.h"
#include "text/encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str bytes = {(const char *)data, size};
    struct encoding_detect whole = {0};
    struct encoding_detect sliced = {0};
    struct arena *arena = arena_new();

    encoding_detect_feed(&whole, bytes);
    for (size_t at = 0; at < size; at++)
        encoding_detect_feed(&sliced, (struct str){bytes.data + at, 1});
    must(encoding_detect_end(&whole) == encoding_detect_end(&sliced));
    for (int encoding = ENCODING_UTF8; encoding <= ENCODING_CP932; encoding++) {
        const struct str text = encoding_decode(arena, (enum encoding)encoding, bytes);

        must(utf8_valid_len(text) == text.len);
        must(text.len <= size * 3);
        if (encoding == ENCODING_UTF8 && encoding_valid(ENCODING_UTF8, bytes))
            must(str_eq(text, bytes));
    }
    arena_free(arena);
    return 0;
}
