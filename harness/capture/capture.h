/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Capture seam: packet captures with a view per node.
 *
 * Writing is pcapng: one interface per node, link type raw IP (101), nanoseconds, if_name = the
 * node's name, if_IPv4addr/if_IPv6addr = its addresses, its opt_comment = the node's statement
 * (docs/ics.md), epb_flags = direction, epb_packetid = the
 * transmission, opt_comment = the emulator's decisions and the judge's findings. Reading takes
 * pcapng and pcap of any common link type.
 */
#ifndef CHORUS_CAPTURE_H
#define CHORUS_CAPTURE_H

#include <stdio.h>

#include "chorus/types.h"
#include "dissect/frame.h"

enum cap_status {
  CAP_OK = 0,
  CAP_END,         /* no more packets, file complete */
  CAP_TRUNCATED,   /* the file ends in the middle of a record; what came before is good */
  CAP_NOT_CAPTURE, /* neither pcap nor pcapng, or empty */
  CAP_CORRUPT,     /* a block or record that contradicts itself */
  CAP_IO,          /* the operating system said no: see the message */
  CAP_NO_MEMORY,
};

/* ---- writing ---- */

struct cap_writer; /* a capture kept in memory until it is written out */

struct cap_interface_info {
  const char *name;
  const char *description;                 /* may be NULL */
  const struct chorus_endpoint *addresses; /* ports and zones ignored */
  size_t address_count;
  const char *comment; /* may be NULL */
};

/* |comment|: goes into the section header (seed, scenario digest, versions); may be NULL. */
struct cap_writer *cap_writer_new(const char *comment);
void cap_writer_free(struct cap_writer *writer);
/*
 * Returns the interface's number (0 and up), UINT32_MAX without memory. All interfaces come before
 * the first packet.
 */
uint32_t cap_writer_interface(struct cap_writer *writer, const struct cap_interface_info *info);
/* Appends a packet; returns its frame number (1 and up, as Wireshark counts), 0 without memory. */
uint64_t cap_writer_packet(struct cap_writer *writer, uint32_t interface, chorus_time time,
                           enum dis_direction direction, uint64_t packet_id, const uint8_t *data,
                           size_t length);
/* When the capture ended, which may be after the last packet; becomes isb_endtime. */
void cap_writer_end(struct cap_writer *writer, chorus_time end);
/* Adds a line to the comment of frame |frame| (any time before writing out). Returns a
 * cap_status. */
int cap_writer_comment(struct cap_writer *writer, uint64_t frame, const char *text);
/*
 * Writes the whole capture. The same calls give the same octets. CAP_IO with errno: what could be
 * written is there, under its name. CAP_NO_MEMORY: something, now or earlier, could not be kept.
 */
enum cap_status cap_writer_save(const struct cap_writer *writer, const char *path);
enum cap_status cap_writer_save_stream(const struct cap_writer *writer, FILE *stream);
/* Forgets all packets and interfaces, keeps the memory: for the next run. */
void cap_writer_reset(struct cap_writer *writer, const char *comment);

/* ---- reading ---- */

struct cap_reader;

struct cap_packet {
  uint64_t frame; /* 1 and up */
  uint32_t interface;
  uint32_t link_type; /* LINKTYPE_ value */
  chorus_time time;   /* ns since the epoch (our own captures: since the start of the run) */
  enum dis_direction direction;
  uint64_t packet_id;  /* epb_packetid, or 0 */
  const uint8_t *data; /* valid until cap_close() */
  size_t length, original_length;
};

struct cap_interface {
  char name[64];        /* if_name, or "" */
  char description[64]; /* if_description, or ""; our own captures: the node's role */
  struct chorus_endpoint addresses[16]; /* if_IPv4addr, if_IPv6addr */
  size_t address_count;
  uint32_t link_type;
  const char *comment; /* opt_comment, no string; until cap_close(). NULL: none */
  size_t comment_length;
};

/* Opens |path|; "-" is standard input. On failure returns NULL, |status|, and a message with the
 * place in |message|. */
struct cap_reader *cap_open(const char *path, enum cap_status *status, char *message, size_t size);
/* The same of |length| octets at |data|, which have to stay until cap_close(). */
struct cap_reader *cap_open_memory(const uint8_t *data, size_t length, enum cap_status *status,
                                   char *message, size_t size);
/* The same of what |writer| holds (comments left out), which may not be called until cap_close().
 */
struct cap_reader *cap_open_writer(const struct cap_writer *writer, enum cap_status *status,
                                   char *message, size_t size);
void cap_close(struct cap_reader *reader);
/* Reads the next packet. CAP_OK, or why not; cap_message() then has the place (octet offset). */
enum cap_status cap_next(struct cap_reader *reader, struct cap_packet *packet);
/*
 * The same in the order of the packets' times, as far as the file's order is off by no more than a
 * second and 8,191 packets. Where a clock was set back by more than 20 ms the order of the file
 * stays. Frames have the numbers of the file. Not to be mixed with cap_next(). |*packet| is the
 * reader's, until the next call.
 */
enum cap_status cap_next_in_order(struct cap_reader *reader, const struct cap_packet **packet);
const char *cap_message(const struct cap_reader *reader);
/* Once all is read: when the capture ended, as far as it tells (isb_endtime), else 0. */
chorus_time cap_end(const struct cap_reader *reader);
/*
 * Interfaces known so far: after opening, those before the first packet; pcapng may add some later.
 * They stay where they are until cap_close(). NULL: there is no such interface.
 */
size_t cap_interface_count(const struct cap_reader *reader);
const struct cap_interface *cap_interface_get(const struct cap_reader *reader, uint32_t interface);

/*
 * Copies the pcapng or pcap file |from| to |to| as pcapng, with |comment(context, frame)| (NULL:
 * none) added to each packet.
 * CAP_TRUNCATED, CAP_CORRUPT: |to| has what comes before the fault. CAP_IO: |to| is as it was.
 */
enum cap_status cap_annotate(const char *from, const char *to,
                             const char *(*comment)(void *context, uint64_t frame), void *context,
                             char *message, size_t size);

#endif
