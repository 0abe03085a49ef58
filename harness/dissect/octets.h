/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers from octets in either byte order, without alignment or host order mattering, and the
 * Internet checksum (RFC 1071). The caller has checked that the octets are there.
 */
#ifndef CHORUS_DISSECT_OCTETS_H
#define CHORUS_DISSECT_OCTETS_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t be16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint16_t le16(const uint8_t *p) {
  return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t le32(const uint8_t *p) {
  return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t le64(const uint8_t *p) {
  return (uint64_t)le32(p + 4) << 32 | le32(p);
}

static inline void put_le16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v) {
  put_le16(p, (uint16_t)v);
  put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t v) {
  put_le32(p, (uint32_t)v);
  put_le32(p + 4, (uint32_t)(v >> 32));
}

/* Folds a sum to 16 bits; the checksum is its complement. */
static inline uint16_t checksum_fold(uint64_t sum) {
  sum = (sum & UINT32_MAX) + (sum >> 32);
  sum = (sum & UINT32_MAX) + (sum >> 32);
  sum = (sum & UINT16_MAX) + (sum >> 16);
  sum = (sum & UINT16_MAX) + (sum >> 16);
  return (uint16_t)sum;
}

/*
 * Adds |length| octets, taken as big-endian 16-bit words, to an unfolded sum. 32-bit words are
 * added as they are: 2^16 is 1 modulo 2^16 - 1. An odd octet counts as the high half of a word.
 */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t length) {
  uint64_t other = 0; /* two sums at once: neither waits for the other */
  for (; length >= 8; p += 8, length -= 8) {
    sum += be32(p);
    other += be32(p + 4);
  }
  sum += other;
  if (length >= 4) {
    sum += be32(p);
    p += 4;
    length -= 4;
  }
  if (length >= 2) sum += be16(p);
  if (length & 1) sum += (uint64_t)p[length - 1] << 8;
  return sum;
}

#endif
