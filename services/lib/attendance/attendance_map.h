/*
 * attendance_map: places in a list by two numbers, for one chunk. Never grows: its room is given.
 */
#pragma once
#include "base/arena.h"

struct attendance_map_slot {
    int64_t key;
    uint32_t part;
    uint32_t value; /* place + 1; 0: free */
};

struct attendance_map {
    struct attendance_map_slot *slots;
    size_t mask;
};

/* Room for `most` keys. */
void attendance_map_init(struct attendance_map *map, struct arena *arena, size_t most);
/* The key's slot: with value 0 it is new, and the caller sets the value or leaves it free. */
struct attendance_map_slot *attendance_map_at(struct attendance_map *map, int64_t key,
                                              uint32_t part);
