/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets as octets: IPv4 (RFC 791), IPv6 (RFC 8200), UDP (RFC 768), the Port Unreachable errors of
 * ICMP (RFC 792) and ICMPv6 (RFC 4443), their checksums, and fragmentation.
 */
#ifndef EMU_PACKET_H
#define EMU_PACKET_H

#include "chorus/types.h"

#define EMU_IPV4_HEADER     20u
#define EMU_IPV6_HEADER     40u
#define EMU_FRAGMENT_HEADER 8u
#define EMU_UDP_HEADER      8u
#define EMU_ICMP_HEADER     8u
#define EMU_IPV6_MIN_MTU    1280u
#define EMU_PACKET_MAX      65575u /* an IPv6 header and 65,535 octets */
#define EMU_UDP_MAX         65507u /* what IPv4 can carry */

enum { EMU_PROTOCOL_ICMP = 1, EMU_PROTOCOL_UDP = 17, EMU_PROTOCOL_ICMPV6 = 58 };

/* The IP header of a packet; addresses in the form of chorus_endpoint, ports and zones 0. */
struct emu_ip {
  struct chorus_endpoint source, destination;
  bool v4;
  uint8_t protocol; /* of the body, behind a Fragment header if there is one */
  uint8_t hop_limit;
  bool fragment;           /* part of a datagram */
  bool more;               /* not its last part */
  uint32_t offset;         /* of this part in the body of the whole, octets */
  uint32_t identification; /* 16 bits in IPv4 */
  const uint8_t *body;     /* within the packet parsed; unused for writing */
  uint32_t length;         /* of the body, octets */
};

struct emu_udp {
  uint16_t source_port, destination_port;
  const uint8_t *payload;
  uint32_t length; /* of the payload */
};

/* Octets of an unfragmented packet with a body of |length| octets. */
static inline uint32_t emu_packet_size(bool v4, uint32_t length) {
  return (v4 ? EMU_IPV4_HEADER : EMU_IPV6_HEADER) + length;
}

/* Writes the header of an unfragmented packet; returns its octets. ip->fragment is not looked at.
 */
uint32_t emu_ip_write(uint8_t *out, const struct emu_ip *ip);

/* Writes a UDP packet; ports from the endpoints of |ip|, ip->length is set. Returns its octets. */
uint32_t emu_udp_write(uint8_t *out, struct emu_ip *ip, const uint8_t *payload, uint32_t length);

/*
 * Writes Port Unreachable (ICMPv6 type 1 code 4, ICMP type 3 code 3) with as much of |invoking| as
 * fits in 1280 (IPv6) or 576 (IPv4; RFC 1812, section 4.3.2.3) octets, and in |mtu|. ip->length is
 * set. Returns the octets of the packet.
 */
uint32_t emu_unreachable_write(uint8_t *out, struct emu_ip *ip, const uint8_t *invoking,
                               uint32_t length, uint32_t mtu);

/* Reads and checks the headers. False: no valid packet of |length| octets. */
bool emu_ip_parse(const uint8_t *packet, uint32_t length, struct emu_ip *ip);

/* Reads a UDP datagram (|length| octets, the whole body) and verifies its checksum. */
bool emu_udp_parse(const struct emu_ip *ip, const uint8_t *body, uint32_t length,
                   struct emu_udp *udp);

/*
 * Reads a Port Unreachable error, verifies its checksum and gives the destination of the UDP
 * datagram that caused it.
 */
bool emu_unreachable_parse(const struct emu_ip *ip, struct chorus_endpoint *destination);

/* Sets the hop limit; an IPv4 header gets its checksum anew. */
void emu_packet_set_hop_limit(uint8_t *packet, uint8_t hop_limit);

/* Octets of body that each fragment but the last carries; a multiple of 8, or 0: |mtu| too small.
 */
uint32_t emu_fragment_body(bool v4, uint32_t mtu);

/*
 * Writes the fragment of the unfragmented |packet| that begins at |offset| of its body and carries
 * at most |body| octets. Returns the octets written.
 */
uint32_t emu_fragment_write(uint8_t *out, const uint8_t *packet, uint32_t length, uint32_t offset,
                            uint32_t body, uint32_t identification);

#endif
