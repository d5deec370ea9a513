/* postcard: see postcard.h. */
#include "postcard/postcard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/csv.h"

enum { LOGIN_AT = 2, POSTCARD_FIELDS = 4 }; /* of POSTCARD_HEADER */

void postcard_make(const struct secret_key *key, struct str register_no, struct str name,
                   struct buf *csv, struct postcard *ret_postcard)
{
    char login[TEMP_LOGIN_BYTES];
    char password[TEMP_PASSWORD_BYTES];
    char folded[TEMP_TEXT_BYTES];

    temp_login_new(login);
    temp_password_new(password);
    csv_put(csv, register_no);
    buf_add_char(csv, ',');
    csv_put(csv, name);
    buf_printf(csv, ",%s,%s\r\n", login, password);
    must(temp_fold(str_of(login), ret_postcard->login_id));
    must(temp_fold(str_of(password), folded));
    temp_hmac(key, folded, ret_postcard->hmac);
    secret_wipe(password, sizeof(password));
    secret_wipe(folded, sizeof(folded));
}

bool postcard_login(struct arena *arena, struct str line, char ret_login[TEMP_TEXT_BYTES])
{
    struct csv_fields fields = csv_fields_of(line, ',');
    struct csv_field field;
    bool found = false;
    size_t count = 0;

    while (csv_fields_next(&fields, &field)) {
        if (count++ == LOGIN_AT)
            found = temp_fold(csv_field_text(arena, &field), ret_login);
    }
    return found && count == POSTCARD_FIELDS;
}

void postcard_forget(struct buf *csv)
{
    if (csv->data != NULL)
        secret_wipe(csv->data, csv->cap);
    buf_free(csv);
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.data, bytes.len);

        if (put <= 0)
            return false;
        bytes.data += put;
        bytes.len -= (size_t)put;
    }
    return true;
}

static enum err refuse(const char *path, struct err_note *note)
{
    return err_say(note, ERR_SETTINGS, "%s: %s", path, strerror(errno));
}

/* The name of a new file has to be on disk too, or nobody finds its bytes after a power cut. */
static bool sync_folder(const char *path)
{
    char *folder = heap_strdup(path);
    char *slash = strrchr(folder, '/');
    bool well;
    int fd;

    if (slash != NULL)
        slash[1] = '\0';
    fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    well = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return well;
}

enum err postcard_open(const char *path, int *ret_fd, struct err_note *note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return refuse(path, note);
    if (!write_all(fd, STR(POSTCARD_HEADER)) || !sync_folder(path)) {
        enum err err = refuse(path, note);

        (void)close(fd);
        return err;
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err postcard_save(int fd, const char *path, struct str csv, struct err_note *note)
{
    return write_all(fd, csv) && fsync(fd) == 0 ? ERR_OK : refuse(path, note);
}
