/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines of the judge: the end of quiet windows and of delivery times, earliest first. */
#ifndef CHORUS_JUDGE_TIMERS_H
#define CHORUS_JUDGE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include "chorus/types.h"

enum jdg_timer_kind { JDG_TIMER_WINDOW, JDG_TIMER_ARRIVAL };

struct jdg_timer {
  chorus_time time;
  uint64_t sequence; /* equal times keep the order of setting */
  enum jdg_timer_kind kind;
  void *object;
};

/* A queue of deadlines that were set in the order of their times. */
struct jdg_lane {
  struct jdg_timer *items;      /* a ring */
  size_t head, count, capacity; /* capacity: a power of two */
};

/*
 * Most deadlines lie a fixed time after "now" and so come in order: these wait in lanes, at
 * constant cost. What fits into no lane goes into the heap.
 */
#define JDG_LANES 4

struct jdg_timers {
  chorus_time next;             /* when the earliest is due; CHORUS_NEVER: there is none */
  chorus_time heads[JDG_LANES]; /* of the lanes: the first time, CHORUS_NEVER: none */
  struct jdg_lane lanes[JDG_LANES];
  struct jdg_timer *heap;
  size_t count, capacity; /* of the heap */
  uint64_t sequence;
};

void jdg_timers_init(struct jdg_timers *timers);
int jdg_timers_set(struct jdg_timers *timers, chorus_time time, enum jdg_timer_kind kind,
                   void *object); /* -1: no memory */
/* Takes the earliest off the queue, which is not empty: |next| is not CHORUS_NEVER. */
struct jdg_timer jdg_timers_take(struct jdg_timers *timers);
void jdg_timers_free(struct jdg_timers *timers);

#endif
