/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a server has answered so far: the Leisure periods of its memberships, its rate towards
 * each source. */
#include <stdlib.h>

#include "server.h"

static bool same_group(const struct chorus_endpoint *a, const struct chorus_endpoint *b) {
  return a->port == b->port && a->zone == b->zone && chorus_same_address(a, b);
}

static struct ref_period *begin_period(struct ref_membership_period *p,
                                       const struct chorus_endpoint *group) {
  p->group = *group;
  p->period = (struct ref_period){0, 0};
  return &p->period;
}

struct ref_period *ref_period_of(struct ref_server *s, const struct chorus_endpoint *group,
                                 chorus_time now) {
  struct ref_membership_period *over = NULL;
  if (same_group(&s->period.group, group)) return &s->period.period;
  if (s->period.period.end <= now) over = &s->period;
  for (size_t i = 0; i < s->period_count; i++) {
    if (same_group(&s->periods[i].group, group)) return &s->periods[i].period;
    if (!over && s->periods[i].period.end <= now) over = &s->periods[i];
  }
  if (over) return begin_period(over, group);
  struct ref_membership_period *more =
      realloc(s->periods, (s->period_count + 1) * sizeof *s->periods);
  if (!more) return NULL;
  s->periods = more;
  return begin_period(&s->periods[s->period_count++], group);
}

static bool same_source(const struct ref_source_rate *r, const struct chorus_endpoint *e) {
  return r->zone == e->zone && memcmp(r->address, e->address, sizeof r->address) == 0;
}

static struct ref_source_rate *begin_rate(struct ref_source_rate *r,
                                          const struct chorus_endpoint *source) {
  memcpy(r->address, source->address, sizeof r->address);
  r->zone = source->zone;
  r->next = 0;
  return r;
}

/* The entry of |source|; an entry whose rate has recovered makes room, else the most recovered one.
 */
static struct ref_source_rate *rate_of(struct ref_server *s, const struct chorus_endpoint *source,
                                       chorus_time now) {
  struct ref_source_rate *least = &s->source;
  if (same_source(&s->source, source)) return &s->source;
  for (size_t i = 0; i < s->source_count; i++) {
    if (same_source(&s->sources[i], source)) return &s->sources[i];
    if (s->sources[i].next < least->next) least = &s->sources[i];
  }
  if (least->next <= now || s->source_count == REF_SOURCES_MAX) return begin_rate(least, source);
  struct ref_source_rate *more = realloc(s->sources, (s->source_count + 1) * sizeof *s->sources);
  if (!more) return begin_rate(least, source);
  s->sources = more;
  return begin_rate(&s->sources[s->source_count++], source);
}

/* The generic cell rate algorithm: |response_rate| a second, as many of them at once. */
bool ref_rate_take(struct ref_server *s, const struct chorus_endpoint *source, chorus_time now) {
  struct ref_source_rate *r = rate_of(s, source, now);
  chorus_time next = r->next > now ? r->next : now;
  if (next - now > CHORUS_SECOND - CHORUS_SECOND / s->response_rate) return false;
  r->next = next + CHORUS_SECOND / s->response_rate;
  return true;
}
