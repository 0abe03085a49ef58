/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of pointers by 64-bit hash, open addressing, for the judge's indexes. The key lives
 * in the object; |same| compares an object with a key. Iteration order is nobody's business:
 * nothing that the judge says depends on it.
 */
#ifndef CHORUS_JUDGE_TABLE_H
#define CHORUS_JUDGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct jdg_slot {
  uint64_t hash;
  void *object; /* NULL: free */
};

struct jdg_table {
  struct jdg_slot *slots;
  size_t size; /* a power of two, or 0 */
  size_t used;
};

typedef bool (*jdg_same)(const void *object, const void *key);

void jdg_table_free(struct jdg_table *table);
void jdg_table_clear(struct jdg_table *table); /* keeps the memory */
bool jdg_table_grow(struct jdg_table *table);  /* false: no memory */
/* Removes this very object, if there. */
void jdg_table_remove(struct jdg_table *table, uint64_t hash, const void *object);

/* Here to be seen by the compiler, which then also sees into |same|. NULL: no such object. */
static inline void *jdg_table_find(const struct jdg_table *table, uint64_t hash, jdg_same same,
                                   const void *key) {
  if (!table->used) return NULL;
  size_t mask = table->size - 1;
  for (size_t i = hash & mask; table->slots[i].object; i = (i + 1) & mask)
    if (table->slots[i].hash == hash && same(table->slots[i].object, key))
      return table->slots[i].object;
  return NULL;
}

/* There is room. */
static inline void jdg_table_put(struct jdg_table *table, uint64_t hash, void *object) {
  size_t mask = table->size - 1;
  size_t i = hash & mask;
  while (table->slots[i].object) i = (i + 1) & mask;
  table->slots[i].hash = hash;
  table->slots[i].object = object;
  table->used++;
}

/* Adds without looking for an equal key. False without memory. */
static inline bool jdg_table_add(struct jdg_table *table, uint64_t hash, void *object) {
  /* At most half full: a search that finds nothing then looks at 2.5 slots on average. */
  if (2 * (table->used + 1) > table->size && !jdg_table_grow(table)) return false;
  jdg_table_put(table, hash, object);
  return true;
}

/* Where this very object is, or NULL; until the table changes. */
static inline struct jdg_slot *jdg_table_slot(const struct jdg_table *table, uint64_t hash,
                                              const void *object) {
  if (!table->used) return NULL;
  size_t mask = table->size - 1;
  for (size_t i = hash & mask; table->slots[i].object; i = (i + 1) & mask)
    if (table->slots[i].object == object) return &table->slots[i];
  return NULL;
}

/* Puts |object| in the place of |old|, which is there under the same hash. */
static inline void jdg_table_replace(struct jdg_table *table, uint64_t hash, const void *old,
                                     void *object) {
  struct jdg_slot *slot = jdg_table_slot(table, hash, old);
  if (slot) slot->object = object;
}

__extension__ typedef unsigned __int128 jdg_product;

/* Both halves of the product: every bit of |word| reaches the low bits, which tables look at. */
static inline uint64_t jdg_mix(uint64_t h, uint64_t word) {
  jdg_product p =
      (jdg_product)(h ^ word ^ UINT64_C(0x2d358dccaa6c78a5)) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t jdg_hash16(uint64_t h, const uint8_t octets[16]) {
  uint64_t a, b;
  memcpy(&a, octets, 8);
  memcpy(&b, octets + 8, 8);
  return jdg_mix(jdg_mix(h, a), b);
}

#endif
