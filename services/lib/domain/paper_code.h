/*
 * paper_code: the code printed on a paper that we issue, by which anybody can ask whether it is
 * genuine. 75 random bits and a check digit, in 16 digits and letters without I, L, O and U. The
 * check digit finds every single wrong character and every two that changed places.
 */
#pragma once
#include "base/arena.h"

enum {
    PAPER_CODE_RANDOM_BYTES = 15, /* five bits of each are used */
    PAPER_CODE_CHARS = 16,
    /* "7K3M-9QXR-T2WB-0H5C" and the NUL */
    PAPER_CODE_BYTES = 20,
};

void paper_code_make(const uint8_t random[PAPER_CODE_RANDOM_BYTES], char out[PAPER_CODE_BYTES]);

/*
 * As people type it: any case and width, blanks and hyphens anywhere, O for 0, I and L for 1. False
 * when it is no code; else `out` is the form of paper_code_make(). `arena` is for passing needs.
 */
bool paper_code_read(struct arena *arena, struct str typed, char out[PAPER_CODE_BYTES]);
