/* SPDX-License-Identifier: BSD-2-Clause */
/* What a group request asks for: its target, its options, and that it is really sent. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/checks.h"
#include "rules/client.h"

enum { GET = 1, POST = 2, PUT = 3, FETCH = 5, PATCH = 6, IPATCH = 7 };

/* ---- COAP-5.10.1-01: Uri-Host and Uri-Port ---- */

static bool is_destination_literal(const struct dis_option *host,
                                   const struct chorus_endpoint *to) {
  char text[64];
  struct chorus_endpoint address;
  size_t length = host->length;
  const uint8_t *value = host->value;
  if (length >= 2 && value[0] == '[' && value[length - 1] == ']') {
    value++;
    length -= 2;
  }
  if (length >= sizeof text) return false;
  memcpy(text, value, length);
  text[length] = '\0';
  return chorus_address_parse(text, 0, &address) && chorus_same_address(&address, to);
}

static bool has_capital(const struct dis_option *host) {
  for (size_t i = 0; i < host->length; i++)
    if (host->value[i] >= 'A' && host->value[i] <= 'Z') return true;
  return false;
}

void rule_coap_5_10_1_01(struct jdg_look *look) {
  if (!rule_new_group_request(look) || look->request->proxied) return;
  const struct dis_option *host;
  const struct chorus_endpoint *to = &look->request->destination;
  bool named = dis_option_count(look->coap, DIS_URI_HOST, &host) > 0;
  uint32_t port;
  if (named && is_destination_literal(host, to)) {
    jdg_break(look, look->frame, "no Uri-Host for an address literal", "Uri-Host \"%.*s\"",
              (int)host->length, (const char *)host->value);
  } else if (named && has_capital(host)) {
    jdg_break(look, look->frame, "Uri-Host in lower case", "Uri-Host \"%.*s\"", (int)host->length,
              (const char *)host->value);
  } else if (dis_option_uint(look->coap, DIS_URI_PORT, 2, &port) == DIS_PRESENT &&
             port == to->port) {
    jdg_break(look, look->frame, "no Uri-Port for the destination port", "Uri-Port %u", port);
  } else {
    jdg_pass(look);
  }
}

/* ---- COAP-8.2.1-05: no ETag in a group GET ---- */

void rule_coap_8_2_1_05(struct jdg_look *look) {
  if (!look->group || look->coap->code != GET || !rule_own_request(look)) return;
  if (look->relation == JDG_COPY) return;
  if (dis_option_count(look->coap, DIS_ETAG, NULL))
    jdg_break(look, look->frame, "group GET without ETag", "group GET with ETag");
  else
    jdg_pass(look);
}

/* ---- COAP-12.8-01: the All CoAP Nodes groups ---- */

enum group_kind { ALL_COAP_NODES, OTHER_ASSIGNED, NOT_ASSIGNED };

static enum group_kind kind_of_v6(const uint8_t a[16]) {
  static const uint8_t zero[16] = {0};
  if (a[1] & 0xf0u) return NOT_ASSIGNED; /* flags: transient or prefix-based (RFC 4291, 2.7) */
  if (memcmp(a + 2, zero, 12) != 0) return NOT_ASSIGNED;
  unsigned id = (unsigned)a[14] << 8 | a[15];
  if (id == 0xfd) return ALL_COAP_NODES;
  /* All nodes and all routers of a link: asking them is no mistake about the CoAP groups. */
  return id <= 2 || id >= 0x100 ? NOT_ASSIGNED : OTHER_ASSIGNED;
}

static enum group_kind kind_of(const struct chorus_endpoint *to) {
  if (!chorus_is_ipv4(to)) return kind_of_v6(to->address);
  static const uint8_t all_coap_nodes[4] = {224, 0, 1, 187};
  const uint8_t *a = to->address + 12;
  if (memcmp(a, all_coap_nodes, 4) == 0) return ALL_COAP_NODES;
  /* 224.0.1.0/24 is the Internetwork Control Block, which is assigned address by address (RFC
   * 5771). */
  return a[0] == 224 && a[1] == 0 && a[2] == 1 ? OTHER_ASSIGNED : NOT_ASSIGNED;
}

void rule_coap_12_8_01(struct jdg_look *look) {
  if (!rule_new_group_request(look) || !look->request->discovery) return;
  enum group_kind kind = kind_of(&look->request->destination);
  char to[CHORUS_ENDPOINT_TEXT];
  if (kind == ALL_COAP_NODES)
    jdg_pass(look);
  else if (kind == OTHER_ASSIGNED)
    jdg_break(look, look->frame, "discovery at 224.0.1.187 or ff0X::fd", "discovery at %s",
              chorus_address_text(&look->request->destination, to));
}

/* ---- COAP-8.2.1-01: a cache never stands in for the request ---- */

#define KNOWN_REQUESTS  16
#define DEFAULT_MAX_AGE (60 * CHORUS_SECOND) /* RFC 7252, section 5.10.5 */

struct cache_view {
  struct {
    uint64_t digest;
    struct chorus_endpoint group;
    chorus_time time;
  } sent[KNOWN_REQUESTS];
  struct { /* GETs of a group that were announced and are not on the wire yet */
    uint64_t token;
    bool used;
  } pending[KNOWN_REQUESTS];
  unsigned next;
};

static bool asked_before(struct cache_view *view, const struct jdg_look *look) {
  const struct jdg_request *r = look->request;
  for (size_t i = 0; i < KNOWN_REQUESTS; i++) {
    if (!view->sent[i].time || view->sent[i].digest != r->digest) continue;
    if (!chorus_same_endpoint(&view->sent[i].group, &r->destination)) continue;
    bool fresh = look->now - view->sent[i].time < DEFAULT_MAX_AGE;
    view->sent[i].time = look->now;
    return fresh;
  }
  unsigned slot = view->next++ % KNOWN_REQUESTS;
  view->sent[slot].digest = r->digest;
  view->sent[slot].group = r->destination;
  view->sent[slot].time = look->now ? look->now : 1;
  return false;
}

/* By Token; a request that was never sent may have none, and has a name. */
static uint64_t event_key(const struct chorus_event *e) {
  if (e->has_message || !e->request) return rule_token_key(e->token, e->token_length);
  return ~rule_token_key((const uint8_t *)e->request, strlen(e->request));
}

/* A delivered response whose request and arrival nobody saw can only come from a cache. */
static void from_cache(struct jdg_look *look, struct cache_view *view) {
  const struct chorus_event *e = look->event;
  uint64_t key = event_key(e);
  for (size_t i = 0; i < KNOWN_REQUESTS; i++) {
    if (!view->pending[i].used || view->pending[i].token != key) continue;
    view->pending[i].used = false;
    if (look->arrival || look->request) return;
    jdg_break(look, 0, "a new request to the group", "a response from the cache alone");
    return;
  }
}

/* The request is on the wire after all. */
static void settle(struct cache_view *view, const struct jdg_request *r) {
  uint64_t key = rule_token_key(r->token, r->token_length);
  for (size_t i = 0; i < KNOWN_REQUESTS; i++)
    if (view->pending[i].token == key) view->pending[i].used = false;
}

static void pend(struct cache_view *view, const struct chorus_event *e) {
  unsigned slot = view->next++ % KNOWN_REQUESTS;
  view->pending[slot].token = event_key(e);
  view->pending[slot].used = true;
}

void rule_coap_8_2_1_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_SENT) {
    if (!look->group || look->coap->code != GET || !rule_own_request(look)) return;
    struct cache_view *view = jdg_state(look, sizeof *view);
    if (!view) return;
    settle(view, look->request);
    if (rule_new_group_request(look) && asked_before(view, look)) jdg_pass(look);
    return;
  }
  const struct chorus_event *e = look->event;
  bool delivers = e->type == CHORUS_EVENT_DELIVER;
  if (!delivers && e->type != CHORUS_EVENT_REQUEST) return;
  if (!look->certain || !(e->has_message || e->request)) return;
  if (!e->group && !(delivers && !e->has_message)) return;
  struct cache_view *view = jdg_state(look, sizeof *view);
  if (!view) return;
  if (delivers) from_cache(look, view);
  if (e->type == CHORUS_EVENT_REQUEST && e->code == GET && !look->request) pend(view, e);
}

/* ---- GC-2.3.6-01, GC-2.3.6-02, GC-2.3.6-05: block-wise transfer ---- */

struct block {
  uint32_t number;
  unsigned more, szx;
};

/* The value of a Block option (RFC 7959, section 2.2). */
static enum dis_presence block_of(const struct dis_coap *m, uint16_t option, struct block *block) {
  uint32_t value = 0;
  enum dis_presence presence = dis_option_uint(m, option, 3, &value);
  *block = (struct block){value >> 4, value >> 3 & 1u, value & 7u};
  return presence;
}

void rule_gc_2_3_6_01(struct jdg_look *look) {
  if (!rule_new_group_request(look)) return;
  struct block block;
  enum dis_presence presence = block_of(look->coap, DIS_BLOCK2, &block);
  if (presence == DIS_ABSENT) return;
  /* groupcomm-bis-18, 3.8, asks for further blocks by group requests, too. */
  bool later_blocks = jdg_profile_of(look) == JDG_BIS_18;
  if (presence == DIS_MALFORMED)
    jdg_break(look, look->frame, "Block2 of 0 to 3 octets, once", "Block2 longer, or repeated");
  else if ((block.number && !later_blocks) || block.more || block.szx > 6)
    jdg_break(look, look->frame, "Block2 NUM=0 M=0 SZX=0..6", "Block2 NUM=%u M=%u SZX=%u",
              block.number, block.more, block.szx);
  else
    jdg_pass(look);
}

#define LARGE_SERVERS 16

struct large_servers {
  struct chorus_endpoint server[LARGE_SERVERS];
  unsigned next;
};

static void note_large(struct jdg_look *look) {
  const struct jdg_request *r = look->arrival->request;
  struct block block;
  if (!look->coap || !r || !r->group || r->client != look->host) return;
  if (block_of(look->coap, DIS_BLOCK2, &block) != DIS_PRESENT || !block.more) return;
  struct large_servers *state = jdg_state(look, sizeof *state);
  if (state) state->server[state->next++ % LARGE_SERVERS] = look->arrival->source;
}

static bool is_large(struct jdg_look *look) {
  struct large_servers *state = jdg_state(look, sizeof *state);
  for (size_t i = 0; state && i < LARGE_SERVERS; i++)
    if (chorus_same_address(&state->server[i], &look->request->destination)) return true;
  return false;
}

void rule_gc_2_3_6_02(struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_RECEIVED) {
    note_large(look);
    return;
  }
  if (!rule_own_request(look) || look->relation == JDG_COPY) return;
  struct block block;
  if (block_of(look->coap, DIS_BLOCK2, &block) != DIS_PRESENT || !block.number) return;
  if (look->group)
    jdg_break(look, look->frame, "further blocks by unicast", "block %u by group request",
              block.number);
  else if (is_large(look))
    jdg_pass(look);
}

static bool carries_payload(const struct dis_coap *m) {
  bool upload = m->code == POST || m->code == PUT || m->code == FETCH || m->code == PATCH ||
                m->code == IPATCH;
  return upload && m->payload_length;
}

void rule_gc_2_3_6_05(struct jdg_look *look) {
  if (!rule_new_group_request(look)) return;
  if (dis_option_count(look->coap, DIS_BLOCK1, NULL))
    jdg_break(look, look->frame, "group request without Block1", "group request with Block1");
  else if (dis_option_count(look->coap, DIS_SIZE1, NULL))
    jdg_break(look, look->frame, "group request without Size1", "group request with Size1");
  else if (carries_payload(look->coap))
    jdg_pass(look);
}
