/* gateway_postcards: see gateway_postcards.h. */
#include "gateway/gateway_postcards.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 4096, PATH_BYTES = 1024 };

static const struct db_stmt find_logins = {
    "gateway_find_postcards",
    "SELECT w.ord FROM unnest($1::text[]) WITH ORDINALITY AS w (login, ord)"
    " JOIN gateway.temp_credential AS t ON t.login_id = w.login WHERE t.dead_at IS NULL",
};

bool postcard_release(const char *part)
{
    char done[PATH_BYTES];
    size_t stem = strlen(part) - strlen(POSTCARD_PART);

    (void)snprintf(done, sizeof(done), "%.*s" POSTCARD_DONE, (int)stem, part);
    return rename(part, done) == 0;
}

/* ---- on a thread ---- */

static bool is_part(const char *name)
{
    size_t len = strlen(name);

    return len < POSTCARD_NAME_BYTES && str_starts(str_of(name), STR("postcard-")) &&
           len > strlen(POSTCARD_PART) &&
           strcmp(name + len - strlen(POSTCARD_PART), POSTCARD_PART) == 0;
}

static void path_of(const struct postcard_sweep *sweep, const struct postcard_left *left,
                    char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", sweep->folder, left->name);
}

/* A file that was cut off while it was written has none, or one that nobody knows. */
static void read_login(int fd, struct postcard_left *left)
{
    const struct str header = STR(POSTCARD_HEADER);
    char text[FILE_BYTES_MAX];
    ssize_t got = read(fd, text, sizeof(text));
    struct str bytes = {text, got > 0 ? (size_t)got : 0};
    struct arena *arena = arena_new();

    if (str_starts(bytes, header)) {
        const struct str line = {text + header.len, bytes.len - header.len};

        if (!postcard_login(arena, str_trim(line), left->login_id))
            left->login_id[0] = '\0';
    }
    secret_wipe(text, sizeof(text));
    arena_free(arena);
}

static bool look_at(const struct postcard_sweep *sweep, const char *name,
                    struct postcard_left *ret_left)
{
    struct postcard_left left = {.old = false};
    char path[PATH_BYTES];
    struct stat status;
    bool well;
    int fd;

    (void)snprintf(left.name, sizeof(left.name), "%s", name);
    path_of(sweep, &left, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    well = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    if (well) {
        left.old = time(NULL) - status.st_mtime > POSTCARDS_LEFT_S;
        read_login(fd, &left);
        *ret_left = left;
    }
    (void)close(fd);
    return well;
}

static void find_work(void *arg)
{
    struct postcard_sweep *sweep = arg;
    DIR *dir = opendir(sweep->folder);
    const struct dirent *entry;

    sweep->count = 0;
    while (dir != NULL && sweep->count < POSTCARDS_SWEPT_MAX && (entry = readdir(dir)) != NULL) {
        if (is_part(entry->d_name) && look_at(sweep, entry->d_name, &sweep->left[sweep->count]))
            sweep->count++;
    }
    if (dir != NULL)
        (void)closedir(dir);
}

static void settle_work(void *arg)
{
    const struct postcard_sweep *sweep = arg;
    char path[PATH_BYTES];

    for (size_t i = 0; i < sweep->count; i++) {
        const struct postcard_left *left = &sweep->left[i];

        path_of(sweep, left, path);
        if (left->in_force)
            (void)postcard_release(path); /* another gateway may have done so */
        else if (left->old)
            (void)unlink(path);
    }
}

/* ---- on the loop ---- */

void postcards_find(struct gateway *gateway, struct postcard_sweep *sweep, struct flow *flow,
                    int next)
{
    sweep->folder = gateway->settings->postcards_dir;
    sweep->count = 0;
    if (sweep->folder == NULL || sweep->folder[0] == '\0') {
        flow_goto(flow, next);
        return;
    }
    flow_wait(flow, next);
    pool_run(gateway->papers, find_work, sweep, flow);
}

void postcards_ask(struct gateway *gateway, struct postcard_sweep *sweep, struct flow *flow,
                   int next)
{
    struct db_batch *batch = db_batch_read(flow->arena);
    struct str logins[POSTCARDS_SWEPT_MAX];

    if (sweep->count == 0) {
        flow_goto(flow, next);
        return;
    }
    for (size_t i = 0; i < sweep->count; i++)
        logins[i] = str_of(sweep->left[i].login_id);
    sweep->query = db_add(batch, &find_logins);
    db_text_array(sweep->query, logins, sweep->count);
    flow_wait(flow, next);
    db_run(gateway->db, batch, GATEWAY_READ_MS, flow);
}

void postcards_settle(struct gateway *gateway, struct postcard_sweep *sweep, struct flow *flow,
                      int next)
{
    size_t removed = 0;

    if (sweep->count == 0) {
        flow_goto(flow, next);
        return;
    }
    for (size_t i = 0; i < db_rows(sweep->query); i++)
        sweep->left[db_get_i64(sweep->query, i, 0) - 1].in_force = true;
    for (size_t i = 0; i < sweep->count; i++)
        removed += !sweep->left[i].in_force && sweep->left[i].old;
    if (db_rows(sweep->query) + removed > 0)
        LOG_INFO("postcards_settled", F_I64("printed", (int64_t)db_rows(sweep->query)),
                 F_I64("removed", (int64_t)removed));
    flow_wait(flow, next);
    pool_run(gateway->papers, settle_work, sweep, flow);
}
