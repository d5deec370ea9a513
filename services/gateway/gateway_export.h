/*
 * gateway_export: all data about oneself, written out section by section, a page at a time: memory
 * is one page, however much there is. gateway_export_words.c turns a page into words.
 */
#pragma once
#include "gateway/gateway_call.h"

/* Heading of a section, or a name or value in it, for people; NULL when it has no word. */
const char *export_word(struct str name, bool english);
/* An object, list or value as HTML: lists of terms, nested. */
void export_html(struct buf *out, const json_t *value, bool english);
/* With & < > " made harmless. */
void export_html_text(struct buf *out, struct str text);
