/*
 * child: processes that a test starts and ends by their id. They die with the test program, however
 * it ends.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start a program; its output is appended to the file `log` (NULL: dropped). Aborts on failure. */
pid_t child_start(const char *const *argv, const char *log);
/* Send a signal. After SIGSTOP each of its threads has stopped. Aborts on failure. */
void child_signal(pid_t pid, int number);
/* Send a signal and wait for the end, at most `wait_ms`; then SIGKILL. Gives the wait status. */
int child_stop(pid_t pid, int number, uint64_t wait_ms);
/* Run a program to its end and keep its standard output; true when it ended with 0. */
bool child_output(const char *const *argv, char *out, size_t out_bytes);
/* A new private folder below /tmp; removed with all it holds when the program ends. Static storage.
 */
const char *child_folder(void);
