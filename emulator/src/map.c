/* SPDX-License-Identifier: BSD-2-Clause */
#include "map.h"

#include <stdlib.h>

#include "random.h"

static uint32_t start_of(const struct emu_map *map, const struct emu_map_key *key) {
  uint64_t hash = emu_mix(key->high ^ emu_mix(key->low + key->extra));
  return (uint32_t)(hash >> 32) & (map->size - 1);
}

static bool same_key(const struct emu_map_key *a, const struct emu_map_key *b) {
  return a->low == b->low && a->high == b->high && a->extra == b->extra;
}

/* The slot of the key, or the free slot where it belongs. */
static struct emu_map_slot *find(const struct emu_map *map, const struct emu_map_key *key) {
  uint32_t i = start_of(map, key);
  while (map->slots[i].value != EMU_MAP_NONE && !same_key(&map->slots[i].key, key))
    i = (i + 1) & (map->size - 1);
  return &map->slots[i];
}

static bool grow(struct emu_map *map) {
  struct emu_map bigger = {.size = map->size ? map->size * 2 : 16, .used = map->used};
  bigger.slots = malloc(bigger.size * sizeof *bigger.slots);
  if (!bigger.slots) return false;
  for (uint32_t i = 0; i < bigger.size; i++) bigger.slots[i].value = EMU_MAP_NONE;
  for (uint32_t i = 0; i < map->size; i++)
    if (map->slots[i].value != EMU_MAP_NONE) *find(&bigger, &map->slots[i].key) = map->slots[i];
  free(map->slots);
  *map = bigger;
  return true;
}

void emu_map_free(struct emu_map *map) {
  free(map->slots);
  *map = (struct emu_map){0};
}

uint32_t emu_map_get(const struct emu_map *map, struct emu_map_key key) {
  return map->size ? find(map, &key)->value : EMU_MAP_NONE;
}

bool emu_map_reserve(struct emu_map *map, uint32_t more) {
  while ((map->used + more) * 4 > map->size * 3)
    if (!grow(map)) return false;
  return true;
}

bool emu_map_put(struct emu_map *map, struct emu_map_key key, uint32_t value) {
  if (!emu_map_reserve(map, 1)) return false;
  struct emu_map_slot *slot = find(map, &key);
  if (slot->value == EMU_MAP_NONE) map->used++;
  *slot = (struct emu_map_slot){.key = key, .value = value};
  return true;
}
