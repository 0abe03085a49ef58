/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size from slabs, with a free list; and a FIFO of objects by age. No memory is
 * asked of the system once the working size is reached.
 */
#ifndef CHORUS_JUDGE_POOL_H
#define CHORUS_JUDGE_POOL_H

#include <stddef.h>

struct jdg_pool {
  size_t object_size; /* octets, at least that of a pointer */
  void *free_list;
  void **slabs;
  size_t slab_count, slab_capacity;
  size_t next_in_slab; /* objects handed out of the last slab */
};

#define JDG_SLAB_OBJECTS 256

void jdg_pool_init(struct jdg_pool *pool, size_t object_size);
void jdg_pool_free(struct jdg_pool *pool);
void *jdg_pool_take(struct jdg_pool *pool); /* zeroed; NULL: no memory */
void jdg_pool_give(struct jdg_pool *pool, void *object);

/* A queue of pointers in a ring. */
struct jdg_fifo {
  void **items;
  size_t head, count, capacity; /* capacity: a power of two */
};

int jdg_fifo_grow(struct jdg_fifo *fifo); /* -1: no memory */
void jdg_fifo_free(struct jdg_fifo *fifo);

/* -1: no memory */
static inline int jdg_fifo_push(struct jdg_fifo *fifo, void *item) {
  if (fifo->count == fifo->capacity && jdg_fifo_grow(fifo) != 0) return -1;
  fifo->items[(fifo->head + fifo->count++) & (fifo->capacity - 1)] = item;
  return 0;
}

/* The oldest, or NULL. */
static inline void *jdg_fifo_peek(const struct jdg_fifo *fifo) {
  return fifo->count ? fifo->items[fifo->head] : NULL;
}

static inline void jdg_fifo_pop(struct jdg_fifo *fifo) {
  fifo->head = (fifo->head + 1) & (fifo->capacity - 1);
  fifo->count--;
}

#endif
