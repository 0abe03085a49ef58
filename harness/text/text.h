/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that grows, and JSON strings in it. */
#ifndef CHORUS_TEXT_H
#define CHORUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_text {
  char *data; /* ends with a zero octet once there is anything */
  size_t length, capacity;
  bool no_memory;
};

void run_text_add(struct run_text *text, const void *data, size_t length);
void run_text_print(struct run_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* |value| in quotes, escaped (RFC 8259, section 7); octets that are not UTF-8 become U+FFFD. */
void run_text_json(struct run_text *text, const char *value);
void run_text_hex(struct run_text *text, const uint8_t *octets, size_t length);
void run_text_clear(struct run_text *text); /* keeps the memory */
void run_text_free(struct run_text *text);

#endif
