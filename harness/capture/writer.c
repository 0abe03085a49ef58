/* SPDX-License-Identifier: BSD-2-Clause */
/* The capture of a run: kept in memory as the octets that it will be written as. */
#include "capture/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/output.h"
#include "capture/pcapng.h"

#define LINK_RAW_IP 101u

/* A line of a frame's comment; its text is in |texts|. */
struct line {
  uint64_t frame;
  size_t offset, length;
};

struct cap_writer {
  struct buffer head;    /* section header and interfaces */
  struct buffer packets; /* Enhanced Packet Blocks */
  struct buffer tail;    /* that, and when, the capture ended */
  struct buffer texts;
  struct line *lines;
  size_t line_count, line_capacity;
  uint64_t frames;
  uint32_t interfaces;
  bool incomplete; /* something could not be kept for want of memory */
};

struct cap_writer *cap_writer_new(const char *comment) {
  struct cap_writer *writer = calloc(1, sizeof *writer);
  if (!writer) return NULL;
  cap_writer_reset(writer, comment);
  if (!writer->incomplete) return writer;
  cap_writer_free(writer);
  return NULL;
}

void cap_writer_free(struct cap_writer *writer) {
  if (!writer) return;
  buffer_free(&writer->head);
  buffer_free(&writer->packets);
  buffer_free(&writer->tail);
  buffer_free(&writer->texts);
  free(writer->lines);
  free(writer);
}

void cap_writer_reset(struct cap_writer *writer, const char *comment) {
  writer->head.length = writer->packets.length = writer->texts.length = 0;
  writer->tail.length = 0;
  writer->line_count = 0;
  writer->frames = 0;
  writer->interfaces = 0;
  writer->incomplete = !pcapng_add_section(&writer->head, comment);
}

uint32_t cap_writer_interface(struct cap_writer *writer, const struct cap_interface_info *info) {
  if (pcapng_add_interface(&writer->head, info, LINK_RAW_IP)) return writer->interfaces++;
  writer->incomplete = true;
  return UINT32_MAX;
}

uint64_t cap_writer_packet(struct cap_writer *writer, uint32_t interface, chorus_time time,
                           enum dis_direction direction, uint64_t packet_id, const uint8_t *data,
                           size_t length) {
  struct pcapng_packet packet = {interface, time, direction, packet_id, data, length, length};
  if (pcapng_add_packet(&writer->packets, &packet)) return ++writer->frames;
  writer->incomplete = true;
  return 0;
}

void cap_writer_end(struct cap_writer *writer, chorus_time end) {
  writer->tail.length = 0;
  if (writer->interfaces && !pcapng_add_end(&writer->tail, end)) writer->incomplete = true;
}

static struct line *new_line(struct cap_writer *writer) {
  if (writer->line_count == writer->line_capacity) {
    size_t capacity = writer->line_capacity ? 2 * writer->line_capacity : 64;
    struct line *lines = realloc(writer->lines, capacity * sizeof *lines);
    if (!lines) return NULL;
    writer->lines = lines;
    writer->line_capacity = capacity;
  }
  return &writer->lines[writer->line_count++];
}

int cap_writer_comment(struct cap_writer *writer, uint64_t frame, const char *text) {
  if (frame == 0 || frame > writer->frames) return CAP_CORRUPT;
  size_t offset = writer->texts.length, length = strlen(text);
  struct line *line = NULL;
  if (buffer_append(&writer->texts, text, length)) line = new_line(writer);
  if (!line) {
    writer->incomplete = true;
    return CAP_NO_MEMORY;
  }
  *line = (struct line){frame, offset, length};
  return CAP_OK;
}

/* ---- writing out ---- */

/* By frame; the lines of one frame in the order in which they came. */
static int compare_lines(const void *a, const void *b) {
  const struct line *x = a, *y = b;
  if (x->frame != y->frame) return x->frame < y->frame ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The lines in order, for the caller to free. */
static struct line *sorted_lines(const struct cap_writer *writer) {
  struct line *lines = malloc((writer->line_count + 1) * sizeof *lines);
  if (!lines) return NULL;
  if (writer->line_count > 0) memcpy(lines, writer->lines, writer->line_count * sizeof *lines);
  qsort(lines, writer->line_count, sizeof *lines, compare_lines);
  return lines;
}

/* Joins the lines of one frame to |text|; returns how many there are, 0 without memory. */
static size_t join(const struct cap_writer *writer, const struct line *lines, size_t count,
                   struct buffer *text) {
  size_t used = 0;
  text->length = 0;
  for (; used < count && lines[used].frame == lines[0].frame; used++) {
    if (used > 0 && !buffer_append(text, "\n", 1)) return 0;
    const uint8_t *line = writer->texts.octets + lines[used].offset;
    if (!buffer_append(text, line, lines[used].length)) return 0;
  }
  return used;
}

static enum cap_status put(FILE *stream, const uint8_t *octets, size_t length) {
  if (length == 0 || fwrite(octets, 1, length, stream) == length) return CAP_OK;
  return CAP_IO;
}

/* What goes on while packets and comments are merged. */
struct merge {
  const struct cap_writer *writer;
  FILE *stream;
  size_t at;      /* in the packets: all before is written */
  uint64_t frame; /* the one at |at| */
  struct buffer text, block;
};

/* Writes packets as they are up to frame |frame|, not included. */
static enum cap_status put_plain(struct merge *merge, uint64_t frame) {
  const struct buffer *packets = &merge->writer->packets;
  size_t from = merge->at;
  if (merge->frame >= frame) return CAP_OK;
  for (; merge->frame < frame; merge->frame++) merge->at += le32(packets->octets + merge->at + 4);
  return put(merge->stream, packets->octets + from, merge->at - from);
}

/* Writes the frame that |lines| speak of, and takes |*used| of them. */
static enum cap_status put_commented(struct merge *merge, const struct line *lines, size_t count,
                                     size_t *used) {
  enum cap_status status = put_plain(merge, lines[0].frame);
  if (status != CAP_OK) return status;
  const uint8_t *packet = merge->writer->packets.octets + merge->at;
  size_t length = le32(packet + 4);
  merge->block.length = 0;
  *used = join(merge->writer, lines, count, &merge->text);
  if (*used == 0 || !pcapng_add_commented(&merge->block, false, packet, length,
                                          (char *)merge->text.octets, merge->text.length))
    return CAP_NO_MEMORY;
  merge->at += length;
  merge->frame++;
  return put(merge->stream, merge->block.octets, merge->block.length);
}

static enum cap_status put_packets(struct merge *merge, const struct line *lines) {
  const struct cap_writer *writer = merge->writer;
  size_t used;
  for (size_t i = 0; i < writer->line_count; i += used) {
    enum cap_status status = put_commented(merge, lines + i, writer->line_count - i, &used);
    if (status != CAP_OK) return status;
  }
  return put_plain(merge, writer->frames + 1);
}

enum cap_status cap_writer_save_stream(const struct cap_writer *writer, FILE *stream) {
  struct line *lines = sorted_lines(writer);
  if (!lines) return CAP_NO_MEMORY;
  struct merge merge = {.writer = writer, .stream = stream, .frame = 1};
  enum cap_status status = put(stream, writer->head.octets, writer->head.length);
  if (status == CAP_OK) status = put_packets(&merge, lines);
  if (status == CAP_OK) status = put(stream, writer->tail.octets, writer->tail.length);
  int error = errno;
  if (fflush(stream) != 0 && status == CAP_OK) {
    status = CAP_IO;
    error = errno;
  }
  buffer_free(&merge.text);
  buffer_free(&merge.block);
  free(lines);
  errno = error;
  if (status == CAP_OK && writer->incomplete) return CAP_NO_MEMORY;
  return status;
}

enum cap_status cap_writer_save(const struct cap_writer *writer, const char *path) {
  struct output output;
  int error = output_open(&output, path);
  if (error) {
    errno = error;
    return CAP_IO;
  }
  enum cap_status status = cap_writer_save_stream(writer, output.stream);
  int reason = errno;
  /* A capture that a full disk cut short is kept: its reader gets everything up to the cut. */
  error = output_close(&output, true);
  if (status == CAP_OK && error) status = CAP_IO;
  errno = status == CAP_IO && reason ? reason : error;
  return status;
}

void writer_view(const struct cap_writer *writer, struct writer_view *view) {
  view->head = writer->head.octets;
  view->head_length = writer->head.length;
  view->packets = writer->packets.octets;
  view->packets_length = writer->packets.length;
}
