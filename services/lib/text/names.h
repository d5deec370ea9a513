/* names: what may stand in a person's name (R-TXT-01). UTF-8 that is well formed. */
#pragma once
#include "base/str.h"

/* Full-width katakana with the long-vowel mark, the middle dot and spaces. "" is. */
bool name_is_kana(struct str text);
/* Nothing but spaces, half or full width. */
bool name_is_blank(struct str text);
