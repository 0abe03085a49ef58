/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the capture room: what the readers of pcapng and pcap share. */
#ifndef CHORUS_CAPTURE_READER_H
#define CHORUS_CAPTURE_READER_H

#include "capture/capture.h"

enum reader_format { READER_PCAPNG, READER_PCAP };

struct reader_interface {
  struct cap_interface public;
  uint32_t snap_length; /* 0: no limit */
  uint8_t resolution;   /* if_tsresol */
  uint64_t tick;        /* ns per unit of time where that is a whole number, else 0 */
  uint64_t tick_limit;  /* so many of them fit chorus_time */
  int64_t offset;       /* if_tsoffset, s */
};

struct cap_reader {
  const uint8_t *data;
  size_t length, at;
  const uint8_t *more; /* follows |data|: a writer keeps its packets apart from its head */
  size_t more_length;
  size_t before;  /* octets before |data|, for places */
  uint8_t *owned; /* to be freed */
  void *mapping;  /* to be unmapped, |mapped| octets */
  size_t mapped;
  char *path;
  enum reader_format format;
  bool big_endian;
  uint64_t frame;  /* of the last packet */
  chorus_time end; /* the latest that an interface's statistics name, or 0 */

  /* pcapng. Interfaces are allocated one by one, so that their addresses last. */
  struct reader_interface **interfaces;
  size_t interface_count, interface_capacity;
  size_t section; /* number of the section's first interface */

  /* pcap */
  size_t record_header; /* octets */
  uint32_t fraction;    /* ns per unit of a time stamp's second half */
  bool lengths_swapped; /* before version 2.3, the original length came first */
  size_t record_max;    /* no record is longer */

  struct cap_order *order; /* NULL until packets are wanted in order */
  char message[512];
};

void order_free(struct cap_order *order);

/* Puts the place and the words into the message; returns |status|. */
__attribute__((format(printf, 3, 4))) enum cap_status reader_fail(struct cap_reader *reader,
                                                                  enum cap_status status,
                                                                  const char *format, ...);
/* NULL: no memory. */
struct reader_interface *reader_add_interface(struct cap_reader *reader);

/* A pcapng block, all of which is there. */
struct pcapng_block {
  const uint8_t *at;
  size_t length;
  uint32_t type;
};

/* Reads the frame of the block at |reader->at|, and the byte order where a section starts. */
enum cap_status pcapng_block_read(struct cap_reader *reader, struct pcapng_block *block);
/*
 * Reads what is in the block, and goes on to the next. |*is_packet|: |packet| was filled and
 * counted.
 */
enum cap_status pcapng_block_take(struct cap_reader *reader, const struct pcapng_block *block,
                                  struct cap_packet *packet, bool *is_packet);
/* Goes on to the next packet block. */
enum cap_status pcapng_skip(struct cap_reader *reader);
enum cap_status pcapng_next(struct cap_reader *reader, struct cap_packet *packet);

/* Whether |data| starts like a pcap file. */
bool pcap_recognise(const uint8_t *data, size_t length);
enum cap_status pcap_start(struct cap_reader *reader);
enum cap_status pcap_next_record(struct cap_reader *reader, struct cap_packet *packet);

#endif
