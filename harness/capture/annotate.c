/* SPDX-License-Identifier: BSD-2-Clause */
/* A copy of somebody's capture with comments on its packets. */
#include <errno.h>
#include <string.h>

#include "capture/output.h"
#include "capture/pcapng.h"
#include "capture/reader.h"

struct annotation {
  struct cap_reader *reader;
  FILE *stream;
  const char *(*comment)(void *context, uint64_t frame);
  void *context;
  struct buffer block, commented;
};

static enum cap_status put(struct annotation *a, const void *octets, size_t length) {
  if (fwrite(octets, 1, length, a->stream) == length) return CAP_OK;
  return reader_fail(a->reader, CAP_IO, "cannot write the copy: %s", strerror(errno));
}

/* Writes a packet block, with its comment if there is one. */
static enum cap_status put_packet(struct annotation *a, bool big_endian, const uint8_t *block,
                                  size_t length, uint64_t frame) {
  const char *text = a->comment(a->context, frame);
  if (!text || !*text) return put(a, block, length);
  a->commented.length = 0;
  if (!pcapng_add_commented(&a->commented, big_endian, block, length, text, strlen(text)))
    return reader_fail(a->reader, CAP_NO_MEMORY, "no memory");
  return put(a, a->commented.octets, a->commented.length);
}

/* Comments change the length of the section: the copy tells none. */
static enum cap_status put_section(struct annotation *a, const struct pcapng_block *block) {
  static const uint8_t not_told[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  enum cap_status status = put(a, block->at, 16);
  if (status == CAP_OK) status = put(a, not_told, sizeof not_told);
  return status == CAP_OK ? put(a, block->at + 24, block->length - 24) : status;
}

static void swap32(uint8_t *p) {
  uint8_t octets[4] = {p[3], p[2], p[1], p[0]};
  memcpy(p, octets, 4);
}

/* Our own block to the byte order of the section that it goes into. It has no options. */
static void to_big_endian(uint8_t *block, size_t length) {
  for (size_t at = 0; at < PACKET_DATA; at += 4) swap32(block + at);
  swap32(block + length - 4);
}

/* A Simple Packet Block has no room for a comment: it becomes an Enhanced one, of time 0. */
static enum cap_status put_simple(struct annotation *a, const struct pcapng_block *block,
                                  const struct cap_packet *packet) {
  const char *text = a->comment(a->context, packet->frame);
  if (!text || !*text) return put(a, block->at, block->length);
  struct pcapng_packet copy = {
      .data = packet->data, .length = packet->length, .original_length = packet->original_length};
  a->block.length = 0;
  if (!pcapng_add_packet(&a->block, &copy))
    return reader_fail(a->reader, CAP_NO_MEMORY, "no memory");
  if (a->reader->big_endian) to_big_endian(a->block.octets, a->block.length);
  return put_packet(a, a->reader->big_endian, a->block.octets, a->block.length, packet->frame);
}

static enum cap_status copy_block(struct annotation *a, const struct pcapng_block *block) {
  struct cap_packet packet;
  bool is_packet;
  enum cap_status status = pcapng_block_take(a->reader, block, &packet, &is_packet);
  if (status != CAP_OK) return status;
  if (block->type == BLOCK_SECTION) return put_section(a, block);
  if (!is_packet) return put(a, block->at, block->length);
  if (block->type == BLOCK_SIMPLE_PACKET) return put_simple(a, block, &packet);
  return put_packet(a, a->reader->big_endian, block->at, block->length, packet.frame);
}

static enum cap_status copy_pcapng(struct annotation *a) {
  struct pcapng_block block;
  enum cap_status status;
  /* Opening went on to the first packet. The interfaces met again get numbers of their own. */
  a->reader->at = 0;
  while ((status = pcapng_block_read(a->reader, &block)) == CAP_OK) {
    status = copy_block(a, &block);
    if (status != CAP_OK) break;
  }
  return status;
}

static enum cap_status convert_packet(struct annotation *a, const struct cap_packet *packet) {
  struct pcapng_packet copy = {.time = packet->time,
                               .data = packet->data,
                               .length = packet->length,
                               .original_length = packet->original_length};
  a->block.length = 0;
  if (!pcapng_add_packet(&a->block, &copy))
    return reader_fail(a->reader, CAP_NO_MEMORY, "no memory");
  return put_packet(a, false, a->block.octets, a->block.length, packet->frame);
}

static enum cap_status convert_pcap(struct annotation *a) {
  struct cap_interface_info info = {0};
  struct cap_packet packet;
  bool good = pcapng_add_section(&a->block, NULL) &&
              pcapng_add_interface(&a->block, &info, a->reader->interfaces[0]->public.link_type);
  if (!good) return reader_fail(a->reader, CAP_NO_MEMORY, "no memory");
  enum cap_status status = put(a, a->block.octets, a->block.length);
  while (status == CAP_OK && (status = cap_next(a->reader, &packet)) == CAP_OK)
    status = convert_packet(a, &packet);
  return status;
}

static const char *no_comment(void *context, uint64_t frame) {
  (void)context;
  (void)frame;
  return NULL;
}

/* Copies to |to|. A copy that cannot be written whole does not replace what is there. */
static enum cap_status annotate(struct annotation *a, const char *to) {
  struct output output;
  int error = output_open(&output, to);
  if (error) return reader_fail(a->reader, CAP_IO, "%.200s: %s", to, strerror(error));
  a->stream = output.stream;
  bool pcap = a->reader->format == READER_PCAP;
  enum cap_status status = pcap ? convert_pcap(a) : copy_pcapng(a);
  bool complete = status != CAP_IO && status != CAP_NO_MEMORY;
  int unwritten = fflush(output.stream) == 0 ? 0 : errno;
  error = output_close(&output, complete && !unwritten);
  if (!complete) return status;
  if (unwritten) error = unwritten;
  if (error) return reader_fail(a->reader, CAP_IO, "%.200s: %s", to, strerror(error));
  return status == CAP_END ? CAP_OK : status;
}

enum cap_status cap_annotate(const char *from, const char *to,
                             const char *(*comment)(void *context, uint64_t frame), void *context,
                             char *message, size_t size) {
  enum cap_status status;
  struct cap_reader *reader = cap_open(from, &status, message, size);
  if (!reader) return status;
  struct annotation a = {
      .reader = reader, .comment = comment ? comment : no_comment, .context = context};
  status = annotate(&a, to);
  if (status != CAP_OK) snprintf(message, size, "%s", cap_message(reader));
  buffer_free(&a.block);
  buffer_free(&a.commented);
  cap_close(reader);
  return status;
}
