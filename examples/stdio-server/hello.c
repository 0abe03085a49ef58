/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rung b in C: the protocol of docs/plugins.md and a server of one resource, in 100 lines.
 *
 *   cc -o hello hello.c $(pkg-config --cflags --libs jansson)
 */
#include "hello.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { PENDING = 32 };

/* A response that waits for its moment in the Leisure. */
struct pending {
  uint64_t due;
  char to[80], from[80];
  uint8_t octets[HELLO_MAX];
  size_t length;
};

struct server {
  uint64_t now, leisure, random;
  uint16_t mid;
  struct pending pending[PENDING];
  size_t count;
};

/* xorshift64*: all randomness comes from the seed, so that runs repeat. */
static uint64_t draw(struct server *s) {
  s->random ^= s->random >> 12;
  s->random ^= s->random << 25;
  s->random ^= s->random >> 27;
  return s->random * 0x2545f4914f6cdd1du;
}

static void send_one(const struct pending *p) {
  printf("{\"send\":{\"destination\":\"%s\",\"source\":\"%s\",\"payload\":\"", p->to, p->from);
  for (size_t i = 0; i < p->length; i++) printf("%02x", p->octets[i]);
  printf("\"}}\n");
}

/* "[ff35::1]:5683", "239.255.0.1:5683" */
static int is_group(const char *endpoint) {
  int first = atoi(endpoint);
  return strncmp(endpoint, "[ff", 3) == 0 || (first >= 224 && first < 240);
}

static size_t octets_of(const char *hex, uint8_t *to, size_t size) {
  size_t n = 0;
  for (unsigned value; n < size && sscanf(hex + 2 * n, "%2x", &value) == 1; n++)
    to[n] = (uint8_t)value;
  return n;
}

static void on_datagram(struct server *s, json_t *d) {
  const char *source = json_string_value(json_object_get(d, "source"));
  const char *destination = json_string_value(json_object_get(d, "destination"));
  uint8_t request[1500];
  size_t length =
      octets_of(json_string_value(json_object_get(d, "payload")), request, sizeof request);
  bool group = is_group(destination);
  if (s->count == PENDING) return;
  struct pending *p = &s->pending[s->count];
  p->length = hello_answer(request, length, group, s->mid, p->octets);
  if (p->length == 0) return;
  s->mid++;
  snprintf(p->to, sizeof p->to, "%s", source);
  snprintf(p->from, sizeof p->from, "%s", destination);
  if (group) /* any address of ours, and the port that was asked */
    snprintf(p->from, sizeof p->from, "%s%s", destination[0] == '[' ? "[::]" : "0.0.0.0",
             strrchr(destination, ':'));
  p->due = s->now + (group ? draw(s) % s->leisure : 0);
  s->count++;
}

/* Sends what is due; returns when the next one is, 0: never. */
static uint64_t send_due(struct server *s) {
  uint64_t next = 0;
  for (size_t i = 0; i < s->count;) {
    if (s->pending[i].due <= s->now) {
      send_one(&s->pending[i]);
      s->pending[i] = s->pending[--s->count];
      continue;
    }
    if (!next || s->pending[i].due < next) next = s->pending[i].due;
    i++;
  }
  return next;
}

static void on_start(struct server *s, json_t *start) {
  json_t *group;
  size_t i;
  s->random = (uint64_t)json_integer_value(json_object_get(start, "seed")) | 1u;
  s->leisure = (uint64_t)json_integer_value(json_object_get(start, "leisure_ns"));
  s->mid = (uint16_t)draw(s);
  printf("{\"open\":%lld}\n", (long long)json_integer_value(json_object_get(start, "port")));
  json_array_foreach(json_object_get(start, "groups"), i, group) {
    printf("{\"join\":\"%s\"}\n", json_string_value(group));
    printf("{\"event\":{\"event\":\"join\",\"peer\":\"%s\"}}\n", json_string_value(group));
  }
  printf("{\"ready\":{\"protocol\":1,\"stack\":\"hello\",\"version\":\"1\"}}\n");
}

int main(void) {
  struct server s = {.now = 0};
  char *line = NULL;
  size_t size = 0;
  for (int more = 1; more && getline(&line, &size, stdin) > 0;) {
    json_t *call = json_loads(line, 0, NULL), *part, *now = json_object_get(call, "now");
    if (now) s.now = (uint64_t)json_integer_value(now);
    if ((part = json_object_get(call, "start"))) on_start(&s, part);
    if ((part = json_object_get(call, "datagram"))) on_datagram(&s, part);
    if ((part = json_object_get(call, "command"))) /* none are known */
      printf("{\"reply\":%lld,\"status\":\"unsupported\"}\n",
             (long long)json_integer_value(json_object_get(call, "id")));
    if (json_object_get(call, "stop")) more = 0;
    uint64_t next = more ? send_due(&s) : 0;
    if (next)
      printf("{\"done\":{\"deadline\":%llu}}\n", (unsigned long long)next);
    else
      printf("{\"done\":{}}\n");
    fflush(stdout);
    json_decref(call);
  }
  free(line);
  return 0;
}
