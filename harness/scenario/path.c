/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/path.h"

#include <ctype.h>
#include <string.h>

enum { SEGMENT_MAX = 255 };

bool scn_percent_valid(const char *text) {
  for (; *text; text++)
    if (*text == '%' && !(isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])))
      return false;
  return true;
}

static unsigned digit(char c) {
  if (c >= '0' && c <= '9') return (unsigned)(c - '0');
  return (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

/* Reads one octet of |length| characters, encoded or not; returns how many it took. */
static size_t take(const char *text, size_t length, uint8_t *octet) {
  bool encoded = length >= 3 && text[0] == '%' && isxdigit((unsigned char)text[1]) &&
                 isxdigit((unsigned char)text[2]);
  *octet = encoded ? (uint8_t)(digit(text[1]) << 4 | digit(text[2])) : (uint8_t)text[0];
  return encoded ? 3 : 1;
}

size_t scn_percent_decode(const char *text, size_t length, uint8_t *to) {
  size_t n = 0;
  for (size_t i = 0; i < length;) i += take(text + i, length - i, &to[n++]);
  return n;
}

/* ---- composing ---- */

/* Whether |c| stands for itself in a segment, or in an argument of the query. */
static bool is_plain(uint8_t c, bool query) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != 0 && strchr(query ? "-._~!$'()*+,;=:@/?" : "-._~!$&'()*+,;=:@", c) != NULL;
}

/* Whether the character that is not encoded parts segments, arguments, or path and query. */
static bool is_separator(char c, bool query) {
  return query ? c == '&' : c == '/' || c == '?';
}

struct composed {
  char *text;
  size_t size, length;
};

static void put(struct composed *c, char character) {
  if (c->length + 1 < c->size) c->text[c->length] = character;
  c->length++;
}

static void put_octet(struct composed *c, uint8_t octet, bool query) {
  static const char hex[] = "0123456789ABCDEF";
  if (is_plain(octet, query)) {
    put(c, (char)octet);
    return;
  }
  put(c, '%');
  put(c, hex[octet >> 4]);
  put(c, hex[octet & 15]);
}

size_t scn_path_compose(const char *path, char *text, size_t size) {
  struct composed c = {.text = text, .size = size};
  bool query = false;
  for (size_t left = strlen(path); left > 0;) {
    uint8_t octet;
    size_t taken = take(path, left, &octet);
    if (taken == 1 && is_separator(*path, query))
      put(&c, *path);
    else
      put_octet(&c, octet, query);
    query = query || (taken == 1 && *path == '?');
    path += taken;
    left -= taken;
  }
  if (size > 0) text[c.length < size ? c.length : size - 1] = '\0';
  return c.length;
}

/* ---- complaining ---- */

static const char *fault_of(const char *path) {
  if (strchr(path, '#')) return "a path has no fragment: write %23 for the character";
  if (!scn_percent_valid(path)) return "\"%\" stands before two hexadecimal digits: write %25";
  return NULL;
}

const char *scn_path(struct scn_document *d, const scn_value *at, const char *path) {
  const char *fault = fault_of(path);
  if (path[0] != '/') {
    scn_complain(d, at, "\"%s\" is no path: write /%s", path, path);
    return NULL;
  }
  if (fault) {
    scn_complain(d, at, "\"%s\": %s", path, fault);
    return NULL;
  }
  size_t size = scn_path_compose(path, NULL, 0) + 1;
  char *text = scn_alloc(d->arena, size);
  if (text) scn_path_compose(path, text, size);
  return text;
}

static size_t decoded_length(const char *text, size_t length) {
  size_t n = length;
  for (size_t i = 0; i < length; i++)
    if (text[i] == '%') n -= 2;
  return n;
}

/* Of a path that is composed: in it "." stands for itself. */
static const char *segment_fault(const char *path) {
  while (*path == '/') {
    size_t length = strcspn(++path, "/");
    bool dots = (length == 1 || length == 2) && strncmp(path, "..", length) == 0;
    if (dots) return "no request has the segments . and .. (RFC 3986, section 5.2.4)";
    if (decoded_length(path, length) > SEGMENT_MAX) return "a segment has at most 255 octets";
    path += length;
  }
  return NULL;
}

const char *scn_resource_path(struct scn_document *d, const scn_value *at, const char *path) {
  if (path[0] != '/' || strchr(path, '?')) {
    scn_complain(d, at,
                 "\"%s\": a path begins with / and has no query; write %%3F for the character ?",
                 path);
    return NULL;
  }
  const char *text = scn_path(d, at, path), *fault = text ? segment_fault(text) : NULL;
  if (text && !fault && strlen(text) > SCN_PATH_MAX) fault = "a path has at most 511 octets";
  if (fault) scn_complain(d, at, "\"%.100s\": %s", path, fault);
  return fault ? NULL : text;
}
