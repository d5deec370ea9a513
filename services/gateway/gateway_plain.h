/*
 * gateway_plain: a page without scripts and styles, for when the portal cannot or shall not be
 * shown.
 */
#pragma once
#include "gateway/gateway.h"

struct plain_page {
    unsigned status;
    bool english;
    const char *title;
    const char *text; /* one paragraph, plain text; NULL: none */
    const char *link; /* address of ours; NULL: none */
    const char *link_text;
    unsigned refresh_s; /* the browser asks again after so long; 0: it does not */
    unsigned retry_s;   /* Retry-After; 0: none */
};

/* Memory: texts are copied. */
void plain_answer(struct gateway *gateway, struct http_request *request,
                  const struct plain_page *page);
