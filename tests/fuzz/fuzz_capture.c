/* SPDX-License-Identifier: BSD-2-Clause */
/* Any file: read to its end, through frames and messages, and copied with comments. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/capture.h"
#include "dissect/coap.h"
#include "fuzz.h"

static void look_into(struct dis_reassembly *reassembly, const struct cap_packet *packet) {
  struct dis_frame frame;
  struct dis_coap message;
  dis_frame_read(reassembly, packet->link_type, packet->interface, packet->time, packet->data,
                 packet->length, packet->original_length, &frame);
  if (frame.kind == DIS_FRAME_UDP) dis_coap_parse(&message, frame.payload, frame.length);
}

static void check_packet(const struct cap_reader *reader, const struct cap_packet *packet,
                         uint64_t frames) {
  HOLDS(packet->frame == frames);
  HOLDS(packet->length <= packet->original_length);
  const struct cap_interface *interface = cap_interface_get(reader, packet->interface);
  HOLDS(interface != NULL);
  HOLDS(interface->link_type == packet->link_type);
  HOLDS(strlen(interface->name) < sizeof interface->name);
}

/* Returns how the file ends; |frames|: how many packets come before. */
static enum cap_status read_to_end(struct cap_reader *reader, uint64_t *frames) {
  struct dis_reassembly *reassembly = dis_reassembly_new();
  struct cap_packet packet;
  enum cap_status status;
  *frames = 0;
  while ((status = cap_next(reader, &packet)) == CAP_OK) {
    check_packet(reader, &packet, ++*frames);
    look_into(reassembly, &packet);
  }
  HOLDS(cap_next(reader, &packet) == status);
  HOLDS(status == CAP_END || cap_message(reader)[0] != '\0');
  dis_reassembly_free(reassembly);
  return status;
}

static const char *comment(void *context, uint64_t frame) {
  uint64_t *asked = context;
  *asked = frame;
  return frame % 3 ? "finding" : NULL;
}

/* The copy asks for a comment on each packet there is, and ends as the file does. */
static void check_copy(const uint8_t *data, size_t size, enum cap_status end, uint64_t frames) {
  char path[64], message[256];
  uint64_t asked = 0;
  int fd = memfd_create("fuzz", 0);
  if (fd < 0) return;
  HOLDS(write(fd, data, size) == (ssize_t)size);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  enum cap_status status =
      cap_annotate(path, "/dev/null", comment, &asked, message, sizeof message);
  HOLDS(status == (end == CAP_END ? CAP_OK : end));
  HOLDS(asked == frames);
  close(fd);
}

/* In order of time there are as many packets, each once, and the same end. */
static void check_order(const uint8_t *data, size_t size, enum cap_status end, uint64_t frames) {
  enum cap_status status;
  char message[256];
  uint64_t count = 0, sum = 0;
  const struct cap_packet *packet;
  struct cap_reader *reader = cap_open_memory(data, size, &status, message, sizeof message);
  HOLDS(reader != NULL);
  while ((status = cap_next_in_order(reader, &packet)) == CAP_OK) {
    HOLDS(packet->frame <= frames);
    count++;
    sum += packet->frame;
  }
  HOLDS(status == end && count == frames && sum == frames * (frames + 1) / 2);
  cap_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum cap_status status;
  char message[256];
  uint64_t frames;
  struct cap_reader *reader = cap_open_memory(data, size, &status, message, sizeof message);
  HOLDS((reader == NULL) == (status != CAP_OK));
  if (!reader) {
    HOLDS(message[0] != '\0');
    return 0;
  }
  status = read_to_end(reader, &frames);
  cap_close(reader);
  check_copy(data, size, status, frames);
  check_order(data, size, status, frames);
  return 0;
}
