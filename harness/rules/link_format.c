/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/link_format.h"

#include <string.h>

static bool blank(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip(struct rule_text *text, size_t n) {
  text->at += n;
  text->length -= n;
}

static void skip_blanks(struct rule_text *text) {
  while (text->length && blank(text->at[0])) skip(text, 1);
}

/* Octets up to |stop| outside of quotes; |text->length| if there is none. */
static size_t find(const struct rule_text *text, uint8_t stop) {
  bool quoted = false;
  for (size_t i = 0; i < text->length; i++) {
    if (quoted && text->at[i] == '\\')
      i++;
    else if (text->at[i] == '"')
      quoted = !quoted;
    else if (!quoted && text->at[i] == stop)
      return i;
  }
  return text->length;
}

static const uint8_t *target_end(const struct rule_text *text) {
  return memchr(text->at, '>', text->length);
}

bool rule_link_next(struct rule_text *rest, struct rule_link *link) {
  skip_blanks(rest);
  if (rest->length == 0 || rest->at[0] != '<') return false;
  const uint8_t *end = target_end(rest);
  if (!end) return false;
  struct rule_text all = *rest;
  link->target = (struct rule_text){all.at + 1, (size_t)(end - all.at) - 1};
  skip(&all, (size_t)(end - all.at) + 1);
  link->attributes = (struct rule_text){all.at, find(&all, ',')};
  skip(&all, link->attributes.length);
  struct rule_text first = link->attributes;
  skip_blanks(&first);
  if (first.length && first.at[0] != ';') return false;
  if (all.length) skip(&all, 1); /* the comma */
  *rest = all;
  return true;
}

static bool value_matches(struct rule_text have, struct rule_text want) {
  bool prefix = want.length && want.at[want.length - 1] == '*';
  if (prefix) want.length--;
  if (have.length < want.length || (!prefix && have.length != want.length)) return false;
  return want.length == 0 || memcmp(have.at, want.at, want.length) == 0;
}

/* The whole value, or one of its parts. */
static bool any_part_matches(struct rule_text have, struct rule_text want) {
  if (value_matches(have, want)) return true;
  while (have.length) {
    skip_blanks(&have);
    size_t n = 0;
    while (n < have.length && !blank(have.at[n])) n++;
    if (n && value_matches((struct rule_text){have.at, n}, want)) return true;
    skip(&have, n);
  }
  return false;
}

static struct rule_text unquoted(struct rule_text value) {
  if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"') {
    value.at++;
    value.length -= 2;
  }
  return value;
}

static bool attribute_matches(struct rule_text attribute, struct rule_text name,
                              struct rule_text value) {
  skip_blanks(&attribute);
  size_t equals = find(&attribute, '=');
  if (equals != name.length || memcmp(attribute.at, name.at, name.length) != 0) return false;
  struct rule_text have = {attribute.at + equals, attribute.length - equals};
  if (have.length) skip(&have, 1);
  return any_part_matches(unquoted(have), value);
}

static bool is_text(struct rule_text text, const char *word) {
  return text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

static bool any_attribute_matches(const struct rule_link *link, struct rule_text name,
                                  struct rule_text value) {
  struct rule_text rest = link->attributes;
  while (rest.length) {
    skip(&rest, 1); /* the semicolon */
    struct rule_text attribute = {rest.at, find(&rest, ';')};
    if (attribute_matches(attribute, name, value)) return true;
    skip(&rest, attribute.length);
  }
  return false;
}

bool rule_link_matches(const struct rule_link *link, struct rule_text name,
                       struct rule_text value) {
  if (is_text(name, "href")) return value_matches(link->target, value);
  if (any_attribute_matches(link, name, value)) return true;
  /* Without "rel" the relation is "hosts" (RFC 6690, section 2.2). */
  static const uint8_t any[] = "*", hosts[] = "hosts";
  if (!is_text(name, "rel")) return false;
  bool has_rel = any_attribute_matches(link, name, (struct rule_text){any, 1});
  return !has_rel && value_matches((struct rule_text){hosts, sizeof hosts - 1}, value);
}
