/* credit_settings: the table of credit_settings.def, and the values. */
#include "credit/credit.h"

struct credit_settings credit_settings;

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct credit_settings, name),                             \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
const struct setting credit_setting_table[CREDIT_SETTING_COUNT] = {
#include "credit/credit_settings.def"
};
#undef SETTING
