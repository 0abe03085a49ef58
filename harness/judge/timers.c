/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge/timers.h"

#include <stdbool.h>
#include <stdlib.h>

static bool before(const struct jdg_timer *a, const struct jdg_timer *b) {
  return a->time < b->time || (a->time == b->time && a->sequence < b->sequence);
}

int jdg_timers_set(struct jdg_timers *timers, chorus_time time, enum jdg_timer_kind kind,
                   void *object) {
  if (timers->count == timers->capacity) {
    size_t capacity = timers->capacity ? 2 * timers->capacity : 64;
    struct jdg_timer *heap = realloc(timers->heap, capacity * sizeof *heap);
    if (!heap) return -1;
    timers->heap = heap;
    timers->capacity = capacity;
  }
  struct jdg_timer timer = {time, timers->sequence++, kind, object};
  size_t i = timers->count++;
  for (; i && before(&timer, &timers->heap[(i - 1) / 4]); i = (i - 1) / 4)
    timers->heap[i] = timers->heap[(i - 1) / 4];
  timers->heap[i] = timer;
  return 0;
}

const struct jdg_timer *jdg_timers_first(const struct jdg_timers *timers) {
  return timers->count ? &timers->heap[0] : NULL;
}

static size_t least_child(const struct jdg_timers *timers, size_t i) {
  size_t first = 4 * i + 1, least = first;
  for (size_t c = first + 1; c < first + 4 && c < timers->count; c++)
    if (before(&timers->heap[c], &timers->heap[least])) least = c;
  return least;
}

void jdg_timers_pop(struct jdg_timers *timers) {
  struct jdg_timer last = timers->heap[--timers->count];
  size_t i = 0;
  while (4 * i + 1 < timers->count) {
    size_t child = least_child(timers, i);
    if (!before(&timers->heap[child], &last)) break;
    timers->heap[i] = timers->heap[child];
    i = child;
  }
  timers->heap[i] = last;
}
