/* SPDX-License-Identifier: BSD-2-Clause */
#include "pool.h"

#include <stdlib.h>

#define SMALLEST_BITS 6
#define SLAB_OCTETS   32768u

struct emu_slab {
  struct emu_slab *next;
  uint64_t reserved; /* keeps what follows aligned for anything */
};

static uint32_t class_of(uint32_t length) {
  if (length <= 1u << SMALLEST_BITS) return SMALLEST_BITS;
  return 32u - (uint32_t)__builtin_clz(length - 1);
}

static bool grow(struct emu_pool *pool, uint32_t class) {
  size_t capacity = (size_t)1 << class, size = sizeof(struct emu_buffer) + capacity;
  size_t count = size < SLAB_OCTETS ? SLAB_OCTETS / size : 1;
  struct emu_slab *slab = malloc(sizeof *slab + count * size);
  if (!slab) return false;
  slab->next = pool->slabs;
  pool->slabs = slab;
  for (size_t i = count; i-- > 0;) {
    struct emu_buffer *buffer = (void *)((uint8_t *)(slab + 1) + i * size);
    *buffer = (struct emu_buffer){
        .next = pool->free[class], .capacity = (uint32_t)capacity, .class = class};
    pool->free[class] = buffer;
  }
  return true;
}

struct emu_buffer *emu_buffer_new(struct emu_pool *pool, uint32_t length) {
  if (length > UINT32_C(1) << (EMU_POOL_CLASSES - 1)) return NULL;
  uint32_t class = class_of(length);
  if (!pool->free[class] && !grow(pool, class)) return NULL;
  struct emu_buffer *buffer = pool->free[class];
  pool->free[class] = buffer->next;
  buffer->references = 1;
  buffer->length = length;
  return buffer;
}

void emu_pool_free(struct emu_pool *pool) {
  while (pool->slabs) {
    struct emu_slab *slab = pool->slabs;
    pool->slabs = slab->next;
    free(slab);
  }
  *pool = (struct emu_pool){0};
}
