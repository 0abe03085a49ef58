/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that a tester crafts, right and wrong ones, and its answers. */
#include <stdio.h>
#include <stdlib.h>

#include "scenario/decode.h"
#include "scenario/path.h"
#include "scenario/units.h"

/* ---- options ---- */

enum option_format { OPTION_EMPTY, OPTION_UINT, OPTION_TEXT, OPTION_OPAQUE };

struct option_row {
  const char *name;
  uint16_t number;
  enum option_format format;
};

/* RFC 7252 table 4, RFC 7641, RFC 7959, RFC 7967, RFC 8613, RFC 8768, RFC 9175. */
static const struct option_row option_rows[] = {
    {"if-match", 1, OPTION_OPAQUE},      {"uri-host", 3, OPTION_TEXT},
    {"etag", 4, OPTION_OPAQUE},          {"if-none-match", 5, OPTION_EMPTY},
    {"observe", 6, OPTION_UINT},         {"uri-port", 7, OPTION_UINT},
    {"location-path", 8, OPTION_TEXT},   {"oscore", 9, OPTION_OPAQUE},
    {"uri-path", 11, OPTION_TEXT},       {"content-format", 12, OPTION_UINT},
    {"max-age", 14, OPTION_UINT},        {"uri-query", 15, OPTION_TEXT},
    {"hop-limit", 16, OPTION_UINT},      {"accept", 17, OPTION_UINT},
    {"location-query", 20, OPTION_TEXT}, {"block2", 23, OPTION_UINT},
    {"block1", 27, OPTION_UINT},         {"size2", 28, OPTION_UINT},
    {"proxy-uri", 35, OPTION_TEXT},      {"proxy-scheme", 39, OPTION_TEXT},
    {"size1", 60, OPTION_UINT},          {"echo", 252, OPTION_OPAQUE},
    {"no-response", 258, OPTION_UINT},   {"request-tag", 292, OPTION_OPAQUE},
};
enum { OPTION_ROWS = sizeof option_rows / sizeof *option_rows, DATAGRAM_MAX = 65507 };

static const struct option_row *option_by_name(const char *name) {
  for (size_t i = 0; i < OPTION_ROWS; i++)
    if (strcmp(option_rows[i].name, name) == 0) return &option_rows[i];
  return NULL;
}

struct option_list {
  struct scn_option *options;
  size_t count;
};

static void add_option(struct scn_decoder *d, struct option_list *list, uint16_t number,
                       const void *value, size_t length) {
  struct scn_option *o = scn_append(d->arena, &list->options, &list->count, sizeof *o);
  if (!o) return;
  *o = (struct scn_option){.number = number, .value = value};
  o->length = (uint16_t)(length < UINT16_MAX ? length : UINT16_MAX); /* too long either way */
  for (; o > list->options && o[-1].number > o->number; o--) {
    struct scn_option swap = o[-1];
    o[-1] = o[0];
    o[0] = swap;
  }
}

/* The shortest form of an unsigned integer (RFC 7252, section 3.2). */
static void add_uint(struct scn_decoder *d, struct option_list *list, uint16_t number,
                     uint64_t value) {
  uint8_t *octets = scn_alloc(d->arena, 8);
  size_t n = 0;
  if (!octets) return;
  for (int shift = 56; shift >= 0; shift -= 8)
    if (n > 0 || (value >> shift) & 0xff) octets[n++] = (uint8_t)(value >> shift);
  add_option(d, list, number, octets, n);
}

static void add_hex(struct scn_decoder *d, struct option_list *list, uint16_t number,
                    const scn_value *at, const char *text) {
  size_t length = 0;
  uint8_t *octets = scn_alloc(d->arena, strlen(text) / 2 + 1);
  if (!octets) return;
  if (!scn_hex(text, octets, 2048, &length))
    scn_complain(d->document, at, "\"%s\" is not at most 2048 octets in hexadecimal", text);
  else
    add_option(d, list, number, octets, length);
}

static void add_by_format(struct scn_decoder *d, struct option_list *list,
                          const struct option_row *row, const scn_value *at, const char *text) {
  uint64_t value;
  if (row->format == OPTION_TEXT) {
    add_option(d, list, row->number, text, strlen(text));
  } else if (row->format == OPTION_UINT) {
    if (scn_integer(text, UINT64_MAX, &value))
      add_uint(d, list, row->number, value);
    else
      scn_complain(d->document, at,
                   "\"%s\" is no number for %s; write {hex: \"...\"} for raw octets", text,
                   row->name);
  } else {
    add_hex(d, list, row->number, at, row->format == OPTION_EMPTY ? "" : text);
  }
}

static void unknown_option(struct scn_decoder *d, const scn_value *key, const char *name) {
  const char *words[OPTION_ROWS];
  for (size_t i = 0; i < OPTION_ROWS; i++) words[i] = option_rows[i].name;
  const char *near = scn_nearest(name, words, OPTION_ROWS);
  scn_complain(d->document, key, "\"%s\" is neither an option's name nor its number%s%s%s", name,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* no-response: 26 | 65001: "0a0b" | accept: {hex: "0000"} */
static void decode_option(struct scn_decoder *d, const scn_value *key, const scn_value *value,
                          struct option_list *list) {
  static const char *const raw_keys[] = {"hex", NULL};
  const char *name = scn_text(d->document, key), *text;
  uint64_t number;
  if (!name) return;
  const struct option_row *row = option_by_name(name);
  if (row)
    number = row->number;
  else if (!scn_integer(name, UINT16_MAX, &number)) {
    unknown_option(d, key, name);
    return;
  }
  if (scn_is_map(value)) {
    if (scn_expect_map(d->document, value, "an option's raw value", raw_keys) &&
        scn_read_text(d->document, value, "hex", &text))
      add_hex(d, list, (uint16_t)number, value, text);
    return;
  }
  text = scn_text(d->document, value);
  if (text) text = row && row->format == OPTION_TEXT ? scn_resolve(d, value, text) : text;
  if (!text) return;
  if (row)
    add_by_format(d, list, row, value, text);
  else
    add_hex(d, list, (uint16_t)number, value, text);
}

static void decode_options(struct scn_decoder *d, const scn_value *options,
                           struct option_list *list) {
  const scn_value *item, *key, *value;
  if (!scn_expect_list(d->document, options, "options")) return;
  for (size_t i = 0; (item = scn_item(d->document, options, i)); i++) {
    if (!scn_expect_map(d->document, item, "an option", NULL)) continue;
    for (size_t k = 0; scn_pair(d->document, item, k, &key, &value); k++)
      decode_option(d, key, value, list);
  }
}

/* The text of a URI, "/a/b" and "x=1&y", or what the options hold, [a, b] and [x=1, y]. */
static void decode_parts(struct scn_decoder *d, const scn_value *map, const char *key,
                         const char *separator, uint16_t number, struct option_list *list) {
  const scn_value *value = scn_get(d->document, map, key), *item;
  const char *text;
  if (!value) return;
  if (scn_is_list(value)) {
    for (size_t i = 0; (item = scn_item(d->document, value, i)); i++)
      if ((text = scn_text(d->document, item))) add_option(d, list, number, text, strlen(text));
    return;
  }
  if (!(text = scn_text(d->document, value))) return;
  if (!scn_percent_valid(text)) {
    scn_complain(d->document, value,
                 "\"%s\": \"%%\" stands before two hexadecimal digits: write %%25", text);
    return;
  }
  if (*text == '/') text++;
  while (*text) {
    size_t length = strcspn(text, separator);
    uint8_t *octets = scn_alloc(d->arena, length + 1);
    if (octets) add_option(d, list, number, octets, scn_percent_decode(text, length, octets));
    text += length + (text[length] != '\0');
  }
}

/* ---- the message ---- */

static const char *const message_keys[] = {
    "type",      "code",    "token",       "mid",    "version",  "tkl", "options", "uri-path",
    "uri-query", "payload", "payload-hex", "marker", "trailing", "raw", NULL};

/* A field that may be `auto` or `same` as in the message that is answered. */
static enum scn_field field_word(struct scn_decoder *d, const scn_value *value, const char *text,
                                 bool answer) {
  if (strcmp(text, "auto") == 0) return SCN_AUTO;
  if (strcmp(text, "same") != 0) return SCN_GIVEN;
  if (!answer) scn_complain(d->document, value, "\"same\" is for answers: nothing came before");
  return SCN_SAME;
}

static void read_token(struct scn_decoder *d, const scn_value *map, bool answer,
                       struct scn_message *m) {
  const char *text;
  size_t length = 0;
  if (!scn_read_text(d->document, map, "token", &text)) return;
  const scn_value *value = scn_get(d->document, map, "token");
  m->token_from = field_word(d, value, text, answer);
  if (m->token_from != SCN_GIVEN) return;
  if (!scn_hex(text, m->token, sizeof m->token, &length))
    scn_complain(d->document, value, "\"%s\" is no Token; write at most 16 octets in hexadecimal",
                 text);
  m->token_length = (uint8_t)length;
}

static void read_mid(struct scn_decoder *d, const scn_value *map, bool answer,
                     struct scn_message *m) {
  const char *text;
  uint64_t mid = 0;
  if (!scn_read_text(d->document, map, "mid", &text)) return;
  const scn_value *value = scn_get(d->document, map, "mid");
  m->mid_from = field_word(d, value, text, answer);
  if (m->mid_from != SCN_GIVEN) return;
  if (!scn_integer(text, UINT16_MAX, &mid))
    scn_complain(d->document, value, "\"%s\" is no Message ID; write 0 to 65535%s", text,
                 answer ? " or same" : "");
  m->mid = (uint16_t)mid;
}

static void read_header(struct scn_decoder *d, const scn_value *map, bool answer,
                        struct scn_message *m) {
  uint64_t version = 1, tkl = 0;
  int type = 0;
  struct scn_code code = {.set = false};
  const char *text;
  m->type = 1;
  if (scn_read_text(d->document, map, "type", &text) && strcmp(text, "auto") != 0 &&
      scn_read_type(d, map, "type", &type)) {
    m->type = (uint8_t)type;
    m->type_from = SCN_GIVEN;
  }
  if (scn_read_code(d, map, "code", &code) && code.whole_class)
    scn_complain(d->document, scn_get(d->document, map, "code"), "one code, not a class of them");
  if (!code.set && !scn_get(d->document, map, "raw") && !scn_get(d->document, map, "code"))
    scn_complain(d->document, map, "a message needs a code, such as GET or 2.05, or raw octets");
  m->code = code.code;
  scn_read_integer(d->document, map, "version", 0, 3, &version);
  m->version = (uint8_t)version;
  m->token_length_field = -1;
  if (scn_read_integer(d->document, map, "tkl", 0, 15, &tkl)) m->token_length_field = (int)tkl;
  read_token(d, map, answer, m);
  read_mid(d, map, answer, m);
}

/* Raw octets are the whole message: what stands beside them would not be sent. */
static void refuse_beside_raw(struct scn_decoder *d, const scn_value *map) {
  if (!scn_get(d->document, map, "raw")) return;
  for (size_t i = 0; message_keys[i]; i++) {
    const scn_value *beside = scn_get(d->document, map, message_keys[i]);
    if (beside && strcmp(message_keys[i], "raw") != 0)
      scn_complain(d->document, beside, "raw is the whole message: \"%s\" says nothing beside it",
                   message_keys[i]);
  }
}

/* What does not fit into a datagram would not be sent. */
static void check_length(struct scn_decoder *d, const scn_value *map, const struct scn_message *m) {
  size_t length = 4u + m->token_length + m->marker + m->payload_length + m->trailing_length;
  for (size_t i = 0; i < m->option_count; i++) length += 1u + m->options[i].length;
  if (!m->raw && length > DATAGRAM_MAX)
    scn_complain(d->document, map,
                 "this message has %zu octets or more, of at most %d in a datagram", length,
                 (int)DATAGRAM_MAX);
}

void scn_decode_message(struct scn_decoder *d, const scn_value *map, bool answer,
                        struct scn_message *m) {
  struct option_list list = {NULL, 0};
  *m = (struct scn_message){.version = 1, .token_length_field = -1};
  if (!scn_expect_map(d->document, map, "a message", message_keys)) return;
  read_header(d, map, answer, m);
  decode_parts(d, map, "uri-path", "/", 11, &list);
  decode_parts(d, map, "uri-query", "&", 15, &list);
  const scn_value *options = scn_get(d->document, map, "options");
  if (options) decode_options(d, options, &list);
  m->options = list.options;
  m->option_count = list.count;
  scn_read_payload(d->document, map, &m->payload, &m->payload_length);
  m->marker = m->payload_length > 0;
  scn_read_boolean(d->document, map, "marker", &m->marker);
  scn_read_hex(d->document, map, "trailing", 65000, &m->trailing, &m->trailing_length);
  scn_read_hex(d->document, map, "raw", 65507, &m->raw, &m->raw_length);
  refuse_beside_raw(d, map);
  check_length(d, map, m);
}

/* ---- answers ---- */

static const char *const answer_keys[] = {"when", "after",   "copies",      "every", "from",
                                          "to",   "message", "source-port", NULL};
static const char *const when_keys[] = {"message", "path", "code", "type", "group", "nth", NULL};

static void read_when(struct scn_decoder *d, const scn_value *map, struct scn_answer *a) {
  unsigned kind = SCN_REQUEST;
  struct scn_code code = {.set = false};
  a->kind = SCN_REQUEST;
  if (!map || !scn_expect_map(d->document, map, "when", when_keys)) return;
  scn_read_word(d->document, map, "message", scn_kind_words, &kind);
  a->kind = (enum scn_kind)kind;
  scn_read_path(d, map, &a->path);
  if (scn_read_code(d, map, "code", &code)) a->code = code.code;
  scn_read_type(d, map, "type", &a->type);
  scn_read_destination(d, map, &a->destination);
  scn_read_range(d, map, "nth", &a->nth);
  if (a->nth.max == 0)
    scn_complain(d->document, scn_get(d->document, map, "nth"), "messages are counted from 1");
}

static void decode_answer(struct scn_decoder *d, const scn_value *map, struct scn_answer *a) {
  uint64_t copies = 1, port = 0;
  *a = (struct scn_answer){
      .place = scn_place_of(map), .code = -1, .type = -1, .nth = {1, UINT64_MAX}};
  if (!scn_expect_map(d->document, map, "an answer", answer_keys)) return;
  read_when(d, scn_get(d->document, map, "when"), a);
  scn_read_duration(d->document, map, "after", &a->after);
  scn_read_integer(d->document, map, "copies", 1, 10000, &copies);
  a->copies = (uint32_t)copies;
  scn_read_duration(d->document, map, "every", &a->every);
  scn_read_integer(d->document, map, "source-port", 1, UINT16_MAX, &port);
  a->source_port = (uint16_t)port;
  const scn_value *value;
  if ((value = scn_get(d->document, map, "from")))
    a->has_from = scn_endpoint(d, value, CHORUS_COAP_PORT, &a->from);
  if ((value = scn_get(d->document, map, "to")))
    a->has_to = scn_endpoint(d, value, CHORUS_COAP_PORT, &a->to);
  if ((value = scn_get(d->document, map, "message")))
    scn_decode_message(d, value, true, &a->message);
  else
    scn_complain(d->document, map, "an answer needs a message");
}

void scn_decode_answers(struct scn_decoder *d, const scn_value *list, struct scn_node *node) {
  struct scn_answer *answers = NULL;
  size_t count = 0;
  const scn_value *item;
  if (!scn_expect_list(d->document, list, "answers")) return;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++) {
    struct scn_answer *a = scn_append(d->arena, &answers, &count, sizeof *a);
    if (a) decode_answer(d, item, a);
  }
  node->answers = answers;
  node->answer_count = count;
}
