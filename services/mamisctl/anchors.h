/* anchors: the file of anchors, which an operator keeps apart from the database. */
#pragma once
#include "mamisctl/verify.h"

enum { ANCHORS_CHAINS_MAX = 4096 };

/* The last anchor of one chain. */
struct anchored {
    const char *schema, *topic; /* in the tool's arena */
    int32_t part;
    int64_t seq;
};

/* What stands in the file, as far as it was read. */
struct anchors {
    uint8_t last[CHAIN_SIGNATURE_BYTES]; /* signature of the last line */
    int64_t good_bytes;                  /* whole lines; what follows is half a line */
    struct anchored *chains;             /* ANCHORS_CHAINS_MAX of them, in the tool's arena */
    size_t chain_count;
};

/* By the setting anchor_key_file. Memory: the caller wipes it. Errors: ERR_SETTINGS. */
CHECKED enum err anchors_signer(struct tool *tool, struct chain_signer *ret_signer,
                                struct err_note *note);
/*
 * Read the file and look whether each anchor's link stands in its chain as it was: that finds what
 * was cut off at the end of a chain, and chains that were computed anew. A file that is not there
 * has no anchors. Errors: ERR_SETTINGS (cannot be read); what is wrong in it is a difference.
 */
CHECKED enum err anchors_check(struct tool *tool, const char *path,
                               const uint8_t public_key[CHAIN_PUBLIC_BYTES],
                               struct anchors *ret_anchors, struct finding *finding,
                               struct err_note *note);
/*
 * For verify: the same with the key `public_hex` (NULL: by anchor_key_file). That the file is not
 * there is an error here.
 */
CHECKED enum err verify_anchors(struct tool *tool, const char *path, const char *public_hex,
                                struct finding *finding, struct err_note *note);
