/* gateway_device: what a browser calls itself, in a few words that its owner recognises. Pure. */
#pragma once
#include "base/str.h"

enum { DEVICE_BYTES = 61 };

/* "Chrome, Windows", "Safari, iPhone", "curl"; "" when it says nothing that is known. */
void device_hint(struct str user_agent, char out[DEVICE_BYTES]);
