/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 (RFC 791), IPv6 with extension headers (RFC 8200, section 4), UDP (RFC 768; RFC 8200,
 * section 8.1), and the errors of ICMP (RFC 792) and ICMPv6 (RFC 4443).
 */
#include "dissect/ip.h"

#include "dissect/octets.h"
#include "dissect/reassembly.h"

enum {
  PROTOCOL_HOP_BY_HOP = 0,
  PROTOCOL_ICMP = 1,
  PROTOCOL_UDP = 17,
  PROTOCOL_ROUTING = 43,
  PROTOCOL_FRAGMENT = 44,
  PROTOCOL_AUTHENTICATION = 51,
  PROTOCOL_ICMPV6 = 58,
  PROTOCOL_DESTINATION_OPTIONS = 60,
  PROTOCOL_MOBILITY = 135,
};

/* What an IP header carries, as far as it has been read. */
struct body {
  const uint8_t *data;
  size_t length;
  uint8_t protocol;
  bool cut;         /* the capture has less of it than there was */
  bool other_final; /* a routing header: the checksum is over another destination */
};

static void unreadable(struct dis_frame *frame, const char *why) {
  frame->kind = DIS_FRAME_UNREADABLE;
  frame->why = why;
}

static void damaged(struct dis_frame *frame, const char *why) {
  frame->kind = DIS_FRAME_DAMAGED;
  frame->why = why;
}

/* Too short: by the fault of the capture, or of whoever wrote the headers. */
static void too_short(struct dis_frame *frame, bool cut, const char *why) {
  unreadable(frame, cut ? "cut by the snap length" : why);
}

static void set_ipv4(struct chorus_endpoint *e, const uint8_t *address) {
  memcpy(e->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(e->address + 12, address, 4);
}

/* ---- UDP ---- */

/* The sum over the pseudo-header (RFC 768; RFC 8200, section 8.1). */
static uint64_t pseudo_header(const struct dis_frame *frame, uint8_t protocol, size_t length) {
  size_t from = chorus_is_ipv4(&frame->destination) ? 12 : 0;
  uint64_t sum = checksum_add(0, frame->source.address + from, 16 - from);
  sum = checksum_add(sum, frame->destination.address + from, 16 - from);
  sum = checksum_number(sum, protocol);
  return checksum_number(checksum_number(sum, (uint16_t)length), (uint16_t)(length >> 16));
}

/* Why the checksum of the UDP datagram of |length| octets at |p| is wrong, or NULL. */
static const char *udp_checksum_fault(struct dis_frame *frame, const uint8_t *p, size_t length) {
  uint16_t checksum = be16(p + 6);
  if (checksum == 0)
    return chorus_is_ipv4(&frame->destination) ? NULL : "no UDP checksum over IPv6";
  uint64_t sum = pseudo_header(frame, PROTOCOL_UDP, length);
  if (checksum_fold(checksum_add(sum, p, length)) == UINT16_MAX) return NULL;
  /* Left to the network card, which captures come before. */
  frame->offloaded = checksum == checksum_fold(sum);
  return frame->offloaded ? NULL : "UDP checksum is wrong";
}

static void read_udp(const struct body *body, struct dis_frame *frame) {
  const uint8_t *p = body->data;
  if (body->length < 8) {
    if (body->cut) return unreadable(frame, "cut by the snap length");
    return damaged(frame, "packet shorter than a UDP header");
  }
  frame->source.port = be16(p);
  frame->destination.port = be16(p + 2);
  size_t length = be16(p + 4);
  if (length < 8) return damaged(frame, "UDP length is below 8");
  if (length > body->length) {
    if (body->cut) return unreadable(frame, "cut by the snap length");
    return damaged(frame, "UDP length runs out of the packet");
  }
  frame->payload = p + 8;
  frame->length = length - 8;
  const char *fault = body->other_final ? NULL : udp_checksum_fault(frame, p, length);
  if (fault) return damaged(frame, fault);
  frame->kind = DIS_FRAME_UDP;
}

/* ---- IPv6 extension headers ---- */

/* The length of the extension header at the front, 0: there is none (any more). */
static size_t extension_length(const struct body *body) {
  switch (body->protocol) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_DESTINATION_OPTIONS:
    case PROTOCOL_MOBILITY: return body->length < 2 ? 8 : 8u * (body->data[1] + 1u);
    case PROTOCOL_AUTHENTICATION: return body->length < 2 ? 8 : 4u * (body->data[1] + 2u);
    case PROTOCOL_FRAGMENT: return 8;
    default: return 0;
  }
}

static void skip(struct body *body, size_t length) {
  body->protocol = body->data[0];
  body->data += length;
  body->length -= length;
}

/* Goes on to the Fragment header or to what is no extension header. False: one is cut. */
static bool skip_extensions(struct body *body) {
  size_t length;
  while ((length = extension_length(body)) > 0) {
    if (body->length < length) return false;
    if (body->protocol == PROTOCOL_FRAGMENT) return true;
    bool routing = body->protocol == PROTOCOL_ROUTING;
    if (routing && body->data[3] > 0) body->other_final = true;
    skip(body, length);
  }
  return true;
}

/* ---- ICMP ---- */

/* The body of the quoted packet; false: it is not there, or not the front of its datagram. */
static bool quoted_ipv4(const uint8_t *p, size_t length, struct dis_frame *frame,
                        struct body *body) {
  if (length < 20 || p[0] >> 4 != 4) return false;
  size_t header = 4u * (p[0] & 0x0fu);
  if (header < 20 || length < header || (be16(p + 6) & 0x1fff) != 0) return false;
  set_ipv4(&frame->quoted_source, p + 12);
  set_ipv4(&frame->quoted_destination, p + 16);
  *body = (struct body){.data = p + header, .length = length - header, .protocol = p[9]};
  return true;
}

static bool quoted_ipv6(const uint8_t *p, size_t length, struct dis_frame *frame,
                        struct body *body) {
  if (length < 40 || p[0] >> 4 != 6) return false;
  memcpy(frame->quoted_source.address, p + 8, 16);
  memcpy(frame->quoted_destination.address, p + 24, 16);
  *body = (struct body){.data = p + 40, .length = length - 40, .protocol = p[6]};
  if (!skip_extensions(body)) return false;
  if (body->protocol != PROTOCOL_FRAGMENT) return true;
  if ((be16(body->data + 2) & 0xfff8u) != 0) return false;
  skip(body, 8);
  return skip_extensions(body);
}

/* The UDP datagram that the error quotes, as far as it is there. */
static bool read_quote(const uint8_t *p, size_t length, struct dis_frame *frame) {
  struct body body;
  bool found =
      frame->icmp_v6 ? quoted_ipv6(p, length, frame, &body) : quoted_ipv4(p, length, frame, &body);
  if (!found || body.protocol != PROTOCOL_UDP || body.length < 4) return false;
  frame->quoted_source.port = be16(body.data);
  frame->quoted_destination.port = be16(body.data + 2);
  if (body.length < 8) return true;
  size_t udp_length = be16(body.data + 4);
  size_t quoted = udp_length >= 8 && udp_length < body.length ? udp_length : body.length;
  frame->payload = body.data + 8;
  frame->length = quoted - 8;
  return true;
}

/* RFC 1122, section 3.2.2: unreachable, source quench, redirect, time exceeded, parameter problem.
 */
static bool is_error(bool v6, uint8_t type) {
  if (v6) return type < 128;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static void read_icmp(const struct body *body, bool v6, struct dis_frame *frame) {
  const uint8_t *p = body->data;
  if (body->length < 8 || !is_error(v6, p[0])) return;
  frame->icmp_v6 = v6;
  frame->icmp_type = p[0];
  frame->icmp_code = p[1];
  uint64_t sum = v6 ? pseudo_header(frame, PROTOCOL_ICMPV6, body->length) : 0;
  bool checkable = !body->cut && !body->other_final;
  if (!read_quote(p + 8, body->length - 8, frame)) return;
  if (checkable && checksum_fold(checksum_add(sum, p, body->length)) != UINT16_MAX)
    return damaged(frame, "ICMP checksum is wrong");
  frame->kind = DIS_FRAME_ICMP;
}

/* ---- IP ---- */

static void read_transport(const struct body *body, struct dis_frame *frame) {
  bool v4 = chorus_is_ipv4(&frame->destination);
  if (body->protocol == PROTOCOL_UDP)
    read_udp(body, frame);
  else if (body->protocol == (v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6))
    read_icmp(body, !v4, frame);
}

/* Adds a fragment; true when |body| has become the whole of the datagram. */
static bool reassemble(const struct ip_origin *origin, struct fragment *fragment,
                       struct dis_frame *frame, struct body *body) {
  frame->fragmented = true;
  if (!origin->reassembly) return false;
  memcpy(fragment->key.source, frame->source.address, 16);
  memcpy(fragment->key.destination, frame->destination.address, 16);
  fragment->key.interface = origin->interface;
  fragment->key.link = frame->interface_index;
  fragment->time = origin->time;
  fragment->data = body->data;
  fragment->length = body->length;
  fragment->hop_limit = frame->hop_limit;
  struct reassembled whole;
  switch (reassembly_add(origin->reassembly, fragment, &whole)) {
    case REASSEMBLY_KEPT: return false;
    case REASSEMBLY_LENGTH: return damaged(frame, "fragment of a wrong length"), false;
    case REASSEMBLY_OVERLAP: return damaged(frame, "fragments overlap (RFC 5722)"), false;
    case REASSEMBLY_MEMORY: return unreadable(frame, "no memory for the fragment"), false;
    case REASSEMBLY_WHOLE: break;
  }
  body->data = whole.data;
  body->length = whole.length;
  body->protocol = whole.protocol;
  frame->hop_limit = whole.hop_limit;
  return true;
}

static void read_ipv4(const struct ip_origin *origin, const uint8_t *p, size_t length,
                      size_t missing, struct dis_frame *frame) {
  if (length < 20) return too_short(frame, missing > 0, "shorter than an IPv4 header");
  size_t header = 4u * (p[0] & 0x0fu), total = be16(p + 2);
  if (header < 20) return damaged(frame, "IPv4 header length is below 20");
  if (length < header) return too_short(frame, missing > 0, "IPv4 header runs out of the frame");
  /* 0: left to the network card, as in captures on hosts that let it cut up what they send. */
  if (be16(p + 10) != 0 && checksum_fold(checksum_add(0, p, header)) != UINT16_MAX)
    return damaged(frame, "IPv4 header checksum is wrong");
  if (total == 0) total = length + missing;
  if (total < header) return damaged(frame, "IPv4 total length is below the header's");
  if (total > length + missing) return unreadable(frame, "IPv4 packet runs out of the frame");
  set_ipv4(&frame->source, p + 12);
  set_ipv4(&frame->destination, p + 16);
  frame->hop_limit = p[8];
  struct body body = {.data = p + header, .protocol = p[9], .cut = total > length};
  body.length = (body.cut ? length : total) - header;
  unsigned flags = be16(p + 6);
  if ((flags & 0x3fff) != 0) {
    if (body.cut) return unreadable(frame, "cut by the snap length");
    struct fragment fragment = {.key = {.identification = be16(p + 4), .protocol = p[9]},
                                .offset = (flags & 0x1fff) * 8u,
                                .more = (flags & 0x2000) != 0,
                                .protocol = p[9]};
    if (!reassemble(origin, &fragment, frame, &body)) return;
  }
  read_transport(&body, frame);
}

/* At a Fragment header: true when |body| has become what is behind it, whole. */
static bool read_fragment_header(const struct ip_origin *origin, struct dis_frame *frame,
                                 struct body *body) {
  const uint8_t *p = body->data;
  unsigned flags = be16(p + 2);
  struct fragment fragment = {
      .key = {.identification = be32(p + 4), .protocol = REASSEMBLY_IPV6},
      .offset = flags & 0xfff8u,
      .more = (flags & 1) != 0,
      .protocol = p[0],
  };
  skip(body, 8);
  /* An atomic fragment is whole by itself, whatever waits under its identification (RFC 6946). */
  if ((flags & 0xfff9u) == 0) return true;
  if (body->cut) return unreadable(frame, "cut by the snap length"), false;
  return reassemble(origin, &fragment, frame, body);
}

static void read_ipv6_body(const struct ip_origin *origin, struct body *body,
                           struct dis_frame *frame) {
  static const char *const why = "IPv6 extension header runs out of the packet";
  if (!skip_extensions(body)) return too_short(frame, body->cut, why);
  if (body->protocol == PROTOCOL_FRAGMENT) {
    if (!read_fragment_header(origin, frame, body)) return;
    if (!skip_extensions(body)) return too_short(frame, body->cut, why);
    if (body->protocol == PROTOCOL_FRAGMENT) return damaged(frame, "second Fragment header");
  }
  read_transport(body, frame);
}

static void read_ipv6(const struct ip_origin *origin, const uint8_t *p, size_t length,
                      size_t missing, struct dis_frame *frame) {
  if (length < 40) return too_short(frame, missing > 0, "shorter than an IPv6 header");
  size_t payload = be16(p + 4), available = length - 40;
  if (payload == 0 && p[6] == PROTOCOL_HOP_BY_HOP) return unreadable(frame, "IPv6 jumbogram");
  if (payload > available + missing) return unreadable(frame, "IPv6 packet runs out of the frame");
  memcpy(frame->source.address, p + 8, 16);
  memcpy(frame->destination.address, p + 24, 16);
  frame->hop_limit = p[7];
  struct body body = {.data = p + 40, .protocol = p[6], .cut = payload > available};
  body.length = body.cut ? available : payload;
  read_ipv6_body(origin, &body, frame);
}

void ip_read(const struct ip_origin *origin, unsigned version, const uint8_t *data, size_t length,
             size_t missing, struct dis_frame *frame) {
  if (length == 0) return too_short(frame, missing > 0, "no IP packet in the frame");
  unsigned said = data[0] >> 4;
  if (version != 0 && said != version)
    return damaged(frame, "IP version contradicts the link layer");
  if (said == 4) return read_ipv4(origin, data, length, missing, frame);
  if (said == 6) return read_ipv6(origin, data, length, missing, frame);
  unreadable(frame, "neither IPv4 nor IPv6");
}
