/* SPDX-License-Identifier: BSD-2-Clause */
/* How a group request looks: type, transport, ports, group address and scope. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/checks.h"
#include "rules/client.h"

/* ---- GC-2.3.1-02, GC-2.3.4-04, COAP-8.1-01: Non-confirmable ---- */

/* JDG_ON_SENT: as an Acknowledgement or a Reset the request is malformed, too. */
static bool request_in_a_reply(const struct jdg_look *look) {
  bool reply = look->coap->type == DIS_ACK || look->coap->type == DIS_RST;
  return look->group && reply && dis_is_request(look->coap);
}

void rule_gc_2_3_1_02(struct jdg_look *look) {
  if (look->hook == JDG_ON_SENT) {
    if (request_in_a_reply(look))
      jdg_break(look, look->frame, "request type NON", "request type %s, mid=0x%04x",
                dis_type_text(look->coap->type), look->coap->mid);
    return;
  }
  if (!look->group || !rule_own_request(look) || look->relation == JDG_COPY) return;
  if (look->coap->type == DIS_NON) {
    jdg_pass(look);
    return;
  }
  jdg_break(look, look->frame, "request type NON", "request type %s, mid=0x%04x",
            dis_type_text(look->coap->type), look->coap->mid);
}

/* ---- GC-1.1-01, GC-2.4-01: UDP to the group, whatever else the host could do ---- */

/* JDG_ON_EVENT: the transmission that the event speaks of has been seen. */
static bool just_sent(const struct jdg_look *look) {
  const struct jdg_request *r = look->request;
  return r && r->client == look->host && look->now - r->last_time <= jdg_delta(look);
}

void rule_gc_1_1_01(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  if (e->type != CHORUS_EVENT_REQUEST || !chorus_is_group(&e->peer)) return;
  const struct jdg_request *r = look->request;
  if (r && r->proxied) return;
  if (!just_sent(look)) return;
  if (r->group) {
    jdg_pass(look);
    return;
  }
  char to[CHORUS_ENDPOINT_TEXT], group[CHORUS_ENDPOINT_TEXT], expected[128];
  snprintf(expected, sizeof expected, "UDP datagram to %s", chorus_endpoint_text(&e->peer, group));
  jdg_break(look, r->first_frame, expected, "UDP datagram to %s",
            chorus_endpoint_text(&r->destination, to));
}

/* ---- GC-2.1-04: a pure client neither joins nor answers ---- */

static bool serves_nothing(const struct jdg_host *host) {
  return host->ics.groups_declared && host->ics.group_count == 0;
}

void rule_gc_2_1_04(struct jdg_look *look) {
  if (!serves_nothing(look->host)) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    const struct jdg_request *r = look->leg ? look->leg->request : NULL;
    if (!r || r->client != look->host || r->spoofed || !r->group) return;
    jdg_break(look, look->frame, "no response to its own group request",
              "response to its own group request");
    return;
  }
  if (!rule_new_group_request(look)) return;
  char group[CHORUS_ENDPOINT_TEXT];
  if (jdg_member(look, look->host, &look->request->destination) != JDG_YES)
    jdg_pass(look);
  else
    jdg_break(look, look->frame, "no membership of a client that serves no group", "member of %s",
              chorus_endpoint_text(&look->request->destination, group));
}

/* ---- GC-2.3.1-01: one source port per client ---- */

/* Of one node, by IP version. */
struct source_port {
  uint16_t port;
  unsigned open; /* group requests that its application still waits for */
  unsigned sent;
};

static void note_port(struct jdg_look *look, struct source_port *s) {
  uint16_t port = look->request->source.port;
  bool changed = s->sent && port != s->port;
  if (changed && s->open && look->certain)
    jdg_break(look, look->frame, "one source port for all requests of a client",
              "source port %u after %u, with %u group requests outstanding", (unsigned)port,
              (unsigned)s->port, s->open);
  else if (s->sent && !changed)
    jdg_pass(look);
  if (changed) s->open = 0;
  s->port = port;
  s->sent++;
}

void rule_gc_2_3_1_01(struct jdg_look *look) {
  /* Without events, a host may well be several clients. */
  struct source_port *state = jdg_state(look, 2 * sizeof *state);
  if (!state) return;
  if (look->hook == JDG_ON_REQUEST_SENT) {
    if (!rule_new_group_request(look) || !look->host->has_events) return;
    note_port(look, &state[chorus_is_ipv4(&look->request->source)]);
    return;
  }
  if (look->event->type == CHORUS_EVENT_RESTART) memset(state, 0, 2 * sizeof *state);
  const struct jdg_request *r = look->request;
  if (!r || !r->group || r->client != look->host) return;
  struct source_port *s = &state[chorus_is_ipv4(&r->source)];
  if (!s->sent) { /* the first events of a node follow its first packet */
    s->port = r->source.port;
    s->sent = 1;
  }
  if (r->source.port != s->port) return;
  if (look->event->type == CHORUS_EVENT_REQUEST) s->open++;
  if (look->event->type == CHORUS_EVENT_DONE && s->open) s->open--;
}

/* ---- GC-2.3.2-03: the group's port ---- */

void rule_gc_2_3_2_03(struct jdg_look *look) {
  const struct chorus_event *e = look->event;
  if (e->type != CHORUS_EVENT_REQUEST || !chorus_is_group(&e->peer) || !e->peer.port) return;
  const struct jdg_request *r = look->request;
  if (!just_sent(look) || !r->group) return;
  if (!chorus_same_address(&r->destination, &e->peer)) return;
  if (r->destination.port == e->peer.port) {
    jdg_pass(look);
    return;
  }
  char expected[64];
  snprintf(expected, sizeof expected, "destination port %u", (unsigned)e->peer.port);
  jdg_break(look, r->first_frame, expected, "destination port %u", (unsigned)r->destination.port);
}

/* ---- GC-2.3.2-08: never port 5684 ---- */

void rule_gc_2_3_2_08(struct jdg_look *look) {
  if (!look->group) return;
  const struct dis_frame *f = look->frame_info;
  bool to = f->destination.port == CHORUS_COAPS_PORT;
  if (to || f->source.port == CHORUS_COAPS_PORT)
    jdg_break(look, look->frame, "any port but 5684 for group communication", "%s port 5684",
              to ? "destination" : "source");
  else if (!look->copy && rule_own_request(look))
    jdg_pass(look);
}

/* ---- COAP-8.1-06: no DTLS ---- */

/* A DTLS record begins with a content type of 20 to 25 and a version fe ff or fe fd (RFC
 * 6347, 4.1). */
static bool looks_like_dtls(const struct dis_frame *f) {
  const uint8_t *p = f->payload;
  return f->length >= 13 && p[0] >= 20 && p[0] <= 25 && p[1] == 0xfe &&
         (p[2] == 0xff || p[2] == 0xfd);
}

void rule_coap_8_1_06(struct jdg_look *look) {
  if (!look->group) return;
  if (looks_like_dtls(look->frame_info))
    jdg_break(look, look->frame, "CoAP message to the group", "DTLS record, content type %u",
              look->frame_info->payload[0]);
  else if (!look->copy && rule_own_request(look))
    jdg_pass(look);
}

/* ---- GC-2.3.4-12, GC-2.3.4-13: scope ---- */

void rule_gc_2_3_4_12(struct jdg_look *look) {
  unsigned needed = look->host->ics.needed_scope;
  if (!needed || !rule_new_group_request(look)) return;
  const struct chorus_endpoint *to = &look->request->destination;
  unsigned scope = chorus_multicast_scope(to);
  char expected[64];
  if (look->certain && needed > 2 && look->frame_info->hop_limit == 1) {
    snprintf(expected, sizeof expected, "hop limit that reaches scope %u", needed);
    jdg_break(look, look->frame, expected, "hop limit 1");
    return;
  }
  if (chorus_is_ipv4(to)) return; /* no scope in IPv4 addresses: AMB-36 */
  if (scope <= needed) {
    jdg_pass(look);
    return;
  }
  snprintf(expected, sizeof expected, "scope %u or less", needed);
  jdg_break(look, look->frame, expected, "scope %u", scope);
}

enum { SCOPE_REALM = 3, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 }; /* RFC 7346, section 2 */

void rule_gc_2_3_4_13(struct jdg_look *look) {
  unsigned needed = look->host->ics.needed_scope;
  if (!needed || !rule_new_group_request(look)) return;
  if (chorus_is_ipv4(&look->request->destination)) return;
  unsigned scope = chorus_multicast_scope(&look->request->destination);
  if (scope != SCOPE_REALM && scope != SCOPE_SITE && scope != SCOPE_GLOBAL) return;
  if (scope == SCOPE_GLOBAL && needed <= SCOPE_SITE)
    jdg_break(look, look->frame, "site-local scope (5) or smaller", "global scope (14)");
  else if (scope == SCOPE_SITE && needed <= SCOPE_REALM)
    jdg_break(look, look->frame, "realm-local scope (3) or smaller", "site-local scope (5)");
  else
    jdg_pass(look);
}

/* ---- GC-2.4.3-01: one IEEE 802.15.4 frame ---- */

#define FRAME_ROOM 102u /* octets that a frame leaves to 6LoWPAN at least (RFC 4944, section 4) */

/* Octets of a multicast destination address in IPHC (RFC 6282, section 3.1.1). */
static size_t compressed_group(const uint8_t a[16]) {
  static const uint8_t zero[16] = {0};
  if (a[1] == 2 && memcmp(a + 2, zero, 13) == 0) return 1;
  if (memcmp(a + 2, zero, 11) == 0) return 4;
  return 6; /* in 48 bits, with or without a context */
}

/* The least that IPv6 and UDP headers take, compressed: the source address elided by its context.
 */
static size_t compressed_headers(const struct dis_frame *f) {
  bool source_short = (f->source.port & 0xff00u) == 0xf000u;
  bool destination_short = (f->destination.port & 0xff00u) == 0xf000u;
  size_t ports = source_short || destination_short ? 3 : 4;
  if ((f->source.port & 0xfff0u) == 0xf0b0u && (f->destination.port & 0xfff0u) == 0xf0b0u)
    ports = 1;
  uint8_t hops = f->hop_limit;
  size_t hop_limit = hops == 1 || hops == 64 || hops == 255 ? 0 : 1;
  return 2 + compressed_group(f->destination.address) + hop_limit + 1 + ports + 2;
}

void rule_gc_2_4_3_01(struct jdg_look *look) {
  if (look->host->ics.sixlowpan != JDG_YES || !rule_new_group_request(look)) return;
  if (chorus_is_ipv4(&look->request->destination)) return;
  size_t size = compressed_headers(look->frame_info) + look->frame_info->length;
  if (size <= FRAME_ROOM)
    jdg_pass(look);
  else if (look->request->oscore)
    jdg_inconclusive(look, "A secured request hardly fits one IEEE 802.15.4 frame (AMB-15).");
  else
    jdg_break(look, look->frame, "at most 102 octets of 6LoWPAN, headers compressed",
              "at least %zu octets", size);
}
