/*
 * gateway_upload: what the files of an upload share. The source turns a body into the file's bytes:
 * as they are, out of a multipart body, or made from JSON rows.
 */
#pragma once
#include "gateway/gateway_call.h"
#include "gateway/gateway_multipart.h"

enum { UPLOAD_PART_BYTES = 256 * 1024, UPLOAD_JSON_BYTES_MAX = 256 * 1024 };
/* In memory at most, beside a part: what is read ahead. JSON: as text, parsed, and as a file. */
enum { UPLOAD_AHEAD_BYTES = 64 * 1024, UPLOAD_JSON_COPIES = 8 };

enum source_kind { SOURCE_RAW, SOURCE_MULTIPART, SOURCE_JSON };

struct source {
    enum source_kind kind;
    struct multipart multipart;
    struct buf json;
};

/* CODE_NONE, or why the body's type cannot be taken. */
enum code source_init(struct source *source, const struct call *call);
void source_fini(struct source *source);
/* Appends to `out`. CODE_NONE when all is well. */
enum code source_feed(struct source *source, struct str bytes, struct buf *out);
/*
 * The body is whole. False when it was no good: then the problem is answered and the flow ended.
 */
bool source_end(struct source *source, struct call *call, struct buf *out);
/* JSON rows as the CSV that they stand for. False: they have more columns than a file may have. */
bool source_rows(const struct body_post_attendance *body, struct buf *out);
struct str source_file_name(const struct source *source, struct call *call);
