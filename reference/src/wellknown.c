/* SPDX-License-Identifier: BSD-2-Clause */
#include "wellknown.h"

#include <strings.h>

enum { VALUE_MAX = 256 };

struct pattern {
  const char *value;
  size_t length;
  bool prefix;
};

static bool pattern_matches(const struct pattern *p, const char *value, size_t length) {
  if (p->prefix ? length < p->length : length != p->length) return false;
  return memcmp(p->value, value, p->length) == 0;
}

/* Attributes whose value is a list of values, each of which matches on its own. */
static bool is_list(const char *name, size_t length) {
  static const char *const lists[] = {"rel", "rev", "rt", "if", "ct"};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (strlen(lists[i]) == length && strncasecmp(lists[i], name, length) == 0) return true;
  return false;
}

static bool list_matches(const struct pattern *p, const char *value, size_t length) {
  size_t from = 0;
  for (size_t i = 0; i <= length; i++) {
    if (i < length && value[i] != ' ') continue;
    if (i > from && pattern_matches(p, value + from, i - from)) return true;
    from = i + 1;
  }
  return length == 0 && pattern_matches(p, value, 0);
}

/* Reads a value, quoted or not, without its escapes; returns the text behind it. */
static const char *read_value(const char *at, char value[VALUE_MAX], size_t *length) {
  bool quoted = *at == '"';
  *length = 0;
  if (quoted) at++;
  while (*at && *at != (quoted ? '"' : ';')) {
    if (quoted && *at == '\\' && at[1]) at++;
    if (*length < VALUE_MAX) value[(*length)++] = *at;
    at++;
  }
  while (*at && *at != ';') at++;
  return at;
}

static bool attribute_matches(const char *attributes, const char *name, size_t name_length,
                              const struct pattern *p) {
  const char *at = attributes;
  while (at && *at) {
    while (*at == ';' || *at == ' ') at++;
    size_t length = strcspn(at, "=; ");
    bool wanted = length == name_length && strncasecmp(at, name, length) == 0;
    bool valued = at[length] == '=';
    at += length;
    char value[VALUE_MAX];
    size_t value_length = 0;
    if (valued)
      at = read_value(at + 1, value, &value_length);
    else
      at += strcspn(at, ";");
    if (!wanted) continue;
    bool hit = is_list(name, name_length) ? list_matches(p, value, value_length)
                                          : pattern_matches(p, value, value_length);
    if (hit) return true;
  }
  return false;
}

bool ref_link_matches(const char *path, const char *attributes, const char *query, size_t length) {
  const char *equals = memchr(query, '=', length);
  if (!equals || equals == query) return false;
  size_t name_length = (size_t)(equals - query);
  struct pattern p = {.value = equals + 1, .length = length - name_length - 1};
  if (p.length > 0 && p.value[p.length - 1] == '*') {
    p.prefix = true;
    p.length--;
  }
  if (name_length == 4 && strncasecmp(query, "href", 4) == 0)
    return pattern_matches(&p, path, strlen(path));
  return attribute_matches(attributes, query, name_length, &p);
}
