/* gateway: HTTP, credentials and sessions, pages, durable acceptance of commands and uploads. */
#include "gateway/gateway.h"

int main(int argc, char **argv)
{
    static const struct proc_service service = {
        .name = "gateway",
        .settings = gateway_setting_table,
        .setting_count = GATEWAY_SETTING_COUNT,
        .settings_out = &gateway_settings,
        .state_bytes = sizeof(struct gateway),
        .start = gateway_start,
        .stop = gateway_stop,
        .ready = gateway_ready,
        .metrics = gateway_metrics,
        .routes = gateway_routes,
    };

    return proc_main(argc, argv, &service);
}
