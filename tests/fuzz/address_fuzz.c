/* E-mail addresses: what is allowed can stand in a header and in SMTP as it is, and names one. */
#include <string.h>

#include "fuzz.h"
#include "mail/mail.h"

enum { ADDRESS_BYTES_MAX = 254 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str address = {(const char *)data, size};
    const char *at;

    if (!mail_address_ok(address))
        return 0;
    must(address.len <= ADDRESS_BYTES_MAX);
    for (size_t i = 0; i < address.len; i++)
        must(address.data[i] > ' ' && address.data[i] < 0x7f &&
             strchr("<>()[],;:\\\"", address.data[i]) == NULL);
    at = memchr(address.data, '@', address.len);
    must(at != NULL && at > address.data && at + 1 < address.data + address.len);
    must(memchr(at + 1, '@', address.len - (size_t)(at + 1 - address.data)) == NULL);
    return 0;
}
