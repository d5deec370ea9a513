/*
 * pg_fake: a server that speaks PostgreSQL's protocol and lies when a script says so. One thread;
 * one connection at a time. It answers every batch well, except that the first batch after
 * pg_fake_script() gets the script's answers.
 *
 * A script is a text of marks, blanks are ignored:
 *   1 parse complete        2 bind complete       n no data
 *   B, U, C, R  command complete: BEGIN, UPDATE 1, COMMIT, ROLLBACK
 *   Z ready, idle           T ready, in a failed transaction
 *   e ERROR 40001           f FATAL 57P01         F FATAL XX000         w NOTICE
 *   g copy in               x bytes that are no message
 *   . close the connection  (without it: silence)
 *   | what follows is for the next batch (or ROLLBACK)
 */
#pragma once
#include <stdint.h>

struct pg_fake;

/* Listens on the Unix socket `path`. Aborts on failure. */
struct pg_fake *pg_fake_start(const char *path);
void pg_fake_stop(struct pg_fake *fake);
/* Static storage. */
void pg_fake_script(struct pg_fake *fake, const char *script);
