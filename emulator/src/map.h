/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table from 20-octet keys (an IP address and a number) to numbers. Nothing is ever removed.
 */
#ifndef EMU_MAP_H
#define EMU_MAP_H

#include "chorus/types.h"

#define EMU_MAP_NONE UINT32_MAX

struct emu_map_key {
  uint64_t high, low;
  uint32_t extra;
};

struct emu_map_slot {
  struct emu_map_key key;
  uint32_t value; /* EMU_MAP_NONE: slot is free */
};

/* All zero is an empty map. */
struct emu_map {
  struct emu_map_slot *slots;
  uint32_t size; /* power of two, or 0 */
  uint32_t used;
};

void emu_map_free(struct emu_map *map);
/* The value, or EMU_MAP_NONE. */
uint32_t emu_map_get(const struct emu_map *map, struct emu_map_key key);
/* Makes room for |more| keys. False: no memory. */
bool emu_map_reserve(struct emu_map *map, uint32_t more);
/* Sets the value (not EMU_MAP_NONE) of a key. False: no memory. */
bool emu_map_put(struct emu_map *map, struct emu_map_key key, uint32_t value);

static inline struct emu_map_key emu_map_address(const uint8_t address[16], uint32_t extra) {
  struct emu_map_key key = {.extra = extra};
  memcpy(&key.high, address, 8);
  memcpy(&key.low, address + 8, 8);
  return key;
}

static inline struct emu_map_key emu_map_pair(uint32_t a, uint32_t b) {
  return (struct emu_map_key){.high = ((uint64_t)a << 32) | b};
}

#endif
