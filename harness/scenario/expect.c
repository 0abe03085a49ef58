/* SPDX-License-Identifier: BSD-2-Clause */
/* The `expect` section: what has to be seen, how often, from whom, and what never. */
#include <stdio.h>

#include "scenario/decode.h"
#include "scenario/units.h"

static const char *const delivery_keys[] = {"request", "from",    "each",        "times", "code",
                                            "within",  "payload", "payload-hex", "path",  NULL};
static const char *const event_keys[] = {"event",  "node",    "path",        "request", "detail",
                                         "code",   "payload", "payload-hex", "times",   "each",
                                         "during", "group",   NULL};
static const char *const packet_keys[] = {"packet", "never", "times", "each", NULL};
static const char *const packet_inner_keys[] = {"from",   "to",      "type",    "code",
                                                "path",   "message", "payload", "payload-hex",
                                                "during", "group",   NULL};
static const char *const executes_keys[] = {"executes", NULL};
static const char *const executes_inner_keys[] = {"node", "path",   "method", "times",
                                                  "each", "during", NULL};

const char *const scn_event_words[] = {[CHORUS_EVENT_REQUEST] = "request",
                                       [CHORUS_EVENT_REPEAT] = "repeat",
                                       [CHORUS_EVENT_DELIVER] = "deliver",
                                       [CHORUS_EVENT_DONE] = "done",
                                       [CHORUS_EVENT_TOKEN_FREED] = "token-freed",
                                       [CHORUS_EVENT_REFUSED] = "refused",
                                       [CHORUS_EVENT_EXECUTE] = "execute",
                                       [CHORUS_EVENT_STATE] = "state",
                                       [CHORUS_EVENT_SUPPRESS] = "suppress",
                                       [CHORUS_EVENT_JOIN] = "join",
                                       [CHORUS_EVENT_LEAVE] = "leave",
                                       [CHORUS_EVENT_RESTART] = "restart",
                                       [CHORUS_EVENT_LEAK] = "leak",
                                       [CHORUS_EVENT_NOTE] = "note",
                                       [CHORUS_EVENT_FOLLOW] = "follow",
                                       [CHORUS_EVENT_FOLLOW + 1] = NULL};

/* `each` and `times` are the same but for whose they are; without both it is at least once. */
static void read_times(struct scn_decoder *d, const scn_value *map, struct scn_expectation *e) {
  const scn_value *each = scn_get(d->document, map, "each");
  if (each && scn_get(d->document, map, "times"))
    scn_complain(d->document, each, "either each (per node) or times (in all), not both");
  e->each = each != NULL;
  scn_read_range(d, map, each ? "each" : "times", &e->times);
}

/* One pattern of node names or a list of them; |key| absent: any node. */
static void read_pattern(struct scn_decoder *d, const scn_value *map, const char *key,
                         struct scn_patterns *patterns) {
  const scn_value *value = scn_get(d->document, map, key), *item = value;
  const char **list = NULL, **slot;
  const uint32_t *nodes;
  size_t node_count;
  if (!value || !scn_decode_pattern(d, value, &nodes, &node_count)) return;
  for (size_t i = 0; item; i++) {
    if (scn_is_list(value) && !(item = scn_item(d->document, value, i))) break;
    const char *text = scn_text(d->document, item);
    slot = text ? scn_append(d->arena, &list, &patterns->count, sizeof *slot) : NULL;
    if (slot) *slot = text;
    if (item == value) break;
  }
  patterns->list = list;
}

static void read_during(struct scn_decoder *d, const scn_value *map, struct scn_expectation *e) {
  const char *text;
  if (!scn_read_text(d->document, map, "during", &text)) return;
  if (!scn_time_range(text, &e->from_time, &e->to_time))
    scn_complain(d->document, scn_get(d->document, map, "during"),
                 "\"%s\" is no span of time; write 3s..9s", text);
}

static void check_request(struct scn_decoder *d, const scn_value *map, const char *key,
                          const char *pattern) {
  const char *words[64];
  size_t count = 0;
  for (size_t i = 0; i < d->request_count; i++) {
    if (scn_match(pattern, d->requests[i].id)) return;
    if (count < 64) words[count++] = d->requests[i].id;
  }
  if (scn_is_broken(d, pattern)) return;
  const char *near = scn_nearest(pattern, words, count);
  scn_complain(d->document, scn_get(d->document, map, key), "no step makes a request \"%s\"%s%s%s",
               pattern, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void read_request(struct scn_decoder *d, const scn_value *map, struct scn_expectation *e) {
  if (!scn_read_text(d->document, map, "request", &e->request)) return;
  check_request(d, map, "request", e->request);
}

static void decode_deliveries(struct scn_decoder *d, const scn_value *map,
                              struct scn_expectation *e) {
  e->kind = SCN_EXPECT_DELIVERIES;
  e->event = CHORUS_EVENT_DELIVER;
  scn_expect_map(d->document, map, "this expectation", delivery_keys);
  read_request(d, map, e);
  read_pattern(d, map, "from", &e->from);
  read_times(d, map, e);
  scn_read_code(d, map, "code", &e->code);
  scn_read_payload(d->document, map, &e->payload, &e->payload_length);
  scn_read_path(d, map, &e->path);
  scn_read_duration(d->document, map, "within", &e->within);
}

static void decode_event(struct scn_decoder *d, const scn_value *map, struct scn_expectation *e) {
  unsigned type = 0;
  e->kind = SCN_EXPECT_EVENTS;
  scn_expect_map(d->document, map, "this expectation", event_keys);
  scn_read_word(d->document, map, "event", scn_event_words, &type);
  e->event = (enum chorus_event_type)type;
  read_request(d, map, e);
  read_pattern(d, map, "node", &e->node);
  read_times(d, map, e);
  read_during(d, map, e);
  scn_read_destination(d, map, &e->destination);
  scn_read_path(d, map, &e->path);
  scn_read_text(d->document, map, "detail", &e->detail);
  scn_read_code(d, map, "code", &e->code);
  scn_read_payload(d->document, map, &e->payload, &e->payload_length);
}

static void decode_executes(struct scn_decoder *d, const scn_value *map,
                            struct scn_expectation *e) {
  const scn_value *inner = scn_get(d->document, map, "executes");
  e->kind = SCN_EXPECT_EVENTS;
  e->event = CHORUS_EVENT_EXECUTE;
  scn_expect_map(d->document, map, "this expectation", executes_keys);
  if (!scn_expect_map(d->document, inner, "executes", executes_inner_keys)) return;
  read_pattern(d, inner, "node", &e->node);
  read_times(d, inner, e);
  read_during(d, inner, e);
  scn_read_path(d, inner, &e->path);
  scn_read_code(d, inner, "method", &e->code);
}

static void decode_packets(struct scn_decoder *d, const scn_value *map, const char *key,
                           struct scn_expectation *e) {
  const scn_value *inner = scn_get(d->document, map, key);
  unsigned kind = SCN_ANY_MESSAGE;
  e->kind = SCN_EXPECT_PACKETS;
  scn_expect_map(d->document, map, "this expectation", packet_keys);
  if (strcmp(key, "never") == 0) {
    e->times = (struct scn_range){0, 0};
    if (scn_get(d->document, map, "times") || scn_get(d->document, map, "each"))
      scn_complain(d->document, map, "never means 0 times; write packet to count");
  } else {
    read_times(d, map, e);
  }
  if (!scn_expect_map(d->document, inner, key, packet_inner_keys)) return;
  read_pattern(d, inner, "from", &e->from);
  read_pattern(d, inner, "to", &e->to);
  read_during(d, inner, e);
  scn_read_type(d, inner, "type", &e->type);
  scn_read_code(d, inner, "code", &e->code);
  scn_read_path(d, inner, &e->path);
  if (scn_read_word(d->document, inner, "message", scn_kind_words, &kind))
    e->message = (enum scn_kind)kind;
  scn_read_destination(d, inner, &e->destination);
  scn_read_payload(d->document, inner, &e->payload, &e->payload_length);
}

static void decode_expectation(struct scn_decoder *d, const scn_value *map) {
  struct scn_expectation e = {
      .place = scn_place_of(map), .times = {1, UINT64_MAX}, .type = -1, .to_time = CHORUS_NEVER};
  e.text = scn_source(d->document, map, 200);
  if (scn_get(d->document, map, "event"))
    decode_event(d, map, &e);
  else if (scn_get(d->document, map, "executes"))
    decode_executes(d, map, &e);
  else if (scn_get(d->document, map, "never"))
    decode_packets(d, map, "never", &e);
  else if (scn_get(d->document, map, "packet"))
    decode_packets(d, map, "packet", &e);
  else if (scn_get(d->document, map, "request"))
    decode_deliveries(d, map, &e);
  else {
    scn_complain(d->document, map,
                 "an expectation begins with request, packet, never, executes or event");
    return;
  }
  struct scn_expectation *slot =
      scn_append(d->arena, &d->expectations, &d->expectation_count, sizeof *slot);
  if (slot) *slot = e;
}

void scn_decode_expectations(struct scn_decoder *d, const scn_value *list) {
  const scn_value *item;
  if (!scn_expect_list(d->document, list, "expect")) return;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++) {
    const char *key = NULL;
    if (scn_is_map(item) && scn_get(d->document, item, "unexpected")) {
      scn_read_text(d->document, item, "unexpected", &key);
      if (key && strcmp(key, "allow") == 0)
        d->scenario->allow_unexpected = true;
      else
        scn_complain(d->document, item, "unexpected can only be allow");
      continue;
    }
    decode_expectation(d, item);
  }
}
