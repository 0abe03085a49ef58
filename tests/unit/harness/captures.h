/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files made octet by octet for the tests, in either byte order. */
#ifndef CHORUS_TEST_CAPTURES_H
#define CHORUS_TEST_CAPTURES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct octets {
  uint8_t at[8192];
  size_t length;
  bool big_endian;
};

static inline void put(struct octets *o, const void *from, size_t length) {
  if (length > 0) memcpy(o->at + o->length, from, length);
  o->length += length;
}

static inline void put_number(struct octets *o, uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; i++) {
    unsigned shift = 8 * (o->big_endian ? size - 1 - i : i);
    o->at[o->length++] = (uint8_t)(value >> shift);
  }
}

static inline void put16(struct octets *o, uint64_t value) {
  put_number(o, value, 2);
}
static inline void put32(struct octets *o, uint64_t value) {
  put_number(o, value, 4);
}

static inline void pad(struct octets *o) {
  while (o->length % 4) o->at[o->length++] = 0;
}

/* A block: begin, put what is in it, end. */
static inline size_t begin_block(struct octets *o, uint32_t type) {
  size_t start = o->length;
  put32(o, type);
  put32(o, 0);
  return start;
}

static inline void end_block(struct octets *o, size_t start) {
  uint64_t length = o->length - start + 4;
  put32(o, length);
  size_t end = o->length;
  o->length = start + 4;
  put32(o, length);
  o->length = end;
}

static inline void put_option(struct octets *o, unsigned code, const void *value, size_t length) {
  put16(o, code);
  put16(o, length);
  put(o, value, length);
  pad(o);
}

static inline void put_section(struct octets *o, bool big_endian) {
  o->big_endian = big_endian;
  size_t start = begin_block(o, 0x0a0d0d0a);
  put32(o, 0x1a2b3c4d);
  put16(o, 1);
  put16(o, 0);
  put_number(o, UINT64_MAX, 8);
  end_block(o, start);
}

/* An interface with a name; |resolution| < 0: none given; |offset|: seconds, 0: none given. */
static inline void put_interface(struct octets *o, unsigned link, const char *name, int resolution,
                                 int64_t offset) {
  uint8_t octet = (uint8_t)resolution;
  size_t start = begin_block(o, 1);
  put16(o, link);
  put16(o, 0);
  put32(o, 0);
  if (name) put_option(o, 2, name, strlen(name));
  if (resolution >= 0) put_option(o, 9, &octet, 1);
  if (offset) {
    put16(o, 14);
    put16(o, 8);
    put_number(o, (uint64_t)offset, 8);
  }
  put32(o, 0);
  end_block(o, start);
}

static inline void put_enhanced(struct octets *o, uint32_t interface, uint64_t ticks,
                                const char *data) {
  size_t start = begin_block(o, 6);
  put32(o, interface);
  put32(o, ticks >> 32);
  put32(o, ticks & UINT32_MAX);
  put32(o, strlen(data));
  put32(o, strlen(data));
  put(o, data, strlen(data));
  pad(o);
  end_block(o, start);
}

static inline void put_pcap_header(struct octets *o, bool big_endian, uint32_t magic,
                                   uint32_t link) {
  o->big_endian = big_endian;
  put32(o, magic);
  put16(o, 2);
  put16(o, 4);
  put32(o, 0);
  put32(o, 0);
  put32(o, 65535);
  put32(o, link);
}

static inline void put_record(struct octets *o, uint32_t seconds, uint32_t fraction,
                              const char *data, bool modified) {
  put32(o, seconds);
  put32(o, fraction);
  put32(o, strlen(data));
  put32(o, strlen(data) + 2);
  if (modified) put(o, "\0\0\0\0\0\0\0\0", 8);
  put(o, data, strlen(data));
}

#endif
