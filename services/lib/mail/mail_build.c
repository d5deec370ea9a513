/* mail_build: a text message through GMime, so that no header is ever put together by hand. */
#include <ctype.h>
#include <gmime/gmime.h>
#include <string.h>

#include "base/clock.h"
#include "mail/mail.h"

enum { ADDRESS_BYTES_MAX = 254, LOCAL_BYTES_MAX = 64 };

static bool local_ok(struct str local)
{
    if (local.len == 0 || local.len > LOCAL_BYTES_MAX || local.data[0] == '.' ||
        local.data[local.len - 1] == '.')
        return false;
    for (size_t i = 0; i < local.len; i++) {
        char c = local.data[i];

        if (!isalnum((unsigned char)c) && memchr("._%+-", c, 5) == NULL)
            return false;
        if (c == '.' && local.data[i - 1] == '.')
            return false;
    }
    return true;
}

static bool label_ok(struct str label)
{
    if (label.len == 0 || label.len > 63 || label.data[0] == '-' ||
        label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!isalnum((unsigned char)label.data[i]) && label.data[i] != '-')
            return false;
    }
    return true;
}

bool mail_address_ok(struct str address)
{
    struct str rest = address;
    struct str local;
    struct str label;
    int labels = 0;

    if (address.len == 0 || address.len > ADDRESS_BYTES_MAX || !str_cut(&rest, '@', &local) ||
        rest.data == NULL || !local_ok(local))
        return false;
    while (str_cut(&rest, '.', &label)) {
        if (!label_ok(label))
            return false;
        labels++;
    }
    return labels >= 2;
}

/* One line of header text: no CR, LF or NUL can come in. */
static bool line_ok(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

static enum err check(const struct mail_message *message, struct err_note *note)
{
    if (!mail_address_ok(str_of(message->from_address)) ||
        !mail_address_ok(str_of(message->to_address)))
        return err_say(note, ERR_MAIL_ADDRESS, "an address is not of the form taken");
    if (!line_ok(message->subject) || !line_ok(message->from_name) || !line_ok(message->to_name) ||
        !line_ok(message->message_id))
        return err_say(note, ERR_MAIL_HEADER, "a header holds a line break");
    return ERR_OK;
}

static GMimePart *text_part(const char *text)
{
    GMimeTextPart *part = g_mime_text_part_new();

    g_mime_text_part_set_charset(part, "utf-8");
    g_mime_text_part_set_text(part, text);
    g_mime_part_set_content_encoding((GMimePart *)part, GMIME_CONTENT_ENCODING_BASE64);
    return (GMimePart *)part;
}

static GMimeMessage *compose(const struct mail_message *message)
{
    GMimeMessage *mime = g_mime_message_new(TRUE);
    GDateTime *date = g_date_time_new_from_unix_utc(message->date_us / CLOCK_SECOND_US);
    GTimeZone *japan = g_time_zone_new_offset(CLOCK_JAPAN_S);
    GDateTime *local = g_date_time_to_timezone(date, japan);
    GMimePart *part = text_part(message->text);
    const char *to_name = message->to_name[0] == '\0' ? NULL : message->to_name;

    g_mime_message_add_mailbox(mime, GMIME_ADDRESS_TYPE_FROM, message->from_name,
                               message->from_address);
    g_mime_message_add_mailbox(mime, GMIME_ADDRESS_TYPE_TO, to_name, message->to_address);
    g_mime_message_set_subject(mime, message->subject, "utf-8");
    g_mime_message_set_message_id(mime, message->message_id);
    g_mime_message_set_date(mime, local);
    g_mime_object_set_header((GMimeObject *)mime, "Auto-Submitted", "auto-generated", "utf-8");
    g_mime_message_set_mime_part(mime, (GMimeObject *)part);
    g_object_unref(part);
    g_date_time_unref(local);
    g_date_time_unref(date);
    g_time_zone_unref(japan);
    return mime;
}

enum err mail_build(struct arena *arena, const struct mail_message *message, struct str *ret_wire,
                    struct err_note *note)
{
    static bool ready;
    GMimeMessage *mime = NULL;
    GMimeFormatOptions *options = NULL;
    GMimeStream *stream = NULL;
    GByteArray *bytes;
    enum err err;

    if (!ready)
        g_mime_init();
    ready = true;
    TRY(check(message, note));
    mime = compose(message);
    options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    stream = g_mime_stream_mem_new();
    g_mime_object_write_to_stream((GMimeObject *)mime, options, stream);
    bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    *ret_wire = arena_str(arena, (struct str){(const char *)bytes->data, bytes->len});
cleanup:
    if (stream != NULL)
        g_object_unref(stream);
    if (options != NULL)
        g_mime_format_options_free(options);
    if (mime != NULL)
        g_object_unref(mime);
    return err;
}
