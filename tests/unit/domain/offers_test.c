/* Offers of a session: taken, and refused for each reason. */
#include "domain/offers.h"

#include "lib/test.h"

static void good_ones(void **state)
{
    struct offers offers;

    (void)state;
    assert_int_equal(
        offers_parse(STR("OPB-K:2|OPL-S:2;CME-015:1.5;CSL-A1:2.0"), DELIVERY_VENUE, &offers),
        OFFERS_FINE);
    assert_int_equal(offers.count, 4);
    assert_int_equal(offers.list[0].kind, KIND_OPB_K);
    assert_int_equal(offers.list[1].kind, KIND_OPL_S);
    assert_int_equal(offers.list[1].half_units, 4);
    assert_int_equal(offers.list[2].half_units, 3);
    assert_int_equal(offers.list[3].half_units, 4);
    assert_int_equal(offers_find(&offers, KIND_CME_015), 2);
    assert_int_equal(offers_find(&offers, KIND_CME_016), -1);
}

static void faults(void **state)
{
    static const struct {
        const char *text;
        enum delivery delivery;
        enum offers_fault want;
    } cases[] = {
        {"", DELIVERY_VENUE, OFFERS_SHAPE},
        {"OPL-S", DELIVERY_VENUE, OFFERS_SHAPE},
        {"OPL-S:2;", DELIVERY_VENUE, OFFERS_SHAPE},
        {"|OPL-S:2", DELIVERY_VENUE, OFFERS_SHAPE},
        {"OPX-1:2", DELIVERY_VENUE, OFFERS_KIND_UNKNOWN},
        {"生涯・専門:2", DELIVERY_VENUE, OFFERS_KIND_UNKNOWN},
        {"OPB-K:2|CME-015:2", DELIVERY_VENUE, OFFERS_MIXED},
        {"OPB-K:2;OPL-S:2", DELIVERY_VENUE, OFFERS_MIXED},
        {"CME-015:2;CME-015:2", DELIVERY_VENUE, OFFERS_MIXED},
        {"OPL-S:1.5", DELIVERY_VENUE, OFFERS_UNITS},
        {"OPL-S:0", DELIVERY_VENUE, OFFERS_UNITS},
        {"OPL-S:-1", DELIVERY_VENUE, OFFERS_UNITS},
        {"CME-015:1.25", DELIVERY_VENUE, OFFERS_UNITS},
        {"CME-015:1.5", DELIVERY_VENUE, OFFERS_FINE},
        {"CME-015:1000", DELIVERY_VENUE, OFFERS_UNITS},
        {"OPB-K:2", DELIVERY_WEB, OFFERS_WEB},
        {"OPB-Z1:2", DELIVERY_WEB, OFFERS_WEB},
        {"OPL-J:2", DELIVERY_WEB, OFFERS_WEB},
        {"OPL-R:2;KKJ:1", DELIVERY_WEB, OFFERS_FINE},
        {"OPL-J:3", DELIVERY_VISIT, OFFERS_FINE},
        {"OPL-J:4", DELIVERY_VISIT, OFFERS_VISIT},
    };
    struct offers offers;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const enum offers_fault got =
            offers_parse(str_of(cases[i].text), cases[i].delivery, &offers);

        if (got != cases[i].want)
            fail_msg("\"%s\": %d", cases[i].text, got);
        assert_int_equal(offers_fault_text(got)[0] == '\0', got == OFFERS_FINE);
    }
}

static void deliveries(void **state)
{
    enum delivery delivery;

    (void)state;
    assert_true(delivery_of_name(STR("visit"), &delivery));
    assert_string_equal(delivery_name(delivery), "visit");
    assert_false(delivery_of_name(STR("Web"), &delivery));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(faults),
        cmocka_unit_test(deliveries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
