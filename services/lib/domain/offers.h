/*
 * offers: what credits a session gives. Programmes joined with `;`, alternatives of one programme
 * with `|`, each KIND:UNITS: "OPB-K:2|OPL-S:2;CME-015:2". Kept as text, used as a list.
 */
#pragma once
#include "domain/kinds.h"

enum { OFFERS_MAX = 24, OFFERS_BYTES_MAX = 400, VISIT_HALF_UNITS_MAX = 6 };

struct offer {
    uint8_t kind;       /* enum kind */
    int16_t half_units; /* above 0 */
};

/* In the order of the text; alternatives are kinds of one programme and stand together. */
struct offers {
    struct offer list[OFFERS_MAX];
    uint8_t count;
};

enum delivery { DELIVERY_VENUE, DELIVERY_WEB, DELIVERY_VISIT };

const char *delivery_name(enum delivery delivery);
bool delivery_of_name(struct str name, enum delivery *ret_delivery);

/* Why a session's offers cannot be taken (formats.md section 2). */
enum offers_fault {
    OFFERS_FINE,
    OFFERS_SHAPE,        /* not KIND:UNITS joined with ; and |, or too many */
    OFFERS_KIND_UNKNOWN, /* no such kind */
    OFFERS_MIXED,        /* alternatives of different programmes, or a programme twice */
    OFFERS_UNITS,        /* OP not whole, others not in halves, or not above 0 */
    OFFERS_WEB,          /* a basic or practical OP kind on the web (R-SEM-12) */
    OFFERS_VISIT,        /* more than 3 units for a visit (R-SEM-11) */
};

/* `*ret_offers` is complete with OFFERS_FINE only. */
enum offers_fault offers_parse(struct str text, enum delivery delivery, struct offers *ret_offers);
/* For people: what is wrong and how to mend it. */
const char *offers_fault_text(enum offers_fault fault);

/* Place in the list, -1 when the kind is not offered. */
int offers_find(const struct offers *offers, enum kind kind);
