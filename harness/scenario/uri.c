/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/uri.h"

#include <ctype.h>
#include <strings.h>

#include "chorus/endpoint_text.h"
#include "scenario/path.h"

enum { TEXT_MAX = 1023, PART_MAX = 255, PARTS = 512 };

static bool scheme_is_coap(const char *text, size_t length) {
  return (length == 4 && strncasecmp(text, "coap", 4) == 0) ||
         (length == 5 && strncasecmp(text, "coaps", 5) == 0);
}

/* The digits behind the host, or none at all: "coap://[::1]:/" has the default port. */
static bool read_port(const char *text, size_t length, uint16_t *port) {
  unsigned long number = 0;
  for (size_t i = 0; i < length; i++) {
    if (!isdigit((unsigned char)text[i])) return false;
    number = number * 10 + (unsigned long)(text[i] - '0');
    if (number > UINT16_MAX) return false;
  }
  if (length) *port = (uint16_t)number;
  return number > 0 || length == 0;
}

/* The zone of an address is "%25" and its number (RFC 6874). */
static bool read_address(const char *host, struct chorus_endpoint *e) {
  char text[SCN_URI_HOST];
  snprintf(text, sizeof text, "%s", host);
  char *zone = strstr(text, "%25");
  if (zone) memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
  return chorus_address_parse(text, e->port, e);
}

static enum scn_uri_fault read_authority(const char *text, size_t length, struct scn_uri *uri) {
  bool in_brackets = length && text[0] == '[';
  const char *start = text + in_brackets;
  size_t rest = length - in_brackets, host = 0;
  while (host < rest && start[host] != (in_brackets ? ']' : ':')) host++;
  if (in_brackets && host == rest) return SCN_URI_BRACKET;
  if (host >= sizeof uri->host) return SCN_URI_HOST_NAME;
  memcpy(uri->host, start, host);
  uri->host[host] = '\0';
  const char *after = start + host + in_brackets, *end = text + length;
  uri->destination.port = uri->scheme_length == 5 ? CHORUS_COAPS_PORT : CHORUS_COAP_PORT;
  if (after < end && *after != ':') return SCN_URI_BRACKET;
  if (!in_brackets && after < end && memchr(after + 1, ':', (size_t)(end - after - 1)))
    return SCN_URI_BRACKET;
  if (after < end && !read_port(after + 1, (size_t)(end - after - 1), &uri->destination.port))
    return SCN_URI_PORT;
  return read_address(uri->host, &uri->destination) ? SCN_URI_GOOD : SCN_URI_HOST_NAME;
}

/* Octets of a part once its "%20" are one octet each. */
static size_t decoded(const char *text, size_t length) {
  size_t n = length;
  for (size_t i = 0; i < length; i++)
    if (text[i] == '%') n -= 2;
  return n;
}

static bool is_dots(const char *text, size_t length, size_t dots) {
  return length == dots && strncmp(text, "..", dots) == 0;
}

struct parts {
  size_t octets[PARTS], count;
};

static bool add_part(struct parts *parts, const char *text, size_t length) {
  if (parts->count == PARTS) return false;
  parts->octets[parts->count++] = decoded(text, length);
  return true;
}

/*
 * Segments as they are sent: "." and ".." are not, and leave an empty one at the end of a path (RFC
 * 3986, section 5.2.4); "/" alone is none.
 */
static bool split_path(const char *text, size_t length, struct parts *parts) {
  if (length <= 1) return true;
  for (const char *p = text + 1, *end = text + length; p <= end; p++) {
    const char *slash = memchr(p, '/', (size_t)(end - p));
    size_t part = (size_t)((slash ? slash : end) - p);
    bool dot = is_dots(p, part, 1), dots = is_dots(p, part, 2);
    if (dots) parts->count -= parts->count > 0;
    if (!dot && !dots && !add_part(parts, p, part)) return false;
    p += part;
    if (!slash && (dot || dots) && !add_part(parts, p, 0)) return false;
  }
  if (parts->count == 1 && parts->octets[0] == 0) parts->count = 0;
  return true;
}

/* "a&" is two arguments, of which the second is empty; "?" alone is none. */
static bool split_query(const char *text, struct parts *parts) {
  for (const char *p = text; *text;) {
    size_t part = strcspn(p, "&");
    if (!add_part(parts, p, part)) return false;
    if (p[part] == '\0') return true;
    p += part + 1;
  }
  return true;
}

static enum scn_uri_fault read_parts(const char *text, struct scn_uri *uri) {
  struct parts parts;
  size_t path = strcspn(text, "?");
  parts.count = 0;
  if (!split_path(text, path, &parts)) return SCN_URI_PART;
  if (text[path] && !split_query(text + path + 1, &parts)) return SCN_URI_PART;
  for (size_t i = 0; i < parts.count; i++) {
    if (parts.octets[i] > PART_MAX) return SCN_URI_PART;
    uri->octets += parts.octets[i];
  }
  uri->parts = parts.count;
  return SCN_URI_GOOD;
}

enum scn_uri_fault scn_uri_read(const char *text, struct scn_uri *uri) {
  size_t scheme = strcspn(text, ":");
  *uri = (struct scn_uri){.scheme_length = scheme};
  if (!scheme_is_coap(text, scheme) || strncmp(text + scheme, "://", 3) != 0) return SCN_URI_SCHEME;
  if (strlen(text) > TEXT_MAX) return SCN_URI_LONG;
  if (strchr(text, '#')) return SCN_URI_FRAGMENT;
  if (!scn_percent_valid(text)) return SCN_URI_PERCENT;
  const char *authority = text + scheme + 3;
  size_t length = strcspn(authority, "/?");
  enum scn_uri_fault fault = read_authority(authority, length, uri);
  return fault == SCN_URI_GOOD ? read_parts(authority + length, uri) : fault;
}
