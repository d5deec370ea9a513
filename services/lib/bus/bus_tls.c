/* bus_tls: the files of TLS, and what librdkafka is told of them. */
#include "bus/bus_tls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus_tls_private.h"

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

enum err bus_tls_check(const struct bus_tls *tls, struct err_note *note)
{
    const struct {
        const char *setting;
        const char *path;
    } files[] = {
        {"kafka_ca", tls->ca}, {"kafka_certificate", tls->certificate}, {"kafka_key", tls->key}};

    if (is_given(tls->certificate) != is_given(tls->key))
        return err_say(note, ERR_SETTINGS, "kafka_certificate and kafka_key belong together");
    if (is_given(tls->key) && !is_given(tls->ca))
        return err_say(note, ERR_SETTINGS, "kafka_certificate is of no use without kafka_ca");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (is_given(files[i].path) && access(files[i].path, R_OK) != 0)
            return err_say(note, ERR_SETTINGS, "%s: %s: %s", files[i].setting, files[i].path,
                           strerror(errno));
    }
    return ERR_OK;
}

enum err bus_tls_set(rd_kafka_conf_t *conf, const struct bus_tls *tls, struct err_note *note)
{
    const struct {
        const char *name;
        const char *value;
    } settings[] = {{"security.protocol", "ssl"},
                    {"enable.ssl.certificate.verification", "true"},
                    {"ssl.endpoint.identification.algorithm", "https"},
                    {"ssl.ca.location", tls->ca},
                    {"ssl.certificate.location", tls->certificate},
                    {"ssl.key.location", tls->key}};
    char why[256];

    for (size_t i = 0; is_given(tls->ca) && i < ARRAY_LEN(settings); i++) {
        if (is_given(settings[i].value) &&
            rd_kafka_conf_set(conf, settings[i].name, settings[i].value, why, sizeof(why)) !=
                RD_KAFKA_CONF_OK)
            return err_say(note, ERR_SETTINGS, "%s: %s", settings[i].name, why);
    }
    return ERR_OK;
}
