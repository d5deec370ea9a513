/*
 * child: fork, exec, wait.
 */
#include "lib/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STOP_MS = 10000 };

static void fail(const char *what)
{
    fprintf(stderr, "child: %s: %s\n", what, strerror(errno));
    abort();
}

pid_t child_start(const char *const *argv, const char *log)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(log != NULL ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int in = open("/dev/null", O_RDONLY);

    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* The state letter stands behind the name, which may hold anything but ends with ')'. */
static bool thread_stands(const char *path)
{
    char text[512];
    FILE *file = fopen(path, "r");
    const char *end;
    size_t len;

    if (file == NULL)
        return true; /* it is gone */
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    end = strrchr(text, ')');
    return end == NULL || end[1] == '\0' || strchr("TtZX", end[2]) != NULL;
}

static bool stands(pid_t pid)
{
    char folder[64], path[384];
    bool all = true;
    DIR *tasks;

    snprintf(folder, sizeof(folder), "/proc/%d/task", pid);
    tasks = opendir(folder);
    if (tasks == NULL)
        fail("opendir");
    for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
        snprintf(path, sizeof(path), "%s/%s/stat", folder, task->d_name);
        all = all && (task->d_name[0] == '.' || thread_stands(path));
    }
    closedir(tasks);
    return all;
}

void child_signal(pid_t pid, int number)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    unsigned tries = STOP_MS;

    if (kill(pid, number) != 0)
        fail("kill");
    while (number == SIGSTOP && !stands(pid)) {
        if (tries-- == 0)
            fail("SIGSTOP");
        nanosleep(&pause, NULL);
    }
}

int child_stop(pid_t pid, int number, uint64_t wait_ms)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    int status = 0;

    child_signal(pid, number);
    for (uint64_t waited_ms = 0; waited_ms < wait_ms; waited_ms += 5) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        nanosleep(&pause, NULL);
    }
    kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid)
        fail("waitpid");
    return status;
}

bool child_output(const char *const *argv, char *out, size_t out_bytes)
{
    int pipes[2];
    size_t len = 0;
    int status;
    pid_t pid;

    if (pipe(pipes) != 0)
        fail("pipe");
    pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        dup2(pipes[1], 1);
        close(pipes[0]);
        close(pipes[1]);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(pipes[1]);
    for (;;) {
        ssize_t got = read(pipes[0], out + len, out_bytes - 1 - len);

        if (got <= 0)
            break;
        len += (size_t)got;
    }
    out[len] = '\0';
    close(pipes[0]);
    if (waitpid(pid, &status, 0) != pid)
        fail("waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static char folder[64];
static pid_t folder_owner;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() == folder_owner)
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *child_folder(void)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof(folder), "/tmp/mamis-test-XXXXXX");
        if (mkdtemp(folder) == NULL)
            fail("mkdtemp");
        folder_owner = getpid();
        atexit(remove_folder);
    }
    return folder;
}
