/* SPDX-License-Identifier: BSD-2-Clause */
/* Encoders of pcapng blocks. */
#include <string.h>

#include "capture/pcapng.h"

#define COMMENT_OPTION_MAX ((size_t)65532)
#define COMMENT_MAX        ((size_t)1 << 20)

static void put16(bool big_endian, uint8_t *p, uint16_t v) {
  p[big_endian ? 1 : 0] = (uint8_t)v;
  p[big_endian ? 0 : 1] = (uint8_t)(v >> 8);
}

static void put32(bool big_endian, uint8_t *p, uint32_t v) {
  put16(big_endian, p + (big_endian ? 2 : 0), (uint16_t)v);
  put16(big_endian, p + (big_endian ? 0 : 2), (uint16_t)(v >> 16));
}

static bool add_option(struct buffer *out, bool big_endian, uint16_t code, const void *value,
                       size_t length) {
  uint8_t *at = buffer_extend(out, 4 + padded(length));
  if (!at) return false;
  put16(big_endian, at, code);
  put16(big_endian, at + 2, (uint16_t)length);
  if (length > 0) memcpy(at + 4, value, length);
  memset(at + 4 + length, 0, padded(length) - length);
  return true;
}

/* Where text of |length| octets is best cut so that at most |max| stay: not within a character. */
static size_t text_cut(const char *text, size_t length, size_t max) {
  if (length <= max) return length;
  size_t cut = max;
  while (cut > 0 && ((uint8_t)text[cut] & 0xc0) == 0x80) cut--;
  return cut > 0 ? cut : max;
}

static bool add_text(struct buffer *out, uint16_t code, const char *text) {
  if (!text) return true;
  return add_option(out, false, code, text, text_cut(text, strlen(text), COMMENT_OPTION_MAX));
}

/* Ends the options and the block that began at |start|; takes it back when anything failed. */
static bool finish(struct buffer *out, bool big_endian, size_t start, bool good) {
  uint8_t *tail = good ? buffer_extend(out, 8) : NULL;
  if (!tail) {
    out->length = start;
    return false;
  }
  uint32_t length = (uint32_t)(out->length - start);
  memset(tail, 0, 4);
  put32(big_endian, tail + 4, length);
  put32(big_endian, out->octets + start + 4, length);
  return true;
}

bool pcapng_add_section(struct buffer *out, const char *comment) {
  size_t start = out->length;
  uint8_t *head = buffer_extend(out, 24);
  if (!head) return false;
  put_le32(head, BLOCK_SECTION);
  put_le32(head + 8, BYTE_ORDER_MAGIC);
  put_le16(head + 12, 1);
  put_le16(head + 14, 0);
  put_le64(head + 16, UINT64_MAX); /* length of the section: not told */
  bool good =
      add_text(out, OPTION_COMMENT, comment) && add_text(out, SECTION_OPTION_APPLICATION, "chorus");
  return finish(out, false, start, good);
}

static bool add_address(struct buffer *out, const struct chorus_endpoint *address) {
  uint8_t value[17];
  if (chorus_is_ipv4(address)) {
    memcpy(value, address->address + 12, 4);
    memset(value + 4, 0xff, 4);
    return add_option(out, false, INTERFACE_OPTION_IPV4, value, 8);
  }
  memcpy(value, address->address, 16);
  value[16] = 128;
  return add_option(out, false, INTERFACE_OPTION_IPV6, value, 17);
}

bool pcapng_add_interface(struct buffer *out, const struct cap_interface_info *info,
                          uint32_t link_type) {
  static const uint8_t nanoseconds = 9;
  size_t start = out->length;
  uint8_t *head = buffer_extend(out, 16);
  if (!head) return false;
  put_le32(head, BLOCK_INTERFACE);
  put_le16(head + 8, (uint16_t)link_type);
  put_le16(head + 10, 0);
  put_le32(head + 12, SNAP_LENGTH);
  bool good = add_text(out, INTERFACE_OPTION_NAME, info->name) &&
              add_text(out, INTERFACE_OPTION_DESCRIPTION, info->description) &&
              add_text(out, OPTION_COMMENT, info->comment);
  for (size_t i = 0; good && i < info->address_count; i++)
    good = add_address(out, &info->addresses[i]);
  good = good && add_option(out, false, INTERFACE_OPTION_RESOLUTION, &nanoseconds, 1);
  return finish(out, false, start, good);
}

/* A time as pcapng has it: the upper half first, in units of the interface. */
static void put_time(uint8_t *at, chorus_time time) {
  put_le32(at, (uint32_t)(time >> 32));
  put_le32(at + 4, (uint32_t)time);
}

bool pcapng_add_end(struct buffer *out, chorus_time end) {
  size_t start = out->length;
  uint8_t *head = buffer_extend(out, 20), time[8];
  if (!head) return false;
  put_le32(head, BLOCK_STATISTICS);
  put_le32(head + 8, 0);
  put_time(head + 12, end);
  put_time(time, end);
  return finish(out, false, start,
                add_option(out, false, STATISTICS_OPTION_END, time, sizeof time));
}

bool pcapng_add_packet(struct buffer *out, const struct pcapng_packet *packet) {
  size_t room = padded(packet->length);
  size_t direction = packet->direction == DIS_DIRECTION_UNKNOWN ? 0 : 8;
  size_t id = packet->packet_id == 0 ? 0 : 12;
  size_t total = PACKET_DATA + room + direction + id + 8;
  uint8_t *at = buffer_extend(out, total);
  if (!at) return false;
  put_le32(at, BLOCK_ENHANCED_PACKET);
  put_le32(at + 4, (uint32_t)total);
  put_le32(at + 8, packet->interface);
  put_time(at + 12, packet->time);
  put_le32(at + 20, (uint32_t)packet->length);
  put_le32(at + 24, (uint32_t)packet->original_length);
  if (packet->length > 0) memcpy(at + PACKET_DATA, packet->data, packet->length);
  memset(at + PACKET_DATA + packet->length, 0, room - packet->length);
  at += PACKET_DATA + room;
  if (direction) {
    put_le32(at, PACKET_OPTION_FLAGS | 4u << 16);
    put_le32(at + 4, packet->direction == DIS_INBOUND ? 1 : 2);
  }
  at += direction;
  if (id) {
    put_le32(at, PACKET_OPTION_ID | 8u << 16);
    put_le64(at + 4, packet->packet_id);
  }
  at += id;
  put_le32(at, OPTION_END);
  put_le32(at + 4, (uint32_t)total);
  return true;
}

/* Where the options of a packet block end: at opt_endofopt, or where the block does. */
static size_t options_end(bool big_endian, const uint8_t *block, size_t length) {
  size_t end = length - 4;
  size_t at = PACKET_DATA + padded(get32(big_endian, block + 20));
  while (end - at >= 4 && get16(big_endian, block + at) != OPTION_END)
    at += 4 + padded(get16(big_endian, block + at + 2));
  return at;
}

static bool add_comment_options(struct buffer *out, bool big_endian, const char *text,
                                size_t length) {
  while (length > 0) {
    size_t cut = text_cut(text, length, COMMENT_OPTION_MAX);
    if (!add_option(out, big_endian, OPTION_COMMENT, text, cut)) return false;
    text += cut;
    length -= cut;
  }
  return true;
}

bool pcapng_add_commented(struct buffer *out, bool big_endian, const uint8_t *block, size_t length,
                          const char *text, size_t text_length) {
  static const char rest[] = "(comments beyond 1 MiB left out)";
  size_t start = out->length;
  size_t kept = text_cut(text, text_length, COMMENT_MAX);
  bool good = buffer_append(out, block, options_end(big_endian, block, length)) &&
              add_comment_options(out, big_endian, text, kept);
  if (good && kept < text_length)
    good = add_comment_options(out, big_endian, rest, sizeof rest - 1);
  return finish(out, big_endian, start, good);
}
