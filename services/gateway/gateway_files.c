/*
 * gateway_files: the portal's built pages. Read once at the start, within limits, compressed once,
 * answered from memory. Addresses are looked up in the list, so no path can lead out of the folder.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "gateway/gateway_maintenance.h"
#include "gateway/gateway_queue.h"

enum {
    FILES_MAX = 500,
    FILES_BYTES_MAX = 32 * 1024 * 1024, /* all together */
    FILES_DEPTH_MAX = 6,
    FILE_GZIP_LEAST = 512,
    FILE_ETAG_BYTES = 35,
};

struct file {
    char *path; /* "/assets/index-1a2b.js" */
    const char *type;
    struct buf bytes;
    struct buf gzip; /* empty: not worth it */
    char etag[FILE_ETAG_BYTES];
    bool hashed; /* its name changes with its content */
};

struct files {
    struct file *list;
    size_t count;
    size_t bytes;
    const struct file *index; /* "/index.html" */
};

/* ---- reading ---- */

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".txt", "text/plain; charset=utf-8"},
    };
    size_t len = strlen(path);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        size_t end = strlen(types[i][0]);

        if (len > end && strcmp(path + len - end, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}

static void compress_file(struct file *file)
{
    z_stream zip = {0};
    uLong most;

    if (file->bytes.len < FILE_GZIP_LEAST || strncmp(file->type, "image/png", 9) == 0 ||
        strncmp(file->type, "font/", 5) == 0)
        return;
    must(deflateInit2(&zip, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    most = deflateBound(&zip, file->bytes.len);
    file->gzip.data = heap_alloc(most);
    file->gzip.cap = most;
    zip.next_in = (Bytef *)file->bytes.data;
    zip.avail_in = (uInt)file->bytes.len;
    zip.next_out = (Bytef *)file->gzip.data;
    zip.avail_out = (uInt)most;
    must(deflate(&zip, Z_FINISH) == Z_STREAM_END);
    file->gzip.len = zip.total_out;
    must(deflateEnd(&zip) == Z_OK);
}

static void name_version(struct file *file)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char hex[33];

    must(crypto_hash_sha256(digest, (const unsigned char *)file->bytes.data, file->bytes.len) == 0);
    hex_encode(digest, 16, hex);
    (void)snprintf(file->etag, sizeof(file->etag), "\"%s\"", hex);
}

static enum err read_file(struct files *files, const char *full, const char *path,
                          struct err_note *note)
{
    struct file *file;
    char part[64 * 1024];
    ssize_t got;
    int fd;

    if (files->count >= FILES_MAX)
        return err_say(note, ERR_SETTINGS, "portal_dir: more than %d files", (int)FILES_MAX);
    fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_say(note, ERR_SETTINGS, "portal_dir: %s: %s", path, strerror(errno));
    file = &files->list[files->count++];
    file->path = heap_strdup(path);
    file->type = type_of(path);
    file->hashed = strncmp(path, "/assets/", 8) == 0;
    while ((got = read(fd, part, sizeof(part))) > 0) {
        files->bytes += (size_t)got;
        if (files->bytes > FILES_BYTES_MAX)
            break;
        buf_add(&file->bytes, part, (size_t)got);
    }
    (void)close(fd);
    if (got != 0)
        return err_say(note, ERR_SETTINGS, "portal_dir: too large, or %s cannot be read", path);
    compress_file(file);
    name_version(file);
    return ERR_OK;
}

static enum err read_folder(struct files *files, const char *full, const char *path, int depth,
                            struct err_note *note);

static enum err read_entry(struct files *files, const char *full, const char *path, int depth,
                           struct err_note *note)
{
    struct stat about;

    if (lstat(full, &about) != 0)
        return err_say(note, ERR_SETTINGS, "portal_dir: %s: %s", path, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return read_folder(files, full, path, depth + 1, note);
    return S_ISREG(about.st_mode) ? read_file(files, full, path, note) : ERR_OK;
}

static enum err read_folder(struct files *files, const char *full, const char *path, int depth,
                            struct err_note *note)
{
    DIR *folder = depth > FILES_DEPTH_MAX ? NULL : opendir(full);
    const struct dirent *entry;
    enum err err = ERR_OK;

    if (folder == NULL)
        return err_say(note, ERR_SETTINGS, "portal_dir: %s cannot be read", full);
    while (err == ERR_OK && (entry = readdir(folder)) != NULL) {
        struct buf inner = {0}, address = {0};

        if (entry->d_name[0] == '.')
            continue;
        buf_printf(&inner, "%s/%s", full, entry->d_name);
        buf_printf(&address, "%s/%s", path, entry->d_name);
        err = read_entry(files, inner.data, address.data, depth, note);
        buf_free(&inner);
        buf_free(&address);
    }
    (void)closedir(folder);
    return err;
}

static const struct file *find(const struct files *files, struct str path)
{
    for (size_t i = 0; i < files->count; i++)
        if (str_eq_c(path, files->list[i].path))
            return &files->list[i];
    return NULL;
}

enum err files_load(const char *dir, struct files **ret_files, struct err_note *note)
{
    struct files *files = heap_zero(sizeof(*files));
    enum err err = ERR_OK;

    files->list = heap_zero(sizeof(struct file) * FILES_MAX);
    if (*dir != '\0')
        err = read_folder(files, dir, "", 0, note);
    if (err == ERR_OK)
        files->index = find(files, STR("/index.html"));
    if (err == ERR_OK && *dir != '\0' && files->index == NULL)
        err = err_say(note, ERR_SETTINGS, "portal_dir: there is no index.html; build the portal");
    if (err != ERR_OK) {
        files_free(files);
        return err;
    }
    *ret_files = files;
    return ERR_OK;
}

void files_free(struct files *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->count; i++) {
        free(files->list[i].path);
        buf_free(&files->list[i].bytes);
        buf_free(&files->list[i].gzip);
    }
    free(files->list);
    free(files);
}

/* ---- answering ---- */

void files_set_security(struct gateway *gateway, struct http_request *request)
{
    http_set_header(request, "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
                    " connect-src 'self'; form-action 'self'; base-uri 'none';"
                    " frame-ancestors 'none'; require-trusted-types-for 'script'");
    http_set_header(request, "X-Content-Type-Options", "nosniff");
    http_set_header(request, "Referrer-Policy", "no-referrer");
    http_set_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    http_set_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    http_set_header(request, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
    if (gateway->secure)
        http_set_header(request, "Strict-Transport-Security",
                        "max-age=63072000; includeSubDomains");
}

/* One of several versions in If-None-Match; weak comparison. */
static bool has_version(struct str header, const char *etag)
{
    struct str part;

    while (header.len > 0) {
        (void)str_cut(&header, ',', &part);
        part = str_trim(part);
        if (str_starts(part, STR("W/")))
            part = (struct str){part.data + 2, part.len - 2};
        if (str_eq_c(part, etag) || str_eq_c(part, "*"))
            return true;
    }
    return false;
}

/* gzip is named and not refused. */
static bool takes_gzip(struct str header)
{
    struct str part, name;

    while (header.len > 0) {
        (void)str_cut(&header, ',', &part);
        (void)str_cut(&part, ';', &name);
        part = str_trim(part);
        if (str_eq_nocase(str_trim(name), STR("gzip")))
            return !str_eq_c(part, "q=0") && !str_starts(part, STR("q=0.0"));
    }
    return false;
}

static void send_file(struct gateway *gateway, struct http_request *request,
                      const struct file *file)
{
    bool zipped = file->gzip.len > 0 && takes_gzip(http_header(request, "Accept-Encoding"));

    files_set_security(gateway, request);
    http_set_header(request, "ETag", file->etag);
    http_set_header(request, "Cache-Control",
                    file->hashed ? "public, max-age=31536000, immutable" : "no-cache");
    if (file->gzip.len > 0)
        http_set_header(request, "Vary", "Accept-Encoding");
    if (has_version(http_header(request, "If-None-Match"), file->etag)) {
        http_answer(request, 304, NULL, STR(""));
        return;
    }
    if (zipped)
        http_set_header(request, "Content-Encoding", "gzip");
    http_answer_static(
        request, 200, file->type,
        zipped ? buf_str(&file->gzip)
               : (struct str){file->bytes.len == 0 ? "" : file->bytes.data, file->bytes.len});
}

void files_answer(void *context, struct http_request *request)
{
    struct gateway *gateway = context;
    struct str path = http_path(request);
    const struct file *file = NULL;

    if (str_starts(path, STR("/api/")) || str_eq_c(path, "/api")) {
        call_refuse(gateway, request, ERR_NOT_FOUND, "no such address");
        return;
    }
    if (http_request_method(request) != HTTP_GET) {
        http_set_header(request, "Allow", "GET, HEAD");
        call_refuse(gateway, request, ERR_METHOD_NOT_ALLOWED, "pages are only read");
        return;
    }
    if (queue_page(gateway, request))
        return;
    file = find(gateway->files, path);
    /* Pages have addresses of their own that only the script knows; a missing asset is missing. */
    if (file == NULL && !str_starts(path, STR("/assets/")))
        file = gateway->files->index;
    if ((file == NULL || file == gateway->files->index) && maintenance_page(gateway, request))
        return;
    if (file == NULL)
        call_refuse(gateway, request, ERR_NOT_FOUND, "no such page");
    else
        send_file(gateway, request, file);
}
