/* SPDX-License-Identifier: BSD-2-Clause */
#include "uri.h"

#include <coap3/coap.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "chorus/endpoint_text.h"

enum { TEXT_MAX = 1024, SEGMENT_MAX = 255 };

static int bad(const char **why, const char *text) {
  *why = text;
  return CHORUS_BAD_ARGUMENT;
}

static bool percent_valid(const char *text) {
  for (; *text; text++)
    if (*text == '%' && !(isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])))
      return false;
  return true;
}

/*
 * Copies |text| with "/" in front of a query that follows the authority at once, as
 * coap_split_uri() wants it; RFC 3986, section 3.3, allows an empty path there.
 */
static const char *normalize(const char *text, char copy[TEXT_MAX + 2], size_t scheme) {
  size_t authority = scheme + strcspn(text + scheme, "/?");
  size_t length = strlen(text);
  memcpy(copy, text, authority);
  size_t at = authority;
  if (text[authority] != '/') copy[at++] = '/';
  memcpy(copy + at, text + authority, length - authority + 1);
  return copy + authority;
}

static int read_host(const coap_uri_t *split, struct chorus_endpoint *e, const char **why) {
  char host[80];
  if (split->host.length >= sizeof host) return bad(why, "uri: the host is too long");
  memcpy(host, split->host.s, split->host.length);
  host[split->host.length] = '\0';
  char *zone = strstr(host, "%25"); /* RFC 6874 */
  if (zone) memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
  if (!chorus_address_parse(host, split->port, e))
    return bad(why, "uri: the host is no address literal, and there is no DNS here");
  return CHORUS_OK;
}

/* Removes "." and ".." segments in place (RFC 3986, section 5.2.4); returns the new length. */
static size_t remove_dots(char *path, size_t length) {
  size_t out = 0, from = 0;
  while (from <= length) {
    size_t end = from;
    while (end < length && path[end] != '/') end++;
    size_t n = end - from;
    bool dot = n == 1 && path[from] == '.';
    bool dots = n == 2 && path[from] == '.' && path[from + 1] == '.';
    bool last = end == length;
    if (dots) {
      if (out > 0) out--;
      while (out > 0 && path[out - 1] != '/') out--;
    } else if (!dot) {
      memmove(path + out, path + from, n);
      out += n;
      if (!last) path[out++] = '/';
    }
    from = end + 1;
  }
  return out;
}

/* Adds the segments that libcoap has split as options of one number. */
static bool add_segments(struct ref_option_list *options, uint16_t number, const uint8_t *at,
                         size_t length) {
  while (length > 0) {
    coap_option_t option;
    size_t step = coap_opt_parse(at, length, &option);
    if (step == 0 || option.length > SEGMENT_MAX) return false;
    if (!ref_option_add(options, number, option.value, option.length)) return false;
    at += step;
    length -= step;
  }
  return true;
}

static int add_path(const coap_uri_t *split, struct ref_option_list *options, const char **why) {
  char path[TEXT_MAX + 2];
  uint8_t segments[2 * TEXT_MAX];
  size_t size = sizeof segments;
  if (split->path.length == 0) return CHORUS_OK;
  memcpy(path, split->path.s, split->path.length);
  size_t length = remove_dots(path, split->path.length);
  if (length == 0) return CHORUS_OK;
  int count = coap_split_path((const uint8_t *)path, length, segments, &size);
  if (count < 0 || !add_segments(options, REF_OPTION_URI_PATH, segments, size))
    return bad(why, "uri: a path segment exceeds 255 octets, or there are too many");
  return CHORUS_OK;
}

static int add_query(const coap_uri_t *split, struct ref_option_list *options, const char **why) {
  uint8_t segments[2 * TEXT_MAX];
  size_t size = sizeof segments;
  if (split->query.length == 0) return CHORUS_OK;
  int count = coap_split_query(split->query.s, split->query.length, segments, &size);
  if (count < 0 || !add_segments(options, REF_OPTION_URI_QUERY, segments, size))
    return bad(why, "uri: a query argument exceeds 255 octets, or there are too many");
  return CHORUS_OK;
}

int ref_uri_parse(const char *text, struct ref_uri *uri, struct ref_option_list *options,
                  const char **why) {
  char copy[TEXT_MAX + 2];
  coap_uri_t split;
  size_t scheme = strcspn(text, ":");
  uri->secure = scheme == 5 && strncasecmp(text, "coaps", 5) == 0;
  bool plain = scheme == 4 && strncasecmp(text, "coap", 4) == 0;
  if (!(plain || uri->secure) || strncmp(text + scheme, "://", 3) != 0)
    return bad(why, "uri: not a coap:// or coaps:// URI");
  if (strlen(text) >= TEXT_MAX) return bad(why, "uri: too long");
  if (strchr(text, '#')) return bad(why, "uri: a fragment cannot be requested (RFC 7252, 6.4)");
  if (!percent_valid(text)) return bad(why, "uri: \"%\" without two hexadecimal digits");
  normalize(text, copy, scheme + 3);
  for (size_t i = 0; i < scheme; i++) copy[i] = (char)tolower((unsigned char)copy[i]);
  if (coap_split_uri((const uint8_t *)copy, strlen(copy), &split) < 0)
    return bad(why, "uri: not a valid URI");
  if (split.port == 0) return bad(why, "uri: port 0");
  int status = read_host(&split, &uri->destination, why);
  if (status == CHORUS_OK) status = add_path(&split, options, why);
  if (status == CHORUS_OK) status = add_query(&split, options, why);
  return status;
}

/* Without memory it is parsed again the next time. */
static void remember(struct ref_uri_memory **memory, const char *text) {
  size_t size = strlen(text) + 1;
  const char *why;
  free(*memory);
  *memory = calloc(1, sizeof **memory + size);
  if (!*memory) return;
  memcpy((*memory)->text, text, size);
  ref_uri_parse((*memory)->text, &(*memory)->uri, &(*memory)->options, &why);
}

int ref_uri_recall(struct ref_uri_memory **memory, const char *text, struct ref_uri *uri,
                   struct ref_option_list *options, const char **why) {
  const struct ref_uri_memory *m = *memory;
  if (!m || strcmp(m->text, text) != 0) {
    int status = ref_uri_parse(text, uri, options, why);
    if (status == CHORUS_OK) remember(memory, text);
    return status;
  }
  *uri = m->uri;
  for (size_t i = 0; i < m->options.count; i++)
    if (!ref_option_add(options, m->options.item[i].number,
                        m->options.store + m->options.item[i].offset, m->options.item[i].length))
      return bad(why, "uri: too many options");
  return CHORUS_OK;
}
