/*
 * fold: forms of a text for comparison only; what is stored and shown stays as it was typed.
 * Texts are valid UTF-8. Memory: results borrow `text` when nothing has to change, else the
 * arena's.
 */
#pragma once
#include "base/arena.h"

/* Without spaces (half, full, no-break) and tabs at both ends. */
struct str text_trim(struct str text);

/*
 * Width: full-width ASCII and signs become half-width, half-width kana full-width with their
 * dakuten, U+3000 a space. Nothing else changes, so a circled digit stays no digit.
 */
struct str fold_width(struct arena *arena, struct str text);

/* Names of columns: NFKC, case and all white space away. */
struct str fold_header(struct arena *arena, struct str text);

/*
 * Kana names (R-TXT-05): NFKC, dakuten combined, hiragana to katakana, every dash U+30FC, spaces
 * away. Small kana, the middle dot and case do count.
 */
struct str fold_kana(struct arena *arena, struct str text);

/* The same for anything, always through ICU: what fold_kana() falls back on, and its test. */
struct str fold_kana_slow(struct arena *arena, struct str text);

/* A folded kana name with large kana only, to tell people that nothing else differs. */
struct str fold_small_kana(struct arena *arena, struct str folded);
