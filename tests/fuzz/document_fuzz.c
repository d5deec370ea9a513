/* Whether a file is a document that is kept. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "fuzz.h"
#include "gateway/gateway_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *type = NULL;
    /* A copy of its own size, so that a byte too far is seen. */
    char *copy = heap_alloc(size + 1);
    enum code code;

    memcpy(copy, data, size);
    code = document_check((struct str){copy, size}, &type);
    must((code == CODE_NONE) == (type != NULL));
    free(copy);
    return 0;
}
