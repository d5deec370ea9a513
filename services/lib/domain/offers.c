/* offers: reading and checking a session's offers. */
#include "domain/offers.h"

#include <string.h>

static const char *const deliveries[] = {
    [DELIVERY_VENUE] = "venue", [DELIVERY_WEB] = "web", [DELIVERY_VISIT] = "visit"};

const char *delivery_name(enum delivery delivery)
{
    must((size_t)delivery < ARRAY_LEN(deliveries));
    return deliveries[delivery];
}

bool delivery_of_name(struct str name, enum delivery *ret_delivery)
{
    for (size_t i = 0; i < ARRAY_LEN(deliveries); i++) {
        if (str_eq_c(name, deliveries[i])) {
            *ret_delivery = (enum delivery)i;
            return true;
        }
    }
    return false;
}

/* "2", "1.5", "2.0" as half units; 0 when it is none of these. */
static int16_t half_units_of(struct str text)
{
    int16_t units = 0;
    size_t at = 0;

    for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        if (units > 99)
            return 0;
        units = (int16_t)(units * 10 + (text.data[at] - '0'));
    }
    const struct str tail = {text.data + at, text.len - at};

    if (at == 0)
        return 0;
    if (tail.len == 0 || str_eq_c(tail, ".0"))
        return (int16_t)(units * 2);
    return str_eq_c(tail, ".5") ? (int16_t)(units * 2 + 1) : 0;
}

static enum offers_fault offer_check(const struct offer *offer, enum delivery delivery)
{
    const enum kind kind = (enum kind)offer->kind;

    if (offer->half_units <= 0)
        return OFFERS_UNITS;
    if (kind_programme(kind) == PROGRAMME_OP && offer->half_units % 2 != 0)
        return OFFERS_UNITS;
    if (delivery == DELIVERY_WEB && (kind_has(kind, KIND_BASIC) || kind_has(kind, KIND_PRACTICAL)))
        return OFFERS_WEB;
    if (delivery == DELIVERY_VISIT && offer->half_units > VISIT_HALF_UNITS_MAX)
        return OFFERS_VISIT;
    return OFFERS_FINE;
}

/* One KIND:UNITS into the list. */
static enum offers_fault offer_add(struct str text, enum delivery delivery, struct offers *offers)
{
    struct offer offer;
    struct str code;

    text = str_trim(text);
    if (offers->count == OFFERS_MAX || text.len == 0 || memchr(text.data, ':', text.len) == NULL)
        return OFFERS_SHAPE;
    (void)str_cut(&text, ':', &code);
    offer.kind = (uint8_t)kind_of_code(str_trim(code));
    if (offer.kind == KIND_NONE)
        return OFFERS_KIND_UNKNOWN;
    if (offers_find(offers, (enum kind)offer.kind) >= 0)
        return OFFERS_MIXED;
    offer.half_units = half_units_of(str_trim(text));
    offers->list[offers->count++] = offer;
    return offer_check(&offer, delivery);
}

/* The alternatives from `first` on are of one programme, which has not come before. */
static bool one_programme(const struct offers *offers, uint8_t first)
{
    const enum programme programme = kind_programme((enum kind)offers->list[first].kind);

    for (uint8_t i = 0; i < offers->count; i++) {
        if ((kind_programme((enum kind)offers->list[i].kind) == programme) != (i >= first))
            return false;
    }
    return true;
}

enum offers_fault offers_parse(struct str text, enum delivery delivery, struct offers *ret_offers)
{
    struct str group;
    struct str part;

    memset(ret_offers, 0, sizeof(*ret_offers));
    if (text.len == 0 || text.len > OFFERS_BYTES_MAX)
        return OFFERS_SHAPE;
    while (str_cut(&text, ';', &group)) {
        const uint8_t first = ret_offers->count;

        while (str_cut(&group, '|', &part)) {
            const enum offers_fault fault = offer_add(part, delivery, ret_offers);

            if (fault != OFFERS_FINE)
                return fault;
        }
        if (!one_programme(ret_offers, first))
            return OFFERS_MIXED;
    }
    return OFFERS_FINE;
}

const char *offers_fault_text(enum offers_fault fault)
{
    switch (fault) {
    case OFFERS_FINE:
        return "";
    case OFFERS_SHAPE:
        return "write KIND:UNITS, programmes joined with ; and alternatives with |";
    case OFFERS_KIND_UNKNOWN:
        return "unknown kind: use a code such as OPL-S or CME-015";
    case OFFERS_MIXED:
        return "each programme stands once, with its alternatives joined by |";
    case OFFERS_UNITS:
        return "units are above 0: whole for OP, in halves for the others";
    case OFFERS_WEB:
        return "basic and practical OP kinds are not given on the web: drop the kind or the web";
    case OFFERS_VISIT:
        return "a workplace visit gives at most 3 units";
    }
    must(false);
}

int offers_find(const struct offers *offers, enum kind kind)
{
    for (int i = 0; i < offers->count; i++) {
        if (offers->list[i].kind == kind)
            return i;
    }
    return -1;
}
