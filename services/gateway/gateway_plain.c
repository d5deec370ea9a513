/* gateway_plain: see gateway_plain.h. */
#include "gateway/gateway_plain.h"

static void add_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            buf_add_c(out, "&lt;");
        else if (*text == '&')
            buf_add_c(out, "&amp;");
        else if (*text == '"')
            buf_add_c(out, "&quot;");
        else
            buf_add_char(out, *text);
    }
}

static void add_link(struct buf *out, const struct plain_page *page)
{
    buf_add_c(out, "<p><a href=\"");
    add_escaped(out, page->link);
    buf_add_c(out, "\">");
    add_escaped(out, page->link_text);
    buf_add_c(out, "</a></p>\n");
}

static void make(struct buf *out, const struct gateway *gateway, const struct plain_page *page)
{
    buf_printf(out, "<!doctype html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\">\n",
               page->english ? "en" : "ja");
    buf_add_c(out, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    add_escaped(out, page->title);
    buf_add_c(out, " - MAMIS</title></head>\n<body><main>\n<h1>");
    add_escaped(out, page->title);
    buf_add_c(out, "</h1>\n");
    if (page->text != NULL) {
        buf_add_c(out, "<p role=\"status\">");
        add_escaped(out, page->text);
        buf_add_c(out, "</p>\n");
    }
    if (page->link != NULL)
        add_link(out, page);
    buf_add_c(out, "<p>");
    add_escaped(out, gateway->settings->help_phone);
    buf_add_c(out, " ");
    add_escaped(out, gateway->settings->help_hours);
    buf_add_c(out, "</p>\n</main></body></html>\n");
}

static void set_seconds(struct http_request *request, const char *name, unsigned seconds)
{
    if (seconds > 0)
        http_set_header(request, name, arena_printf(http_request_arena(request), "%u", seconds));
}

void plain_answer(struct gateway *gateway, struct http_request *request,
                  const struct plain_page *page)
{
    struct buf text = {0};

    files_set_security(gateway, request);
    http_set_header(request, "Cache-Control", "no-store");
    http_set_header(request, "Content-Language", page->english ? "en" : "ja");
    set_seconds(request, "Refresh", page->refresh_s);
    set_seconds(request, "Retry-After", page->retry_s);
    make(&text, gateway, page);
    http_answer(request, page->status, "text/html; charset=utf-8", buf_str(&text));
    buf_free(&text);
}
