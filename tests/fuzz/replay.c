/* replay: run a fuzz target over the files of the folders (or the files) given as arguments. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { PATH_BYTES = 4096, DEPTH_MAX = 4 };

static unsigned long replayed;

static int replay_file(const char *path, long size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc((size_t)size + 1);
    size_t got;

    if (file == NULL || data == NULL) {
        perror(path);
        return 1;
    }
    got = fread(data, 1, (size_t)size, file);
    (void)fclose(file);
    /* A block of its own size, so that a sanitizer sees every read beyond it. */
    data = realloc(data, got > 0 ? got : 1);
    (void)LLVMFuzzerTestOneInput(data, got);
    free(data);
    replayed++;
    return 0;
}

static int replay(const char *path, int depth)
{
    struct stat info;
    DIR *folder;
    int failed = 0;

    if (stat(path, &info) != 0) {
        perror(path);
        return 1;
    }
    if (S_ISREG(info.st_mode))
        return replay_file(path, (long)info.st_size);
    folder = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (folder == NULL) {
        perror(path);
        return 1;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[PATH_BYTES];
        int len = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);

        if (entry->d_name[0] != '.' && len > 0 && (size_t)len < sizeof(name))
            failed |= replay(name, depth + 1);
    }
    (void)closedir(folder);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i], 0);
    printf("%lu files\n", replayed);
    return failed != 0 || replayed == 0;
}
