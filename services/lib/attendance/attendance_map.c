/* attendance_map: open addressing, at most half full. */
#include "attendance/attendance_map.h"

void attendance_map_init(struct attendance_map *map, struct arena *arena, size_t most)
{
    size_t slots = 16;

    while (slots < most * 2)
        slots *= 2;
    map->slots = arena_array(arena, struct attendance_map_slot, slots);
    map->mask = slots - 1;
}

struct attendance_map_slot *attendance_map_at(struct attendance_map *map, int64_t key,
                                              uint32_t part)
{
    /* A large odd multiplier spreads running numbers over the upper bits. */
    const uint64_t hash = ((uint64_t)key ^ ((uint64_t)part << 48)) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 32) & map->mask;

    for (;; at = (at + 1) & map->mask) {
        struct attendance_map_slot *slot = &map->slots[at];

        if (slot->value != 0 && (slot->key != key || slot->part != part))
            continue;
        slot->key = key;
        slot->part = part;
        return slot;
    }
}
