/*
 * bus_tls: how the brokers are proven to us and we to them. Files in PEM; NULL or "" is none.
 */
#pragma once
#include "base/base.h"

struct bus_tls {
    const char *ca;          /* who signs the brokers' certificates; none: plain text */
    const char *certificate; /* of this process; none: the brokers do not ask who we are */
    const char *key;         /* of the certificate */
};

/* Complete, and every file can be read. Errors: ERR_SETTINGS with the setting's name in `note`. */
CHECKED enum err bus_tls_check(const struct bus_tls *tls, struct err_note *note);
