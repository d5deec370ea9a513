/* credit: seminars, attendance, the ledger. */
#include "credit/credit.h"

int main(int argc, char **argv)
{
    static const struct proc_service service = {
        .name = "credit",
        .settings = credit_setting_table,
        .setting_count = CREDIT_SETTING_COUNT,
        .settings_out = &credit_settings,
        .state_bytes = sizeof(struct credit),
        .start = credit_start,
        .stop = credit_stop,
        .ready = credit_ready,
        .metrics = credit_metrics,
    };

    return proc_main(argc, argv, &service);
}
