/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge/timers.h"

#include <stdbool.h>
#include <stdlib.h>

static bool before(const struct jdg_timer *a, const struct jdg_timer *b) {
  return a->time < b->time || (a->time == b->time && a->sequence < b->sequence);
}

/* ---- the lanes ---- */

static const struct jdg_timer *lane_head(const struct jdg_lane *lane) {
  return lane->count ? &lane->items[lane->head] : NULL;
}

static chorus_time lane_tail(const struct jdg_lane *lane) {
  return lane->items[(lane->head + lane->count - 1) & (lane->capacity - 1)].time;
}

static int lane_grow(struct jdg_lane *lane) {
  size_t capacity = lane->capacity ? 2 * lane->capacity : 64;
  struct jdg_timer *items = malloc(capacity * sizeof *items);
  if (!items) return -1;
  for (size_t i = 0; i < lane->count; i++)
    items[i] = lane->items[(lane->head + i) & (lane->capacity - 1)];
  free(lane->items);
  lane->items = items;
  lane->head = 0;
  lane->capacity = capacity;
  return 0;
}

static int lane_push(struct jdg_lane *lane, const struct jdg_timer *timer) {
  if (lane->count == lane->capacity && lane_grow(lane) != 0) return -1;
  lane->items[(lane->head + lane->count++) & (lane->capacity - 1)] = *timer;
  return 0;
}

/* The lane whose last deadline comes closest before |time|, else an empty one, else NULL. */
static struct jdg_lane *lane_for(struct jdg_timers *timers, chorus_time time) {
  struct jdg_lane *best = NULL, *empty = NULL;
  for (size_t i = 0; i < JDG_LANES; i++) {
    struct jdg_lane *lane = &timers->lanes[i];
    if (!lane->count)
      empty = lane;
    else if (lane_tail(lane) <= time && (!best || lane_tail(lane) > lane_tail(best)))
      best = lane;
  }
  return best ? best : empty;
}

/* ---- the heap ---- */

static int heap_push(struct jdg_timers *timers, const struct jdg_timer *timer) {
  if (timers->count == timers->capacity) {
    size_t capacity = timers->capacity ? 2 * timers->capacity : 64;
    struct jdg_timer *heap = realloc(timers->heap, capacity * sizeof *heap);
    if (!heap) return -1;
    timers->heap = heap;
    timers->capacity = capacity;
  }
  size_t i = timers->count++;
  for (; i && before(timer, &timers->heap[(i - 1) / 4]); i = (i - 1) / 4)
    timers->heap[i] = timers->heap[(i - 1) / 4];
  timers->heap[i] = *timer;
  return 0;
}

static size_t least_child(const struct jdg_timers *timers, size_t i) {
  size_t first = 4 * i + 1, least = first;
  for (size_t c = first + 1; c < first + 4 && c < timers->count; c++)
    if (before(&timers->heap[c], &timers->heap[least])) least = c;
  return least;
}

static void heap_pop(struct jdg_timers *timers) {
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

/* ---- both ---- */

void jdg_timers_init(struct jdg_timers *timers) {
  *timers = (struct jdg_timers){.next = CHORUS_NEVER};
  for (size_t i = 0; i < JDG_LANES; i++) timers->heads[i] = CHORUS_NEVER;
}

/* Each kind has a lane that it tries first. */
static struct jdg_lane *own_lane(struct jdg_timers *timers, enum jdg_timer_kind kind,
                                 chorus_time time) {
  struct jdg_lane *lane = &timers->lanes[kind];
  return !lane->count || lane_tail(lane) <= time ? lane : lane_for(timers, time);
}

int jdg_timers_set(struct jdg_timers *timers, chorus_time time, enum jdg_timer_kind kind,
                   void *object) {
  struct jdg_timer timer = {time, timers->sequence++, kind, object};
  struct jdg_lane *lane = own_lane(timers, kind, time);
  if ((lane ? lane_push(lane, &timer) : heap_push(timers, &timer)) != 0) return -1;
  if (lane && lane->count == 1) timers->heads[lane - timers->lanes] = time;
  if (time < timers->next) timers->next = time;
  return 0;
}

/* The lane with the earliest deadline, or NULL if the heap has it, or nothing has. */
static struct jdg_lane *first_lane(struct jdg_timers *timers) {
  struct jdg_lane *best = NULL;
  const struct jdg_timer *first = timers->count ? &timers->heap[0] : NULL;
  for (size_t i = 0; i < JDG_LANES; i++) {
    if (timers->heads[i] != timers->next) continue;
    const struct jdg_timer *head = lane_head(&timers->lanes[i]);
    if (!head || (first && !before(head, first))) continue;
    best = &timers->lanes[i];
    first = head;
  }
  return best;
}

/* Of the lanes and the heap. */
static chorus_time earliest(const struct jdg_timers *timers) {
  chorus_time time = timers->count ? timers->heap[0].time : CHORUS_NEVER;
  for (size_t i = 0; i < JDG_LANES; i++)
    if (timers->heads[i] < time) time = timers->heads[i];
  return time;
}

struct jdg_timer jdg_timers_take(struct jdg_timers *timers) {
  struct jdg_lane *lane = first_lane(timers);
  struct jdg_timer timer = lane ? lane->items[lane->head] : timers->heap[0];
  if (lane) {
    lane->head = (lane->head + 1) & (lane->capacity - 1);
    lane->count--;
    timers->heads[lane - timers->lanes] = lane->count ? lane_head(lane)->time : CHORUS_NEVER;
  } else {
    heap_pop(timers);
  }
  timers->next = earliest(timers);
  return timer;
}

void jdg_timers_free(struct jdg_timers *timers) {
  for (size_t i = 0; i < JDG_LANES; i++) free(timers->lanes[i].items);
  free(timers->heap);
}
