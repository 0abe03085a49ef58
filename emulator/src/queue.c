/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <stdlib.h>

#include "prefetch.h"

#define CHUNK_EVENTS 15 /* 256 octets */
#define SLAB_CHUNKS  64
#define FRONT_LOW    24 /* fewer sorted events than this: sort the next bucket as well */
#define FRONT_FILL   32 /* sort buckets until there are that many */
#define FRONT_HIGH   96 /* more than this by insertion: give back to buckets */
#define STREAM_FIRST 64 /* events that a stream has room for at first */

struct emu_chunk {
  struct emu_chunk *next;
  uint64_t count;
  struct emu_event events[CHUNK_EVENTS];
};

struct emu_queue_slab {
  struct emu_queue_slab *next;
  struct emu_chunk chunks[SLAB_CHUNKS];
};

void emu_queue_init(struct emu_queue *queue) {
  queue->stream = (struct emu_stream){0};
  queue->front = NULL;
  queue->head = queue->tail = queue->capacity = queue->count = 0;
  queue->seen[0] = queue->seen[1] = 0;
  queue->front_end = queue->base = queue->floor = 0;
  queue->levels = 0;
  queue->free = NULL;
  queue->free_count = 0;
  queue->slabs = NULL;
  for (unsigned l = 0; l < EMU_QUEUE_LEVELS; l++)
    memset(queue->level[l].occupied, 0, sizeof queue->level[l].occupied);
}

void emu_queue_free(struct emu_queue *queue) {
  while (queue->slabs) {
    struct emu_queue_slab *slab = queue->slabs;
    queue->slabs = slab->next;
    free(slab);
  }
  free(queue->stream.events);
  free(queue->front);
  emu_queue_init(queue);
}

/* Chunks. */

static bool add_slab(struct emu_queue *queue) {
  struct emu_queue_slab *slab = malloc(sizeof *slab);
  if (!slab) return false;
  slab->next = queue->slabs;
  queue->slabs = slab;
  for (size_t i = SLAB_CHUNKS; i-- > 0;) {
    slab->chunks[i].next = queue->free;
    queue->free = &slab->chunks[i];
  }
  queue->free_count += SLAB_CHUNKS;
  return true;
}

static bool reserve_chunks(struct emu_queue *queue, size_t count) {
  while (queue->free_count < count)
    if (!add_slab(queue)) return false;
  return true;
}

static struct emu_chunk *take_chunk(struct emu_queue *queue) {
  if (!queue->free && !add_slab(queue)) return NULL;
  struct emu_chunk *chunk = queue->free;
  queue->free = chunk->next;
  queue->free_count--;
  chunk->next = NULL;
  chunk->count = 0;
  return chunk;
}

static void give_chunk(struct emu_queue *queue, struct emu_chunk *chunk) {
  chunk->next = queue->free;
  queue->free = chunk;
  queue->free_count++;
}

/* Buckets. */

static bool is_occupied(const struct emu_queue_level *level, unsigned slot) {
  return level->occupied[slot / 64] >> (slot % 64) & 1;
}

/* The first occupied slot from |slot| on, or EMU_QUEUE_SLOTS. */
static unsigned next_slot(const struct emu_queue_level *level, unsigned slot) {
  for (unsigned word = slot / 64; word < EMU_QUEUE_SLOTS / 64; word++) {
    uint64_t bits = level->occupied[word];
    if (word == slot / 64) bits &= ~UINT64_C(0) << (slot % 64);
    if (bits) return word * 64 + (unsigned)__builtin_ctzll(bits);
  }
  return EMU_QUEUE_SLOTS;
}

static unsigned level_of(const struct emu_queue *queue, chorus_time time) {
  chorus_time difference = time ^ queue->base;
  return difference ? (63u - (unsigned)__builtin_clzll(difference)) / 8 : 0;
}

/* The part of |base| above |level|: what all times in buckets of that level have in common. */
static chorus_time parent_of(chorus_time base, unsigned level) {
  return level + 1 < EMU_QUEUE_LEVELS ? base >> (8 * (level + 1)) << (8 * (level + 1)) : 0;
}

static chorus_time bucket_start(const struct emu_queue *queue, unsigned level, unsigned slot) {
  return parent_of(queue->base, level) | (chorus_time)slot << (8 * level);
}

static chorus_time bucket_end(chorus_time start, unsigned level) {
  chorus_time end = start + (UINT64_C(1) << (8 * level));
  return end < start || end == 0 ? CHORUS_NEVER : end;
}

/* The chunk at the end of a bucket, with room for one event at least; NULL: no memory. */
static struct emu_chunk *bucket_tail(struct emu_queue *queue, unsigned l, unsigned slot) {
  struct emu_queue_level *level = &queue->level[l];
  bool occupied = is_occupied(level, slot);
  if (occupied && level->last[slot]->count < CHUNK_EVENTS) return level->last[slot];
  struct emu_chunk *chunk = take_chunk(queue);
  if (!chunk) return NULL;
  if (occupied)
    level->last[slot]->next = chunk;
  else
    level->first[slot] = chunk;
  level->last[slot] = chunk;
  level->occupied[slot / 64] |= UINT64_C(1) << (slot % 64);
  queue->levels |= 1u << l;
  return chunk;
}

static bool push_bucket(struct emu_queue *queue, const struct emu_event *event) {
  unsigned level = level_of(queue, event->time);
  unsigned slot = (unsigned)(event->time >> (8 * level)) & 0xff;
  struct emu_chunk *chunk = bucket_tail(queue, level, slot);
  if (!chunk) return false;
  chunk->events[chunk->count++] = *event;
  return true;
}

/* Empties a bucket and returns its chunks. */
static struct emu_chunk *detach(struct emu_queue *queue, unsigned l, unsigned slot) {
  struct emu_queue_level *level = &queue->level[l];
  level->occupied[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
  uint64_t rest = 0;
  for (size_t i = 0; i < EMU_QUEUE_SLOTS / 64; i++) rest |= level->occupied[i];
  if (!rest) queue->levels &= ~(1u << l);
  return level->first[slot];
}

/* The front. */

static bool reserve_front(struct emu_queue *queue, size_t more) {
  if (queue->tail + more <= queue->capacity) return true;
  size_t used = queue->tail - queue->head;
  if (used + more > queue->capacity / 2) {
    size_t capacity = queue->capacity ? queue->capacity * 2 : 4 * FRONT_HIGH;
    while (capacity < 2 * (used + more)) capacity *= 2;
    struct emu_event *front = realloc(queue->front, capacity * sizeof *front);
    if (!front) return false;
    queue->front = front;
    queue->capacity = capacity;
  }
  memmove(queue->front, queue->front + queue->head, used * sizeof *queue->front);
  for (size_t i = 0; i < EMU_QUEUE_CURSORS; i++)
    queue->seen[i] = queue->seen[i] > queue->head ? queue->seen[i] - queue->head : 0;
  queue->head = 0;
  queue->tail = used;
  return true;
}

/*
 * The place behind all events of the front up to and including |time|. Which half it is in cannot
 * be foretold, so the search does not branch on it.
 */
static size_t front_place(const struct emu_queue *queue, chorus_time time) {
  size_t place = queue->head, count = queue->tail - queue->head;
  while (count > 0) {
    size_t half = (count + 1) / 2;
    place += queue->front[place + half - 1].time <= time ? half : 0;
    count -= half;
  }
  return place;
}

static bool insert_front(struct emu_queue *queue, const struct emu_event *event) {
  size_t place = front_place(queue, event->time);
  struct emu_event *front = queue->front;
  if (queue->head > 0 && place - queue->head <= queue->tail - place) {
    memmove(front + queue->head - 1, front + queue->head, (place - queue->head) * sizeof *front);
    for (size_t i = 0; i < EMU_QUEUE_CURSORS; i++)
      if (queue->seen[i] >= queue->head && queue->seen[i] <= place) queue->seen[i]--;
    queue->head--;
    front[place - 1] = *event;
    return true;
  }
  if (queue->tail == queue->capacity) {
    size_t distance = place - queue->head;
    if (!reserve_front(queue, 1)) return false;
    front = queue->front;
    place = queue->head + distance;
  }
  memmove(front + place + 1, front + place, (queue->tail - place) * sizeof *front);
  for (size_t i = 0; i < EMU_QUEUE_CURSORS; i++)
    if (queue->seen[i] > place) queue->seen[i]++;
  front[place] = *event;
  queue->tail++;
  return true;
}

/* Sorts the events from |from| on, keeping the order of equal times; they are few, or all equal. */
static void sort_front(struct emu_queue *queue, size_t from) {
  struct emu_event *front = queue->front;
  for (size_t i = from + 1; i < queue->tail; i++) {
    struct emu_event event = front[i];
    size_t j = i;
    for (; j > from && front[j - 1].time > event.time; j--) front[j] = front[j - 1];
    front[j] = event;
  }
}

/*
 * An overlong front covers too much time: keeps its beginning and gives the rest to buckets, which
 * are renumbered relative to the present. Without memory it stays as it is, and slow.
 */
static void shorten_front(struct emu_queue *queue) {
  chorus_time many = queue->front[queue->head + FRONT_HIGH / 2].time;
  unsigned level = EMU_QUEUE_LEVELS - 1;
  while (level > 0 && many >> (8 * level) == queue->floor >> (8 * level)) level--;
  chorus_time end = bucket_end(queue->floor >> (8 * level) << (8 * level), level);
  if (end >= queue->front_end) return;
  size_t keep = front_place(queue, end - 1);
  if (!reserve_chunks(queue, queue->tail - keep)) return;
  queue->base = queue->floor;
  for (size_t i = keep; i < queue->tail; i++) push_bucket(queue, &queue->front[i]);
  queue->tail = keep;
  for (size_t i = 0; i < EMU_QUEUE_CURSORS; i++)
    if (queue->seen[i] > keep) queue->seen[i] = keep;
  queue->front_end = end;
}

/* Whether a bucket is small enough to be sorted at once. */
static bool is_small(const struct emu_queue *queue, unsigned level, unsigned slot) {
  const struct emu_chunk *first = queue->level[level].first[slot];
  const struct emu_chunk *last = queue->level[level].last[slot];
  return first == last || first->next == last;
}

static size_t chain_events(const struct emu_chunk *chunk) {
  size_t count = 0;
  for (; chunk; chunk = chunk->next) count += chunk->count;
  return count;
}

/* Sorts a bucket into the front, behind what is there. */
static bool load(struct emu_queue *queue, unsigned level, unsigned slot) {
  size_t from = queue->tail, used = queue->tail - queue->head;
  if (!reserve_front(queue, chain_events(queue->level[level].first[slot]))) return false;
  from = queue->head + used;
  queue->base = bucket_start(queue, level, slot);
  queue->front_end = bucket_end(queue->base, level);
  for (struct emu_chunk *chunk = detach(queue, level, slot), *next; chunk; chunk = next) {
    next = chunk->next;
    memcpy(queue->front + queue->tail, chunk->events, chunk->count * sizeof *queue->front);
    queue->tail += chunk->count;
    give_chunk(queue, chunk);
  }
  sort_front(queue, from);
  return true;
}

/* Spreads a bucket over the buckets of the levels below. False: no memory, nothing done. */
static bool scatter(struct emu_queue *queue, unsigned level, unsigned slot) {
  size_t most = (size_t)EMU_QUEUE_SLOTS * level;
  if (queue->free_count < most) {
    size_t count = chain_events(queue->level[level].first[slot]);
    if (!reserve_chunks(queue, count < most ? count : most)) return false;
  }
  queue->base = bucket_start(queue, level, slot);
  for (struct emu_chunk *chunk = detach(queue, level, slot), *next; chunk; chunk = next) {
    next = chunk->next;
    if (next) emu_prefetch(next->next, 4);
    for (size_t i = 0; i < chunk->count; i++) push_bucket(queue, &chunk->events[i]);
    give_chunk(queue, chunk);
  }
  return true;
}

/* Fills the empty front with the first events, unless all come after |limit|. */
static bool fill_front(struct emu_queue *queue, chorus_time limit) {
  queue->head = queue->tail = queue->seen[0] = queue->seen[1] = 0;
  while (queue->levels) {
    unsigned level = (unsigned)__builtin_ctz(queue->levels);
    unsigned slot = next_slot(&queue->level[level], 0);
    if (bucket_start(queue, level, slot) > limit) return false;
    if (level == 0 || is_small(queue, level, slot) || !scatter(queue, level, slot))
      return load(queue, level, slot);
  }
  return false;
}

/*
 * Adds small buckets to a front that runs out, so that emu_queue_ahead() can look ahead. A bucket
 * may not be scattered here: events between the present and that bucket can still come.
 */
static void extend_front(struct emu_queue *queue) {
  while (queue->levels && queue->tail - queue->head < FRONT_FILL) {
    unsigned level = (unsigned)__builtin_ctz(queue->levels);
    unsigned slot = next_slot(&queue->level[level], 0);
    if (!is_small(queue, level, slot) || !load(queue, level, slot)) return;
  }
}

/* The stream. */

static struct emu_event *stream_at(const struct emu_stream *stream, size_t i) {
  return &stream->events[i & stream->mask];
}

static bool stream_is_empty(const struct emu_stream *stream) {
  return stream->head == stream->tail;
}

static bool grow_stream(struct emu_stream *stream) {
  size_t capacity = stream->events ? 2 * (stream->mask + 1) : STREAM_FIRST;
  struct emu_event *events = malloc(capacity * sizeof *events);
  if (!events) return false;
  for (size_t i = stream->head; i != stream->tail; i++)
    events[i & (capacity - 1)] = *stream_at(stream, i);
  free(stream->events);
  stream->events = events;
  stream->mask = capacity - 1;
  return true;
}

static bool stream_has_room(struct emu_stream *stream) {
  return stream->tail - stream->head < stream->mask || grow_stream(stream);
}

/* The place behind all events of the stream up to and including |time|. */
static size_t stream_place(const struct emu_stream *stream, chorus_time time) {
  size_t low = stream->head, high = stream->tail;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (stream_at(stream, middle)->time <= time)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool insert_stream(struct emu_stream *stream, size_t place, const struct emu_event *event) {
  if (!stream_has_room(stream)) return false;
  for (size_t i = stream->tail; i > place; i--) *stream_at(stream, i) = *stream_at(stream, i - 1);
  for (size_t i = 0; i < EMU_QUEUE_CURSORS; i++)
    if (stream->seen[i] > place) stream->seen[i]++;
  *stream_at(stream, place) = *event;
  stream->tail++;
  return true;
}

/* Whether the stream holds an event of the very time of |event|; |place| gets where that follows.
 */
static bool ties_with_stream(const struct emu_stream *stream, const struct emu_event *event,
                             size_t *place) {
  if (stream_is_empty(stream) || event->time > stream_at(stream, stream->tail - 1)->time)
    return false;
  *place = stream_place(stream, event->time);
  return *place > stream->head && stream_at(stream, *place - 1)->time == event->time;
}

/* All. */

static bool push_sorted(struct emu_queue *queue, const struct emu_event *event) {
  if (event->time >= queue->front_end) return push_bucket(queue, event);
  bool pushed = insert_front(queue, event);
  if (queue->tail - queue->head > FRONT_HIGH) shorten_front(queue);
  return pushed;
}

bool emu_queue_push(struct emu_queue *queue, struct emu_event event) {
  size_t place;
  bool pushed = ties_with_stream(&queue->stream, &event, &place)
                    ? insert_stream(&queue->stream, place, &event)
                    : push_sorted(queue, &event);
  if (pushed) queue->count++;
  return pushed;
}

bool emu_queue_push_stream(struct emu_queue *queue, struct emu_event event) {
  struct emu_stream *stream = &queue->stream;
  if (!stream_is_empty(stream) && event.time < stream_at(stream, stream->tail - 1)->time)
    return emu_queue_push(queue, event);
  if (!stream_has_room(stream)) return false;
  *stream_at(stream, stream->tail++) = event;
  queue->count++;
  return true;
}

static void pop_front(struct emu_queue *queue, struct emu_event *event) {
  *event = queue->front[queue->head++];
  if (queue->tail - queue->head < FRONT_LOW) extend_front(queue);
}

bool emu_queue_pop(struct emu_queue *queue, chorus_time limit, struct emu_event *event) {
  struct emu_stream *stream = &queue->stream;
  chorus_time until = limit;
  bool streams = !stream_is_empty(stream) && stream_at(stream, stream->head)->time <= limit;
  if (streams) until = stream_at(stream, stream->head)->time;
  if (queue->head == queue->tail) fill_front(queue, until);
  if (queue->head != queue->tail && queue->front[queue->head].time <= until) {
    queue->floor = queue->front[queue->head].time;
    pop_front(queue, event);
  } else if (streams) {
    queue->floor = until;
    *event = *stream_at(stream, stream->head++);
  } else {
    if (queue->floor < limit) queue->floor = limit;
    return false;
  }
  queue->count--;
  return true;
}

/* The earliest |when| of a bucket. */
static chorus_time bucket_next(const struct emu_chunk *chunk,
                               chorus_time (*when)(void *, const struct emu_event *),
                               void *context) {
  chorus_time best = CHORUS_NEVER;
  for (; chunk; chunk = chunk->next) {
    for (size_t i = 0; i < chunk->count; i++) {
      chorus_time time = when(context, &chunk->events[i]);
      if (time < best) best = time;
    }
  }
  return best;
}

chorus_time emu_queue_next(const struct emu_queue *queue,
                           chorus_time (*when)(void *, const struct emu_event *), void *context) {
  const struct emu_stream *stream = &queue->stream;
  chorus_time best = CHORUS_NEVER;
  for (size_t i = stream->head; i != stream->tail && stream_at(stream, i)->time < best; i++) {
    chorus_time time = when(context, stream_at(stream, i));
    if (time < best) best = time;
  }
  for (size_t i = queue->head; i < queue->tail && queue->front[i].time < best; i++) {
    chorus_time time = when(context, &queue->front[i]);
    if (time < best) best = time;
  }
  for (unsigned l = 0; l < EMU_QUEUE_LEVELS; l++) {
    const struct emu_queue_level *level = &queue->level[l];
    for (unsigned slot = next_slot(level, 0); slot < EMU_QUEUE_SLOTS;
         slot = slot + 1 < EMU_QUEUE_SLOTS ? next_slot(level, slot + 1) : EMU_QUEUE_SLOTS) {
      if (bucket_start(queue, l, slot) >= best) return best;
      chorus_time time = bucket_next(level->first[slot], when, context);
      if (time < best) best = time;
    }
  }
  return best;
}
