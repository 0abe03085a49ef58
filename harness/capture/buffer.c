/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/buffer.h"

#include <stdlib.h>
#include <string.h>

void buffer_free(struct buffer *buffer) {
  free(buffer->octets);
  *buffer = (struct buffer){0};
}

static bool grow(struct buffer *buffer, size_t length) {
  size_t capacity = buffer->capacity ? buffer->capacity : 1024;
  while (capacity - buffer->length < length) {
    if (capacity > SIZE_MAX / 2) return false;
    capacity *= 2;
  }
  uint8_t *octets = realloc(buffer->octets, capacity);
  if (!octets) return false;
  buffer->octets = octets;
  buffer->capacity = capacity;
  return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t length) {
  bool fits = buffer->octets && buffer->capacity - buffer->length >= length;
  if (!fits && !grow(buffer, length)) return NULL;
  uint8_t *at = buffer->octets + buffer->length;
  buffer->length += length;
  return at;
}

bool buffer_append(struct buffer *buffer, const void *octets, size_t length) {
  uint8_t *at = buffer_extend(buffer, length);
  if (at && length > 0) memcpy(at, octets, length);
  return at != NULL;
}
