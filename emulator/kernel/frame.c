/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include "packet.h"

#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu

enum { NEXT_HOP_BY_HOP = 0, NEXT_IGMP = 2, NEXT_FRAGMENT = 44 };

static uint32_t get16(const uint8_t *in) {
  return (uint32_t)in[0] << 8 | in[1];
}

static void set_ipv4(struct chorus_endpoint *endpoint, const uint8_t *address) {
  memcpy(endpoint->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(endpoint->address + 12, address, 4);
}

/* IPv4. |length|: octets at hand, of which the last may be padding. */
static bool parse_ipv4(const uint8_t *packet, size_t length, struct krn_frame *frame) {
  if (length < EMU_IPV4_HEADER || packet[0] >> 4 != 4) return false;
  uint32_t header = (packet[0] & 0x0fu) * 4u, total = get16(packet + 2);
  if (header < EMU_IPV4_HEADER || total < header || total > length) return false;
  uint32_t offset = get16(packet + 6);
  frame->v4 = true;
  frame->packet = packet;
  frame->length = total;
  frame->fragment = (offset & 0x3fff) != 0;
  frame->protocol = packet[9];
  frame->hop_limit = packet[8];
  frame->body = packet + header;
  frame->body_length = total - header;
  set_ipv4(&frame->source, packet + 12);
  set_ipv4(&frame->destination, packet + 16);
  return true;
}

/* Steps over hop-by-hop options, which membership reports carry (RFC 3810, section 5). */
static bool skip_options(struct krn_frame *frame) {
  if (frame->protocol != NEXT_HOP_BY_HOP) return true;
  if (frame->body_length < 8) return false;
  uint32_t size = (frame->body[1] + 1u) * 8u;
  if (size > frame->body_length) return false;
  frame->protocol = frame->body[0];
  frame->body += size;
  frame->body_length -= size;
  return true;
}

static bool parse_ipv6(const uint8_t *packet, size_t length, struct krn_frame *frame) {
  if (length < EMU_IPV6_HEADER || packet[0] >> 4 != 6) return false;
  uint32_t body = get16(packet + 4);
  if (body > length - EMU_IPV6_HEADER) return false;
  frame->packet = packet;
  frame->length = EMU_IPV6_HEADER + body;
  frame->protocol = packet[6];
  frame->hop_limit = packet[7];
  frame->body = packet + EMU_IPV6_HEADER;
  frame->body_length = body;
  memcpy(frame->source.address, packet + 8, 16);
  memcpy(frame->destination.address, packet + 24, 16);
  if (!skip_options(frame)) return false;
  frame->fragment = frame->protocol == NEXT_FRAGMENT;
  return true;
}

static enum krn_frame_kind kind_of_icmp(const struct krn_frame *frame) {
  static const uint8_t errors[] = {3, 4, 5, 11, 12}; /* RFC 792 */
  uint8_t type = frame->body[0];
  if (frame->v4) return memchr(errors, type, sizeof errors) ? KRN_FRAME_ERROR : KRN_FRAME_PACKET;
  if (type < 128) return KRN_FRAME_ERROR;                                   /* RFC 4443 */
  if ((type >= 130 && type <= 132) || type == 143) return KRN_FRAME_REPORT; /* RFC 3810 */
  return type >= 133 && type <= 137 ? KRN_FRAME_UPKEEP : KRN_FRAME_PACKET;  /* RFC 4861 */
}

static enum krn_frame_kind kind_of(const struct krn_frame *frame) {
  if (frame->v4 && frame->protocol == NEXT_IGMP) return KRN_FRAME_REPORT;
  uint8_t icmp = frame->v4 ? EMU_PROTOCOL_ICMP : EMU_PROTOCOL_ICMPV6;
  if (frame->fragment || frame->protocol != icmp || frame->body_length == 0)
    return KRN_FRAME_PACKET;
  return kind_of_icmp(frame);
}

static void set_ports(struct krn_frame *frame) {
  if (frame->fragment || frame->protocol != EMU_PROTOCOL_UDP || frame->body_length < 4) return;
  frame->source.port = (uint16_t)get16(frame->body);
  frame->destination.port = (uint16_t)get16(frame->body + 2);
}

void krn_frame_parse(const uint8_t *octets, size_t length, struct krn_frame *frame) {
  *frame = (struct krn_frame){.kind = KRN_FRAME_FOREIGN};
  if (length < KRN_ETHERNET_HEADER) return;
  uint32_t type = get16(octets + 12);
  const uint8_t *packet = octets + KRN_ETHERNET_HEADER;
  length -= KRN_ETHERNET_HEADER;
  bool valid = (type == TYPE_IPV4 && parse_ipv4(packet, length, frame)) ||
               (type == TYPE_IPV6 && parse_ipv6(packet, length, frame));
  if (!valid) return;
  frame->kind = kind_of(frame);
  set_ports(frame);
}

void krn_frame_header(uint8_t header[KRN_ETHERNET_HEADER],
                      const struct chorus_endpoint *destination, const uint8_t mac[6]) {
  static const uint8_t from[6] = {0x02, 0, 0, 0, 0, 0};
  const uint8_t *a = destination->address;
  bool v4 = chorus_is_ipv4(destination);
  if (chorus_is_broadcast(destination)) {
    memset(header, 0xff, 6);
  } else if (!chorus_is_multicast(destination)) {
    memcpy(header, mac, 6);
  } else if (v4) { /* RFC 1112, section 6.4 */
    const uint8_t group[6] = {0x01, 0x00, 0x5e, a[13] & 0x7f, a[14], a[15]};
    memcpy(header, group, 6);
  } else { /* RFC 2464, section 7 */
    const uint8_t group[6] = {0x33, 0x33, a[12], a[13], a[14], a[15]};
    memcpy(header, group, 6);
  }
  memcpy(header + 6, from, 6);
  header[12] = (uint8_t)((v4 ? TYPE_IPV4 : TYPE_IPV6) >> 8);
  header[13] = (uint8_t)(v4 ? TYPE_IPV4 : TYPE_IPV6);
}
