/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the capture room: octets that grow at the end. Zero-initialised is empty and ready. */
#ifndef CHORUS_CAPTURE_BUFFER_H
#define CHORUS_CAPTURE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
  uint8_t *octets;
  size_t length, capacity;
};

void buffer_free(struct buffer *buffer);
/* Adds |length| octets of unspecified value; returns where they are (until the next call), or NULL.
 */
uint8_t *buffer_extend(struct buffer *buffer, size_t length);
bool buffer_append(struct buffer *buffer, const void *octets, size_t length);

#endif
