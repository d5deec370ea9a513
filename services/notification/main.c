/* notification: decides from events which mail to send, renders, sends, tries again. */
#include "notification/notification.h"

int main(int argc, char **argv)
{
    static const struct proc_service service = {
        .name = "notification",
        .settings = notification_setting_table,
        .setting_count = NOTIFICATION_SETTING_COUNT,
        .settings_out = &notification_settings,
        .state_bytes = sizeof(struct notification),
        .nice_level = 10, /* a mail may come a little later than the credit it tells of */
        .start = notification_start,
        .stop = notification_stop,
        .ready = notification_ready,
        .metrics = notification_metrics,
    };

    return proc_main(argc, argv, &service);
}
