/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the capture room: the octets that a writer holds, for a reader of them. */
#ifndef CHORUS_CAPTURE_WRITER_H
#define CHORUS_CAPTURE_WRITER_H

#include "capture/capture.h"

struct writer_view {
  const uint8_t *head; /* section header and interfaces */
  size_t head_length;
  const uint8_t *packets; /* what follows it in the file; comments not merged */
  size_t packets_length;
};

/* Valid until the writer is called again. */
void writer_view(const struct cap_writer *writer, struct writer_view *view);

#endif
