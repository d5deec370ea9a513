/*
 * kinds: programmes and kinds of credit (domain.md section 3), made from kinds.def.
 * The numbers are this build's; files, events and the database keep the codes.
 */
#pragma once
#include "base/str.h"

enum programme {
    PROGRAMME_OP,  /* certified occupational physician */
    PROGRAMME_SP,  /* certified health-sports physician */
    PROGRAMME_CME, /* lifelong education */
    PROGRAMME_KK,  /* family doctor's functions, training */
    PROGRAMME_KHR, /* family doctor's functions, report */
    PROGRAMME_CSL, /* common lectures for board specialists */
    PROGRAMME_COUNT,
};

/* "OP" */
const char *programme_code(enum programme programme);
const char *programme_name(enum programme programme, bool english);
/* False when there is none with this code. */
bool programme_of_code(struct str code, enum programme *ret_programme);

enum kind {
    KIND_NONE = 0,
#define KIND(id, code, programme, ja, en, flags) KIND_##id,
#include "domain/kinds.def"
#undef KIND
    KIND_COUNT,
};

enum kind_flag {
    KIND_BASIC = 1,       /* OPB-*: for doctors who are not certified; never on the web */
    KIND_LIFELONG = 2,    /* OPL-*: for certified ones */
    KIND_PRACTICAL = 4,   /* never on the web, beside the basic ones */
    KIND_COURSE = 8,      /* SPZ-*, SPK-*: the course before certification */
    KIND_RETRAINING = 16, /* SPR */
    KIND_SHARED = 32, /* the short name stands for several codes: in a file only the code counts */
};

/* "OPL-S" */
const char *kind_code(enum kind kind);
/* Name for people; shared short names have the number or subject behind them. */
const char *kind_name(enum kind kind, bool english);
enum programme kind_programme(enum kind kind);
bool kind_has(enum kind kind, enum kind_flag flag);

/* Exactly this code, as the database keeps it; KIND_NONE when there is none. */
enum kind kind_of_code(struct str code);
/*
 * Code or short name as organisers write them: case, spaces and the middle dot do not matter.
 * `text` has its width folded. KIND_NONE when it is none or stands for several.
 */
enum kind kind_of_text(struct str text);
