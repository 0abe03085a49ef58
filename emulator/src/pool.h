/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared buffers. A buffer counts its references and returns to its pool with the last of them; the
 * pool keeps free buffers by power-of-two size and takes memory from the system only while it
 * grows.
 */
#ifndef EMU_POOL_H
#define EMU_POOL_H

#include "chorus/types.h"

#define EMU_POOL_CLASSES 32

struct emu_buffer {
  struct emu_buffer *next; /* while free */
  uint32_t references;
  uint32_t length;   /* octets in use; the owner's business */
  uint32_t capacity; /* octets, a power of two of at least 64 */
  uint32_t class;
  uint64_t reserved; /* keeps data[] aligned for anything */
  uint8_t data[];
};

/* All zero is an empty pool. */
struct emu_pool {
  struct emu_buffer *free[EMU_POOL_CLASSES];
  struct emu_slab *slabs;
};

/* A buffer of |length| octets with one reference, contents undefined; NULL: no memory. */
struct emu_buffer *emu_buffer_new(struct emu_pool *pool, uint32_t length);
/* Frees all memory, whatever is still referenced. */
void emu_pool_free(struct emu_pool *pool);

static inline struct emu_buffer *emu_buffer_ref(struct emu_buffer *buffer) {
  buffer->references++;
  return buffer;
}

/* Gives one reference back; NULL is allowed. */
static inline void emu_buffer_unref(struct emu_pool *pool, struct emu_buffer *buffer) {
  if (!buffer || --buffer->references > 0) return;
  buffer->next = pool->free[buffer->class];
  pool->free[buffer->class] = buffer;
}

#endif
