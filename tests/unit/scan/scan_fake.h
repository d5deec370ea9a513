/*
 * scan_fake: a scanner on the test's own loop that keeps what it gets and says what a test wants.
 */
#pragma once
#include "flow/flow.h"

enum { SCAN_FAKE_BYTES = 5 * 1024 * 1024, SCAN_FAKE_ALL = -1, SCAN_FAKE_NEVER = -2 };

struct scan_script {
    int after;      /* bytes, then it answers; SCAN_FAKE_ALL: after the zero that ends the file */
    struct str say; /* data NULL: nothing */
    bool hang_up;   /* afterwards */
};

struct scan_fake {
    struct loop *loop;
    int listener, peer;
    struct evfd *listening, *talking;
    struct scan_script script;
    size_t len;
    char got[SCAN_FAKE_BYTES];
};

/* Listens at an address as of scan_address.h; TCP: any port, and `address` names it afterwards. */
void scan_fake_open(struct scan_fake *fake, struct loop *loop, char *address, size_t address_bytes);
void scan_fake_close(struct scan_fake *fake);
