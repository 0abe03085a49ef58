/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/pool.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_WORKERS = 256 };

struct pool {
  run_job job;
  void *context;
  size_t count;
  atomic_size_t next;
  atomic_bool stopped, no_memory;
};

static void *work(void *argument) {
  struct pool *pool = argument;
  struct run_engine *engine = run_engine_new();
  if (!engine) {
    atomic_store(&pool->no_memory, true);
    return NULL;
  }
  while (!atomic_load(&pool->stopped)) {
    size_t index = atomic_fetch_add(&pool->next, 1);
    if (index >= pool->count) break;
    if (!pool->job(pool->context, engine, index)) atomic_store(&pool->stopped, true);
  }
  run_engine_free(engine);
  return NULL;
}

bool run_pool(run_job job, void *context, size_t count, unsigned workers) {
  struct pool pool = {.job = job, .context = context, .count = count};
  pthread_t threads[MAX_WORKERS];
  unsigned started = 0;
  if (workers > MAX_WORKERS) workers = MAX_WORKERS;
  if (workers > count) workers = (unsigned)count;
  while (started + 1 < workers && pthread_create(&threads[started], NULL, work, &pool) == 0)
    started++;
  work(&pool);
  for (unsigned i = 0; i < started; i++) pthread_join(threads[i], NULL);
  return !atomic_load(&pool.no_memory) || atomic_load(&pool.next) >= count;
}
