/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers from octets in either byte order, without alignment or host order mattering, and the
 * Internet checksum (RFC 1071). The caller has checked that the octets are there.
 */
#ifndef CHORUS_DISSECT_OCTETS_H
#define CHORUS_DISSECT_OCTETS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/*
 * The checksum adds 16-bit words with end-around carry, and so may add wider words, in the host's
 * order of octets (RFC 1071, sections 1 (B) and 2): only the result is turned into a number.
 */
static inline uint64_t checksum_word(uint64_t sum, uint64_t word) {
  sum += word;
  return sum + (sum < word);
}

/* Adds the number that two octets hold. */
static inline uint64_t checksum_number(uint64_t sum, uint16_t number) {
  uint8_t octets[2] = {(uint8_t)(number >> 8), (uint8_t)number};
  uint16_t word;
  memcpy(&word, octets, sizeof word);
  return checksum_word(sum, word);
}

/* Adds |length| octets. The last one of an odd number counts as the first half of a word. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t length) {
  uint64_t eight;
  uint32_t four;
  for (; length >= 8; p += 8, length -= 8) {
    memcpy(&eight, p, sizeof eight);
    sum = checksum_word(sum, eight);
  }
  if (length >= 4) {
    memcpy(&four, p, sizeof four);
    sum = checksum_word(sum, four);
    p += 4;
    length -= 4;
  }
  if (length >= 2) sum = checksum_number(sum, be16(p));
  return length & 1 ? checksum_number(sum, (uint16_t)(p[length - 1] << 8)) : sum;
}

/* Folds a sum to 16 bits; the checksum is its complement. */
static inline uint16_t checksum_fold(uint64_t sum) {
  uint8_t octets[2];
  sum = (sum & UINT32_MAX) + (sum >> 32);
  sum = (sum & UINT16_MAX) + (sum >> 16 & UINT16_MAX) + (sum >> 32);
  sum = (sum & UINT16_MAX) + (sum >> 16);
  uint16_t folded = (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
  memcpy(octets, &folded, sizeof octets);
  return be16(octets);
}

#endif
