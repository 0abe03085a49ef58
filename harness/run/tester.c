/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/tester.h"

#include <stdlib.h>

#include "dissect/coap.h"

enum { MAX_MESSAGE = 65507, MID_STREAM = 100 };

/* An answer that waits for its time. */
struct waiting {
  chorus_time at;
  uint64_t order;
  const struct scn_answer *answer;
  uint32_t copies_left;
  struct run_received received;
  struct chorus_endpoint peer, local; /* who asked, and where it came in */
};

struct run_tester {
  const struct scn_node *node;
  const struct chorus_host *host;
  struct net_network *network;
  uint32_t number;
  uint16_t next_mid;
  uint64_t order;
  uint64_t *matched; /* per answer: messages that fitted so far */
  struct waiting *queue;
  size_t queued, capacity;
  uint8_t *buffer;
};

/* ---- building ---- */

struct builder {
  uint8_t *out;
  size_t length, capacity;
  bool full;
};

static void put(struct builder *b, const void *octets, size_t length) {
  if (b->full || length > b->capacity - b->length) {
    b->full = true;
    return;
  }
  if (length) memcpy(b->out + b->length, octets, length);
  b->length += length;
}

static void put_octet(struct builder *b, unsigned value) {
  uint8_t octet = (uint8_t)value;
  put(b, &octet, 1);
}

/* Nibble and extension octets of an option's delta or length (RFC 7252, section 3.1). */
static unsigned nibble(unsigned value) {
  return value < 13 ? value : value < 269 ? 13 : 14;
}

static void put_extension(struct builder *b, unsigned value) {
  if (value >= 269) {
    put_octet(b, (value - 269) >> 8);
    put_octet(b, (value - 269) & 0xff);
  } else if (value >= 13) {
    put_octet(b, value - 13);
  }
}

static void put_options(struct builder *b, const struct scn_message *m) {
  unsigned last = 0;
  for (size_t i = 0; i < m->option_count; i++) {
    const struct scn_option *o = &m->options[i];
    unsigned delta = o->number - last;
    put_octet(b, nibble(delta) << 4 | nibble(o->length));
    put_extension(b, delta);
    put_extension(b, o->length);
    put(b, o->value, o->length);
    last = o->number;
  }
}

static uint8_t type_of(const struct scn_message *m, const struct run_received *r) {
  if (m->type_from == SCN_GIVEN) return m->type;
  return r && r->type == DIS_CON ? DIS_ACK : DIS_NON;
}

static uint16_t mid_of(const struct scn_message *m, const struct run_received *r, uint8_t type,
                       uint16_t *next_mid) {
  if (m->mid_from == SCN_GIVEN) return m->mid;
  bool reply = type == DIS_ACK || type == DIS_RST;
  if (r && (m->mid_from == SCN_SAME || reply)) return r->mid;
  return (*next_mid)++;
}

size_t run_build_message(const struct scn_message *m, const struct run_received *received,
                         uint16_t *next_mid, uint8_t *out, size_t capacity) {
  struct builder b = {.out = out, .capacity = capacity};
  if (m->raw) {
    put(&b, m->raw, m->raw_length);
  } else {
    const uint8_t *token = m->token;
    unsigned length = m->token_length;
    bool copy = received && m->code != 0 && m->token_from != SCN_GIVEN;
    if (copy) token = received->token;
    if (copy) length = received->token_length;
    unsigned tkl = m->token_length_field >= 0 ? (unsigned)m->token_length_field : length & 15u;
    uint8_t type = type_of(m, received);
    uint16_t mid = mid_of(m, received, type, next_mid);
    put_octet(&b, (unsigned)m->version << 6 | (unsigned)type << 4 | tkl);
    put_octet(&b, m->code);
    put_octet(&b, mid >> 8);
    put_octet(&b, mid & 0xff);
    put(&b, token, length);
    put_options(&b, m);
    if (m->marker) put_octet(&b, 0xff);
    put(&b, m->payload, m->payload_length);
  }
  put(&b, m->trailing, m->trailing_length);
  return b.full ? 0 : b.length;
}

/* ---- sending ---- */

static int transmit(struct run_tester *t, const struct chorus_endpoint *from, bool foreign,
                    const struct chorus_endpoint *to, uint8_t hops, size_t length) {
  struct chorus_datagram d = {.source = *from,
                              .destination = *to,
                              .payload = t->buffer,
                              .length = length,
                              .hop_limit = hops};
  if (foreign) return net_inject(t->network, t->number, &d);
  t->host->ops->open(t->host->context, from->port);
  return t->host->ops->send(t->host->context, &d);
}

static bool own_address(const struct run_tester *t, const struct chorus_endpoint *e) {
  for (size_t i = 0; i < t->node->address_count; i++)
    if (chorus_same_address(&t->node->addresses[i], e)) return true;
  return false;
}

static void send_answer(struct run_tester *t, const struct waiting *w) {
  const struct scn_answer *a = w->answer;
  struct chorus_endpoint from = {.port = a->source_port ? a->source_port : w->local.port};
  if (!chorus_is_group(&w->local)) memcpy(from.address, w->local.address, sizeof from.address);
  if (a->has_from) from = a->from;
  size_t length =
      run_build_message(&a->message, &w->received, &t->next_mid, t->buffer, MAX_MESSAGE);
  bool foreign = a->has_from && !own_address(t, &from);
  if (length || a->message.raw)
    transmit(t, &from, foreign, a->has_to ? &a->to : &w->peer, 0, length);
}

int run_tester_send(struct run_tester *t, const struct scn_send *send) {
  struct chorus_endpoint from = {.port = t->node->server.port};
  if (send->has_from) from = send->from;
  size_t length = run_build_message(&send->message, NULL, &t->next_mid, t->buffer, MAX_MESSAGE);
  if (!length && !send->message.raw) return CHORUS_TOO_LARGE;
  bool foreign = send->has_from && !own_address(t, &from);
  return transmit(t, &from, foreign, &send->to, send->hop_limit, length);
}

/* ---- the queue of answers ---- */

static size_t soonest(const struct run_tester *t) {
  size_t best = 0;
  for (size_t i = 1; i < t->queued; i++) {
    const struct waiting *a = &t->queue[i], *b = &t->queue[best];
    if (a->at < b->at || (a->at == b->at && a->order < b->order)) best = i;
  }
  return best;
}

static void set_deadline(struct run_tester *t) {
  chorus_time at = t->queued ? t->queue[soonest(t)].at : CHORUS_NEVER;
  t->host->ops->deadline(t->host->context, at);
}

static void send_due(struct run_tester *t, chorus_time now) {
  while (t->queued) {
    size_t i = soonest(t);
    if (t->queue[i].at > now) break;
    struct waiting w = t->queue[i];
    t->queue[i] = t->queue[--t->queued];
    send_answer(t, &w);
    if (--w.copies_left == 0) continue;
    w.at += w.answer->every;
    w.order = t->order++;
    t->queue[t->queued++] = w;
  }
  set_deadline(t);
}

static void enqueue(struct run_tester *t, const struct waiting *w) {
  if (t->queued == t->capacity) {
    size_t capacity = t->capacity ? 2 * t->capacity : 16;
    struct waiting *grown = realloc(t->queue, capacity * sizeof *grown);
    if (!grown) return;
    t->queue = grown;
    t->capacity = capacity;
  }
  t->queue[t->queued] = *w;
  t->queue[t->queued++].order = t->order++;
}

/* ---- matching ---- */

static bool kind_fits(enum scn_kind kind, const struct dis_coap *m) {
  switch (kind) {
    case SCN_REQUEST: return dis_is_request(m);
    case SCN_RESPONSE: return dis_is_response(m);
    case SCN_EMPTY: return dis_is_empty(m);
    default: return true;
  }
}

static bool path_fits(const char *path, const struct dis_coap *m) {
  char text[512];
  if (!path) return true;
  dis_path_text(m, text, sizeof text);
  if (!strchr(path, '?')) text[strcspn(text, "?")] = '\0';
  return strcmp(path, text) == 0;
}

static bool answer_fits(const struct scn_answer *a, const struct dis_coap *m, bool group) {
  if (!kind_fits(a->kind, m)) return false;
  if (a->code >= 0 && a->code != m->code) return false;
  if (a->type >= 0 && a->type != m->type) return false;
  if (a->destination == SCN_TO_GROUP && !group) return false;
  if (a->destination == SCN_TO_UNICAST && group) return false;
  return path_fits(a->path, m);
}

static struct run_received describe(const struct dis_coap *m) {
  struct run_received r = {.type = m->type, .mid = m->mid};
  if (m->token && m->token_length <= sizeof r.token) {
    r.token_length = m->token_length;
    memcpy(r.token, m->token, m->token_length);
  }
  return r;
}

static void on_datagram(void *node, chorus_time now, const struct chorus_datagram *datagram) {
  struct run_tester *t = node;
  struct dis_coap m;
  dis_coap_parse(&m, datagram->payload, datagram->length);
  if (m.errors & DIS_FORMAT_ERRORS) return;
  bool group = chorus_is_group(&datagram->destination);
  for (size_t i = 0; i < t->node->answer_count; i++) {
    const struct scn_answer *a = &t->node->answers[i];
    if (!answer_fits(a, &m, group)) continue;
    uint64_t nth = ++t->matched[i];
    if (nth < a->nth.min || nth > a->nth.max) continue;
    struct waiting w = {.at = now + a->after,
                        .answer = a,
                        .copies_left = a->copies,
                        .received = describe(&m),
                        .peer = datagram->source,
                        .local = datagram->destination};
    enqueue(t, &w);
  }
  send_due(t, now);
}

static void on_wake(void *node, chorus_time now) {
  send_due(node, now);
}

static int on_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct run_tester *t = node;
  (void)now;
  t->host = host;
  t->next_mid = (uint16_t)host->ops->random(host->context, MID_STREAM);
  int status = host->ops->open(host->context, t->node->server.port);
  for (size_t i = 0; i < t->node->server.group_count && status == CHORUS_OK; i++)
    status = host->ops->join(host->context, &t->node->server.groups[i]);
  for (size_t i = 0; i < t->node->answer_count && status == CHORUS_OK; i++)
    if (t->node->answers[i].source_port)
      status = host->ops->open(host->context, t->node->answers[i].source_port);
  return status;
}

static const struct chorus_node_ops tester_ops = {
    .start = on_start, .datagram = on_datagram, .wake = on_wake};

/* ---- life ---- */

struct run_tester *run_tester_new(const struct scn_node *node) {
  struct run_tester *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->node = node;
  t->matched = calloc(node->answer_count + 1, sizeof *t->matched);
  t->buffer = malloc(MAX_MESSAGE);
  if (t->matched && t->buffer) return t;
  run_tester_free(t);
  return NULL;
}

void run_tester_free(struct run_tester *tester) {
  if (!tester) return;
  free(tester->matched);
  free(tester->queue);
  free(tester->buffer);
  free(tester);
}

struct chorus_node run_tester_node(struct run_tester *tester) {
  return (struct chorus_node){.ops = &tester_ops, .state = tester};
}

void run_tester_attach(struct run_tester *tester, struct net_network *network, uint32_t number) {
  tester->network = network;
  tester->number = number;
}
