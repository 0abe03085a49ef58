/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/prober.h"

#include <stdlib.h>

#include "chorus/endpoint_text.h"

#define PROBER_PORT 61616u

struct target {
  struct chorus_endpoint endpoint;
  bool asked, answered;
  chorus_time insisted; /* of krn_clock() */
};

struct run_prober {
  const struct chorus_host *host;
  chorus_time now;
  uint16_t mid;
  struct target *targets;
  size_t count;
};

struct chorus_endpoint run_prober_address(unsigned ip) {
  struct chorus_endpoint e;
  memset(&e, 0, sizeof e);
  chorus_address_parse(ip == 4 ? "192.0.2.254" : "2001:db8::c0a9", 0, &e);
  return e;
}

/* Each question is a message of its own, so that no memory of duplicates answers for a dead one. */
static void send_question(struct run_prober *p, const struct target *t) {
  uint16_t mid = p->mid++;
  uint8_t message[] = {0x44, 0x01, (uint8_t)(mid >> 8), (uint8_t)mid,
                       0xc0, 0xa9, (uint8_t)(mid >> 8), (uint8_t)mid};
  struct chorus_datagram d = {.source = {.port = PROBER_PORT},
                              .destination = t->endpoint,
                              .payload = message,
                              .length = sizeof message};
  p->host->ops->send(p->host->context, &d);
}

static void on_wake(void *node, chorus_time now) {
  struct run_prober *p = node;
  p->now = now;
  for (size_t i = 0; i < p->count; i++)
    if (p->targets[i].asked && !p->targets[i].answered) send_question(p, &p->targets[i]);
  p->host->ops->deadline(p->host->context, now + CHORUS_SECOND);
}

static int on_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct run_prober *p = node;
  p->host = host;
  p->mid = (uint16_t)host->ops->random(host->context, 0);
  int status = host->ops->open(host->context, PROBER_PORT);
  /* A server that answers to the wrong port is alive, and for the rules to find. */
  if (status == 0) status = host->ops->open(host->context, CHORUS_COAP_PORT);
  host->ops->deadline(host->context, now + CHORUS_SECOND);
  return status;
}

static void on_datagram(void *node, chorus_time now, const struct chorus_datagram *datagram) {
  struct run_prober *p = node;
  (void)now;
  for (size_t i = 0; i < p->count; i++)
    if (chorus_same_address(&p->targets[i].endpoint, &datagram->source))
      p->targets[i].answered = true;
}

static const struct chorus_node_ops prober_ops = {
    .start = on_start, .datagram = on_datagram, .wake = on_wake};

struct run_prober *run_prober_new(const struct chorus_endpoint *targets, size_t count) {
  struct run_prober *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->targets = calloc(count + 1, sizeof *p->targets);
  if (!p->targets) {
    free(p);
    return NULL;
  }
  p->count = count;
  for (size_t i = 0; i < count; i++) p->targets[i].endpoint = targets[i];
  return p;
}

void run_prober_free(struct run_prober *prober) {
  if (!prober) return;
  free(prober->targets);
  free(prober);
}

struct chorus_node run_prober_node(struct run_prober *prober) {
  return (struct chorus_node){.ops = &prober_ops, .state = prober};
}

void run_prober_ask(struct run_prober *p, size_t i) {
  p->targets[i].asked = true;
  p->targets[i].answered = false;
  send_question(p, &p->targets[i]);
}

void run_prober_insist(struct run_prober *p, size_t i, chorus_time clock) {
  struct target *t = &p->targets[i];
  if (t->answered || (t->asked && clock - t->insisted < CHORUS_SECOND / 2)) return;
  t->insisted = clock;
  run_prober_ask(p, i);
}

bool run_prober_answered(const struct run_prober *p, size_t i) {
  return p->targets[i].answered;
}
