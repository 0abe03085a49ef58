/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that grows, and in it JSON strings and words for a shell. */
#ifndef CHORUS_TEXT_H
#define CHORUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct txt_buffer {
  char *data; /* ends with a zero octet once there is anything */
  size_t length, capacity;
  bool no_memory;
};

void txt_add(struct txt_buffer *text, const void *data, size_t length);
void txt_print(struct txt_buffer *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* |value| in quotes, escaped (RFC 8259, section 7); octets that are not UTF-8 become U+FFFD. */
void txt_json(struct txt_buffer *text, const char *value);
/* |value| as one word for a POSIX shell, in single quotes where it needs them. */
void txt_word(struct txt_buffer *text, const char *value);
void txt_hex(struct txt_buffer *text, const uint8_t *octets, size_t length);
void txt_clear(struct txt_buffer *text); /* keeps the memory */
void txt_free(struct txt_buffer *text);

#endif
