/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of events, ordered by time and, among equal times, by the order of pushing.
 *
 * A binary heap misses the cache at every level once it holds 100,000 events. This is a monotone
 * radix queue instead: no event may be earlier than the last one taken. The next few events stand
 * sorted in a small array, the front; later ones wait unsorted in buckets, one per value of the
 * highest octet in which their time differs from the present. A bucket is spread over finer ones
 * when its turn comes, so that an event is copied about three times, always to the end of
 * something, whatever the queue holds. Buckets and the sort keep equal times in order; therefore
 * events carry no sequence number. The front lets its user see the next events and prefetch what
 * they need.
 *
 * Packets all take the same time over an unimpaired network, so their arrivals are pushed in the
 * order in which they come. Such events need no sorting: they stand in a ring, the stream, beside
 * the front. Of an event in each with equal times the one in front and buckets was pushed first:
 * one that is pushed later than its like in the stream joins the stream.
 */
#ifndef EMU_QUEUE_H
#define EMU_QUEUE_H

#include "chorus/types.h"

struct emu_event {
  chorus_time time; /* not CHORUS_NEVER */
  uint32_t index;   /* the user's */
  uint32_t tag;     /* the user's */
};

#define EMU_QUEUE_CURSORS 2
#define EMU_QUEUE_LEVELS  8
#define EMU_QUEUE_SLOTS   256

struct emu_queue_level {
  uint64_t occupied[EMU_QUEUE_SLOTS / 64];
  struct emu_chunk *first[EMU_QUEUE_SLOTS]; /* defined where occupied */
  struct emu_chunk *last[EMU_QUEUE_SLOTS];
};

struct emu_stream {
  struct emu_event *events;       /* in the order of their times */
  size_t head, tail;              /* count up for ever; a place is what |mask| leaves of them */
  size_t mask;                    /* a power of two less 1; there is room for that many */
  size_t seen[EMU_QUEUE_CURSORS]; /* events given by emu_queue_stream_ahead() end there */
};

struct emu_queue {
  struct emu_stream stream;
  struct emu_event *front;
  size_t head, tail, capacity;    /* of |front| */
  size_t seen[EMU_QUEUE_CURSORS]; /* events of |front| given by emu_queue_ahead() end there */
  chorus_time front_end;          /* the front holds all events before this time */
  chorus_time base;               /* buckets are numbered relative to it */
  chorus_time floor;              /* nothing is pushed before this time */
  uint32_t levels;                /* set of levels that hold events */
  size_t count;                   /* events in all */
  struct emu_chunk *free;
  size_t free_count;
  struct emu_queue_slab *slabs;
  struct emu_queue_level level[EMU_QUEUE_LEVELS];
};

void emu_queue_init(struct emu_queue *queue);
void emu_queue_free(struct emu_queue *queue);

/* Adds an event, not before the last one taken. False: no memory, nothing added. */
bool emu_queue_push(struct emu_queue *queue, struct emu_event event);

/* The same, and faster for events that are pushed by this in the order of their times. */
bool emu_queue_push_stream(struct emu_queue *queue, struct emu_event event);

/*
 * Takes the first event, unless it comes after |limit|. Afterwards no event may be pushed that is
 * earlier than the event taken, or than |limit| when there was none.
 */
bool emu_queue_pop(struct emu_queue *queue, chorus_time limit, struct emu_event *event);

/*
 * Looks ahead: gives each event of the front once to |cursor| (0 or 1), when it is less than
 * |distance| events away from the first; NULL: no more for now. Events that are added late may be
 * skipped.
 */
static inline const struct emu_event *emu_queue_ahead(struct emu_queue *queue, unsigned cursor,
                                                      size_t distance) {
  size_t i = queue->seen[cursor] < queue->head ? queue->head : queue->seen[cursor];
  if (i >= queue->tail || i >= queue->head + distance) return NULL;
  queue->seen[cursor] = i + 1;
  return &queue->front[i];
}

/* The same for the stream. */
static inline const struct emu_event *emu_queue_stream_ahead(struct emu_queue *queue,
                                                             unsigned cursor, size_t distance) {
  struct emu_stream *stream = &queue->stream;
  size_t i = stream->seen[cursor] < stream->head ? stream->head : stream->seen[cursor];
  if (i >= stream->tail || i >= stream->head + distance) return NULL;
  stream->seen[cursor] = i + 1;
  return &stream->events[i & stream->mask];
}

/*
 * The earliest of |when|(context, event) over all events, which must not be before the event's own
 * time; CHORUS_NEVER without any. Changes nothing, and may look at many events.
 */
chorus_time emu_queue_next(const struct emu_queue *queue,
                           chorus_time (*when)(void *context, const struct emu_event *event),
                           void *context);

#endif
