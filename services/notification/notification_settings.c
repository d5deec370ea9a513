/* notification_settings: the table behind notification_settings.def. */
#include "notification/notification.h"

struct notification_settings notification_settings;

#define SETTING(name, type, fallback, least, most, unit, flags, help)                              \
    {#name,    SETTING_##type, offsetof(struct notification_settings, name),                       \
     fallback, least,          most,                                                               \
     unit,     flags,          help},
const struct setting notification_setting_table[NOTIFICATION_SETTING_COUNT] = {
#include "notification/notification_settings.def"
};
#undef SETTING
