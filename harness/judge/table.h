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
void *jdg_table_find(const struct jdg_table *table, uint64_t hash, jdg_same same, const void *key);
/* Adds without looking for an equal key. False without memory. */
bool jdg_table_add(struct jdg_table *table, uint64_t hash, void *object);
/* Removes this very object, if there. */
void jdg_table_remove(struct jdg_table *table, uint64_t hash, const void *object);

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
