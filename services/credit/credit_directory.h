/*
 * credit_directory: all doctors by their numbers, in memory.
 *
 * The table stays the truth. Whoever changes a doctor in it, a trigger gives the change a number,
 * in the order of the commits; before rows are matched, what changed since is asked for and taken
 * up. So a match sees what a look-up in the table at that moment would see, without a look-up for
 * each row. About 90 bytes a doctor.
 */
#pragma once
#include "attendance/attendance_match.h"
#include "credit/credit.h"

enum directory_key { DIRECTORY_BY_ID, DIRECTORY_BY_REGISTER, DIRECTORY_BY_MAMIS };
enum { DIRECTORY_KEY_COUNT = DIRECTORY_BY_MAMIS + 1, DIRECTORY_PAGE = 2000 /* doctors */ };

/* Empty. Released by directory_free(); a worker's lives as long as its process. */
struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* Append the question what changed since the last answer. */
struct db_query *directory_ask(const struct directory *directory, struct db_batch *batch);
/*
 * Take the answer up. `*ret_complete` false: there is more, to be asked for before anything is
 * matched. Errors: ERR_SCHEMA for stored nonsense.
 */
CHECKED enum err directory_take(struct directory *directory, const struct db_query *query,
                                bool *ret_complete, struct err_note *note);

/*
 * One after another, the doctors of that number; false when there are no more. `*cursor` is 0 at
 * first. Whose number a merged doctor had is the one who is kept, beside these numbers. Names in
 * `ret_doctor` live as long as the directory; its certificates are not set.
 */
bool directory_next(const struct directory *directory, enum directory_key key, int64_t number,
                    size_t *cursor, struct attendance_doctor *ret_doctor);

/*
 * credit_directory_fill: fills it from nothing, page by page, however often PostgreSQL has to be
 * asked; then `filled(credit)`, from the loop.
 */
void credit_directory_open(struct credit *credit, void (*filled)(struct credit *credit));
/* `closed(credit)` from the loop. */
void credit_directory_close(struct credit *credit, void (*closed)(void *arg));

/* Takes up what changed, if nobody does so already: many changes at once come page by page. */
void credit_directory_follow(struct credit *credit);
/*
 * After directory_take() found more: the same, then `flow` is resumed; with the error that ended
 * it, ERR_STOPPING once the directory is closed.
 */
void credit_directory_wait(struct credit *credit, struct flow *flow);
