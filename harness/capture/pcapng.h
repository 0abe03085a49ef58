/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the capture room: the pcapng format (draft-ietf-opsawg-pcapng), its numbers and encoders.
 * Everything that Chorus writes anew is little-endian, on every host.
 */
#ifndef CHORUS_CAPTURE_PCAPNG_H
#define CHORUS_CAPTURE_PCAPNG_H

#include "capture/buffer.h"
#include "capture/capture.h"
#include "dissect/octets.h"

enum {
  BLOCK_INTERFACE = 1,
  BLOCK_PACKET = 2, /* obsolete, still met */
  BLOCK_SIMPLE_PACKET = 3,
  BLOCK_STATISTICS = 5, /* of an interface */
  BLOCK_ENHANCED_PACKET = 6,
  BLOCK_SECTION = 0x0a0d0d0a,

  OPTION_END = 0,
  OPTION_COMMENT = 1,
  SECTION_OPTION_APPLICATION = 4,
  INTERFACE_OPTION_NAME = 2,
  INTERFACE_OPTION_DESCRIPTION = 3,
  INTERFACE_OPTION_IPV4 = 4, /* address and mask */
  INTERFACE_OPTION_IPV6 = 5, /* address and prefix length */
  INTERFACE_OPTION_RESOLUTION = 9,
  INTERFACE_OPTION_OFFSET = 14, /* seconds, signed */
  PACKET_OPTION_FLAGS = 2,
  PACKET_OPTION_ID = 5,
  STATISTICS_OPTION_END = 3, /* isb_endtime */

  PACKET_DATA = 28, /* where an Enhanced Packet Block keeps its packet */
};
#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define SNAP_LENGTH      262144u /* what Wireshark and tcpdump take for "whole packets" */

static inline size_t padded(size_t length) {
  return (length + 3) & ~(size_t)3;
}
static inline uint16_t get16(bool big_endian, const uint8_t *p) {
  return big_endian ? be16(p) : le16(p);
}
static inline uint32_t get32(bool big_endian, const uint8_t *p) {
  return big_endian ? be32(p) : le32(p);
}

struct pcapng_packet {
  uint32_t interface;
  chorus_time time; /* ns, as the interfaces below say */
  enum dis_direction direction;
  uint64_t packet_id; /* 0: none */
  const uint8_t *data;
  size_t length, original_length;
};

/* Each appends one block. False: no memory, and |out| is as before. |comment| may be NULL. */
bool pcapng_add_section(struct buffer *out, const char *comment);
bool pcapng_add_interface(struct buffer *out, const struct cap_interface_info *info,
                          uint32_t link_type);
bool pcapng_add_packet(struct buffer *out, const struct pcapng_packet *packet);
/* The statistics of the first interface: that the capture ended at |end| ns. */
bool pcapng_add_end(struct buffer *out, chorus_time end);
/*
 * Appends a copy of the packet block |block| (Enhanced, or obsolete; of |length| octets; checked by
 * the reader, or our own) with a comment after its other options. Text is in as many comments
 * as options of 65535 octets need; what is beyond 1 MiB is left out, and the text then says so.
 */
bool pcapng_add_commented(struct buffer *out, bool big_endian, const uint8_t *block, size_t length,
                          const char *text, size_t text_length);

#endif
