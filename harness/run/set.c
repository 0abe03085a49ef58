/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/set.h"

#include <stdlib.h>
#include <string.h>

static struct run_slot *find(const struct run_set *set, uint64_t key) {
  size_t mask = set->capacity - 1;
  for (size_t i = (size_t)(key ^ key >> 29) & mask;; i = (i + 1) & mask) {
    struct run_slot *slot = &set->slots[i];
    if (slot->value == 0 || slot->key == key) return slot;
  }
}

static bool grow(struct run_set *set) {
  struct run_set larger = {.capacity = set->capacity ? 2 * set->capacity : 64};
  larger.slots = calloc(larger.capacity, sizeof *larger.slots);
  if (!larger.slots) return false;
  for (size_t i = 0; i < set->capacity; i++)
    if (set->slots[i].value) *find(&larger, set->slots[i].key) = set->slots[i];
  larger.count = set->count;
  free(set->slots);
  *set = larger;
  return true;
}

bool run_set_put(struct run_set *set, uint64_t key, uint64_t value) {
  if (4 * (set->count + 1) > 3 * set->capacity && !grow(set)) return false;
  struct run_slot *slot = find(set, key);
  set->count += slot->value == 0;
  *slot = (struct run_slot){.key = key, .value = value};
  return true;
}

uint64_t run_set_get(const struct run_set *set, uint64_t key) {
  return set->capacity ? find(set, key)->value : 0;
}

void run_set_clear(struct run_set *set) {
  if (set->slots) memset(set->slots, 0, set->capacity * sizeof *set->slots);
  set->count = 0;
}

void run_set_free(struct run_set *set) {
  free(set->slots);
  *set = (struct run_set){0};
}

uint64_t run_digest(uint64_t seed, const void *octets, size_t length) {
  const uint8_t *p = octets;
  uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
  return h ^ h >> 32;
}

uint64_t run_digest_number(uint64_t seed, uint64_t number) {
  uint64_t z = seed + UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}
