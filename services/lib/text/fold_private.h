/* Shared by the files of the fold; nobody else includes it. */
#pragma once
#include <stdint.h>

enum {
    FOLD_VOICED = 0x3099,      /* combining dakuten */
    FOLD_HALF_VOICED = 0x309A, /* combining handakuten */
    FOLD_LONG = 0x30FC,        /* the long vowel mark, which stands for every dash */
};

/* The character in its usual width; voiced marks become combining ones. */
uint32_t fold_width_point(uint32_t point);

/* Kana with a combining mark as one character; 0 when there is none. */
uint32_t fold_voice(uint32_t base, uint32_t mark);
