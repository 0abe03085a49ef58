/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic pcap format. Read here rather than by libpcap, which tells a cut file from a corrupt
 * one in English only, tells no place, and renumbers link types to those of the host (a LINKTYPE_
 * becomes a DLT_). The unit tests compare packet by packet with libpcap.
 */
#include "capture/pcapng.h"
#include "capture/reader.h"

#define FILE_HEADER        24u
#define MAGIC_MICROSECONDS UINT32_C(0xa1b2c3d4)
#define MAGIC_NANOSECONDS  UINT32_C(0xa1b23c4d)
#define MAGIC_MODIFIED     UINT32_C(0xa1b2cd34) /* record headers with 8 octets more */
#define RECORD_MAX         ((size_t)262144)
#define SNAP_LENGTH_MAX    ((size_t)128 << 20)

static bool is_magic(uint32_t magic) {
  return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS || magic == MAGIC_MODIFIED;
}

bool pcap_recognise(const uint8_t *data, size_t length) {
  return length >= 4 && (is_magic(le32(data)) || is_magic(be32(data)));
}

/* The snap length of the header is only a hint: some tools write 0, others more than anybody has.
 */
static size_t record_max(uint32_t snap_length) {
  if (snap_length < RECORD_MAX) return RECORD_MAX;
  return snap_length < SNAP_LENGTH_MAX ? snap_length : SNAP_LENGTH_MAX;
}

enum cap_status pcap_start(struct cap_reader *reader) {
  const uint8_t *p = reader->data;
  reader->format = READER_PCAP;
  reader->big_endian = is_magic(be32(p));
  uint32_t magic = get32(reader->big_endian, p);
  if (reader->length < FILE_HEADER)
    return reader_fail(reader, CAP_TRUNCATED, "the file ends in the pcap file header");
  unsigned major = get16(reader->big_endian, p + 4), minor = get16(reader->big_endian, p + 6);
  if (major != 2)
    return reader_fail(reader, CAP_CORRUPT, "pcap version %u.%u is not known", major, minor);
  struct reader_interface *interface = reader_add_interface(reader);
  if (!interface) return reader_fail(reader, CAP_NO_MEMORY, "no memory");
  interface->snap_length = get32(reader->big_endian, p + 16);
  /* The upper half tells of frame check sequences. */
  interface->public.link_type = get32(reader->big_endian, p + 20) & UINT16_MAX;
  reader->record_header = magic == MAGIC_MODIFIED ? 24 : 16;
  reader->fraction = magic == MAGIC_NANOSECONDS ? 1 : 1000;
  reader->lengths_swapped = minor < 3;
  reader->record_max = record_max(interface->snap_length);
  reader->at = FILE_HEADER;
  return CAP_OK;
}

enum cap_status pcap_next_record(struct cap_reader *reader, struct cap_packet *packet) {
  const uint8_t *p = reader->data + reader->at;
  size_t left = reader->length - reader->at;
  bool big_endian = reader->big_endian;
  if (left == 0) return CAP_END;
  if (left < reader->record_header)
    return reader_fail(reader, CAP_TRUNCATED, "the file ends in a record header");
  size_t length = get32(big_endian, p + (reader->lengths_swapped ? 12 : 8));
  size_t original = get32(big_endian, p + (reader->lengths_swapped ? 8 : 12));
  if (length > reader->record_max)
    return reader_fail(reader, CAP_CORRUPT, "record claims %zu octets", length);
  if (length > left - reader->record_header)
    return reader_fail(reader, CAP_TRUNCATED, "the file ends in a packet of %zu octets", length);
  packet->frame = ++reader->frame;
  packet->interface = 0;
  packet->link_type = reader->interfaces[0]->public.link_type;
  packet->time =
      get32(big_endian, p) * CHORUS_SECOND + (uint64_t)get32(big_endian, p + 4) * reader->fraction;
  packet->direction = DIS_DIRECTION_UNKNOWN;
  packet->packet_id = 0;
  packet->data = p + reader->record_header;
  packet->length = length;
  packet->original_length = original > length ? original : length;
  reader->at += reader->record_header + length;
  return CAP_OK;
}
