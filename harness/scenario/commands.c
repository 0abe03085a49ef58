/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no node could do, whoever plays it: commands whose arguments make no sense together, or not
 * to the node that gets them (docs/commands.md). What a node understands and refuses is not here:
 * scenarios ask for that on purpose.
 */
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "scenario/decode.h"
#include "scenario/units.h"
#include "scenario/uri.h"

enum { PAYLOAD_MAX = 1024, MESSAGE_MAX = 1152, HEADER = 4, OPTIONS_MAX = 64, NAMES_SHOWN = 64 };
enum { FOLLOW_ID_MAX = 64, FOLLOW_LINK_MAX = 511 };

struct subject {
  struct scn_decoder *d;
  const scn_value *map;
  const struct scn_step *step;
  const struct scn_node *node;
};

static const char *argument(const struct subject *s, const char *name) {
  return chorus_argument_get(&s->step->command, name);
}

/* Where an argument is written. */
static const scn_value *place(const struct subject *s, const char *name) {
  const scn_value *value = scn_get(s->d->document, s->map, name);
  return value ? value : s->map;
}

/* "; did you mean "X"?", or nothing. */
static const char *hint(const struct subject *s, const char *word, const char *const *words,
                        size_t count, const char *before) {
  const char *near = scn_nearest(word, words, count);
  return near ? scn_print(s->d->arena, "; did you mean \"%s%s\"?", before, near) : "";
}

/* ---- request ---- */

static const char *near_name(const struct subject *s, const char *host) {
  const char *words[NAMES_SHOWN];
  size_t count = 0;
  for (size_t i = 0; i < s->d->name_count && count < NAMES_SHOWN; i++)
    words[count++] = s->d->names[i].name;
  return *host ? hint(s, host, words, count, "$") : "";
}

static void complain_scheme(const struct subject *s, const char *text, size_t length) {
  static const char *const schemes[] = {"coap", "coaps"};
  bool has_scheme = length && strncmp(text + length, "://", 3) == 0;
  const char *scheme = has_scheme ? scn_copy(s->d->arena, text, length) : NULL;
  scn_complain(s->d->document, place(s, "uri"),
               "\"%.100s\" is no URI of a request: write coap://HOST/path%s", text,
               scheme ? hint(s, scheme, schemes, 2, "") : "");
}

static void complain_uri(const struct subject *s, const char *text, enum scn_uri_fault fault,
                         const struct scn_uri *uri) {
  static const char *const faults[] = {
      [SCN_URI_LONG] = "it has more than 1023 octets",
      [SCN_URI_FRAGMENT] = "a fragment cannot be requested (RFC 7252, section 6.4)",
      [SCN_URI_PERCENT] =
          "a % without two hexadecimal digits; the zone of an address is %25 and "
          "its number",
      [SCN_URI_BRACKET] = "an IPv6 address stands in brackets, and behind a host come port or path",
      [SCN_URI_PORT] = "a port is a number from 1 to 65535",
      [SCN_URI_PART] = "a path segment or a query argument of more than 255 octets, or too many",
  };
  if (fault == SCN_URI_SCHEME)
    complain_scheme(s, text, uri->scheme_length);
  else if (fault == SCN_URI_HOST_NAME)
    scn_complain(s->d->document, place(s, "uri"),
                 "the host \"%s\" is no address, and there is no DNS here; write [ff35::1], "
                 "192.0.2.1 or a $name%s",
                 uri->host, near_name(s, uri->host));
  else
    scn_complain(s->d->document, place(s, "uri"), "\"%.100s\" is no URI of a request: %s", text,
                 faults[fault]);
}

static bool check_uri(const struct subject *s, struct scn_uri *uri) {
  const char *text = argument(s, "uri");
  if (!text) return false;
  enum scn_uri_fault fault = scn_uri_read(text, uri);
  if (fault != SCN_URI_GOOD) {
    complain_uri(s, text, fault, uri);
    return false;
  }
  return scn_check_version(s->d, place(s, "uri"), &uri->destination, uri->host);
}

static size_t payload_length(const struct subject *s) {
  const char *text = argument(s, "payload"), *hex = argument(s, "payload-hex");
  return text ? strlen(text) : hex ? strlen(hex) / 2 : 0;
}

static bool check_payload(const struct subject *s) {
  if (payload_length(s) <= PAYLOAD_MAX) return true;
  scn_complain(s->d->document, place(s, "payload"), "a payload of at most %d octets",
               (int)PAYLOAD_MAX);
  return false;
}

struct size {
  size_t options, octets;
};

/* Each option has an octet of its own at least, before its value. */
static struct size size_of_options(const struct subject *s, const struct scn_uri *uri) {
  static const char *const plain[] = {"no-response", "accept", "content-format", "observe"};
  struct size size = {uri->parts, uri->octets};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) size.options += !!argument(s, plain[i]);
  for (size_t i = 0; i < s->step->command.count; i++) {
    const struct chorus_argument *a = &s->step->command.arguments[i];
    if (strcmp(a->name, "option") != 0) continue;
    size.options++;
    size.octets += strlen(strchr(a->value, '=') + 1) / 2;
  }
  size.octets += size.options;
  return size;
}

/* The least that it can be; `optional` lets a client be asked for more than it sends. */
static void check_size(const struct subject *s, const struct scn_uri *uri) {
  struct size size = size_of_options(s, uri);
  const char *token = argument(s, "token");
  size_t payload = payload_length(s);
  size_t length = HEADER + (token ? strlen(token) / 2 : 0) + size.octets + payload + (payload > 0);
  if (size.options > OPTIONS_MAX)
    scn_complain(s->d->document, s->map, "a request has at most %d options; this one has %zu",
                 (int)OPTIONS_MAX, size.options);
  else if (length > MESSAGE_MAX && !s->step->optional)
    scn_complain(s->d->document, s->map,
                 "this message has %zu octets or more, of at most %d (RFC 7252, section 4.6); "
                 "optional: true asks for it nevertheless",
                 length, (int)MESSAGE_MAX);
}

static void check_request(const struct subject *s) {
  struct scn_uri uri;
  if (check_payload(s) && check_uri(s, &uri)) check_size(s, &uri);
}

static void check_repeat(const struct subject *s) {
  const char *mid = argument(s, "mid"), *to = argument(s, "to");
  struct chorus_endpoint endpoint;
  if (to && mid && strcmp(mid, "same") == 0)
    scn_complain(s->d->document, place(s, "mid"),
                 "a repeat to one server has a new Message ID always");
  if (to && chorus_endpoint_parse(to, CHORUS_COAP_PORT, &endpoint) && chorus_is_group(&endpoint))
    scn_complain(s->d->document, place(s, "to"),
                 "%s is a group: to names one server; without it the group is asked again", to);
}

/* ---- set ---- */

static const struct ref_resource *find_resource(const struct scn_node *node, const char *path) {
  for (size_t i = 0; i < node->server.resource_count; i++)
    if (strcmp(node->server.resources[i].path, path) == 0) return &node->server.resources[i];
  return NULL;
}

static void complain_path(const struct subject *s, const char *path) {
  const char *words[NAMES_SHOWN];
  size_t count = 0;
  for (size_t i = 0; i < s->node->server.resource_count && count < NAMES_SHOWN; i++)
    words[count++] = s->node->server.resources[i].path;
  scn_complain(s->d->document, place(s, "path"), "node %s has no resource %s%s", s->node->name,
               path, hint(s, path, words, count, ""));
}

bool scn_is_count(const char *text, size_t length) {
  uint64_t value;
  if (strspn(text, "0123456789") != length) return false;
  return length < 12 && scn_integer(text, UINT32_MAX, &value);
}

static void check_counter(const struct subject *s) {
  const char *text = argument(s, "payload"), *hex = argument(s, "payload-hex");
  uint8_t octets[PAYLOAD_MAX + 1] = {0};
  size_t length = text ? strlen(text) : 0;
  if (hex && scn_hex(hex, octets, PAYLOAD_MAX, &length)) text = (const char *)octets;
  if (text && !scn_is_count(text, length))
    scn_complain(s->d->document, place(s, hex ? "payload-hex" : "payload"),
                 "the payload of a counter is a number from 0 to 4294967295");
}

/* A stack under test may have resources that the scenario does not tell. */
static void check_set(const struct subject *s) {
  const char *path = argument(s, "path");
  if (!path || !check_payload(s) || s->node->role != SCN_SERVER) return;
  const struct ref_resource *resource = find_resource(s->node, path);
  if (!resource && !s->step->optional && !s->d->own_resources) complain_path(s, path);
  if (resource && resource->kind == REF_RESOURCE_COUNTER && !s->step->optional) check_counter(s);
}

/* ---- follow ---- */

static void check_length(const struct subject *s, const char *name, size_t most) {
  const char *text = argument(s, name);
  if (text && strlen(text) > most)
    scn_complain(s->d->document, place(s, name), "%s has at most %zu characters", name, most);
}

static void check_follow(const struct subject *s) {
  check_length(s, "id", FOLLOW_ID_MAX);
  check_length(s, "link", FOLLOW_LINK_MAX);
}

/* ---- join, leave, restart ---- */

static void check_group(const struct subject *s) {
  const char *text = argument(s, "group");
  struct chorus_endpoint group;
  if (!text || !chorus_endpoint_parse(text, CHORUS_COAP_PORT, &group) ||
      chorus_is_multicast(&group))
    return;
  scn_complain(s->d->document, place(s, "group"),
               "%s is no multicast address (ff00::/8, 224.0.0.0/4)", text);
}

static void check_restart(const struct subject *s) {
  const char *port = argument(s, "port");
  if (!port) return;
  if (s->node->role != SCN_CLIENT)
    scn_complain(s->d->document, place(s, "port"),
                 "node %s is a server: only clients restart on another port", s->node->name);
  else if (atoi(port) == CHORUS_COAPS_PORT)
    scn_complain(s->d->document, place(s, "port"), "port %s is not for group communication", port);
}

void scn_check_command(struct scn_decoder *d, const scn_value *map, const struct scn_step *step) {
  static const struct {
    const char *verb;
    void (*check)(const struct subject *);
  } rows[] = {{"request", check_request}, {"repeat", check_repeat}, {"follow", check_follow},
              {"set", check_set},         {"join", check_group},    {"leave", check_group},
              {"restart", check_restart}};
  const struct subject s = {.d = d, .map = map, .step = step, .node = &d->nodes[step->node]};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(rows[i].verb, step->command.verb) == 0) rows[i].check(&s);
}
