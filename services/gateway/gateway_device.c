/* gateway_device: see gateway_device.h. */
#include <stdio.h>
#include <string.h>

#include "gateway/gateway_device.h"

struct name {
    const char *sign; /* in User-Agent */
    const char *shown;
};

/* Browsers name those that they descend from too: the most special one first. */
static const struct name browsers[] = {
    {"Edg/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"EdgA/", "Edge"},
    {"OPR/", "Opera"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"FxiOS/", "Firefox"},
    {"Firefox/", "Firefox"},
    {"CriOS/", "Chrome"},
    {"Chrome/", "Chrome"},
    {"Safari/", "Safari"},
    {"curl/", "curl"},
    {"Python", "Python"},
};
static const struct name systems[] = {
    {"iPhone", "iPhone"},   {"iPad", "iPad"},    {"Android", "Android"}, {"CrOS", "ChromeOS"},
    {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"},
};

static const char *find(struct str text, const struct name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memmem(text.data, text.len, names[i].sign, strlen(names[i].sign)) != NULL)
            return names[i].shown;
    return "";
}

void device_hint(struct str user_agent, char out[DEVICE_BYTES])
{
    const char *browser = "", *system = "";

    if (user_agent.len > 0) {
        browser = find(user_agent, browsers, ARRAY_LEN(browsers));
        system = find(user_agent, systems, ARRAY_LEN(systems));
    }
    (void)snprintf(out, DEVICE_BYTES, "%s%s%s", browser,
                   *browser != '\0' && *system != '\0' ? ", " : "", system);
}
