/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network in the kernel with nodes that note what reaches them, and an observer that notes what
 * it is shown. The environment variable LAB_ATTACHMENT ("tap", "packet") chooses the attachment.
 */
#ifndef KRN_TEST_LAB_H
#define KRN_TEST_LAB_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "check_run.h"
#include "chorus/endpoint_text.h"
#include "chorus/kernel.h"

#define LAB_NOTES 512
#define LAB_NODES 16
#define LAB_FATES 4096
#define LAB_SEEN  4096

struct lab_note {
  chorus_time at;
  struct chorus_datagram datagram; /* payload points to |head| */
  uint8_t head[16];
  uint32_t checksum; /* of the whole payload */
};

struct lab_node {
  const struct chorus_host *host;
  struct lab_note notes[LAB_NOTES];
  size_t count;
  size_t wakes;
  chorus_time last_wake;
  size_t unreachables;
  struct chorus_endpoint unreachable;
  bool inside;    /* in one of its own functions */
  size_t answers; /* so many datagrams it sends back */
  const char *join;
  const char *early; /* sends there when the deadline comes that it sets at start */
  uint16_t port;     /* opened at start; 0: none */
  int start_status;
  uint64_t draw; /* a random number drawn at start */
};

struct lab_fate {
  chorus_time at;
  uint64_t id;
  uint32_t receiver;
  enum emu_fate fate;
  uint32_t clause;
};

/* A packet seen to leave or to arrive. */
struct lab_seen {
  chorus_time at;
  uint64_t id;
  uint32_t node;
  uint32_t length;
  uint8_t octets[128]; /* its beginning */
};

struct lab {
  struct krn_network *network;
  struct lab_node nodes[LAB_NODES];
  uint32_t count;
  struct lab_fate fates[LAB_FATES];
  size_t fate_count;
  struct lab_seen sent[LAB_SEEN], came[LAB_SEEN];
  size_t sent_count, came_count;
  size_t events, joined, left;
  chorus_time last;     /* time of the last call to the observer */
  size_t sent_at_event; /* packets seen to leave before the last event */
};

static inline struct chorus_endpoint at(const char *text) {
  struct chorus_endpoint e;
  ck_assert_msg(chorus_endpoint_parse(text, 5683, &e), "%s", text);
  return e;
}

static inline uint32_t lab_checksum(const uint8_t *octets, size_t length) {
  uint32_t sum = 1;
  for (size_t i = 0; i < length; i++) sum = sum * 31 + octets[i];
  return sum;
}

/* The node's functions. */

static inline void lab_enter(struct lab_node *node) {
  ck_assert(!node->inside);
  node->inside = true;
}

static inline int lab_start(void *state, chorus_time now, const struct chorus_host *host) {
  struct lab_node *node = state;
  (void)now;
  lab_enter(node);
  node->host = host;
  node->draw = host->ops->random(host->context, 1);
  if (node->port) ck_assert_int_eq(host->ops->open(host->context, node->port), CHORUS_OK);
  if (node->join) {
    struct chorus_endpoint group = at(node->join);
    ck_assert_int_eq(host->ops->join(host->context, &group), CHORUS_OK);
  }
  if (node->early) host->ops->deadline(host->context, 0);
  node->inside = false;
  return node->start_status;
}

static inline void lab_datagram(void *state, chorus_time now, const struct chorus_datagram *d) {
  struct lab_node *node = state;
  lab_enter(node);
  struct lab_note *note = &node->notes[node->count++ % LAB_NOTES];
  *note =
      (struct lab_note){.at = now, .datagram = *d, .checksum = lab_checksum(d->payload, d->length)};
  memcpy(note->head, d->payload, d->length < sizeof note->head ? d->length : sizeof note->head);
  note->datagram.payload = note->head;
  if (node->answers > 0) {
    node->answers--;
    struct chorus_datagram reply = {
        .destination = d->source, .payload = d->payload, .length = d->length};
    reply.source.port = node->port;
    ck_assert_int_eq(node->host->ops->send(node->host->context, &reply), CHORUS_OK);
    struct chorus_event event = {.type = CHORUS_EVENT_EXECUTE};
    if (node->host->ops->event) node->host->ops->event(node->host->context, &event);
  }
  node->inside = false;
}

static inline void lab_wake(void *state, chorus_time now) {
  struct lab_node *node = state;
  lab_enter(node);
  node->wakes++;
  node->last_wake = now;
  if (node->early) {
    struct chorus_datagram d = {.destination = at(node->early)};
    ck_assert_int_eq(node->host->ops->send(node->host->context, &d), CHORUS_OK);
  }
  node->inside = false;
}

static inline void lab_unreachable(void *state, chorus_time now,
                                   const struct chorus_endpoint *destination) {
  struct lab_node *node = state;
  (void)now;
  lab_enter(node);
  node->unreachables++;
  node->unreachable = *destination;
  node->inside = false;
}

static const struct chorus_node_ops lab_ops = {
    .start = lab_start, .datagram = lab_datagram, .wake = lab_wake, .unreachable = lab_unreachable};

/* The observer. */

static inline void lab_tick(struct lab *lab, chorus_time now) {
  ck_assert_uint_ge(now, lab->last);
  lab->last = now;
}

static inline void lab_keep(struct lab_seen *list, size_t *count, struct lab_seen seen,
                            const uint8_t *packet) {
  memcpy(seen.octets, packet, seen.length < sizeof seen.octets ? seen.length : sizeof seen.octets);
  list[(*count)++ % LAB_SEEN] = seen;
}

static inline void lab_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                                   const uint8_t *packet, size_t length) {
  struct lab *lab = context;
  lab_tick(lab, now);
  struct lab_seen seen = {.at = now, .id = id, .node = node, .length = (uint32_t)length};
  lab_keep(lab->sent, &lab->sent_count, seen, packet);
}

static inline void lab_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                               const uint8_t *packet, size_t length) {
  struct lab *lab = context;
  lab_tick(lab, now);
  struct lab_seen seen = {.at = now, .id = id, .node = node, .length = (uint32_t)length};
  lab_keep(lab->came, &lab->came_count, seen, packet);
}

static inline void lab_fate(void *context, chorus_time now, uint64_t id, uint32_t receiver,
                            enum emu_fate fate, uint32_t clause) {
  struct lab *lab = context;
  lab_tick(lab, now);
  lab->fates[lab->fate_count++ % LAB_FATES] =
      (struct lab_fate){.at = now, .id = id, .receiver = receiver, .fate = fate, .clause = clause};
}

static inline void lab_event(void *context, chorus_time now, uint32_t node,
                             const struct chorus_event *event) {
  struct lab *lab = context;
  (void)node, (void)event;
  lab_tick(lab, now);
  lab->events++;
  lab->sent_at_event = lab->sent_count;
}

static inline void lab_membership(void *context, chorus_time now, uint32_t node,
                                  const struct chorus_endpoint *group, bool joined) {
  struct lab *lab = context;
  (void)node, (void)group;
  lab_tick(lab, now);
  if (joined)
    lab->joined++;
  else
    lab->left++;
}

/* Making. */

static inline enum krn_attachment lab_attachment(void) {
  const char *name = getenv("LAB_ATTACHMENT");
  if (name && strcmp(name, "packet") == 0) return KRN_PACKET;
  return name && strcmp(name, "tap") == 0 ? KRN_TAP : KRN_AUTO;
}

static inline struct lab *lab_new(struct krn_config config) {
  char why[256];
  struct lab *lab = calloc(1, sizeof *lab);
  ck_assert_ptr_nonnull(lab);
  if (config.attachment == KRN_AUTO) config.attachment = lab_attachment();
  lab->network = krn_network_new(&config, why, sizeof why);
  ck_assert_msg(lab->network != NULL, "%s", why);
  const struct emu_observer observer = {.context = lab,
                                        .transmitted = lab_transmitted,
                                        .fate = lab_fate,
                                        .arrived = lab_arrived,
                                        .event = lab_event,
                                        .membership = lab_membership};
  krn_observe(lab->network, &observer);
  return lab;
}

static inline struct lab *lab_default(void) {
  return lab_new((struct krn_config){.network = {.seed = 1, .latency = CHORUS_MILLISECOND}});
}

/* Adds a node with up to three addresses, comma-separated in |addresses|. */
static inline uint32_t lab_add_as(struct lab *lab, const char *name, const char *addresses,
                                  enum krn_presence presence, struct emu_node_config config) {
  struct chorus_endpoint list[3];
  char text[256], *rest = text;
  snprintf(text, sizeof text, "%s", addresses);
  config.address_count = 0;
  for (char *part; (part = strsep(&rest, ","));) list[config.address_count++] = at(part);
  config.name = name;
  config.addresses = list;
  config.node = (struct chorus_node){.ops = &lab_ops, .state = &lab->nodes[lab->count]};
  uint32_t index = krn_add_node(lab->network, &config, presence);
  ck_assert_msg(index == lab->count, "%s", krn_error(lab->network));
  lab->count++;
  return index;
}

static inline uint32_t lab_add(struct lab *lab, const char *name, const char *addresses,
                               uint16_t port, const char *join) {
  struct lab_node *node = &lab->nodes[lab->count];
  node->port = port;
  node->join = join;
  return lab_add_as(lab, name, addresses, KRN_SOCKETS, (struct emu_node_config){0});
}

static inline void lab_go(struct lab *lab) {
  int status = krn_start(lab->network, NULL, NULL, 5 * CHORUS_SECOND);
  ck_assert_msg(status == CHORUS_OK, "%d: %s", status, krn_error(lab->network));
}

static inline void lab_run(struct lab *lab, chorus_time time) {
  krn_run_until(lab->network, krn_now(lab->network) + time);
}

/* Runs until |*count| is |wanted|, at most a second more. */
static inline void lab_await(struct lab *lab, const size_t *count, size_t wanted) {
  for (int i = 0; i < 200 && *count < wanted; i++) lab_run(lab, 5 * CHORUS_MILLISECOND);
  ck_assert_uint_eq(*count, wanted);
}

static inline int lab_try(struct lab *lab, uint32_t from, const char *to, const void *payload,
                          size_t length) {
  const struct chorus_host *host = lab->nodes[from].host;
  struct chorus_datagram d = {.destination = at(to), .payload = payload, .length = length};
  return host->ops->send(host->context, &d);
}

static inline void lab_send(struct lab *lab, uint32_t from, const char *to, const char *payload) {
  ck_assert_int_eq(lab_try(lab, from, to, payload, strlen(payload)), CHORUS_OK);
}

static inline size_t lab_count_fate(const struct lab *lab, uint32_t receiver, enum emu_fate fate) {
  size_t count = 0;
  for (size_t i = 0; i < lab->fate_count; i++)
    count += lab->fates[i].receiver == receiver && lab->fates[i].fate == fate;
  return count;
}

static inline void lab_free(struct lab *lab) {
  struct emu_counters c = krn_counters(lab->network);
  uint64_t sum = c.in_flight;
  for (size_t i = 0; i < EMU_FATE_COUNT; i++) sum += c.fate[i];
  ck_assert_uint_eq(c.receptions, sum);
  krn_stop(lab->network);
  krn_network_free(lab->network);
  free(lab);
}

/* A test, called with _i from 0 to |loops| - 1. */
struct lab_test {
  const TTest *test;
  int loops;
};

/* A main() for programs with one list of Check tests; 77 where namespaces are impossible. */
static inline int lab_main(const char *name, const struct lab_test *tests, size_t count) {
  char why[256];
  if (!krn_enter(why, sizeof why)) {
    printf("%s: skipped: %s\n", name, why);
    return 77;
  }
  Suite *suite = suite_create(name);
  TCase *cases = tcase_create(name);
  tcase_set_timeout(cases, 120);
  for (size_t i = 0; i < count; i++) tcase_add_loop_test(cases, tests[i].test, 0, tests[i].loops);
  suite_add_tcase(suite, cases);
  return check_run(suite);
}

#define LAB_SUITE(name, ...)                                      \
  int main(void) {                                                \
    const struct lab_test tests[] = {__VA_ARGS__};                \
    return lab_main(name, tests, sizeof tests / sizeof tests[0]); \
  }

#endif
