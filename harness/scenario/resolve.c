/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of addresses and nodes, and small values that several sections share. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "scenario/decode.h"
#include "scenario/path.h"
#include "scenario/units.h"

const char *const scn_kind_words[] = {"any", "request", "response", "empty", NULL};

bool scn_match(const char *pattern, const char *text) {
  const char *star = NULL, *mark = NULL;
  while (*text) {
    if (*pattern == '*') {
      star = pattern++;
      mark = text;
    } else if (*pattern == '?' || *pattern == *text) {
      pattern++;
      text++;
    } else if (star) {
      pattern = star + 1;
      text = ++mark;
    } else {
      return false;
    }
  }
  while (*pattern == '*') pattern++;
  return *pattern == '\0';
}

void scn_break(struct scn_decoder *d, const char *name) {
  const char **slot = scn_append(d->arena, &d->broken, &d->broken_count, sizeof *slot);
  if (slot) *slot = scn_print(d->arena, "%s", name);
}

bool scn_is_broken(const struct scn_decoder *d, const char *pattern) {
  for (size_t i = 0; i < d->broken_count; i++) {
    const char *name = d->broken[i];
    size_t length = strlen(name);
    if (!name[0]) continue; /* out of memory */
    if (scn_match(pattern, name)) return true;
    bool family = strncmp(pattern, name, length) == 0;
    if (family && pattern[length + strspn(pattern + length, "#*?0123456789")] == '\0') return true;
  }
  return false;
}

static const struct scn_name *find_name(struct scn_decoder *d, const char *text, size_t length) {
  for (size_t i = 0; i < d->name_count; i++)
    if (strlen(d->names[i].name) == length && memcmp(d->names[i].name, text, length) == 0)
      return &d->names[i];
  return NULL;
}

static size_t name_length(const char *text) {
  size_t n = 0;
  while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
         (text[n] >= '0' && text[n] <= '9') || text[n] == '-' || text[n] == '_')
    n++;
  return n;
}

static void unknown_name(struct scn_decoder *d, const scn_value *at, const char *name) {
  const char *words[64], *near;
  size_t count = 0;
  if (scn_is_broken(d, name)) return;
  for (size_t i = 0; i < d->name_count && count < 64; i++) words[count++] = d->names[i].name;
  near = scn_nearest(name, words, count);
  if (near)
    scn_complain(d->document, at, "nothing is called $%s; did you mean $%s?", name, near);
  else
    scn_complain(d->document, at, "nothing is called $%s: no parameter, group, address or node",
                 name);
}

/* "[ff35::1]", with ":port" unless it is CoAP's own or the text goes on with a port. */
static void host_text(const struct chorus_endpoint *e, char next, char *text, size_t size) {
  char address[CHORUS_ENDPOINT_TEXT], port[8] = "";
  chorus_address_text(e, address);
  if (e->port && e->port != CHORUS_COAP_PORT && next != ':')
    snprintf(port, sizeof port, ":%u", (unsigned)e->port);
  snprintf(text, size, chorus_is_ipv4(e) ? "%.46s%s" : "[%.46s]%s", address, port);
}

const char *scn_resolve(struct scn_decoder *d, const scn_value *at, const char *text) {
  const char *result = "";
  while (result && *text) {
    size_t plain = strcspn(text, "$");
    if (text[plain] == '\0' || text[plain + 1] == '$') { /* the end, or $$ for a $ */
      bool dollar = text[plain] == '$';
      result = scn_print(d->arena, "%s%.*s", result, (int)(plain + dollar), text);
      text += plain + 2u * dollar;
      continue;
    }
    const char *name = text + plain + 1;
    size_t length = name_length(name);
    const struct scn_name *found = find_name(d, name, length);
    if (!found) {
      unknown_name(d, at, scn_copy(d->arena, name, length));
      return NULL;
    }
    char host[CHORUS_ENDPOINT_TEXT];
    host_text(&found->endpoint, name[length], host, sizeof host);
    result = scn_print(d->arena, "%s%.*s%s", result, (int)plain, text, host);
    text = name + length;
  }
  return result;
}

bool scn_check_version(struct scn_decoder *d, const scn_value *at,
                       const struct chorus_endpoint *endpoint, const char *text) {
  unsigned version = chorus_is_ipv4(endpoint) ? 4 : 6;
  if (version == d->scenario->network.ip || d->ip_broken) return true;
  scn_complain(d->document, at,
               "%s is an IPv%u address, but network.ip is %u; name it under network.groups or "
               "network.addresses with one for each version",
               text, version, d->scenario->network.ip);
  return false;
}

bool scn_endpoint(struct scn_decoder *d, const scn_value *value, uint16_t port,
                  struct chorus_endpoint *endpoint) {
  const char *text = scn_text_with_names(d->document, value);
  if (text) text = scn_resolve(d, value, text);
  if (!text) return false;
  if (!chorus_endpoint_parse(text, port, endpoint)) {
    scn_complain(d->document, value,
                 "\"%s\" is no endpoint; write [ff35::1]:5683, 192.0.2.1:5683 or a $name", text);
    return false;
  }
  if (port && endpoint->port == 0) {
    scn_complain(d->document, value, "\"%s\" has no port: write a number from 1 to 65535", text);
    return false;
  }
  return scn_check_version(d, value, endpoint, text);
}

void scn_endpoints(struct scn_decoder *d, const scn_value *map, const char *key, uint16_t port,
                   const struct chorus_endpoint **list, size_t *count) {
  const scn_value *value = scn_get(d->document, map, key), *item;
  struct chorus_endpoint *endpoints = NULL;
  size_t n = 0;
  if (!value || !scn_expect_list(d->document, value, key)) return;
  for (size_t i = 0; (item = scn_item(d->document, value, i)); i++) {
    struct chorus_endpoint e, *slot;
    if (!scn_endpoint(d, item, port, &e)) continue;
    if ((slot = scn_append(d->arena, &endpoints, &n, sizeof e))) *slot = e;
  }
  *list = endpoints;
  *count = n;
}

static size_t add_matches(struct scn_decoder *d, const char *pattern, uint32_t **list,
                          size_t *count) {
  size_t found = 0;
  for (uint32_t i = 0; i < d->node_count; i++) {
    const struct scn_node *n = &d->nodes[i];
    bool family = strcmp(pattern, n->family) == 0;
    if (!family && !scn_match(pattern, n->name)) continue;
    uint32_t *slot = scn_append(d->arena, list, count, sizeof *slot);
    if (slot) *slot = i;
    found++;
  }
  return found;
}

static void no_such_node(struct scn_decoder *d, const scn_value *at, const char *pattern) {
  const char *words[64], *near;
  size_t count = 0;
  if (scn_is_broken(d, pattern)) return;
  for (size_t i = 0; i < d->node_count && count < 64; i++) words[count++] = d->nodes[i].name;
  near = scn_nearest(pattern, words, count);
  scn_complain(d->document, at, "no node is called \"%s\"%s%s%s", pattern,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

bool scn_decode_pattern(struct scn_decoder *d, const scn_value *value, const uint32_t **nodes,
                        size_t *count) {
  uint32_t *list = NULL;
  size_t n = 0;
  if (scn_is_list(value)) {
    const scn_value *item;
    if (!scn_item(d->document, value, 0))
      scn_complain(d->document, value, "an empty list names no node");
    for (size_t i = 0; (item = scn_item(d->document, value, i)); i++) {
      const char *pattern = scn_text(d->document, item);
      if (pattern && add_matches(d, pattern, &list, &n) == 0) no_such_node(d, item, pattern);
    }
  } else {
    const char *pattern = scn_text(d->document, value);
    if (pattern && add_matches(d, pattern, &list, &n) == 0) no_such_node(d, value, pattern);
  }
  *nodes = list;
  *count = n;
  return n > 0;
}

bool scn_read_code(struct scn_decoder *d, const scn_value *map, const char *key,
                   struct scn_code *code) {
  const char *text = NULL;
  if (!scn_read_text(d->document, map, key, &text)) return false;
  if (scn_parse_code(text, code)) return true;
  scn_complain(d->document, scn_get(d->document, map, key),
               "\"%s\" is no code; write GET, 2.05, 4.xx or EMPTY", text);
  return false;
}

bool scn_read_path(struct scn_decoder *d, const scn_value *map, const char **path) {
  const char *text;
  if (!scn_read_text(d->document, map, "path", &text)) return false;
  text = scn_path(d->document, scn_get(d->document, map, "path"), text);
  if (text) *path = text;
  return text != NULL;
}

bool scn_read_range(struct scn_decoder *d, const scn_value *map, const char *key,
                    struct scn_range *range) {
  const char *text = NULL;
  if (!scn_read_text(d->document, map, key, &text)) return false;
  if (scn_parse_range(text, range)) return true;
  scn_complain(d->document, scn_get(d->document, map, key),
               "\"%s\" is no number of times for %s; write 1, 0..2, 2.. or ..3", text, key);
  return false;
}

bool scn_read_type(struct scn_decoder *d, const scn_value *map, const char *key, int *type) {
  static const char *const types[] = {"CON", "NON", "ACK", "RST", NULL};
  unsigned t;
  if (!scn_read_word(d->document, map, key, types, &t)) return false;
  *type = (int)t;
  return true;
}

void scn_read_destination(struct scn_decoder *d, const scn_value *map,
                          enum scn_destination *destination) {
  bool group;
  if (scn_read_boolean(d->document, map, "group", &group))
    *destination = group ? SCN_TO_GROUP : SCN_TO_UNICAST;
}
