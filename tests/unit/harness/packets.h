/* SPDX-License-Identifier: BSD-2-Clause */
/* IP packets made for the tests, with a checksum of their own, two octets at a time. */
#ifndef CHORUS_TEST_PACKETS_H
#define CHORUS_TEST_PACKETS_H

#include <stdint.h>
#include <string.h>

/* Octets with room to grow; the tests know their sizes. */
struct packet {
  uint8_t at[70000];
  size_t length;
};

static const uint8_t ip6_a[16] = {0xfe, 0x80, [15] = 1}, ip6_b[16] = {0xff, 0x35, [15] = 2};
static const uint8_t ip4_a[4] = {192, 0, 2, 1}, ip4_b[4] = {224, 0, 1, 187};

static inline void add(struct packet *p, const void *octets, size_t length) {
  if (length > 0) memcpy(p->at + p->length, octets, length);
  p->length += length;
}

static inline void add8(struct packet *p, unsigned v) {
  p->at[p->length++] = (uint8_t)v;
}

static inline void add16(struct packet *p, unsigned v) {
  add8(p, v >> 8);
  add8(p, v & 0xff);
}

static inline void set16(struct packet *p, size_t at, unsigned v) {
  p->at[at] = (uint8_t)(v >> 8);
  p->at[at + 1] = (uint8_t)v;
}

/* The sum of 16-bit words in one's complement, an odd octet being followed by 0. */
static inline unsigned ones_sum(unsigned sum, const uint8_t *octets, size_t length) {
  for (size_t i = 0; i < length; i++) {
    sum += i % 2 ? octets[i] : (unsigned)octets[i] << 8;
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return sum;
}

static inline unsigned pseudo_sum(int version, unsigned protocol, size_t length) {
  uint8_t tail[4] = {(uint8_t)(length >> 8), (uint8_t)length, 0, (uint8_t)protocol};
  unsigned sum = version == 6 ? ones_sum(ones_sum(0, ip6_a, 16), ip6_b, 16)
                              : ones_sum(ones_sum(0, ip4_a, 4), ip4_b, 4);
  return ones_sum(sum, tail, 4);
}

/* A UDP datagram from port 40000 to 5683, its checksum right. */
static inline void add_udp(struct packet *p, int version, const void *payload, size_t length) {
  size_t start = p->length;
  add16(p, 40000);
  add16(p, 5683);
  add16(p, (unsigned)(length + 8));
  add16(p, 0);
  add(p, payload, length);
  unsigned sum = ones_sum(pseudo_sum(version, 17, length + 8), p->at + start, length + 8);
  set16(p, start + 6, sum == 0xffff ? 0xffff : ~sum & 0xffff);
}

/* The header from a to b; |length| octets of |protocol| have to follow. */
static inline void add_ip6(struct packet *p, unsigned protocol, size_t length) {
  add(p, "\x60\0\0\0", 4);
  add16(p, (unsigned)length);
  add8(p, protocol);
  add8(p, 61);
  add(p, ip6_a, 16);
  add(p, ip6_b, 16);
}

static inline void add_ip4(struct packet *p, unsigned protocol, size_t length, unsigned id,
                           unsigned flags) {
  size_t start = p->length;
  add(p, "\x45\0", 2);
  add16(p, (unsigned)(length + 20));
  add16(p, id);
  add16(p, flags);
  add8(p, 61);
  add8(p, protocol);
  add16(p, 0);
  add(p, ip4_a, 4);
  add(p, ip4_b, 4);
  set16(p, start + 10, ~ones_sum(0, p->at + start, 20) & 0xffff);
}

/* A whole packet of IP version |version| with a UDP datagram. */
static inline void make_udp(struct packet *p, int version, const void *payload, size_t length) {
  p->length = 0;
  if (version == 6)
    add_ip6(p, 17, length + 8);
  else
    add_ip4(p, 17, length + 8, 1, 0);
  add_udp(p, version, payload, length);
}

/* One fragment: |length| octets at |octets|, which are at |offset| of the |protocol| datagram. */
static inline void make_fragment(struct packet *p, int version, unsigned id, unsigned protocol,
                                 const uint8_t *octets, size_t length, size_t offset, int more) {
  p->length = 0;
  if (version == 4) {
    add_ip4(p, protocol, length, id, (unsigned)(offset / 8) | (more ? 0x2000u : 0));
  } else {
    add_ip6(p, 44, length + 8);
    add8(p, protocol);
    add8(p, 0);
    add16(p, (unsigned)offset | (more ? 1u : 0));
    add16(p, 0);
    add16(p, id);
  }
  add(p, octets, length);
}

#endif
