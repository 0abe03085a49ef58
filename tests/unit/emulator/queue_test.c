/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include "random.h"
#include "suite.h"

#define MODEL_MAX 4096

/* What the queue must be: a plain array, searched for the first of the earliest. */
struct model {
  struct emu_event events[MODEL_MAX];
  size_t count;
};

static size_t model_first(const struct model *m) {
  size_t first = 0;
  for (size_t i = 1; i < m->count; i++)
    if (m->events[i].time < m->events[first].time) first = i;
  return first;
}

static struct emu_event model_pop(struct model *m) {
  size_t first = model_first(m);
  struct emu_event event = m->events[first];
  memmove(&m->events[first], &m->events[first + 1], (m->count - first - 1) * sizeof m->events[0]);
  m->count--;
  return event;
}

struct play {
  struct emu_queue queue;
  struct model model;
  uint64_t seed, draws;
  chorus_time now;
  uint32_t pushed;
  uint64_t streaming; /* of four events so many are pushed to the stream */
};

static uint64_t draw(struct play *p) {
  return emu_random(p->seed, p->draws++);
}

/* Distances in time as they come: none, near, the same for many, anywhere. */
static chorus_time distance(struct play *p) {
  switch (draw(p) % 6) {
    case 0: return 0;
    case 1: return draw(p) % 3;
    case 2: return draw(p) % 2 ? 1000 : draw(p) % 1000;
    case 3: return 1000000;
    case 4: return draw(p) % 5000000000;
    default: return draw(p) % (UINT64_C(1) << (draw(p) % 50));
  }
}

static void push(struct play *p) {
  if (p->model.count == MODEL_MAX) return;
  struct emu_event event = {.time = p->now + distance(p), .index = p->pushed++};
  bool streams = draw(p) % 4 < p->streaming;
  if (streams && draw(p) % 4) event.time = p->now + 1000; /* mostly in order */
  ck_assert(streams ? emu_queue_push_stream(&p->queue, event) : emu_queue_push(&p->queue, event));
  p->model.events[p->model.count++] = event;
}

static chorus_time own_time(void *context, const struct emu_event *event) {
  (void)context;
  return event->time;
}

/* Takes up to |count| events, pushing some on the way as a running network does. */
static void pop(struct play *p, size_t count, chorus_time limit) {
  for (size_t i = 0; i < count; i++) {
    struct emu_event event;
    bool expected = p->model.count > 0 && p->model.events[model_first(&p->model)].time <= limit;
    ck_assert_int_eq(emu_queue_pop(&p->queue, limit, &event), expected);
    if (!expected) {
      if (limit != CHORUS_NEVER) p->now = limit;
      return;
    }
    struct emu_event wanted = model_pop(&p->model);
    ck_assert_uint_eq(event.time, wanted.time);
    ck_assert_uint_eq(event.index, wanted.index);
    p->now = event.time;
    if (draw(p) % 4 == 0) push(p);
  }
}

static void play(uint64_t seed) {
  struct play *p = calloc(1, sizeof *p);
  p->seed = seed;
  p->streaming = seed % 5;
  emu_queue_init(&p->queue);
  for (int step = 0; step < 150; step++) {
    size_t pushes = draw(p) % 8 == 0 ? draw(p) % 300 : draw(p) % 6;
    for (size_t i = 0; i < pushes; i++) push(p);
    size_t first = model_first(&p->model);
    chorus_time next = p->model.count ? p->model.events[first].time : CHORUS_NEVER;
    ck_assert_uint_eq(emu_queue_next(&p->queue, own_time, NULL), next);
    bool limited = draw(p) % 3 == 0;
    pop(p, draw(p) % 8 == 0 ? draw(p) % 300 : draw(p) % 8,
        limited ? p->now + (UINT64_C(1) << draw(p) % 40) : CHORUS_NEVER);
    ck_assert_uint_eq(p->queue.count, p->model.count);
  }
  emu_queue_free(&p->queue);
  free(p);
}

START_TEST(behaves_like_a_sorted_list) {
  for (uint64_t seed = 1; seed <= 60; seed++) play(seed);
}
END_TEST

START_TEST(equal_times_keep_their_order) {
  struct emu_queue queue;
  struct emu_event event;
  emu_queue_init(&queue);
  for (uint32_t i = 0; i < 5000; i++)
    emu_queue_push(&queue, (struct emu_event){.time = 1000000 + i % 2, .index = i});
  for (uint32_t i = 0; i < 5000; i++) {
    ck_assert(emu_queue_pop(&queue, CHORUS_NEVER, &event));
    ck_assert_uint_eq(event.index, i < 2500 ? 2 * i : 2 * (i - 2500) + 1);
  }
  ck_assert(!emu_queue_pop(&queue, CHORUS_NEVER, &event));
  emu_queue_free(&queue);
}
END_TEST

START_TEST(nothing_after_the_limit_is_taken) {
  struct emu_queue queue;
  struct emu_event event;
  emu_queue_init(&queue);
  emu_queue_push(&queue, (struct emu_event){.time = 100});
  ck_assert(!emu_queue_pop(&queue, 99, &event));
  emu_queue_push(&queue, (struct emu_event){.time = 99, .index = 1});
  ck_assert(emu_queue_pop(&queue, 100, &event));
  ck_assert_uint_eq(event.index, 1);
  ck_assert(emu_queue_pop(&queue, 100, &event));
  emu_queue_free(&queue);
}
END_TEST

START_TEST(the_far_end_of_time_works) {
  struct emu_queue queue;
  struct emu_event event;
  emu_queue_init(&queue);
  emu_queue_push(&queue, (struct emu_event){.time = CHORUS_NEVER - 1, .index = 2});
  emu_queue_push(&queue, (struct emu_event){.time = 0, .index = 1});
  ck_assert(emu_queue_pop(&queue, CHORUS_NEVER, &event));
  ck_assert_uint_eq(event.index, 1);
  ck_assert(emu_queue_pop(&queue, CHORUS_NEVER, &event));
  ck_assert_uint_eq(event.index, 2);
  emu_queue_free(&queue);
}
END_TEST

/* Each event is shown ahead at most once, and nearly all are. */
START_TEST(looking_ahead_shows_events_once) {
  struct emu_queue queue;
  struct emu_event event;
  uint8_t shown[2000] = {0};
  size_t total = 0;
  emu_queue_init(&queue);
  for (uint32_t i = 0; i < 2000; i++)
    emu_queue_push(&queue, (struct emu_event){.time = emu_random(5, i) % 5000000000, .index = i});
  while (emu_queue_pop(&queue, CHORUS_NEVER, &event)) {
    const struct emu_event *next;
    while ((next = emu_queue_ahead(&queue, 0, 16))) {
      ck_assert_uint_ge(next->time, event.time);
      ck_assert_uint_eq(shown[next->index]++, 0);
      total++;
    }
  }
  ck_assert_uint_gt(total, 1900);
  emu_queue_free(&queue);
}
END_TEST

/* Events that are added behind those that were seen push nothing past the cursor. */
START_TEST(looking_ahead_misses_nothing_for_insertions) {
  struct emu_queue queue;
  struct emu_event event;
  const struct emu_event *next;
  bool shown[600] = {false};
  uint32_t pushed = 0, missed = 0;
  emu_queue_init(&queue);
  for (; pushed < 40; pushed++)
    emu_queue_push(&queue, (struct emu_event){.time = 10 * pushed, .index = pushed});
  while (emu_queue_pop(&queue, CHORUS_NEVER, &event)) {
    if (pushed > 40) missed += !shown[event.index];
    while ((next = emu_queue_ahead(&queue, 0, 4))) shown[next->index] = true;
    if (pushed == 600) continue;
    emu_queue_push(&queue, (struct emu_event){.time = event.time + 101, .index = pushed++});
  }
  ck_assert_uint_eq(missed, 0);
  emu_queue_free(&queue);
}
END_TEST

START_TEST(the_stream_shows_events_once) {
  struct emu_queue queue;
  struct emu_event event;
  const struct emu_event *next;
  uint8_t shown[2000] = {0};
  emu_queue_init(&queue);
  for (uint32_t i = 0; i < 2000; i++)
    emu_queue_push_stream(&queue, (struct emu_event){.time = i / 3, .index = i});
  for (uint32_t i = 0; emu_queue_pop(&queue, CHORUS_NEVER, &event); i++) {
    ck_assert_uint_eq(event.index, i);
    ck_assert_int_eq(shown[i], i > 0);
    while ((next = emu_queue_stream_ahead(&queue, 1, 8))) shown[next->index]++;
  }
  emu_queue_free(&queue);
}
END_TEST

RUN_SUITE("queue", behaves_like_a_sorted_list, equal_times_keep_their_order,
          nothing_after_the_limit_is_taken, the_far_end_of_time_works,
          looking_ahead_shows_events_once, looking_ahead_misses_nothing_for_insertions,
          the_stream_shows_events_once)
