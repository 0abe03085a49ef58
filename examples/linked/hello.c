/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rung a: a server of one resource as functions of chorus/node.h, in a shared object.
 *
 *   cc -shared -fPIC -I../../include -o hello.so hello.c $(pkg-config --cflags --libs jansson)
 */
#include "../stdio-server/hello.h"

#include <jansson.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "chorus/node.h"

enum { PENDING = 32, RANDOM_LEISURE = 1, RANDOM_MID = 2 };

struct pending {
  chorus_time due;
  struct chorus_datagram datagram;
  uint8_t octets[HELLO_MAX];
};

struct server {
  json_t *start;
  const struct chorus_host *host;
  chorus_time leisure;
  uint16_t mid;
  struct pending pending[PENDING];
  size_t count;
};

struct chorus_node chorus_plugin_new(const char *start_json, const char **why);
void chorus_plugin_free(struct chorus_node node);

/* Sends what is due, and asks to be woken for the next. */
static void send_due(struct server *s, chorus_time now) {
  const struct chorus_host *host = s->host;
  chorus_time next = CHORUS_NEVER;
  for (size_t i = 0; i < s->count;) {
    struct pending *p = &s->pending[i];
    p->datagram.payload = p->octets;
    if (p->due <= now) {
      host->ops->send(host->context, &p->datagram);
      *p = s->pending[--s->count];
      continue;
    }
    if (p->due < next) next = p->due;
    i++;
  }
  host->ops->deadline(host->context, next);
}

static int hello_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct server *s = node;
  json_t *group;
  size_t i;
  (void)now;
  s->host = host;
  s->leisure = (chorus_time)json_integer_value(json_object_get(s->start, "leisure_ns"));
  s->mid = (uint16_t)host->ops->random(host->context, RANDOM_MID);
  uint16_t port = (uint16_t)json_integer_value(json_object_get(s->start, "port"));
  int status = host->ops->open(host->context, port);
  json_array_foreach(json_object_get(s->start, "groups"), i, group) {
    struct chorus_event event = {.type = CHORUS_EVENT_JOIN, .group = true};
    if (!chorus_endpoint_parse(json_string_value(group), CHORUS_COAP_PORT, &event.peer)) continue;
    host->ops->open(host->context, event.peer.port);
    host->ops->join(host->context, &event.peer);
    if (host->ops->event) host->ops->event(host->context, &event);
  }
  return status;
}

static void hello_datagram(void *node, chorus_time now, const struct chorus_datagram *d) {
  struct server *s = node;
  bool group = chorus_is_group(&d->destination);
  if (s->count == PENDING) return;
  struct pending *p = &s->pending[s->count];
  size_t length = hello_answer(d->payload, d->length, group, s->mid, p->octets);
  if (length == 0) return;
  s->mid++;
  p->datagram = (struct chorus_datagram){
      .source = d->destination, .destination = d->source, .length = length};
  if (group) memset(p->datagram.source.address, 0, sizeof p->datagram.source.address);
  p->due = now;
  if (group) p->due += s->host->ops->random(s->host->context, RANDOM_LEISURE) % s->leisure;
  s->count++;
  send_due(s, now);
}

static void hello_wake(void *node, chorus_time now) {
  send_due(node, now);
}

static const struct chorus_node_ops ops = {
    .start = hello_start, .datagram = hello_datagram, .wake = hello_wake};

struct chorus_node chorus_plugin_new(const char *start_json, const char **why) {
  struct server *s = calloc(1, sizeof *s);
  if (s) s->start = json_loads(start_json, 0, NULL);
  if (s && s->start) return (struct chorus_node){&ops, s};
  free(s);
  *why = "the configuration cannot be read";
  return (struct chorus_node){NULL, NULL};
}

void chorus_plugin_free(struct chorus_node node) {
  struct server *s = node.state;
  json_decref(s->start);
  free(s);
}
