/* SPDX-License-Identifier: BSD-2-Clause */
#include "path.h"

#include <string.h>

/* Whether |c| stands for itself in a path segment or query argument. */
static bool is_plain(uint8_t c, bool query) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  if (c == 0) return false;
  return strchr(query ? "-._~!$'()*+,;=:@/?" : "-._~!$&'()*+,;=:@", c) != NULL;
}

size_t ref_path_octet(char text[3], uint8_t octet, bool query) {
  static const char hex[] = "0123456789ABCDEF";
  bool plain = is_plain(octet, query);
  text[0] = plain ? (char)octet : '%';
  if (plain) return 1;
  text[1] = hex[octet >> 4];
  text[2] = hex[octet & 15];
  return 3;
}

struct composed {
  char *text;
  size_t size, length;
};

static void put(struct composed *c, const char *characters, size_t count) {
  for (size_t i = 0; i < count; i++, c->length++)
    if (c->length + 1 < c->size) c->text[c->length] = characters[i];
}

/* All options of |number|, the first behind |mark|, the others behind |next|. */
static void put_options(struct composed *c, const struct ref_option_list *options, uint16_t number,
                        char mark, char next) {
  for (size_t i = 0; i < options->count; i++) {
    if (options->item[i].number != number) continue;
    const uint8_t *value = options->store + options->item[i].offset;
    char text[3];
    put(c, &mark, 1);
    mark = next;
    for (size_t k = 0; k < options->item[i].length; k++)
      put(c, text, ref_path_octet(text, value[k], number == REF_OPTION_URI_QUERY));
  }
}

size_t ref_path_compose(const struct ref_option_list *options, char *text, size_t size) {
  struct composed c = {.text = text, .size = size};
  put_options(&c, options, REF_OPTION_URI_PATH, '/', '/');
  if (c.length == 0) put(&c, "/", 1);
  put_options(&c, options, REF_OPTION_URI_QUERY, '?', '&');
  if (size > 0) text[c.length < size ? c.length : size - 1] = '\0';
  return c.length;
}

static int hex_digit(char c) {
  static const char digits[] = "0123456789ABCDEF";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

bool ref_path_is_composed(const char *path) {
  if (path[0] != '/') return false;
  for (const char *p = path; *p; p++) {
    int high = *p == '%' ? hex_digit(p[1]) : 0, low = *p == '%' && high >= 0 ? hex_digit(p[2]) : 0;
    if (high < 0 || low < 0) return false;
    uint8_t octet = *p == '%' ? (uint8_t)((unsigned)high << 4 | (unsigned)low) : (uint8_t)*p;
    bool is_separator = *p == '/';
    if (!is_separator && is_plain(octet, false) != (*p != '%')) return false;
    if (*p == '%') p += 2;
  }
  return true;
}
