/* What browsers call themselves, in words that their owner knows. */
#include "gateway/gateway_device.h"
#include "lib/test.h"

static void browsers_are_named(void **state)
{
    static const struct {
        const char *agent, *hint;
    } cases[] = {
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/142.0.0.0 Safari/537.36",
         "Chrome, Windows"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
         "Edge, Windows"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
         " (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
         "Safari, iPhone"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
         "Firefox, Mac"},
        {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
         " Chrome/142.0.0.0 Mobile Safari/537.36",
         "Chrome, Android"},
        {"curl/7.88.1", "curl"},
        {"Mozilla/5.0 (X11; Linux x86_64)", "Linux"},
        {"<script>alert(1)</script>", ""},
        {"", ""},
    };
    char hint[DEVICE_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        device_hint(str_of(cases[i].agent), hint);
        assert_string_equal(hint, cases[i].hint);
    }
    device_hint(STR_NONE, hint);
    assert_string_equal(hint, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(browsers_are_named)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
