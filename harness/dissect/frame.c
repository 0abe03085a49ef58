/* SPDX-License-Identifier: BSD-2-Clause */
/* Link layers: what comes before the IP packet, and what it tells of its neighbours. */
#include "dissect/frame.h"

#include "dissect/ip.h"
#include "dissect/octets.h"
#include "dissect/zero.h"

/* LINKTYPE_ values. 12 and 14 are what raw IP is called in files of some BSD systems. */
enum {
  LINK_NULL = 0,
  LINK_ETHERNET = 1,
  LINK_RAW_BSD = 12,
  LINK_RAW_OPENBSD = 14,
  LINK_RAW = 101,
  LINK_LOOP = 108,
  LINK_COOKED = 113,
  LINK_IPV4 = 228,
  LINK_IPV6 = 229,
  LINK_COOKED_V2 = 276,
};

/* What is left of a frame. */
struct rest {
  const uint8_t *data;
  size_t length;  /* captured */
  size_t missing; /* cut by the snap length */
};

static bool unreadable(struct dis_frame *frame, const char *why) {
  frame->kind = DIS_FRAME_UNREADABLE;
  frame->why = why;
  return false;
}

/* Takes |length| octets off the front; NULL with |frame| filled where they are not there. */
static const uint8_t *take(struct rest *rest, size_t length, struct dis_frame *frame) {
  const uint8_t *at = rest->data;
  if (rest->length < length) {
    unreadable(frame, rest->missing ? "cut by the snap length" : "shorter than its link header");
    return NULL;
  }
  rest->data += length;
  rest->length -= length;
  return at;
}

/* The IP version that an EtherType stands for; 0: neither. */
static unsigned ether_type_version(unsigned type) {
  if (type == 0x0800) return 4;
  return type == 0x86dd ? 6 : 0;
}

static bool is_vlan(unsigned type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static bool all_zero(const uint8_t *octets, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (octets[i] != 0) return false;
  return true;
}

/* Skips VLAN tags (IEEE 802.1Q, also stacked) after |type|; false: cut. */
static bool skip_vlan(struct rest *rest, unsigned *type, struct dis_frame *frame) {
  while (is_vlan(*type)) {
    const uint8_t *tag = take(rest, 4, frame);
    if (!tag) return false;
    *type = be16(tag + 2);
  }
  return true;
}

/* The readers below return whether there is an IP packet in |rest|, of |*version| (0: any). */

static bool read_ethernet(struct rest *rest, unsigned *version, struct dis_frame *frame) {
  const uint8_t *p = take(rest, 14, frame);
  if (!p) return false;
  memcpy(frame->destination_mac, p, 6);
  memcpy(frame->source_mac, p + 6, 6);
  /* A loopback interface has zeros, which are nobody's address. */
  frame->mac_length = all_zero(p + 6, 6) ? 0 : 6;
  unsigned type = be16(p + 12);
  if (!skip_vlan(rest, &type, frame)) return false;
  *version = ether_type_version(type);
  return *version != 0;
}

/* Packet type 4: sent by the host that captured; all others came in. */
static void set_cooked(struct dis_frame *frame, unsigned packet_type, const uint8_t *address,
                       size_t length) {
  frame->direction = packet_type == 4 ? DIS_OUTBOUND : DIS_INBOUND;
  if (length > 8) length = 8;
  memcpy(frame->source_mac, address, length);
  frame->mac_length = all_zero(address, length) ? 0 : (uint8_t)length;
}

static bool read_cooked_type(struct rest *rest, unsigned type, unsigned *version,
                             struct dis_frame *frame) {
  if (!skip_vlan(rest, &type, frame)) return false;
  *version = ether_type_version(type);
  return *version != 0;
}

static bool read_cooked(struct rest *rest, unsigned *version, struct dis_frame *frame) {
  const uint8_t *p = take(rest, 16, frame);
  if (!p) return false;
  set_cooked(frame, be16(p), p + 6, be16(p + 4));
  return read_cooked_type(rest, be16(p + 14), version, frame);
}

static bool read_cooked_v2(struct rest *rest, unsigned *version, struct dis_frame *frame) {
  const uint8_t *p = take(rest, 20, frame);
  if (!p) return false;
  set_cooked(frame, p[10], p + 12, p[11]);
  frame->interface_index = be32(p + 4);
  return read_cooked_type(rest, be16(p), version, frame);
}

/* An address family in the byte order of the host that captured, whichever that was. */
static bool read_null(struct rest *rest, unsigned *version, struct dis_frame *frame) {
  const uint8_t *p = take(rest, 4, frame);
  if (!p) return false;
  uint32_t family = be32(p) < le32(p) ? be32(p) : le32(p);
  if (family == 2)
    *version = 4;
  else if (family == 10 || family == 24 || family == 28 || family == 30)
    *version = 6;
  return *version != 0;
}

static bool read_link(uint32_t link_type, struct rest *rest, unsigned *version,
                      struct dis_frame *frame) {
  *version = 0;
  switch (link_type) {
    case LINK_NULL:
    case LINK_LOOP: return read_null(rest, version, frame);
    case LINK_ETHERNET: return read_ethernet(rest, version, frame);
    case LINK_COOKED: return read_cooked(rest, version, frame);
    case LINK_COOKED_V2: return read_cooked_v2(rest, version, frame);
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW: return true;
    case LINK_IPV4: *version = 4; return true;
    case LINK_IPV6: *version = 6; return true;
    default: return unreadable(frame, "link type is not known");
  }
}

void dis_frame_read(struct dis_reassembly *reassembly, uint32_t link_type, uint32_t interface,
                    chorus_time time, const uint8_t *data, size_t length, size_t original_length,
                    struct dis_frame *frame) {
  struct rest rest = {data, length, original_length > length ? original_length - length : 0};
  struct ip_origin origin = {reassembly, interface, time};
  unsigned version;
  zero(frame, sizeof *frame);
  if (read_link(link_type, &rest, &version, frame))
    ip_read(&origin, version, rest.data, rest.length, rest.missing, frame);
}
