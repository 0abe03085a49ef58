/* SPDX-License-Identifier: BSD-2-Clause */
#include "text/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct txt_buffer *text, size_t more) {
  size_t needed = text->length + more + 1;
  if (needed <= text->capacity) return true;
  size_t capacity = text->capacity ? text->capacity : 256;
  while (capacity < needed) capacity *= 2;
  char *grown = realloc(text->data, capacity);
  if (!grown) {
    text->no_memory = true;
    return false;
  }
  text->data = grown;
  text->capacity = capacity;
  return true;
}

void txt_add(struct txt_buffer *text, const void *data, size_t length) {
  if (!reserve(text, length)) return;
  if (length) memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void txt_print(struct txt_buffer *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0 || !reserve(text, (size_t)length)) return;
  va_start(arguments, format);
  vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
}

/* Length of the UTF-8 sequence at |p| (RFC 3629, section 4), or 0. */
static size_t utf8_length(const unsigned char *p) {
  if (p[0] < 0x80) return 1;
  size_t n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 0;
  if (p[0] >= 0xf0 && p[0] < 0xf5) n = 4;
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
  if (p[0] == 0xed && p[1] > 0x9f) return 0;
  if (p[0] == 0xf0 && p[1] < 0x90) return 0;
  if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
  return n;
}

void txt_json(struct txt_buffer *text, const char *value) {
  const unsigned char *p = (const unsigned char *)value;
  txt_add(text, "\"", 1);
  while (*p) {
    size_t n = utf8_length(p);
    if (*p == '"' || *p == '\\')
      txt_print(text, "\\%c", *p);
    else if (*p < 0x20 || *p == 0x7f)
      txt_print(text, "\\u%04x", *p);
    else if (n == 0)
      txt_add(text, "\\ufffd", 6);
    else
      txt_add(text, p, n);
    p += n ? n : 1;
  }
  txt_add(text, "\"", 1);
}

void txt_word(struct txt_buffer *text, const char *value) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,%+@";
  if (*value && value[strspn(value, plain)] == '\0') {
    txt_print(text, "%s", value);
    return;
  }
  txt_print(text, "'");
  for (; *value; value++) {
    if (*value == '\'')
      txt_print(text, "'\\''");
    else
      txt_add(text, value, 1);
  }
  txt_print(text, "'");
}

void txt_hex(struct txt_buffer *text, const uint8_t *octets, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    char pair[2] = {digits[octets[i] >> 4], digits[octets[i] & 15]};
    txt_add(text, pair, 2);
  }
}

void txt_clear(struct txt_buffer *text) {
  text->length = 0;
  text->no_memory = false;
  if (text->data) text->data[0] = '\0';
}

void txt_free(struct txt_buffer *text) {
  free(text->data);
  *text = (struct txt_buffer){0};
}
