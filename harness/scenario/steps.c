/* SPDX-License-Identifier: BSD-2-Clause */
/* The `steps` section: what happens when. Loops are unrolled here. */
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "scenario/decode.h"
#include "scenario/path.h"
#include "scenario/units.h"

enum { MAX_STEPS = 50000, OPTION_MAX = 1034 /* octets (RFC 7252, table 4: Proxy-Uri) */ };

/* ---- commands ---- */

enum argument_kind {
  ARGUMENT_TEXT,
  ARGUMENT_PATH,
  ARGUMENT_URI,
  ARGUMENT_ENDPOINT,
  ARGUMENT_DURATION,
  ARGUMENT_BIT, /* numbers from here to PORT: limits[] */
  ARGUMENT_OCTET,
  ARGUMENT_HOPS,
  ARGUMENT_FORMAT,
  ARGUMENT_PORT,
  ARGUMENT_METHOD,
  ARGUMENT_TYPE,
  ARGUMENT_CODE,
  ARGUMENT_TOKEN,
  ARGUMENT_HEX,
  ARGUMENT_MID,
  ARGUMENT_ID,     /* makes a request id */
  ARGUMENT_FAMILY, /* makes any number of them: id#1, id#2, ... */
  ARGUMENT_OF,     /* names one */
  ARGUMENT_OPTION,
};

struct argument_row {
  const char *name;
  enum argument_kind kind;
  bool required;
};

struct verb_row {
  const char *verb;
  enum scn_role role;
  bool any_role;
  struct argument_row arguments[16];
};

/* docs/commands.md */
static const struct verb_row verb_rows[] = {
    {"request",
     SCN_CLIENT,
     false,
     {{"id", ARGUMENT_ID, true},
      {"method", ARGUMENT_METHOD, false},
      {"uri", ARGUMENT_URI, true},
      {"type", ARGUMENT_TYPE, false},
      {"payload", ARGUMENT_TEXT, false},
      {"payload-hex", ARGUMENT_HEX, false},
      {"token", ARGUMENT_TOKEN, false},
      {"no-response", ARGUMENT_OCTET, false},
      {"accept", ARGUMENT_FORMAT, false},
      {"content-format", ARGUMENT_FORMAT, false},
      {"observe", ARGUMENT_BIT, false},
      {"option", ARGUMENT_OPTION, false},
      {"timeout", ARGUMENT_DURATION, false},
      {"hop-limit", ARGUMENT_HOPS, false}}},
    {"repeat",
     SCN_CLIENT,
     false,
     {{"of", ARGUMENT_OF, true}, {"mid", ARGUMENT_MID, false}, {"to", ARGUMENT_ENDPOINT, false}}},
    {"follow",
     SCN_CLIENT,
     false,
     {{"of", ARGUMENT_OF, true}, {"id", ARGUMENT_FAMILY, true}, {"link", ARGUMENT_TEXT, false}}},
    {"forget", SCN_CLIENT, false, {{"of", ARGUMENT_OF, true}}},
    {"set",
     SCN_SERVER,
     false,
     {{"path", ARGUMENT_PATH, true},
      {"payload", ARGUMENT_TEXT, false},
      {"payload-hex", ARGUMENT_HEX, false},
      {"code", ARGUMENT_CODE, false}}},
    {"join", SCN_SERVER, false, {{"group", ARGUMENT_ENDPOINT, true}}},
    {"leave", SCN_SERVER, false, {{"group", ARGUMENT_ENDPOINT, true}}},
    {"restart", SCN_SERVER, true, {{"port", ARGUMENT_PORT, false}}},
};
enum { VERB_ROWS = sizeof verb_rows / sizeof *verb_rows };

/* A step while it is decoded: the loop's number goes into ids. */
struct draft {
  const scn_value *map;
  uint64_t loop; /* 0: no loop, else 1 and up */
  uint32_t node;
  chorus_time at;
};

static const char *const argument_hints[] = {
    [ARGUMENT_DURATION] = "a duration such as 5s, at most 1000000h",
    [ARGUMENT_METHOD] = "a method such as GET",
    [ARGUMENT_TYPE] = "auto, NON or CON",
    [ARGUMENT_CODE] = "a Response Code such as 2.05, or auto",
    [ARGUMENT_MID] = "same or new",
    [ARGUMENT_OPTION] = "\"number=hex\", at most 1034 octets",
};

/* Longer than any run, and short enough for deadlines to be added up. */
#define LONGEST (1000000 * (3600 * CHORUS_SECOND))

/* Of numbers their range, of octets in hexadecimal how many. */
static const struct {
  unsigned min, max;
} limits[] = {
    [ARGUMENT_BIT] = {0, 1},        [ARGUMENT_OCTET] = {0, 255},  [ARGUMENT_HOPS] = {1, 255},
    [ARGUMENT_FORMAT] = {0, 65535}, [ARGUMENT_PORT] = {1, 65535}, [ARGUMENT_TOKEN] = {0, 8},
    [ARGUMENT_HEX] = {0, 1024},
};

static bool good_hex(const char *text, size_t max) {
  uint8_t octets[OPTION_MAX];
  size_t length;
  return scn_hex(text, octets, max < sizeof octets ? max : sizeof octets, &length);
}

static bool good_response_code(const char *text) {
  struct scn_code code;
  if (strcmp(text, "auto") == 0) return true;
  if (!scn_parse_code(text, &code) || code.whole_class) return false;
  unsigned class = code.code >> 5;
  return class == 2 || class == 4 || class == 5;
}

static bool good_option(const char *text) {
  char number[8];
  uint64_t value;
  size_t length = strcspn(text, "=");
  if (text[length] == '\0' || length >= sizeof number) return false;
  memcpy(number, text, length);
  number[length] = '\0';
  return scn_integer(number, UINT16_MAX, &value) && good_hex(text + length + 1, SIZE_MAX);
}

static bool is_number(enum argument_kind kind) {
  return kind >= ARGUMENT_BIT && kind <= ARGUMENT_PORT;
}

static bool good_argument(enum argument_kind kind, const char *text) {
  chorus_time time;
  uint64_t number;
  uint8_t type;
  struct scn_code code;
  if (is_number(kind))
    return scn_integer(text, limits[kind].max, &number) && number >= limits[kind].min;
  switch (kind) {
    case ARGUMENT_DURATION: return scn_duration(text, &time) && time > 0 && time <= LONGEST;
    case ARGUMENT_METHOD:
      return text[0] > '9' && scn_parse_code(text, &code) && code.code >= 1 && code.code <= 7;
    case ARGUMENT_TYPE:
      return strcmp(text, "auto") == 0 || (scn_parse_type(text, &type) && type < 2);
    case ARGUMENT_CODE: return good_response_code(text);
    case ARGUMENT_TOKEN:
    case ARGUMENT_HEX: return good_hex(text, limits[kind].max);
    case ARGUMENT_MID: return strcmp(text, "same") == 0 || strcmp(text, "new") == 0;
    case ARGUMENT_OPTION: return good_option(text);
    default: return true;
  }
}

/* Of a family, which is kept as id#1, every number counts. */
static bool is_named(const struct scn_request_id *r, const char *id) {
  if (!r->family) return strcmp(r->id, id) == 0;
  size_t length = strlen(r->id) - 1;
  uint64_t number;
  return strncmp(r->id, id, length) == 0 && scn_integer(id + length, UINT32_MAX, &number);
}

static bool id_known(struct scn_decoder *d, const char *id, uint32_t node) {
  for (size_t i = d->request_count; i-- > 0;)
    if (d->requests[i].node == node && is_named(&d->requests[i], id)) return true;
  return false;
}

static void complain_unknown_id(struct scn_decoder *d, const scn_value *at, const char *id) {
  if (scn_is_broken(d, id)) return;
  const char *words[64];
  size_t count = 0;
  for (size_t i = 0; i < d->request_count && count < 64; i++) words[count++] = d->requests[i].id;
  const char *near = scn_nearest(id, words, count);
  scn_complain(d->document, at, "no earlier step of this node makes a request \"%s\"%s%s%s", id,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void add_id(struct scn_decoder *d, const struct draft *draft, const scn_value *value,
                   const char *id, bool family) {
  bool known = draft->loop < 1000 && id_known(d, id, draft->node);
  if (known) scn_complain(d->document, value, "there is a request \"%s\" of this node already", id);
  struct scn_request_id *r = scn_append(d->arena, &d->requests, &d->request_count, sizeof *r);
  if (!r) return;
  *r = (struct scn_request_id){.id = id, .node = draft->node, .at = draft->at, .family = family};
}

/* In loops an id gets the number of the round: "q1" becomes "q1#3"; `of: q1#` means that one. */
static const char *argument_id(struct scn_decoder *d, const struct draft *draft,
                               const scn_value *value, const char *text, enum argument_kind kind) {
  size_t length = strlen(text);
  bool makes = kind != ARGUMENT_OF;
  if (draft->loop && makes)
    text = scn_print(d->arena, "%s#%llu", text, (unsigned long long)draft->loop);
  else if (draft->loop && length && text[length - 1] == '#')
    text = scn_print(d->arena, "%s%llu", text, (unsigned long long)draft->loop);
  if (kind == ARGUMENT_ID) add_id(d, draft, value, text, false);
  if (kind == ARGUMENT_FAMILY) add_id(d, draft, value, scn_print(d->arena, "%s#1", text), true);
  bool known = makes || draft->loop >= 1000 || id_known(d, text, draft->node);
  if (!known) complain_unknown_id(d, value, text);
  return text;
}

static void complain_argument(struct scn_decoder *d, const struct argument_row *row,
                              const scn_value *value, const char *text) {
  const char *hint = argument_hints[row->kind];
  if (is_number(row->kind))
    hint =
        scn_print(d->arena, "a number from %u to %u", limits[row->kind].min, limits[row->kind].max);
  if (row->kind == ARGUMENT_TOKEN || row->kind == ARGUMENT_HEX)
    hint = scn_print(d->arena, "at most %u octets in hexadecimal", limits[row->kind].max);
  scn_complain(d->document, value, "\"%s\" is no %s: write %s", text, row->name, hint);
}

/* Octets without spaces and colons. */
static const char *plain_hex(struct scn_decoder *d, const char *text) {
  uint8_t octets[OPTION_MAX];
  size_t length = 0;
  scn_hex(text, octets, sizeof octets, &length);
  char *plain = scn_alloc(d->arena, 2 * length + 1);
  for (size_t i = 0; plain && i < length; i++)
    snprintf(plain + 2 * i, 3, "%02x", (unsigned)octets[i]);
  return plain;
}

/* A good value in the one way of writing it that nodes know (docs/commands.md). */
static const char *plain_value(struct scn_decoder *d, enum argument_kind kind, const char *text) {
  uint64_t number;
  if (is_number(kind) && scn_integer(text, UINT64_MAX, &number))
    return scn_print(d->arena, "%llu", (unsigned long long)number);
  if (kind == ARGUMENT_TOKEN || kind == ARGUMENT_HEX) return plain_hex(d, text);
  if (kind != ARGUMENT_OPTION) return text;
  size_t length = strcspn(text, "=");
  const char *octets = plain_hex(d, text + length + 1);
  if (!octets || !scn_integer(scn_copy(d->arena, text, length), UINT16_MAX, &number)) return NULL;
  return scn_print(d->arena, "%llu=%s", (unsigned long long)number, octets);
}

static const char *argument_value(struct scn_decoder *d, const struct draft *draft,
                                  const struct argument_row *row, const scn_value *value) {
  struct chorus_endpoint endpoint;
  bool names = row->kind == ARGUMENT_URI;
  const char *text = names ? scn_text_with_names(d->document, value) : scn_text(d->document, value);
  if (!text) return NULL;
  if (names) return scn_resolve(d, value, text);
  if (row->kind == ARGUMENT_PATH) return scn_path(d->document, value, text);
  if (row->kind >= ARGUMENT_ID && row->kind <= ARGUMENT_OF)
    return argument_id(d, draft, value, text, row->kind);
  if (row->kind == ARGUMENT_ENDPOINT) {
    char buffer[CHORUS_ENDPOINT_TEXT];
    if (!scn_endpoint(d, value, CHORUS_COAP_PORT, &endpoint)) return NULL;
    return scn_print(d->arena, "%s", chorus_endpoint_text(&endpoint, buffer));
  }
  chorus_time time;
  if (!good_argument(row->kind, text)) {
    complain_argument(d, row, value, text);
    return NULL;
  }
  if (row->kind == ARGUMENT_DURATION && scn_duration(text, &time))
    return scn_duration_text(d->arena, time);
  return plain_value(d, row->kind, text);
}

struct argument_list {
  struct chorus_argument *arguments;
  size_t count;
};

static void add_argument(struct scn_decoder *d, const struct draft *draft,
                         const struct argument_row *row, const scn_value *value,
                         struct argument_list *list) {
  const char *text = argument_value(d, draft, row, value);
  if (!text) return;
  struct chorus_argument *a = scn_append(d->arena, &list->arguments, &list->count, sizeof *a);
  if (a) *a = (struct chorus_argument){.name = row->name, .value = text};
}

/* A list is several arguments with one name. */
static void decode_argument(struct scn_decoder *d, const struct draft *draft,
                            const struct argument_row *row, const scn_value *map,
                            struct argument_list *list) {
  const scn_value *value = scn_get(d->document, map, row->name), *item;
  if (!value && row->required) scn_complain(d->document, map, "this command needs %s", row->name);
  if (!value) return;
  if (row->kind != ARGUMENT_OPTION || !scn_is_list(value)) {
    add_argument(d, draft, row, value, list);
    return;
  }
  for (size_t i = 0; (item = scn_item(d->document, value, i)); i++)
    add_argument(d, draft, row, item, list);
}

static bool command_map(struct scn_decoder *d, const struct verb_row *verb, const scn_value *map) {
  const char *keys[17] = {NULL};
  for (size_t i = 0; verb->arguments[i].name; i++) keys[i] = verb->arguments[i].name;
  const char *text = scn_raw_text(map);
  bool nothing = text && (*text == '\0' || strcmp(text, "true") == 0 || strcmp(text, "~") == 0);
  if (!verb->arguments[0].required && nothing) return true; /* "restart:" alone */
  return scn_expect_map(d->document, map, verb->verb, keys);
}

static void decode_command(struct scn_decoder *d, const struct draft *draft,
                           const struct verb_row *verb, struct scn_step *step) {
  static const char *const roles[] = {"client", "server", "tester"};
  const scn_value *map = scn_get(d->document, draft->map, verb->verb);
  const struct scn_node *node = &d->nodes[draft->node];
  struct argument_list list = {NULL, 0};
  size_t before = d->document->errors->total;
  if (!command_map(d, verb, map)) return;
  bool fits = verb->any_role ? node->role != SCN_TESTER : verb->role == node->role;
  if (!fits)
    scn_complain(d->document, map, "node %s is a %s, which knows no \"%s\"", node->name,
                 roles[node->role], verb->verb);
  const scn_value *hex = scn_get(d->document, map, "payload-hex");
  if (hex && scn_get(d->document, map, "payload"))
    scn_complain(d->document, hex, "either payload or payload-hex, not both");
  for (const struct argument_row *row = verb->arguments; row->name; row++)
    decode_argument(d, draft, row, map, &list);
  step->kind = SCN_COMMAND;
  step->command =
      (struct chorus_command){.verb = verb->verb, .arguments = list.arguments, .count = list.count};
  if (fits && d->document->errors->total == before) scn_check_command(d, map, step);
}

/* ---- sending ---- */

static void decode_send(struct scn_decoder *d, const struct draft *draft, struct scn_step *step) {
  static const char *const keys[] = {"to", "from", "hop-limit", "message", NULL};
  const scn_value *map = scn_get(d->document, draft->map, "send"), *value;
  const struct scn_node *node = &d->nodes[draft->node];
  uint64_t hops = 0;
  step->kind = SCN_SEND;
  if (!scn_expect_map(d->document, map, "send", keys)) return;
  if (node->role != SCN_TESTER)
    scn_complain(d->document, map, "only a tester sends crafted messages; %s is none", node->name);
  struct scn_send *s = &step->send;
  if ((value = scn_get(d->document, map, "to")))
    scn_endpoint(d, value, CHORUS_COAP_PORT, &s->to);
  else
    scn_complain(d->document, map, "send needs to, where the message goes");
  if ((value = scn_get(d->document, map, "from")))
    s->has_from = scn_endpoint(d, value, node->server.port, &s->from);
  scn_read_integer(d->document, map, "hop-limit", 1, 255, &hops);
  s->hop_limit = (uint8_t)hops;
  if ((value = scn_get(d->document, map, "message")))
    scn_decode_message(d, value, false, &s->message);
  else
    scn_complain(d->document, map, "send needs a message");
}

/* ---- one step ---- */

static const char *const step_keys[] = {
    "at",     "every",  "times",  "node", "optional", "network", "repair",  "send", "request",
    "repeat", "follow", "forget", "set",  "join",     "leave",   "restart", NULL};
enum { FIRST_ACTION = 5 };

static struct scn_step *add_step(struct scn_decoder *d, const scn_value *map, chorus_time at) {
  if (d->step_count >= MAX_STEPS) return NULL;
  struct scn_step *step = scn_append(d->arena, &d->steps, &d->step_count, sizeof *step);
  if (!step) return NULL;
  *step = (struct scn_step){.at = at, .place = scn_place_of(map)};
  scn_read_boolean(d->document, map, "optional", &step->optional);
  return step;
}

static const struct verb_row *find_verb(struct scn_decoder *d, const scn_value *map) {
  for (size_t i = 0; i < VERB_ROWS; i++)
    if (scn_get(d->document, map, verb_rows[i].verb)) return &verb_rows[i];
  return NULL;
}

static void decode_node_step(struct scn_decoder *d, const scn_value *map, chorus_time at,
                             uint64_t loop, const uint32_t *nodes, size_t count) {
  const struct verb_row *verb = find_verb(d, map);
  for (size_t i = 0; i < count; i++) {
    struct draft draft = {.map = map, .loop = loop, .node = nodes[i], .at = at};
    struct scn_step *step = add_step(d, map, at);
    if (!step) return;
    step->node = nodes[i];
    if (verb)
      decode_command(d, &draft, verb, step);
    else
      decode_send(d, &draft, step);
    if (d->document->errors->total) return; /* once is enough for a loop */
  }
}

static bool find_impairment(struct scn_decoder *d, const char *name, uint32_t *index) {
  for (size_t i = 0; i < d->impairment_count; i++)
    if (d->impairments[i].name && strcmp(d->impairments[i].name, name) == 0) {
      *index = (uint32_t)i;
      return true;
    }
  return false;
}

static void decode_network_step(struct scn_decoder *d, const scn_value *map, chorus_time at) {
  const scn_value *change = scn_get(d->document, map, "network"), *repair;
  struct scn_step *step = add_step(d, map, at);
  const char *name;
  if (!step) return;
  if (change) {
    step->kind = SCN_IMPAIR;
    scn_decode_impairment(d, change, false, &step->impairment);
    return;
  }
  step->kind = SCN_REPAIR;
  repair = scn_get(d->document, map, "repair");
  if (scn_read_text(d->document, map, "repair", &name) &&
      !find_impairment(d, name, &step->impairment))
    scn_complain(d->document, repair, "no earlier impairment has the name \"%s\"", name);
}

static size_t count_actions(struct scn_decoder *d, const scn_value *map) {
  size_t n = 0;
  for (size_t i = FIRST_ACTION; step_keys[i]; i++)
    n += scn_get(d->document, map, step_keys[i]) != NULL;
  return n;
}

static bool step_shape(struct scn_decoder *d, const scn_value *map) {
  if (!scn_expect_map(d->document, map, "a step", step_keys)) return false;
  size_t actions = count_actions(d, map);
  bool network = scn_get(d->document, map, "network") || scn_get(d->document, map, "repair");
  if (!scn_get(d->document, map, "at"))
    scn_complain(d->document, map, "a step needs at, its time");
  else if (actions != 1)
    scn_complain(d->document, map,
                 "a step does one thing (request, repeat, follow, forget, set, join, leave, "
                 "restart, send, network or repair); this one does %zu",
                 actions);
  else if (!network && !scn_get(d->document, map, "node"))
    scn_complain(d->document, map, "a step needs node, who does it");
  else
    return true;
  return false;
}

/* The request that a step would have made. */
static void break_request(struct scn_decoder *d, const scn_value *map) {
  for (size_t i = 0; i < VERB_ROWS; i++) {
    const scn_value *command = scn_get(d->document, map, verb_rows[i].verb);
    const char *id = scn_raw_text(scn_get(d->document, command, "id"));
    if (id) scn_break(d, id);
  }
}

static void decode_step(struct scn_decoder *d, const scn_value *map) {
  chorus_time at = 0, every = 0;
  uint64_t times = 1;
  const uint32_t *nodes = NULL;
  size_t count = 0;
  if (!step_shape(d, map)) return;
  const scn_value *node = scn_get(d->document, map, "node");
  if (!scn_read_duration(d->document, map, "at", &at)) return;
  bool loop = scn_read_duration(d->document, map, "every", &every);
  scn_read_integer(d->document, map, "times", 1, MAX_STEPS, &times);
  if (times > 1 && !loop) scn_complain(d->document, map, "times needs every, the gap between");
  if (node && !scn_decode_pattern(d, node, &nodes, &count)) return;
  for (uint64_t i = 0; i < times && d->step_count < MAX_STEPS; i++) {
    uint64_t round = loop || times > 1 ? i + 1 : 0;
    if (node)
      decode_node_step(d, map, at + i * every, round, nodes, count);
    else
      decode_network_step(d, map, at + i * every);
    if (d->document->errors->total) return;
  }
}

/* Steps of the same time stay in the order in which they are written. */
static void sort_by_time(struct scn_decoder *d) {
  size_t n = d->step_count;
  struct scn_step *from = d->steps, *to = scn_alloc(d->arena, (n + 1) * sizeof *to);
  if (!to) return;
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t start = 0; start < n; start += 2 * width) {
      size_t middle = start + width < n ? start + width : n;
      size_t end = middle + width < n ? middle + width : n, a = start, b = middle;
      for (size_t k = start; k < end; k++)
        to[k] = b >= end || (a < middle && from[a].at <= from[b].at) ? from[a++] : from[b++];
    }
    struct scn_step *swap = from;
    from = to;
    to = swap;
  }
  d->steps = from;
}

void scn_decode_steps(struct scn_decoder *d, const scn_value *list) {
  const scn_value *item;
  if (!scn_expect_list(d->document, list, "steps")) return;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++) {
    size_t made = d->request_count;
    decode_step(d, item);
    if (d->document->errors->total && d->request_count == made) break_request(d, item);
  }
  if (d->step_count >= MAX_STEPS)
    scn_complain(d->document, list, "more than %d steps", (int)MAX_STEPS);
  sort_by_time(d);
  scn_check_order(d);
}
