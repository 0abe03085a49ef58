/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size with numbers for names. They never move; freed ones are used again first,
 * last in first out, which keeps the few that are in use in the cache. An object begins with a
 * uint32_t that belongs to the store while the object is free.
 */
#ifndef EMU_STORE_H
#define EMU_STORE_H

#include "chorus/types.h"

#define EMU_STORE_NONE  UINT32_MAX
#define EMU_STORE_BITS  8
#define EMU_STORE_BLOCK (1u << EMU_STORE_BITS)

struct emu_store {
  uint8_t **blocks;
  uint32_t count; /* objects ever made */
  uint32_t free;  /* the first free one, or EMU_STORE_NONE */
  size_t size;    /* octets, a multiple of 64 */
  void **regions; /* memory that blocks are cut from */
  uint32_t region_count;
  uint8_t *rest; /* of the last region */
  size_t rest_size;
};

static inline void emu_store_init(struct emu_store *store, size_t size) {
  *store = (struct emu_store){.free = EMU_STORE_NONE, .size = (size + 63) / 64 * 64};
}

void emu_store_free(struct emu_store *store);
bool emu_store_add_block(struct emu_store *store);

static inline void *emu_store_at(const struct emu_store *store, uint32_t index) {
  return store->blocks[index >> EMU_STORE_BITS] + (index & (EMU_STORE_BLOCK - 1)) * store->size;
}

/* A new object, contents undefined. Returns its number, or EMU_STORE_NONE: no memory. */
static inline uint32_t emu_store_new(struct emu_store *store) {
  uint32_t index = store->free;
  if (index != EMU_STORE_NONE) {
    memcpy(&store->free, emu_store_at(store, index), sizeof store->free);
    return index;
  }
  if (store->count == EMU_STORE_NONE) return EMU_STORE_NONE;
  if ((store->count & (EMU_STORE_BLOCK - 1)) == 0 && !emu_store_add_block(store))
    return EMU_STORE_NONE;
  return store->count++;
}

static inline void emu_store_delete(struct emu_store *store, uint32_t index) {
  memcpy(emu_store_at(store, index), &store->free, sizeof store->free);
  store->free = index;
}

#endif
