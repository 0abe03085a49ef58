/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge/pool.h"

#include <stdlib.h>
#include <string.h>

void jdg_pool_init(struct jdg_pool *pool, size_t object_size) {
  memset(pool, 0, sizeof *pool);
  pool->object_size = (object_size + 15) & ~(size_t)15;
  pool->next_in_slab = JDG_SLAB_OBJECTS;
}

void jdg_pool_free(struct jdg_pool *pool) {
  for (size_t i = 0; i < pool->slab_count; i++) free(pool->slabs[i]);
  free(pool->slabs);
  memset(pool, 0, sizeof *pool);
}

int jdg_pool_grow(struct jdg_pool *pool) {
  if (pool->slab_count == pool->slab_capacity) {
    size_t capacity = pool->slab_capacity ? 2 * pool->slab_capacity : 8;
    void **slabs = realloc(pool->slabs, capacity * sizeof *slabs);
    if (!slabs) return -1;
    pool->slabs = slabs;
    pool->slab_capacity = capacity;
  }
  void *slab = malloc(JDG_SLAB_OBJECTS * pool->object_size);
  if (!slab) return -1;
  pool->slabs[pool->slab_count++] = slab;
  pool->next_in_slab = 0;
  return 0;
}

void *jdg_pool_take(struct jdg_pool *pool) {
  void *object = jdg_pool_take_unset(pool);
  return object ? memset(object, 0, pool->object_size) : NULL;
}

int jdg_fifo_grow(struct jdg_fifo *fifo) {
  size_t capacity = fifo->capacity ? 2 * fifo->capacity : 64;
  void **items = malloc(capacity * sizeof *items);
  if (!items) return -1;
  for (size_t i = 0; i < fifo->count; i++)
    items[i] = fifo->items[(fifo->head + i) & (fifo->capacity - 1)];
  free(fifo->items);
  fifo->items = items;
  fifo->head = 0;
  fifo->capacity = capacity;
  return 0;
}

void jdg_fifo_free(struct jdg_fifo *fifo) {
  free(fifo->items);
  memset(fifo, 0, sizeof *fifo);
}
