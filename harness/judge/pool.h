/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size from slabs, with a free list; and a FIFO of objects by age. No memory is
 * asked of the system once the working size is reached.
 */
#ifndef CHORUS_JUDGE_POOL_H
#define CHORUS_JUDGE_POOL_H

#include <stddef.h>
#include <string.h>

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
int jdg_pool_grow(struct jdg_pool *pool);   /* -1: no memory */

/* The same for those who write the whole object: what it holds is what it was last used for. */
static inline void *jdg_pool_take_unset(struct jdg_pool *pool) {
  void *object = pool->free_list;
  if (object) {
    memcpy(&pool->free_list, object, sizeof(void *));
    return object;
  }
  if (pool->next_in_slab == JDG_SLAB_OBJECTS && jdg_pool_grow(pool) != 0) return NULL;
  return (char *)pool->slabs[pool->slab_count - 1] + pool->next_in_slab++ * pool->object_size;
}

static inline void jdg_pool_give(struct jdg_pool *pool, void *object) {
  memcpy(object, &pool->free_list, sizeof(void *));
  pool->free_list = object;
}

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
