/* postcard_resume: going on in the printer's file of a run that died. */
#pragma once
#include <sys/types.h>

#include "mamisctl/mamisctl.h"
#include "postcard/postcard.h"

/*
 * A file that a run which died left behind, to go on in it: what follows the last postcard that the
 * database has was never committed and is cut off, `cut_max` lines at most. `*ret_kept`: its bytes
 * then. Errors: ERR_SETTINGS when it is not such a file, and those of the database.
 */
CHECKED enum err postcard_resume(struct tool *tool, const char *path, size_t cut_max, int *ret_fd,
                                 off_t *ret_kept, struct err_note *note);
