/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of pcapng: several sections, either byte order, any time resolution; blocks that it
 * does not know are skipped.
 */
#include "capture/pcapng.h"

#include <string.h>

#include "capture/reader.h"

#define BLOCK_MAX ((size_t)16 << 20) /* what Wireshark accepts */

/* ---- blocks ---- */

/* The byte order of the section that starts here. */
static enum cap_status read_byte_order(struct cap_reader *reader, const uint8_t *p) {
  if (le32(p + 8) == BYTE_ORDER_MAGIC)
    reader->big_endian = false;
  else if (be32(p + 8) == BYTE_ORDER_MAGIC)
    reader->big_endian = true;
  else
    return reader_fail(reader, CAP_CORRUPT, "section header without byte-order magic");
  return CAP_OK;
}

/* A writer's capture is in two pieces: on to the second. */
static bool next_piece(struct cap_reader *reader) {
  if (!reader->more || reader->at < reader->length) return false;
  reader->before += reader->length;
  reader->data = reader->more;
  reader->length = reader->more_length;
  reader->at = 0;
  reader->more = NULL;
  return reader->length > 0;
}

enum cap_status pcapng_block_read(struct cap_reader *reader, struct pcapng_block *block) {
  if (reader->at == reader->length && !next_piece(reader)) return CAP_END;
  const uint8_t *p = reader->data + reader->at;
  size_t left = reader->length - reader->at;
  if (left < 12) return reader_fail(reader, CAP_TRUNCATED, "the file ends in a block header");
  if (le32(p) == BLOCK_SECTION) {
    enum cap_status status = read_byte_order(reader, p);
    if (status != CAP_OK) return status;
  }
  block->at = p;
  block->type = get32(reader->big_endian, p);
  block->length = get32(reader->big_endian, p + 4);
  if (block->length < 12 || block->length % 4 != 0 || block->length > BLOCK_MAX)
    return reader_fail(reader, CAP_CORRUPT, "block claims %zu octets", block->length);
  if (block->length > left)
    return reader_fail(reader, CAP_TRUNCATED, "the file ends in a block of %zu octets",
                       block->length);
  if (get32(reader->big_endian, p + block->length - 4) != block->length)
    return reader_fail(reader, CAP_CORRUPT, "the two lengths of the block differ");
  return CAP_OK;
}

static enum cap_status too_small(struct cap_reader *reader, const struct pcapng_block *block,
                                 const char *what) {
  return reader_fail(reader, CAP_CORRUPT, "%s of %zu octets is too small", what, block->length);
}

/* ---- options ---- */

struct option {
  uint16_t code, length;
  const uint8_t *value;
};

/* Where the options of a block are read. */
struct options {
  const uint8_t *at, *end;
};

static struct options options_of(const struct pcapng_block *block, size_t from) {
  return (struct options){block->at + from, block->at + block->length - 4};
}

/* The next option: CAP_OK, CAP_END, or CAP_CORRUPT for one that runs out of the block. */
static inline enum cap_status next_option(struct cap_reader *reader, bool big_endian,
                                          struct options *options, struct option *option) {
  size_t left = (size_t)(options->end - options->at);
  if (left < 4) return CAP_END;
  option->code = get16(big_endian, options->at);
  option->length = get16(big_endian, options->at + 2);
  option->value = options->at + 4;
  if (option->code == OPTION_END) return CAP_END;
  if (padded(option->length) > left - 4)
    return reader_fail(reader, CAP_CORRUPT, "option %u runs out of its block", option->code);
  options->at += 4 + padded(option->length);
  return CAP_OK;
}

/* ---- time ---- */

static uint64_t power_of_10(unsigned exponent) {
  uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

static uint64_t saturated_product(uint64_t a, uint64_t b) {
  return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* Nanoseconds of |fraction| / 2^|bits| seconds, rounded down; |bits| is 1 to 63. */
static uint64_t binary_fraction(uint64_t fraction, unsigned bits) {
  uint64_t high = (fraction >> 32) * CHORUS_SECOND;
  uint64_t low = (fraction & UINT32_MAX) * CHORUS_SECOND;
  if (bits < 32) return low >> bits;
  return (high + (low >> 32)) >> (bits - 32);
}

static uint64_t binary_ticks(uint64_t ticks, unsigned bits) {
  if (bits == 0) return saturated_product(ticks, CHORUS_SECOND);
  if (bits > 63) {
    /* Nothing above a second is left; what is below a nanosecond goes. */
    ticks = bits - 63 > 63 ? 0 : ticks >> (bits - 63);
    return binary_fraction(ticks, 63);
  }
  uint64_t seconds = saturated_product(ticks >> bits, CHORUS_SECOND);
  uint64_t rest = binary_fraction(ticks & ((UINT64_C(1) << bits) - 1), bits);
  return seconds > UINT64_MAX - rest ? UINT64_MAX : seconds + rest;
}

static uint64_t decimal_ticks(uint64_t ticks, unsigned exponent) {
  if (exponent <= 9) return saturated_product(ticks, power_of_10(9 - exponent));
  return exponent > 9 + 19 ? 0 : ticks / power_of_10(exponent - 9);
}

static chorus_time add_offset(uint64_t time, int64_t seconds) {
  uint64_t size = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
  uint64_t offset = saturated_product(size, CHORUS_SECOND);
  if (seconds < 0) return time > offset ? time - offset : 0;
  return time > UINT64_MAX - offset ? UINT64_MAX : time + offset;
}

static chorus_time time_of(const struct reader_interface *interface, uint64_t ticks) {
  if (interface->tick != 0 && interface->offset == 0 && ticks <= interface->tick_limit)
    return ticks * interface->tick;
  uint8_t resolution = interface->resolution;
  uint64_t time = resolution & 0x80 ? binary_ticks(ticks, resolution & 0x7fu)
                                    : decimal_ticks(ticks, resolution);
  return add_offset(time, interface->offset);
}

/* ---- sections and interfaces ---- */

static enum cap_status take_section(struct cap_reader *reader, const struct pcapng_block *block) {
  if (block->length < 28) return too_small(reader, block, "section header");
  unsigned major = get16(reader->big_endian, block->at + 12);
  if (major != 1) return reader_fail(reader, CAP_CORRUPT, "pcapng version %u is not known", major);
  reader->section = reader->interface_count;
  return CAP_OK;
}

static void add_address(struct reader_interface *interface, const uint8_t *address, bool v4) {
  struct cap_interface *public = &interface->public;
  if (public->address_count == sizeof public->addresses / sizeof public->addresses[0]) return;
  uint8_t *to = public->addresses[public->address_count++].address;
  if (!v4) {
    memcpy(to, address, 16);
    return;
  }
  memcpy(to, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(to + 12, address, 4);
}

static void set_text(char *to, size_t size, const struct option *option) {
  size_t length = option->length < size - 1 ? option->length : size - 1;
  memcpy(to, option->value, length);
  to[length] = '\0';
}

static int64_t signed_64(bool big_endian, const uint8_t *p) {
  uint64_t value = big_endian ? (uint64_t)be32(p) << 32 | be32(p + 4) : le64(p);
  return value > INT64_MAX ? -(int64_t)(UINT64_MAX - value) - 1 : (int64_t)value;
}

/* The first comment that says anything. */
static void set_comment(struct cap_interface *interface, const struct option *option) {
  if (interface->comment || option->length == 0) return;
  interface->comment = (const char *)option->value;
  interface->comment_length = option->length;
}

static void take_interface_option(struct cap_reader *reader, struct reader_interface *interface,
                                  const struct option *option) {
  if (option->code == INTERFACE_OPTION_NAME)
    set_text(interface->public.name, sizeof interface->public.name, option);
  else if (option->code == INTERFACE_OPTION_DESCRIPTION)
    set_text(interface->public.description, sizeof interface->public.description, option);
  else if (option->code == OPTION_COMMENT)
    set_comment(&interface->public, option);
  else if (option->code == INTERFACE_OPTION_IPV4 && option->length == 8)
    add_address(interface, option->value, true);
  else if (option->code == INTERFACE_OPTION_IPV6 && option->length == 17)
    add_address(interface, option->value, false);
  else if (option->code == INTERFACE_OPTION_RESOLUTION && option->length == 1)
    interface->resolution = option->value[0];
  else if (option->code == INTERFACE_OPTION_OFFSET && option->length == 8)
    interface->offset = signed_64(reader->big_endian, option->value);
}

static enum cap_status take_interface(struct cap_reader *reader, const struct pcapng_block *block) {
  if (block->length < 20) return too_small(reader, block, "interface description");
  struct options options = options_of(block, 16);
  struct option option;
  struct reader_interface read = {.resolution = 6};
  enum cap_status status;
  read.public.link_type = get16(reader->big_endian, block->at + 8);
  read.snap_length = get32(reader->big_endian, block->at + 12);
  while ((status = next_option(reader, reader->big_endian, &options, &option)) == CAP_OK)
    take_interface_option(reader, &read, &option);
  if (status != CAP_END) return status;
  if (read.resolution <= 9) {
    read.tick = power_of_10(9u - read.resolution);
    read.tick_limit = UINT64_MAX / read.tick;
  }
  struct reader_interface *interface = reader_add_interface(reader);
  if (!interface) return reader_fail(reader, CAP_NO_MEMORY, "no memory");
  *interface = read;
  return CAP_OK;
}

/* ---- packets ---- */

static inline enum cap_status read_packet_options(struct cap_reader *reader, bool big_endian,
                                                  const struct pcapng_block *block, size_t from,
                                                  struct cap_packet *packet) {
  struct options options = options_of(block, from);
  struct option option;
  enum cap_status status;
  while ((status = next_option(reader, big_endian, &options, &option)) == CAP_OK) {
    if (option.code == PACKET_OPTION_FLAGS && option.length == 4) {
      uint32_t way = get32(big_endian, option.value) & 3;
      packet->direction = way == 1 ? DIS_INBOUND : way == 2 ? DIS_OUTBOUND : DIS_DIRECTION_UNKNOWN;
    } else if (option.code == PACKET_OPTION_ID && option.length == 8) {
      packet->packet_id = (uint64_t)signed_64(big_endian, option.value);
    }
  }
  return status == CAP_END ? CAP_OK : status;
}

/* The section's interface |number|, or NULL with the message set. */
static const struct reader_interface *interface_of(struct cap_reader *reader, uint32_t number,
                                                   struct cap_packet *packet) {
  if (number >= reader->interface_count - reader->section) {
    reader_fail(reader, CAP_CORRUPT, "packet of interface %u, which is not described", number);
    return NULL;
  }
  const struct reader_interface *interface = reader->interfaces[reader->section + number];
  packet->interface = (uint32_t)(reader->section + number);
  packet->link_type = interface->public.link_type;
  return interface;
}

/* Enhanced Packet Block; the obsolete Packet Block differs in its interface number only. */
static inline enum cap_status take_enhanced(struct cap_reader *reader, bool big_endian,
                                            const struct pcapng_block *block,
                                            struct cap_packet *packet) {
  const uint8_t *p = block->at;
  if (block->length < PACKET_DATA + 4) return too_small(reader, block, "packet block");
  bool obsolete = block->type == BLOCK_PACKET;
  uint32_t number = obsolete ? get16(big_endian, p + 8) : get32(big_endian, p + 8);
  const struct reader_interface *interface = interface_of(reader, number, packet);
  if (!interface) return CAP_CORRUPT;
  packet->length = get32(big_endian, p + 20);
  if (packet->length > block->length - PACKET_DATA - 4)
    return reader_fail(reader, CAP_CORRUPT, "packet of %zu octets in a block of %zu",
                       packet->length, block->length);
  size_t original = get32(big_endian, p + 24);
  uint64_t ticks = (uint64_t)get32(big_endian, p + 12) << 32 | get32(big_endian, p + 16);
  packet->original_length = original > packet->length ? original : packet->length;
  packet->time = time_of(interface, ticks);
  packet->data = p + PACKET_DATA;
  return read_packet_options(reader, big_endian, block, PACKET_DATA + padded(packet->length),
                             packet);
}

/* A Simple Packet Block has no time, and belongs to the section's first interface. */
static enum cap_status take_simple(struct cap_reader *reader, const struct pcapng_block *block,
                                   struct cap_packet *packet) {
  if (block->length < 16) return too_small(reader, block, "simple packet block");
  const struct reader_interface *interface = interface_of(reader, 0, packet);
  if (!interface) return CAP_CORRUPT;
  size_t room = block->length - 16, snap_length = interface->snap_length;
  packet->original_length = get32(reader->big_endian, block->at + 8);
  packet->length = packet->original_length < room ? packet->original_length : room;
  if (snap_length > 0 && packet->length > snap_length) packet->length = snap_length;
  packet->time = 0;
  packet->data = block->at + 12;
  return CAP_OK;
}

/* The byte order is written out for the compiler, which makes a reader for each. */
static enum cap_status take_by_type(struct cap_reader *reader, const struct pcapng_block *block,
                                    struct cap_packet *packet) {
  if (block->type == BLOCK_SIMPLE_PACKET) return take_simple(reader, block, packet);
  if (reader->big_endian) return take_enhanced(reader, true, block, packet);
  return take_enhanced(reader, false, block, packet);
}

static enum cap_status take_packet(struct cap_reader *reader, const struct pcapng_block *block,
                                   struct cap_packet *packet) {
  packet->direction = DIS_DIRECTION_UNKNOWN;
  packet->packet_id = 0;
  enum cap_status status = take_by_type(reader, block, packet);
  if (status == CAP_OK) packet->frame = ++reader->frame;
  return status;
}

/* When the capture ended; what else the block says is of no use here. */
static enum cap_status take_statistics(struct cap_reader *reader,
                                       const struct pcapng_block *block) {
  if (block->length < 24) return CAP_OK;
  struct options options = options_of(block, 20);
  struct option option;
  uint32_t number = get32(reader->big_endian, block->at + 8);
  if (number >= reader->interface_count - reader->section) return CAP_OK;
  const struct reader_interface *interface = reader->interfaces[reader->section + number];
  enum cap_status status;
  while ((status = next_option(reader, reader->big_endian, &options, &option)) == CAP_OK) {
    if (option.code != STATISTICS_OPTION_END || option.length != 8) continue;
    uint64_t upper = get32(reader->big_endian, option.value);
    chorus_time end = time_of(interface, upper << 32 | get32(reader->big_endian, option.value + 4));
    if (end > reader->end) reader->end = end;
  }
  return status == CAP_END ? CAP_OK : status;
}

static bool is_packet_block(const struct pcapng_block *block) {
  return block->type == BLOCK_ENHANCED_PACKET || block->type == BLOCK_SIMPLE_PACKET ||
         block->type == BLOCK_PACKET;
}

static enum cap_status take_other(struct cap_reader *reader, const struct pcapng_block *block) {
  if (block->type == BLOCK_SECTION) return take_section(reader, block);
  if (block->type == BLOCK_INTERFACE) return take_interface(reader, block);
  if (block->type == BLOCK_STATISTICS) return take_statistics(reader, block);
  return CAP_OK;
}

enum cap_status pcapng_block_take(struct cap_reader *reader, const struct pcapng_block *block,
                                  struct cap_packet *packet, bool *is_packet) {
  *is_packet = is_packet_block(block);
  enum cap_status status =
      *is_packet ? take_packet(reader, block, packet) : take_other(reader, block);
  if (status == CAP_OK) reader->at += block->length;
  return status;
}

enum cap_status pcapng_skip(struct cap_reader *reader) {
  struct pcapng_block block = {0};
  enum cap_status status;
  while ((status = pcapng_block_read(reader, &block)) == CAP_OK && !is_packet_block(&block)) {
    status = take_other(reader, &block);
    if (status != CAP_OK) break;
    reader->at += block.length;
  }
  return status;
}

enum cap_status pcapng_next(struct cap_reader *reader, struct cap_packet *packet) {
  struct pcapng_block block;
  enum cap_status status;
  bool is_packet = false;
  while (!is_packet) {
    status = pcapng_block_read(reader, &block);
    if (status == CAP_OK) status = pcapng_block_take(reader, &block, packet, &is_packet);
    if (status != CAP_OK) return status;
  }
  return CAP_OK;
}
