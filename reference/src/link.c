/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <ctype.h>
#include <stdio.h>

#include "chorus/endpoint_text.h"

enum { LINK_FORMAT = 40 };

/* ---- the link format ---- */

struct text {
  const char *at;
  size_t length;
};

struct link {
  struct text target; /* between "<" and ">" */
  bool anchored;
};

static void skip(struct text *text, size_t n) {
  text->at += n;
  text->length -= n;
}

static void skip_blanks(struct text *text) {
  while (text->length && isspace((unsigned char)text->at[0])) skip(text, 1);
}

/* Octets up to a "," or ";" outside of quotes. */
static size_t parameter_length(const struct text *text) {
  bool quoted = false;
  size_t i = 0;
  for (; i < text->length; i++) {
    if (quoted && text->at[i] == '\\')
      i++;
    else if (text->at[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text->at[i] == ',' || text->at[i] == ';'))
      break;
  }
  return i < text->length ? i : text->length;
}

static bool is_anchor(struct text parameter) {
  static const char name[] = "anchor=";
  skip_blanks(&parameter);
  return parameter.length >= sizeof name - 1 && memcmp(parameter.at, name, sizeof name - 1) == 0;
}

/* Takes the next link off |rest|; false at the end, or where there is no whole link. */
static bool next_link(struct text *rest, struct link *link) {
  skip_blanks(rest);
  if (rest->length == 0 || rest->at[0] != '<') return false;
  const char *end = memchr(rest->at, '>', rest->length);
  if (!end) return false;
  *link = (struct link){.target = {rest->at + 1, (size_t)(end - rest->at) - 1}};
  skip(rest, link->target.length + 2);
  skip_blanks(rest);
  while (rest->length && rest->at[0] == ';') {
    skip(rest, 1);
    struct text parameter = {rest->at, parameter_length(rest)};
    link->anchored = link->anchored || is_anchor(parameter);
    skip(rest, parameter.length);
  }
  if (rest->length && rest->at[0] != ',') return false;
  if (rest->length) skip(rest, 1);
  return true;
}

/* What a URI cannot contain cannot be asked for. */
static bool is_reference(const struct text *t) {
  if (t->length >= REF_LINK_TARGET_MAX) return false;
  for (size_t i = 0; i < t->length; i++)
    if (t->at[i] <= ' ' || t->at[i] > '~') return false;
  return true;
}

static bool is_wanted(const struct link *link, const char *wanted) {
  const struct text *t = &link->target;
  if (link->anchored || !is_reference(t)) return false;
  return !wanted || (strlen(wanted) == t->length && memcmp(wanted, t->at, t->length) == 0);
}

static bool take_link(const struct ref_message *m, const char *wanted,
                      char target[REF_LINK_TARGET_MAX]) {
  struct text rest = {(const char *)m->payload, m->payload_length};
  struct link link;
  while (next_link(&rest, &link)) {
    if (!is_wanted(&link, wanted)) continue;
    memcpy(target, link.target.at, link.target.length);
    target[link.target.length] = '\0';
    return true;
  }
  return false;
}

/* ---- Location-* (RFC 7252, section 6.5, steps 6 to 8) ---- */

struct writer {
  char *text;
  size_t length;
  bool overflow;
};

static void put(struct writer *w, const char *octets, size_t n) {
  w->overflow = w->overflow || w->length + n >= REF_LINK_TARGET_MAX;
  if (w->overflow) return;
  memcpy(w->text + w->length, octets, n);
  w->length += n;
}

/* |also|: what may stand as it is, beside what is unreserved. */
static void put_encoded(struct writer *w, const struct ref_option_walk *o, const char *also) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < o->length; i++) {
    uint8_t octet = o->value[i];
    char plain = (char)octet, code[3] = {'%', digits[octet >> 4], digits[octet & 15]};
    bool kept = octet && octet < 0x80 && (isalnum(octet) || strchr(also, plain));
    if (kept)
      put(w, &plain, 1);
    else
      put(w, code, sizeof code);
  }
}

/* "." and "..": not allowed as a value (section 5.10.7). */
static bool is_dots(const struct ref_option_walk *o) {
  return (o->length == 1 || o->length == 2) && memcmp(o->value, "..", o->length) == 0;
}

static bool take_location(const struct ref_message *m, char target[REF_LINK_TARGET_MAX]) {
  struct writer w = {.text = target};
  struct ref_option_walk o;
  bool found = false, query = false;
  ref_option_first(&o, m);
  while (ref_option_next(&o)) {
    if (o.number == REF_OPTION_LOCATION_PATH) {
      if (is_dots(&o)) return false;
      put(&w, "/", 1);
      put_encoded(&w, &o, "-._~!$&'()*+,;=:@");
    } else if (o.number == REF_OPTION_LOCATION_QUERY) {
      if (!found) put(&w, "/", 1);
      put(&w, query ? "&" : "?", 1);
      put_encoded(&w, &o, "-._~!$'()*+,;=:@/?");
      query = true;
    } else {
      continue;
    }
    found = true;
  }
  target[w.length] = '\0';
  return found && !w.overflow;
}

/* ---- what a response offers ---- */

static bool is_link_format(const struct ref_message *m) {
  struct ref_option_walk o;
  ref_option_first(&o, m);
  while (ref_option_next(&o))
    if (o.number == REF_OPTION_CONTENT_FORMAT)
      return o.length <= 2 && ref_option_uint(o.value, o.length) == LINK_FORMAT;
  return false;
}

bool ref_link_take(const struct ref_message *m, const char *wanted,
                   char target[REF_LINK_TARGET_MAX]) {
  if (m->code == REF_CODE(2, 5)) return is_link_format(m) && take_link(m, wanted, target);
  if (m->code != REF_CODE(2, 1) || !take_location(m, target)) return false;
  return !wanted || strcmp(wanted, target) == 0;
}

/* ---- where it leads ---- */

static bool has_scheme(const char *target) {
  size_t n = 0;
  while (isalnum((unsigned char)target[n]) || (target[n] && strchr("+-.", target[n]))) n++;
  return isalpha((unsigned char)target[0]) && target[n] == ':';
}

static void write_authority(const struct chorus_endpoint *base, char text[CHORUS_ENDPOINT_TEXT]) {
  char address[CHORUS_ENDPOINT_TEXT], zone[16] = "";
  chorus_address_text(base, address);
  if (base->zone) snprintf(zone, sizeof zone, "%%25%u", (unsigned)base->zone); /* RFC 6874 */
  const char *form = chorus_is_ipv4(base) ? "%.46s%.14s:%u" : "[%.46s%.14s]:%u";
  snprintf(text, CHORUS_ENDPOINT_TEXT, form, address, zone, (unsigned)base->port);
}

const char *ref_link_resolve(const char *target, const struct chorus_endpoint *base,
                             char uri[REF_LINK_URI_MAX]) {
  char authority[CHORUS_ENDPOINT_TEXT];
  int length = (int)strcspn(target, "#");
  write_authority(base, authority);
  if (has_scheme(target))
    snprintf(uri, REF_LINK_URI_MAX, "%.*s", length, target);
  else if (strncmp(target, "//", 2) == 0)
    snprintf(uri, REF_LINK_URI_MAX, "coap:%.*s", length, target);
  else
    snprintf(uri, REF_LINK_URI_MAX, "coap://%s%s%.*s", authority, target[0] == '/' ? "" : "/",
             length, target);
  return uri;
}
