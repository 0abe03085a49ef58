/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sequence of frames through one table of fragments. The input: an octet that chooses the link
 * type, then frames of: two octets of length, an octet of time (s) and interface, an octet of
 * octets cut by the snap length, and the frame.
 */
#include "dissect/frame.h"
#include "fuzz.h"

static const uint32_t links[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 147};

/* Reads every octet that was handed out, for ASan to see. */
static void touch(const uint8_t *octets, size_t length) {
  const volatile uint8_t *read = octets;
  for (size_t i = 0; i < length; i++) (void)read[i];
}

static void check(const struct dis_frame *frame) {
  bool bad = frame->kind == DIS_FRAME_DAMAGED || frame->kind == DIS_FRAME_UNREADABLE;
  HOLDS(bad == (frame->why != NULL));
  HOLDS(frame->mac_length <= 8);
  HOLDS(frame->kind != DIS_FRAME_UDP || frame->payload != NULL);
  HOLDS(frame->length <= 65535);
  if (frame->payload) touch(frame->payload, frame->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct dis_reassembly *reassembly = dis_reassembly_new();
  if (!reassembly) return 0;
  uint32_t link = links[data[0] % (sizeof links / sizeof links[0])];
  uint64_t time = 0;
  data++;
  size--;
  while (size >= 4) {
    size_t length = (size_t)(data[0] << 8 | data[1]);
    uint32_t interface = data[2] & 1;
    size_t cut = data[3];
    time += (data[2] >> 1) * CHORUS_SECOND;
    data += 4;
    size -= 4;
    if (length > size) length = size;
    struct dis_frame frame;
    dis_frame_read(reassembly, link, interface, time, data, length, length + cut, &frame);
    check(&frame);
    data += length;
    size -= length;
  }
  dis_reassembly_free(reassembly);
  return 0;
}
