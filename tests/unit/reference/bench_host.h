/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host for one node under test: records what the node sends and says, and keeps its deadline.
 * Randomness is a counter-based generator, so that every test is the same every time.
 */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "check_run.h"
#include "chorus/endpoint_text.h"
#include "chorus/node.h"
#include "chorus/reference.h"
#include "codec.h"

enum { SENT_MAX = 4096, EVENT_MAX = 4096 };

struct sent {
  chorus_time at;
  struct chorus_datagram datagram;
  uint8_t octets[1280];
};

struct said {
  chorus_time at;
  struct chorus_event event;
  char detail[96], path[96], request[32];
  uint8_t payload[1100];
};

struct bench {
  struct chorus_node node;
  struct chorus_host host;
  chorus_time now, deadline;
  uint64_t random;
  struct sent *sent;
  size_t sent_count;
  struct said *said;
  size_t said_count;
  size_t joined, opened, closed;
  bool refuse_ipv4;
  struct chorus_endpoint self;
  const char *why;
};

static inline int bench_send(void *context, const struct chorus_datagram *d) {
  struct bench *b = context;
  ck_assert_uint_lt(b->sent_count, SENT_MAX);
  ck_assert_uint_le(d->length, sizeof b->sent->octets);
  struct sent *s = &b->sent[b->sent_count++];
  s->at = b->now;
  s->datagram = *d;
  memcpy(s->octets, d->payload, d->length);
  s->datagram.payload = s->octets;
  return CHORUS_OK;
}

static inline void bench_deadline(void *context, chorus_time at) {
  ((struct bench *)context)->deadline = at;
}

static inline int bench_open(void *context, uint16_t port) {
  (void)port;
  ((struct bench *)context)->opened++;
  return CHORUS_OK;
}

static inline void bench_close(void *context, uint16_t port) {
  (void)port;
  ((struct bench *)context)->closed++;
}

static inline int bench_join(void *context, const struct chorus_endpoint *group) {
  struct bench *b = context;
  if (b->refuse_ipv4 && chorus_is_ipv4(group)) return CHORUS_UNSUPPORTED;
  b->joined++;
  return CHORUS_OK;
}

static inline void bench_leave(void *context, const struct chorus_endpoint *group) {
  (void)group;
  ((struct bench *)context)->joined--;
}

static inline void bench_event(void *context, const struct chorus_event *e) {
  struct bench *b = context;
  ck_assert_uint_lt(b->said_count, EVENT_MAX);
  struct said *s = &b->said[b->said_count++];
  s->at = b->now;
  s->event = *e;
  snprintf(s->detail, sizeof s->detail, "%s", e->detail ? e->detail : "");
  snprintf(s->path, sizeof s->path, "%s", e->path ? e->path : "");
  snprintf(s->request, sizeof s->request, "%s", e->request ? e->request : "");
  if (e->payload_length) memcpy(s->payload, e->payload, e->payload_length);
  s->event.payload = s->payload;
}

static inline uint64_t bench_random(void *context, uint32_t purpose) {
  struct bench *b = context;
  uint64_t z = b->random += UINT64_C(0x9e3779b97f4a7c15) + purpose;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static const struct chorus_host_ops bench_ops = {.send = bench_send,
                                                 .deadline = bench_deadline,
                                                 .open = bench_open,
                                                 .close = bench_close,
                                                 .join = bench_join,
                                                 .leave = bench_leave,
                                                 .event = bench_event,
                                                 .random = bench_random};

static inline struct chorus_endpoint endpoint(const char *text) {
  struct chorus_endpoint e;
  ck_assert_msg(chorus_endpoint_parse(text, 5683, &e), "%s", text);
  return e;
}

static inline void bench_start(struct bench *b, struct chorus_node node, const char *self) {
  *b = (struct bench){.node = node, .deadline = CHORUS_NEVER, .random = 42};
  b->host = (struct chorus_host){&bench_ops, b};
  b->sent = calloc(SENT_MAX, sizeof *b->sent);
  b->said = calloc(EVENT_MAX, sizeof *b->said);
  b->self = endpoint(self);
  ck_assert_ptr_nonnull(node.ops);
  ck_assert_int_eq(node.ops->start(node.state, 0, &b->host), CHORUS_OK);
}

/* Lets time pass up to |until|, waking the node whenever it asked for it. */
static inline void bench_run(struct bench *b, chorus_time until) {
  while (b->deadline <= until) {
    ck_assert_uint_ge(b->deadline, b->now);
    b->now = b->deadline;
    b->deadline = CHORUS_NEVER;
    b->node.ops->wake(b->node.state, b->now);
  }
  b->now = until;
}

static inline void bench_receive(struct bench *b, const char *from, const char *to,
                                 const uint8_t *octets, size_t length) {
  struct chorus_datagram d = {.source = endpoint(from),
                              .destination = endpoint(to),
                              .payload = octets,
                              .length = length,
                              .hop_limit = 64};
  b->node.ops->datagram(b->node.state, b->now, &d);
}

/* A message in the making: bench_message(), options in order, bench_deliver(). */
struct crafted {
  uint8_t octets[1280];
  struct ref_writer w;
};

static inline struct crafted *craft(struct crafted *c, uint8_t type, uint8_t code, uint16_t mid,
                                    const char *token) {
  ref_writer_begin(&c->w, c->octets, sizeof c->octets, type, code, mid, (const uint8_t *)token,
                   (uint8_t)strlen(token));
  return c;
}

static inline struct crafted *option(struct crafted *c, uint16_t number, const char *value) {
  ref_writer_option(&c->w, number, value, strlen(value));
  return c;
}

static inline struct crafted *option_uint(struct crafted *c, uint16_t number, uint32_t value) {
  ref_writer_uint(&c->w, number, value);
  return c;
}

static inline struct crafted *payload(struct crafted *c, const char *text) {
  ref_writer_payload(&c->w, (const uint8_t *)text, strlen(text));
  return c;
}

static inline void deliver(struct bench *b, const struct crafted *c, const char *from,
                           const char *to) {
  bench_receive(b, from, to, c->octets, ref_writer_end(&c->w));
}

static inline struct ref_message sent_message(const struct bench *b, size_t i) {
  struct ref_message m;
  ck_assert_uint_lt(i, b->sent_count);
  ck_assert_int_eq(ref_decode(b->sent[i].octets, b->sent[i].datagram.length, &m), REF_FAULT_NONE);
  return m;
}

static inline size_t said_count(const struct bench *b, enum chorus_event_type type) {
  size_t n = 0;
  for (size_t i = 0; i < b->said_count; i++) n += b->said[i].event.type == type;
  return n;
}

/* The latest event of |type|. */
static inline const struct said *said_last(const struct bench *b, enum chorus_event_type type) {
  for (size_t i = b->said_count; i > 0; i--)
    if (b->said[i - 1].event.type == type) return &b->said[i - 1];
  return NULL;
}

/* Gives a command: the verb, then name, value, ..., NULL. */
#define ask(b, verb, ...) bench_command(b, verb, (const char *const[]){__VA_ARGS__, NULL})
static inline int bench_command(struct bench *b, const char *verb, const char *const *words) {
  struct chorus_argument arguments[32];
  size_t n = 0;
  for (; words[2 * n]; n++) arguments[n] = (struct chorus_argument){words[2 * n], words[2 * n + 1]};
  struct chorus_command c = {verb, arguments, n};
  b->why = "";
  return b->node.ops->command(b->node.state, b->now, &c, &b->why);
}

/* Stops the node; nothing may have leaked. */
static inline void bench_stop(struct bench *b) {
  b->node.ops->stop(b->node.state, b->now);
  ck_assert_uint_eq(said_count(b, CHORUS_EVENT_LEAK), 0);
  free(b->sent);
  free(b->said);
}

/* One suite, one case, run in this process (sanitizers see all of it). */
static inline int run_tests(const char *name, const TTest *const *tests, size_t count) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  for (size_t i = 0; i < count; i++) tcase_add_test(tcase, tests[i]);
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  return check_run(suite);
}
#define RUN_TESTS(name, tests) run_tests(name, tests, sizeof(tests) / sizeof *(tests))

#endif
