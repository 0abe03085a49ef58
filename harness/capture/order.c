/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets in the order of their times. Who captures several interfaces at once, or on several
 * processors, writes batches, which lie in the file as they came. Packets are held back for a
 * second, in a line by time; a file that is in order only passes through it.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"

enum { HELD_MOST = 8192 }; /* a power of two */

#define SPAN CHORUS_SECOND
/* So far, and not more, one interface's packets lie out of order; else its clock was set back. */
#define STEP (20 * CHORUS_MILLISECOND)

struct cap_order {
  size_t first, count; /* of |line| */
  size_t settled;      /* so many at its front go before all that comes */
  chorus_time newest;  /* of those that are not settled */
  chorus_time *latest; /* by interface, since a clock was last set back */
  size_t latest_count;
  enum cap_status status; /* of the last read */
  bool is_lent;
  uint16_t lent; /* the place of the packet that the caller has */
  size_t free_count;
  uint16_t line[HELD_MOST], free[HELD_MOST]; /* places in |held| */
  struct cap_packet held[HELD_MOST];
};

static struct cap_order *order_new(void) {
  struct cap_order *o = malloc(sizeof *o);
  if (!o) return NULL;
  memset(o, 0, offsetof(struct cap_order, line));
  /* The place that was left last is taken next: few are touched when few are held. */
  for (size_t i = 0; i < HELD_MOST; i++) o->free[i] = (uint16_t)(HELD_MOST - 1 - i);
  o->free_count = HELD_MOST;
  return o;
}

void order_free(struct cap_order *o) {
  if (!o) return;
  free(o->latest);
  free(o);
}

static uint16_t *in_line(struct cap_order *o, size_t i) {
  return &o->line[(o->first + i) % HELD_MOST];
}

static bool know_interfaces(struct cap_order *o, size_t count) {
  if (count <= o->latest_count) return true;
  chorus_time *grown = realloc(o->latest, count * sizeof *grown);
  if (!grown) return false;
  memset(grown + o->latest_count, 0, (count - o->latest_count) * sizeof *grown);
  o->latest = grown;
  o->latest_count = count;
  return true;
}

/* Nobody can say how times before and after compare: the file's order stays. */
static void clock_set_back(struct cap_order *o) {
  o->settled = o->count;
  o->newest = 0;
  memset(o->latest, 0, o->latest_count * sizeof *o->latest);
}

static void put_in_line(struct cap_order *o, uint16_t place) {
  chorus_time time = o->held[place].time;
  size_t at = o->count++;
  for (; at > o->settled && o->held[*in_line(o, at - 1)].time > time; at--)
    *in_line(o, at) = *in_line(o, at - 1);
  *in_line(o, at) = place;
}

static enum cap_status take_in(struct cap_reader *reader, struct cap_order *o) {
  uint16_t place = o->free[o->free_count - 1];
  struct cap_packet *packet = &o->held[place];
  enum cap_status status = cap_next(reader, packet);
  if (status != CAP_OK) return status;
  if (!know_interfaces(o, reader->interface_count))
    return reader_fail(reader, CAP_NO_MEMORY, "no memory");
  chorus_time *latest = &o->latest[packet->interface];
  if (*latest > packet->time && *latest - packet->time > STEP) clock_set_back(o);
  if (packet->time > *latest) *latest = packet->time;
  if (packet->time > o->newest) o->newest = packet->time;
  o->free_count--;
  put_in_line(o, place);
  return CAP_OK;
}

/* Whether nothing that comes can go before the front. */
static bool may_go(struct cap_order *o) {
  if (o->count == 0) return false;
  if (o->settled > 0 || o->count == HELD_MOST) return true;
  return o->newest - o->held[*in_line(o, 0)].time > SPAN;
}

/* The packet stays where it is until the next one is asked for. */
static const struct cap_packet *hand_out(struct cap_order *o) {
  o->lent = *in_line(o, 0);
  o->is_lent = true;
  o->first = (o->first + 1) % HELD_MOST;
  o->count--;
  if (o->settled > 0) o->settled--;
  return &o->held[o->lent];
}

static void take_back(struct cap_order *o) {
  if (o->is_lent) o->free[o->free_count++] = o->lent;
  o->is_lent = false;
}

enum cap_status cap_next_in_order(struct cap_reader *reader, const struct cap_packet **packet) {
  if (!reader->order && !(reader->order = order_new()))
    return reader_fail(reader, CAP_NO_MEMORY, "no memory");
  struct cap_order *o = reader->order;
  take_back(o);
  while (o->status == CAP_OK && !may_go(o)) o->status = take_in(reader, o);
  if (o->count == 0) return o->status;
  *packet = hand_out(o);
  return CAP_OK;
}
