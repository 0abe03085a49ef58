/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of rules: a judge, nodes with their own views, and short ways to let them send, receive
 * and say something.
 *
 *   struct fx fx;
 *   fx_open(&fx, JDG_DIJK_03);
 *   uint32_t c = fx_node(&fx, "c1", "2001:db8::c"), s = fx_node(&fx, "s1", "2001:db8::1");
 *   fx_at(&fx, 1000);                                               // ms
 *   fx_send(&fx, c, "[2001:db8::c]:40000", "[ff35::1]:5683", NON(GET, 1, "aa", .path = "/x"));
 *   fx_receive(&fx, s, ...the same...);
 *   fx_close_at(&fx, 20000);
 *   ck_assert_int_eq(fx_verdict(&fx, "GC-2.3.1-02", c), JDG_PASS);
 *   fx_free(&fx);
 */
#ifndef CHORUS_TESTS_JUDGE_FIXTURE_H
#define CHORUS_TESTS_JUDGE_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "judge/model.h"

#define FX_MS     CHORUS_MILLISECOND
#define FX_MEDIUM 1000u /* an interface that is nobody's own view */

enum {
  GET = 0x01,
  POST = 0x02,
  PUT = 0x03,
  DELETE = 0x04,
  CODE_204 = 0x44,
  CODE_205 = 0x45,
  CODE_400 = 0x80,
  CODE_402 = 0x82,
  CODE_404 = 0x84,
  CODE_405 = 0x85,
  CODE_500 = 0xa0
};

struct fx {
  struct judge *judge;
  chorus_time now;
  uint64_t frame;
  uint8_t hop_limit; /* of IPv6 packets; 0: 64 */
};

/* A message to build. |token| and |raw| are hexadecimal. Options beyond path and query: |options|.
 */
struct fx_option {
  uint16_t number;
  const char *hex;
};
struct fx_message {
  int type;
  int code;
  int mid;
  const char *token;
  const char *path;            /* "/a/b" */
  const char *query;           /* "x=1", one argument */
  const char *payload;         /* text */
  struct fx_option options[8]; /* any order */
  const char *raw;             /* instead of everything else */
  const char *trailing;        /* hexadecimal octets after the message */
};
#define FX(t, c, m, k, ...) \
  (&(struct fx_message){.type = (t), .code = (c), .mid = (m), .token = (k), ##__VA_ARGS__})
#define CON(c, m, k, ...) FX(DIS_CON, c, m, k, ##__VA_ARGS__)
#define NON(c, m, k, ...) FX(DIS_NON, c, m, k, ##__VA_ARGS__)
#define ACK(c, m, k, ...) FX(DIS_ACK, c, m, k, ##__VA_ARGS__)
#define RST(m)            FX(DIS_RST, 0, m, "")
#define RAW(hex)          (&(struct fx_message){.raw = (hex)})

static inline size_t fx_hex(const char *hex, uint8_t *out) {
  size_t n = 0;
  for (; hex && hex[0] && hex[1]; hex += 2) {
    char pair[3] = {hex[0], hex[1], 0};
    out[n++] = (uint8_t)strtoul(pair, NULL, 16);
  }
  return n;
}

static inline size_t fx_nibble(uint8_t *out, unsigned value, uint8_t *nibble) {
  if (value < 13) {
    *nibble = (uint8_t)value;
    return 0;
  }
  if (value < 269) {
    *nibble = 13;
    out[0] = (uint8_t)(value - 13);
    return 1;
  }
  *nibble = 14;
  out[0] = (uint8_t)((value - 269) >> 8);
  out[1] = (uint8_t)(value - 269);
  return 2;
}

static inline size_t fx_put_option(uint8_t *out, unsigned delta, const uint8_t *value,
                                   size_t length) {
  uint8_t d, l;
  size_t n = 1;
  n += fx_nibble(out + n, delta, &d);
  n += fx_nibble(out + n, (unsigned)length, &l);
  out[0] = (uint8_t)(d << 4 | l);
  memcpy(out + n, value, length);
  return n + length;
}

struct fx_value {
  unsigned number;
  size_t length;
  uint8_t value[1500];
};

static inline size_t fx_collect(const struct fx_message *m, struct fx_value *v) {
  size_t n = 0;
  for (const char *p = m->path; p && *p == '/' && p[1];) {
    size_t l = strcspn(p + 1, "/");
    v[n].number = DIS_URI_PATH;
    v[n].length = l;
    memcpy(v[n++].value, p + 1, l);
    p += l + 1;
  }
  if (m->query) {
    v[n].number = DIS_URI_QUERY;
    v[n].length = strlen(m->query);
    memcpy(v[n].value, m->query, v[n].length);
    n++;
  }
  for (size_t i = 0; i < 8 && (m->options[i].number || m->options[i].hex); i++) {
    v[n].number = m->options[i].number;
    v[n].length = fx_hex(m->options[i].hex, v[n].value);
    n++;
  }
  for (size_t i = 1; i < n; i++) /* stable insertion sort by number */
    for (size_t j = i; j && v[j - 1].number > v[j].number; j--) {
      struct fx_value t = v[j];
      v[j] = v[j - 1];
      v[j - 1] = t;
    }
  return n;
}

static inline size_t fx_build(const struct fx_message *m, uint8_t *out) {
  if (m->raw) return fx_hex(m->raw, out);
  uint8_t token[8];
  size_t tkl = fx_hex(m->token, token), n = 4;
  out[0] = (uint8_t)(0x40 | m->type << 4 | (int)tkl);
  out[1] = (uint8_t)m->code;
  out[2] = (uint8_t)(m->mid >> 8);
  out[3] = (uint8_t)m->mid;
  memcpy(out + n, token, tkl);
  n += tkl;
  struct fx_value *v = calloc(20, sizeof *v);
  size_t count = fx_collect(m, v);
  unsigned last = 0;
  for (size_t i = 0; i < count; i++) {
    n += fx_put_option(out + n, v[i].number - last, v[i].value, v[i].length);
    last = v[i].number;
  }
  free(v);
  if (m->payload) {
    out[n++] = 0xff;
    memcpy(out + n, m->payload, strlen(m->payload));
    n += strlen(m->payload);
  }
  return n + fx_hex(m->trailing, out + n);
}

static inline void fx_word(uint8_t *p, size_t v) {
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

/* An IPv6 or IPv4 packet with a UDP datagram; the checksum is left 0 over IPv4, right over IPv6. */
static inline size_t fx_packet(const struct chorus_endpoint *from, const struct chorus_endpoint *to,
                               const uint8_t *payload, size_t length, uint8_t *p) {
  bool v4 = chorus_is_ipv4(from);
  size_t head = v4 ? 20 : 40, udp = length + 8;
  memset(p, 0, head + 8);
  if (v4) {
    p[0] = 0x45;
    fx_word(p + 2, head + udp);
    p[8] = 64;
    p[9] = 17;
    memcpy(p + 12, from->address + 12, 4);
    memcpy(p + 16, to->address + 12, 4);
    uint32_t s = 0;
    for (size_t i = 0; i < 20; i += 2) s += (uint32_t)(p[i] << 8 | p[i + 1]);
    while (s >> 16) s = (s & 0xffff) + (s >> 16);
    fx_word(p + 10, (uint16_t)~s);
  } else {
    p[0] = 0x60;
    fx_word(p + 4, udp);
    p[6] = 17;
    p[7] = 64;
    memcpy(p + 8, from->address, 16);
    memcpy(p + 24, to->address, 16);
  }
  fx_word(p + head, from->port);
  fx_word(p + head + 2, to->port);
  fx_word(p + head + 4, udp);
  memcpy(p + head + 8, payload, length);
  if (!v4) {
    uint32_t s = (uint32_t)udp + 17;
    for (size_t i = 8; i < 40; i += 2) s += (uint32_t)(p[i] << 8 | p[i + 1]);
    for (size_t i = 0; i < udp; i += 2)
      s += (uint32_t)(p[head + i] << 8 | (i + 1 < udp ? p[head + i + 1] : 0));
    while (s >> 16) s = (s & 0xffff) + (s >> 16);
    fx_word(p + head + 6, s == 0xffff ? 0xffff : (uint16_t)~s);
  }
  return head + udp;
}

static inline struct chorus_endpoint fx_endpoint(const char *text) {
  struct chorus_endpoint e;
  ck_assert_msg(chorus_endpoint_parse(text, CHORUS_COAP_PORT, &e), "bad endpoint %s", text);
  return e;
}

static inline void fx_open(struct fx *fx, enum jdg_profile profile) {
  memset(fx, 0, sizeof *fx);
  fx->judge = jdg_new(&(struct jdg_config){.profile = profile});
  ck_assert_ptr_nonnull(fx->judge);
}

static inline void fx_free(struct fx *fx) {
  jdg_free(fx->judge);
}

/* A node with its own view; its index is also its interface. */
static inline uint32_t fx_node(struct fx *fx, const char *name, const char *address) {
  struct chorus_endpoint e = fx_endpoint(address);
  uint32_t node = jdg_add_node(fx->judge, name, &e, 1, true);
  jdg_bind_interface(fx->judge, node, node);
  return node;
}

/* The same, not judged. */
static inline uint32_t fx_tester(struct fx *fx, const char *name, const char *address) {
  struct chorus_endpoint e = fx_endpoint(address);
  uint32_t node = jdg_add_node(fx->judge, name, &e, 1, false);
  jdg_bind_interface(fx->judge, node, node);
  return node;
}

/* Sets the time in milliseconds, or in nanoseconds. */
static inline void fx_at(struct fx *fx, uint64_t ms) {
  fx->now = ms * FX_MS;
}
static inline void fx_at_ns(struct fx *fx, chorus_time ns) {
  fx->now = ns;
}

static inline uint64_t fx_frame(struct fx *fx, uint32_t interface, enum dis_direction direction,
                                const char *from, const char *to, const struct fx_message *m) {
  uint8_t coap[4096], packet[4200];
  struct chorus_endpoint source = fx_endpoint(from), destination = fx_endpoint(to);
  size_t length = fx_packet(&source, &destination, coap, fx_build(m, coap), packet);
  if (fx->hop_limit && !chorus_is_ipv4(&source)) packet[7] = fx->hop_limit;
  struct cap_packet p = {.frame = ++fx->frame,
                         .interface = interface,
                         .link_type = 101,
                         .time = fx->now,
                         .direction = direction,
                         .data = packet,
                         .length = length,
                         .original_length = length};
  jdg_packet(fx->judge, &p);
  return p.frame;
}

/* The node sends; only its own view shows it. Returns the frame number. */
static inline uint64_t fx_send(struct fx *fx, uint32_t node, const char *from, const char *to,
                               const struct fx_message *m) {
  return fx_frame(fx, node, DIS_OUTBOUND, from, to, m);
}

static inline uint64_t fx_receive(struct fx *fx, uint32_t node, const char *from, const char *to,
                                  const struct fx_message *m) {
  return fx_frame(fx, node, DIS_INBOUND, from, to, m);
}

/* A capture made elsewhere sees the datagram in between. */
static inline uint64_t fx_see(struct fx *fx, const char *from, const char *to,
                              const struct fx_message *m) {
  return fx_frame(fx, FX_MEDIUM, DIS_DIRECTION_UNKNOWN, from, to, m);
}

/* |sender| sends and each of |count| receivers gets it at once. */
static inline uint64_t fx_cast(struct fx *fx, uint32_t sender, const char *from, const char *to,
                               const uint32_t *receivers, size_t count,
                               const struct fx_message *m) {
  uint64_t frame = fx_send(fx, sender, from, to, m);
  for (size_t i = 0; i < count; i++) fx_receive(fx, receivers[i], from, to, m);
  return frame;
}

/* An application event about message |m| (may be NULL) with |peer| (may be NULL). */
static inline void fx_event(struct fx *fx, uint32_t node, enum chorus_event_type type,
                            const char *peer, const struct fx_message *m, const char *path,
                            const char *detail, chorus_time timeout) {
  struct chorus_event e = {.type = type, .path = path, .detail = detail, .timeout = timeout};
  if (peer) e.peer = fx_endpoint(peer);
  e.group = peer && chorus_is_group(&e.peer);
  if (m) {
    e.has_message = true;
    e.token_length = (uint8_t)fx_hex(m->token, e.token);
    e.mid = (uint16_t)m->mid;
    e.message_type = (uint8_t)m->type;
    e.code = (uint8_t)m->code;
    e.payload = (const uint8_t *)m->payload;
    e.payload_length = m->payload ? strlen(m->payload) : 0;
  }
  jdg_event(fx->judge, node, fx->now, &e);
}

static inline void fx_close_at(struct fx *fx, uint64_t ms) {
  fx->now = ms * FX_MS;
  jdg_finish(fx->judge, fx->now);
}

static inline const struct jdg_result *fx_result(const struct fx *fx, const char *rule,
                                                 uint32_t node) {
  ck_assert_msg(rule_find(rule) != NULL, "no rule %s", rule);
  for (size_t i = 0; i < jdg_result_count(fx->judge); i++) {
    const struct jdg_result *r = jdg_result_get(fx->judge, i);
    if (r->node == node && strcmp(r->rule->id, rule) == 0) return r;
  }
  return NULL;
}

/* A rule that is not listed for the node was not exercised on it. */
static inline enum jdg_verdict fx_verdict(const struct fx *fx, const char *rule, uint32_t node) {
  const struct jdg_result *r = fx_result(fx, rule, node);
  return r ? r->verdict : JDG_NOT_EXERCISED;
}

static inline uint32_t fx_node_named(const struct fx *fx, const char *name) {
  for (uint32_t i = 0; i < jdg_node_count(fx->judge); i++)
    if (strcmp(jdg_node_name(fx->judge, i), name) == 0) return i;
  return UINT32_MAX;
}

#endif
