/* SPDX-License-Identifier: BSD-2-Clause */
#include "store.h"

#include <stdlib.h>
#include <sys/mman.h>

#define ALIGNMENT   64u
#define FEW_BLOCKS  8u
#define HUGE_REGION ((size_t)2 << 20)

/*
 * A large store takes its memory in regions of the size of a huge page, which saves page lookups
 * when 100,000 nodes take turns at random.
 */
static bool add_region(struct emu_store *store, size_t block) {
  bool huge = store->count >= FEW_BLOCKS * EMU_STORE_BLOCK && block <= HUGE_REGION;
  size_t size = huge ? HUGE_REGION : block;
  void **regions = realloc(store->regions, (store->region_count + 1) * sizeof *regions);
  if (!regions) return false;
  store->regions = regions;
  store->rest = aligned_alloc(huge ? HUGE_REGION : ALIGNMENT, size);
  store->rest_size = store->rest ? size : 0;
  if (!store->rest) return false;
  if (huge) madvise(store->rest, size, MADV_HUGEPAGE); /* a hint; without it all works the same */
  regions[store->region_count++] = store->rest;
  return true;
}

bool emu_store_add_block(struct emu_store *store) {
  uint32_t number = store->count >> EMU_STORE_BITS;
  size_t size = EMU_STORE_BLOCK * store->size;
  uint8_t **blocks = realloc(store->blocks, (number + 1) * sizeof *blocks);
  if (!blocks) return false;
  store->blocks = blocks;
  if (store->rest_size < size && !add_region(store, size)) return false;
  blocks[number] = store->rest;
  store->rest += size;
  store->rest_size -= size;
  return true;
}

void emu_store_free(struct emu_store *store) {
  for (uint32_t i = 0; i < store->region_count; i++) free(store->regions[i]);
  free(store->regions);
  free(store->blocks);
  emu_store_init(store, store->size);
}
