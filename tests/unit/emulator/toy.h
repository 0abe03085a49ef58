/* SPDX-License-Identifier: BSD-2-Clause */
/* A network of toy nodes that note what reaches them, and an observer that notes what it is shown.
 */
#ifndef EMU_TEST_TOY_H
#define EMU_TEST_TOY_H

#include "chorus/emulator.h"
#include "chorus/endpoint_text.h"
#include "suite.h"

#define TOY_NOTES 64
#define TOY_NODES 8

struct toy_note {
  chorus_time at;
  struct chorus_datagram datagram; /* payload points to |head| */
  uint8_t head[16];
  uint32_t checksum; /* of the whole payload */
};

struct toy {
  const struct chorus_host *host;
  struct toy_note notes[TOY_NOTES];
  size_t count;
  size_t wakes;
  chorus_time last_wake;
  size_t unreachables;
  struct chorus_endpoint unreachable;
  size_t stops;
  bool inside;    /* in one of its own functions */
  size_t answers; /* so many datagrams it sends back */
  const char *join;
  uint16_t port; /* opened at start; 0: none */
  int start_status;
};

struct toy_fate {
  chorus_time at;
  uint64_t id;
  uint32_t receiver;
  enum emu_fate fate;
  uint32_t clause;
};

struct toy_network {
  struct emu_network *network;
  struct toy nodes[TOY_NODES];
  uint32_t count;
  struct toy_fate fates[512];
  size_t fate_count;
  size_t transmitted, arrived, memberships, events;
  uint8_t last[70000]; /* the packet that arrived last */
  size_t last_length;
  uint8_t sent[70000]; /* the packet that was transmitted last */
  size_t sent_length;
};

static inline struct chorus_endpoint at(const char *text) {
  struct chorus_endpoint e;
  ck_assert_msg(chorus_endpoint_parse(text, 5683, &e), "%s", text);
  return e;
}

static inline uint32_t toy_checksum(const uint8_t *octets, size_t length) {
  uint32_t sum = 1;
  for (size_t i = 0; i < length; i++) sum = sum * 31 + octets[i];
  return sum;
}

static inline void toy_enter(struct toy *toy) {
  ck_assert(!toy->inside);
  toy->inside = true;
}

static inline int toy_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct toy *toy = node;
  (void)now;
  toy_enter(toy);
  toy->host = host;
  if (toy->port) ck_assert_int_eq(host->ops->open(host->context, toy->port), CHORUS_OK);
  if (toy->join) {
    struct chorus_endpoint group = at(toy->join);
    ck_assert_int_eq(host->ops->join(host->context, &group), CHORUS_OK);
  }
  toy->inside = false;
  return toy->start_status;
}

static inline void toy_datagram(void *node, chorus_time now, const struct chorus_datagram *d) {
  struct toy *toy = node;
  toy_enter(toy);
  struct toy_note *note = &toy->notes[toy->count++ % TOY_NOTES];
  *note =
      (struct toy_note){.at = now, .datagram = *d, .checksum = toy_checksum(d->payload, d->length)};
  memcpy(note->head, d->payload, d->length < sizeof note->head ? d->length : sizeof note->head);
  note->datagram.payload = note->head;
  if (toy->answers > 0) {
    toy->answers--;
    struct chorus_datagram reply = {
        .destination = d->source, .payload = d->payload, .length = d->length};
    reply.source.port = toy->port;
    int status = toy->host->ops->send(toy->host->context, &reply);
    ck_assert(status == CHORUS_OK || status == CHORUS_BAD_ARGUMENT); /* no such IP version */
  }
  toy->inside = false;
}

static inline void toy_wake(void *node, chorus_time now) {
  struct toy *toy = node;
  toy_enter(toy);
  toy->wakes++;
  toy->last_wake = now;
  toy->inside = false;
}

static inline void toy_unreachable(void *node, chorus_time now,
                                   const struct chorus_endpoint *destination) {
  struct toy *toy = node;
  (void)now;
  toy_enter(toy);
  toy->unreachables++;
  toy->unreachable = *destination;
  toy->inside = false;
}

static inline void toy_stop(void *node, chorus_time now) {
  struct toy *toy = node;
  (void)now;
  toy->stops++;
}

static const struct chorus_node_ops toy_ops = {.start = toy_start,
                                               .datagram = toy_datagram,
                                               .wake = toy_wake,
                                               .unreachable = toy_unreachable,
                                               .stop = toy_stop};

static inline void toy_new(struct toy_network *t, const struct emu_config *config) {
  memset(t, 0, sizeof *t);
  t->network = emu_network_new(config);
  ck_assert_ptr_nonnull(t->network);
}

/* Adds a node that opens port 5683 and joins |group| (or none). |b| may be NULL. */
static inline uint32_t toy_add(struct toy_network *t, const char *name, const char *a,
                               const char *b, uint32_t link, const char *group) {
  struct chorus_endpoint addresses[2] = {at(a)};
  if (b) addresses[1] = at(b);
  struct toy *toy = &t->nodes[t->count];
  toy->port = 5683;
  toy->join = group;
  struct emu_node_config config = {.name = name,
                                   .node = {&toy_ops, toy},
                                   .addresses = addresses,
                                   .address_count = b ? 2 : 1,
                                   .link = link};
  ck_assert_uint_eq(emu_add_node(t->network, &config), t->count);
  return t->count++;
}

static inline void toy_on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                                      const uint8_t *packet, size_t length) {
  struct toy_network *t = context;
  (void)now, (void)node, (void)id;
  t->transmitted++;
  memcpy(t->sent, packet, length);
  t->sent_length = length;
}

static inline void toy_on_fate(void *context, chorus_time now, uint64_t id, uint32_t receiver,
                               enum emu_fate fate, uint32_t clause) {
  struct toy_network *t = context;
  if (t->fate_count < sizeof t->fates / sizeof t->fates[0])
    t->fates[t->fate_count++] = (struct toy_fate){now, id, receiver, fate, clause};
}

static inline void toy_on_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                                  const uint8_t *packet, size_t length) {
  struct toy_network *t = context;
  (void)now, (void)node, (void)id;
  t->arrived++;
  memcpy(t->last, packet, length);
  t->last_length = length;
}

static inline void toy_on_membership(void *context, chorus_time now, uint32_t node,
                                     const struct chorus_endpoint *group, bool joined) {
  struct toy_network *t = context;
  (void)now, (void)node, (void)group, (void)joined;
  t->memberships++;
}

static inline void toy_on_event(void *context, chorus_time now, uint32_t node,
                                const struct chorus_event *event) {
  struct toy_network *t = context;
  (void)now, (void)node, (void)event;
  t->events++;
}

static inline void toy_observe(struct toy_network *t) {
  struct emu_observer observer = {.context = t,
                                  .transmitted = toy_on_transmitted,
                                  .fate = toy_on_fate,
                                  .arrived = toy_on_arrived,
                                  .event = toy_on_event,
                                  .membership = toy_on_membership};
  emu_observe(t->network, &observer);
}

/* Sends |length| octets (a pattern) from port 5683 of |node|. */
static inline int toy_send(struct toy_network *t, uint32_t node, const char *to, size_t length) {
  static uint8_t payload[65536];
  for (size_t i = 0; i < length && i < sizeof payload; i++) payload[i] = (uint8_t)(i * 7 + i / 256);
  struct chorus_datagram d = {.destination = at(to), .payload = payload, .length = length};
  d.source.port = 5683;
  return emu_inject(t->network, node, &d);
}

static inline size_t toy_count_fate(const struct toy_network *t, enum emu_fate fate) {
  size_t count = 0;
  for (size_t i = 0; i < t->fate_count; i++) count += t->fates[i].fate == fate;
  return count;
}

/* Runs until nothing is under way, checks the conservation law and frees the network. */
static inline void toy_finish(struct toy_network *t) {
  emu_run_idle(t->network, emu_now(t->network));
  struct emu_counters c = emu_counters(t->network);
  uint64_t sum = 0;
  for (int i = 0; i < EMU_FATE_COUNT; i++) sum += c.fate[i];
  ck_assert_uint_eq(c.in_flight, 0);
  ck_assert_uint_eq(c.receptions, sum);
  emu_network_free(t->network);
}

#endif
