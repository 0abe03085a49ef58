/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

#define IPV6_NEXT_FRAGMENT 44

static void put16(uint8_t *out, uint32_t value) {
  out[0] = (uint8_t)(value >> 8);
  out[1] = (uint8_t)value;
}

static void put32(uint8_t *out, uint32_t value) {
  put16(out, value >> 16);
  put16(out + 2, value);
}

static uint16_t get16(const uint8_t *in) {
  return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t get32(const uint8_t *in) {
  return (uint32_t)get16(in) << 16 | get16(in + 2);
}

/* Internet checksum (RFC 1071). */

static uint64_t sum(uint64_t so_far, const uint8_t *octets, uint32_t length) {
  for (; length > 1; octets += 2, length -= 2) so_far += get16(octets);
  return length ? so_far + ((uint64_t)*octets << 8) : so_far;
}

static uint16_t fold(uint64_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  return (uint16_t)total;
}

/* The sum over the pseudo-header (RFC 768; RFC 8200, section 8.1) and the body. */
static uint64_t sum_body(const struct emu_ip *ip, const uint8_t *body, uint32_t length) {
  uint32_t skip = ip->v4 ? 12 : 0;
  uint64_t total = sum(0, ip->source.address + skip, 16 - skip);
  total = sum(total, ip->destination.address + skip, 16 - skip);
  return sum(total + ip->protocol + length, body, length);
}

/* The checksum of a body in which the checksum field is 0. ICMP for IPv4 has no pseudo-header. */
static uint16_t checksum(const struct emu_ip *ip, const uint8_t *body, uint32_t length) {
  bool plain = ip->protocol == EMU_PROTOCOL_ICMP;
  return (uint16_t)~fold(plain ? sum(0, body, length) : sum_body(ip, body, length));
}

/* Writing. */

static void write_ipv4(uint8_t *out, const struct emu_ip *ip) {
  memset(out, 0, EMU_IPV4_HEADER);
  out[0] = 0x45;
  put16(out + 2, EMU_IPV4_HEADER + ip->length);
  put16(out + 4, ip->identification);
  out[8] = ip->hop_limit;
  out[9] = ip->protocol;
  memcpy(out + 12, ip->source.address + 12, 4);
  memcpy(out + 16, ip->destination.address + 12, 4);
  put16(out + 10, (uint16_t)~fold(sum(0, out, EMU_IPV4_HEADER)));
}

static void write_ipv6(uint8_t *out, const struct emu_ip *ip) {
  put32(out, 0x60000000);
  put16(out + 4, ip->length);
  out[6] = ip->protocol;
  out[7] = ip->hop_limit;
  memcpy(out + 8, ip->source.address, 16);
  memcpy(out + 24, ip->destination.address, 16);
}

uint32_t emu_ip_write(uint8_t *out, const struct emu_ip *ip) {
  if (ip->v4)
    write_ipv4(out, ip);
  else
    write_ipv6(out, ip);
  return emu_packet_size(ip->v4, 0);
}

uint32_t emu_udp_write(uint8_t *out, struct emu_ip *ip, const uint8_t *payload, uint32_t length) {
  ip->protocol = EMU_PROTOCOL_UDP;
  ip->length = EMU_UDP_HEADER + length;
  uint8_t *udp = out + emu_ip_write(out, ip);
  put16(udp, ip->source.port);
  put16(udp + 2, ip->destination.port);
  put16(udp + 4, ip->length);
  put16(udp + 6, 0);
  if (length) memcpy(udp + EMU_UDP_HEADER, payload, length);
  uint16_t value = checksum(ip, udp, ip->length);
  put16(udp + 6, value ? value : 0xffff); /* 0 would say that there is none */
  return emu_packet_size(ip->v4, ip->length);
}

uint32_t emu_unreachable_write(uint8_t *out, struct emu_ip *ip, const uint8_t *invoking,
                               uint32_t length, uint32_t mtu) {
  uint32_t limit = ip->v4 ? 576 : EMU_IPV6_MIN_MTU;
  if (limit > mtu) limit = mtu;
  uint32_t room = limit - emu_packet_size(ip->v4, EMU_ICMP_HEADER);
  if (length > room) length = room;
  ip->protocol = ip->v4 ? EMU_PROTOCOL_ICMP : EMU_PROTOCOL_ICMPV6;
  ip->length = EMU_ICMP_HEADER + length;
  uint8_t *icmp = out + emu_ip_write(out, ip);
  memset(icmp, 0, EMU_ICMP_HEADER);
  icmp[0] = ip->v4 ? 3 : 1;
  icmp[1] = ip->v4 ? 3 : 4;
  memcpy(icmp + EMU_ICMP_HEADER, invoking, length);
  put16(icmp + 2, checksum(ip, icmp, ip->length));
  return emu_packet_size(ip->v4, ip->length);
}

void emu_packet_set_hop_limit(uint8_t *packet, uint8_t hop_limit) {
  if (packet[0] >> 4 == 6) {
    packet[7] = hop_limit;
    return;
  }
  uint32_t header = (packet[0] & 0x0fu) * 4u; /* packets made elsewhere may have options */
  packet[8] = hop_limit;
  put16(packet + 10, 0);
  put16(packet + 10, (uint16_t)~fold(sum(0, packet, header)));
}

/* Reading. */

static void get_ipv4_address(struct chorus_endpoint *endpoint, const uint8_t *in) {
  memcpy(endpoint->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(endpoint->address + 12, in, 4);
}

/* The fields of an IPv4 header without options, which is the only kind written here. */
static void get_ipv4(const uint8_t *packet, struct emu_ip *ip) {
  uint32_t flags = get16(packet + 6);
  ip->v4 = true;
  ip->protocol = packet[9];
  ip->hop_limit = packet[8];
  ip->identification = get16(packet + 4);
  ip->more = (flags & 0x2000) != 0;
  ip->offset = (flags & 0x1fff) * 8;
  ip->fragment = ip->more || ip->offset > 0;
  ip->body = packet + EMU_IPV4_HEADER;
  ip->length = get16(packet + 2) - EMU_IPV4_HEADER;
  get_ipv4_address(&ip->source, packet + 12);
  get_ipv4_address(&ip->destination, packet + 16);
}

static bool parse_ipv4(const uint8_t *packet, uint32_t length, struct emu_ip *ip) {
  if (length < EMU_IPV4_HEADER || packet[0] != 0x45 || get16(packet + 2) != length) return false;
  if (fold(sum(0, packet, EMU_IPV4_HEADER)) != 0xffff) return false;
  get_ipv4(packet, ip);
  return true;
}

static void get_ipv6(const uint8_t *packet, struct emu_ip *ip) {
  ip->protocol = packet[6];
  ip->hop_limit = packet[7];
  ip->body = packet + EMU_IPV6_HEADER;
  ip->length = get16(packet + 4);
  memcpy(ip->source.address, packet + 8, 16);
  memcpy(ip->destination.address, packet + 24, 16);
}

static bool parse_ipv6(const uint8_t *packet, uint32_t length, struct emu_ip *ip) {
  if (length < EMU_IPV6_HEADER || get16(packet + 4) != length - EMU_IPV6_HEADER) return false;
  get_ipv6(packet, ip);
  if (ip->protocol != IPV6_NEXT_FRAGMENT) return true;
  if (ip->length < EMU_FRAGMENT_HEADER) return false;
  uint32_t field = get16(ip->body + 2);
  ip->protocol = ip->body[0];
  ip->offset = field & 0xfff8;
  ip->more = field & 1;
  ip->fragment = true;
  ip->identification = get32(ip->body + 4);
  ip->body += EMU_FRAGMENT_HEADER;
  ip->length -= EMU_FRAGMENT_HEADER;
  return true;
}

bool emu_ip_parse(const uint8_t *packet, uint32_t length, struct emu_ip *ip) {
  memset(ip, 0, sizeof *ip);
  if (length == 0) return false;
  if (packet[0] >> 4 == 4) return parse_ipv4(packet, length, ip);
  return packet[0] >> 4 == 6 && parse_ipv6(packet, length, ip);
}

bool emu_udp_parse(const struct emu_ip *ip, const uint8_t *body, uint32_t length,
                   struct emu_udp *udp) {
  if (ip->protocol != EMU_PROTOCOL_UDP || length < EMU_UDP_HEADER) return false;
  if (get16(body + 4) != length) return false;
  bool unchecked = get16(body + 6) == 0;
  if (unchecked && !ip->v4) return false; /* RFC 8200, section 8.1 */
  if (!unchecked && fold(sum_body(ip, body, length)) != 0xffff) return false;
  udp->source_port = get16(body);
  udp->destination_port = get16(body + 2);
  udp->payload = body + EMU_UDP_HEADER;
  udp->length = length - EMU_UDP_HEADER;
  return true;
}

/* The destination of the UDP packet that an error quotes, which may be cut short, or a fragment. */
static bool quoted_destination(const uint8_t *quote, uint32_t length, bool v4,
                               struct chorus_endpoint *destination) {
  struct emu_ip ip = {0};
  uint32_t header = v4 ? EMU_IPV4_HEADER : EMU_IPV6_HEADER;
  if (length < header + 4 || quote[0] >> 4 != (v4 ? 4 : 6)) return false;
  if (v4)
    get_ipv4(quote, &ip);
  else
    get_ipv6(quote, &ip);
  if (ip.protocol != EMU_PROTOCOL_UDP) return false;
  *destination = ip.destination;
  destination->port = get16(quote + header + 2);
  return true;
}

bool emu_unreachable_parse(const struct emu_ip *ip, struct chorus_endpoint *destination) {
  uint8_t expected = ip->v4 ? EMU_PROTOCOL_ICMP : EMU_PROTOCOL_ICMPV6;
  if (ip->protocol != expected || ip->length < EMU_ICMP_HEADER) return false;
  uint64_t total = ip->v4 ? sum(0, ip->body, ip->length) : sum_body(ip, ip->body, ip->length);
  if (fold(total) != 0xffff) return false;
  if (ip->body[0] != (ip->v4 ? 3 : 1) || ip->body[1] != (ip->v4 ? 3 : 4)) return false;
  return quoted_destination(ip->body + EMU_ICMP_HEADER, ip->length - EMU_ICMP_HEADER, ip->v4,
                            destination);
}

/* Fragmentation. */

uint32_t emu_fragment_body(bool v4, uint32_t mtu) {
  uint32_t headers = v4 ? EMU_IPV4_HEADER : EMU_IPV6_HEADER + EMU_FRAGMENT_HEADER;
  return mtu < headers ? 0 : (mtu - headers) / 8 * 8;
}

static uint32_t write_ipv4_fragment(uint8_t *out, const uint8_t *packet, uint32_t offset,
                                    uint32_t size, bool more, uint32_t identification) {
  memcpy(out, packet, EMU_IPV4_HEADER);
  put16(out + 2, EMU_IPV4_HEADER + size);
  put16(out + 4, identification);
  put16(out + 6, (more ? 0x2000u : 0u) | offset / 8);
  memcpy(out + EMU_IPV4_HEADER, packet + EMU_IPV4_HEADER + offset, size);
  emu_packet_set_hop_limit(out, packet[8]);
  return EMU_IPV4_HEADER + size;
}

static uint32_t write_ipv6_fragment(uint8_t *out, const uint8_t *packet, uint32_t offset,
                                    uint32_t size, bool more, uint32_t identification) {
  uint8_t *header = out + EMU_IPV6_HEADER;
  memcpy(out, packet, EMU_IPV6_HEADER);
  put16(out + 4, EMU_FRAGMENT_HEADER + size);
  out[6] = IPV6_NEXT_FRAGMENT;
  header[0] = packet[6];
  header[1] = 0;
  put16(header + 2, offset | more);
  put32(header + 4, identification);
  memcpy(header + EMU_FRAGMENT_HEADER, packet + EMU_IPV6_HEADER + offset, size);
  return EMU_IPV6_HEADER + EMU_FRAGMENT_HEADER + size;
}

uint32_t emu_fragment_write(uint8_t *out, const uint8_t *packet, uint32_t length, uint32_t offset,
                            uint32_t body, uint32_t identification) {
  bool v4 = packet[0] >> 4 == 4;
  uint32_t rest = length - emu_packet_size(v4, 0) - offset;
  uint32_t size = rest < body ? rest : body;
  if (v4) return write_ipv4_fragment(out, packet, offset, size, rest > body, identification);
  return write_ipv6_fragment(out, packet, offset, size, rest > body, identification);
}
