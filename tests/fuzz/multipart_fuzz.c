/* A multipart body in pieces of every size, and the name of its file. */
#include "base/arena.h"
#include "fuzz.h"
#include "gateway/gateway_multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size}, type;
    struct multipart multipart;
    struct arena *arena = arena_new();
    struct buf file = {0};

    /* The first line is the Content-Type. */
    if (size > 0 && str_cut(&bytes, '\n', &type) && multipart_init(&multipart, type)) {
        size_t step = 1 + type.len % 17;
        bool good = true;

        while (good && bytes.len > 0) {
            size_t len = bytes.len < step ? bytes.len : step;

            good = multipart_feed(&multipart, (struct str){bytes.data, len}, &file);
            bytes = (struct str){bytes.data + len, bytes.len - len};
        }
        must(file.len <= size);
        (void)multipart_end(&multipart);
        (void)disposition_file_name(arena, buf_str(&multipart.disposition), "none");
        multipart_fini(&multipart);
    }
    (void)disposition_file_name(arena, (struct str){(const char *)data, size}, "none");
    buf_free(&file);
    arena_free(arena);
    return 0;
}
