/* SPDX-License-Identifier: BSD-2-Clause */
/* Expectations of a scenario: counted while it runs, decided at its end. */
#include <stdio.h>
#include <stdlib.h>

#include "run/internal.h"
#include "scenario/path.h"

void run_item_add(struct run_items *items, const struct run_item *item) {
  struct run_item *slot = scn_append(items->arena, &items->list, &items->count, sizeof *slot);
  if (slot) *slot = *item;
}

/* ---- who is where ---- */

bool run_directory_build(struct run_directory *directory, const struct scn_scenario *scenario) {
  run_set_clear(&directory->addresses);
  for (uint32_t i = 0; i < scenario->node_count; i++)
    for (size_t k = 0; k < scenario->nodes[i].address_count; k++) {
      uint64_t key = run_digest(0, scenario->nodes[i].addresses[k].address, 16);
      if (!run_set_put(&directory->addresses, key, i + 1u)) return false;
    }
  return true;
}

uint32_t run_directory_find(const struct run_directory *directory,
                            const struct chorus_endpoint *endpoint) {
  uint64_t found = run_set_get(&directory->addresses, run_digest(0, endpoint->address, 16));
  return found ? (uint32_t)(found - 1) : UINT32_MAX;
}

/* ---- comparing ---- */

static bool text_fits(const char *pattern, const char *text) {
  return !pattern || (text && scn_match(pattern, text));
}

static bool node_fits(const struct run_expectations *e, const struct scn_patterns *patterns,
                      uint32_t node) {
  if (patterns->count == 0) return true;
  if (node >= e->scenario->node_count) return false;
  const struct scn_node *n = &e->scenario->nodes[node];
  for (size_t i = 0; i < patterns->count; i++)
    if (strcmp(patterns->list[i], n->family) == 0 || scn_match(patterns->list[i], n->name))
      return true;
  return false;
}

static bool code_fits(const struct scn_code *wanted, uint8_t code) {
  if (!wanted->set) return true;
  return wanted->whole_class ? wanted->code >> 5 == code >> 5 : wanted->code == code;
}

static bool payload_fits(const struct scn_expectation *x, const uint8_t *payload, size_t length) {
  if (!x->payload) return true;
  if (length != x->payload_length) return false;
  return length == 0 || memcmp(payload, x->payload, length) == 0;
}

/* The query counts only where the expectation has one. */
static bool path_fits(const char *wanted, const char *path) {
  if (!wanted) return true;
  if (!path) return false;
  size_t length = strchr(wanted, '?') ? strlen(path) : strcspn(path, "?");
  return strlen(wanted) == length && memcmp(wanted, path, length) == 0;
}

/* A link stands in its event as it was found. */
static bool event_path_fits(const char *wanted, const struct chorus_event *event) {
  char text[3 * 512];
  if (!wanted || !event->path || event->type != CHORUS_EVENT_FOLLOW)
    return path_fits(wanted, event->path);
  scn_path_compose(event->path, text, sizeof text);
  return path_fits(wanted, text);
}

static bool destination_fits(enum scn_destination wanted, bool group) {
  return wanted == SCN_ANYWHERE || (wanted == SCN_TO_GROUP) == group;
}

static void count_one(struct run_expectations *e, size_t i, uint32_t node) {
  struct run_expectation_state *s = &e->states[i];
  s->total++;
  if (node < e->scenario->node_count) s->counts[node]++;
}

/* ---- application events ---- */

static uint64_t request_key(uint32_t node, const char *id) {
  return run_digest(run_digest_number(0, node), id, strlen(id));
}

static const char *name_of(const struct run_expectations *e, uint32_t node) {
  return node < e->scenario->node_count ? e->scenario->nodes[node].name : "somebody else";
}

static void near_miss(struct run_expectations *e, size_t i, chorus_time time, uint32_t node,
                      const struct chorus_event *event, const char *why) {
  char code[16];
  if (e->states[i].near) return;
  e->states[i].near =
      scn_print(e->arena, "%s: %s %s at %llu.%03llu s%s", name_of(e, node),
                event->has_message ? dis_code_text(event->code, code) : "",
                event->type == CHORUS_EVENT_DELIVER ? "delivered" : "seen",
                (unsigned long long)(time / CHORUS_SECOND),
                (unsigned long long)(time % CHORUS_SECOND / CHORUS_MILLISECOND), why);
}

static void match_delivery(struct run_expectations *e, size_t i, chorus_time time, uint32_t client,
                           const struct chorus_event *event) {
  const struct scn_expectation *x = &e->scenario->expectations[i];
  uint32_t server = run_directory_find(e->directory, &event->peer);
  if (!text_fits(x->request, event->request) || !node_fits(e, &x->from, server)) return;
  uint64_t issued =
      event->request ? run_set_get(&e->requests, request_key(client, event->request)) : 0;
  if (!code_fits(&x->code, event->code))
    near_miss(e, i, time, server, event, ", another code");
  else if (!payload_fits(x, event->payload, event->payload_length))
    near_miss(e, i, time, server, event, ", another payload");
  else if (x->within && issued && time - (issued - 1) > x->within + e->tolerance)
    near_miss(e, i, time, server, event, ", too late");
  else if (path_fits(x->path, event->path))
    count_one(e, i, server);
}

static void match_event(struct run_expectations *e, size_t i, chorus_time time, uint32_t node,
                        const struct chorus_event *event) {
  const struct scn_expectation *x = &e->scenario->expectations[i];
  if (!node_fits(e, &x->node, node) || !text_fits(x->request, event->request)) return;
  if (!event_path_fits(x->path, event) || !destination_fits(x->destination, event->group)) return;
  if (!code_fits(&x->code, event->code))
    near_miss(e, i, time, node, event, ", another code");
  else if (!text_fits(x->detail, event->detail))
    near_miss(e, i, time, node, event, event->detail ? ", another detail" : ", no detail");
  else if (!payload_fits(x, event->payload, event->payload_length))
    near_miss(e, i, time, node, event, ", another payload");
  else if (time < x->from_time || time >= x->to_time)
    near_miss(e, i, time, node, event, ", outside of the span");
  else
    count_one(e, i, node);
}

void run_expectations_event(struct run_expectations *e, chorus_time time, uint32_t node,
                            const struct chorus_event *event) {
  if (event->type == CHORUS_EVENT_REQUEST && event->request) {
    uint64_t key = request_key(node, event->request);
    if (!run_set_get(&e->requests, key)) run_set_put(&e->requests, key, time + 1);
  }
  for (size_t i = 0; i < e->scenario->expectation_count; i++) {
    const struct scn_expectation *x = &e->scenario->expectations[i];
    if (x->kind == SCN_EXPECT_PACKETS || x->event != event->type) continue;
    if (x->kind == SCN_EXPECT_DELIVERIES)
      match_delivery(e, i, time, node, event);
    else
      match_event(e, i, time, node, event);
  }
}

/* ---- packets ---- */

static bool kind_fits(enum scn_kind kind, const struct dis_coap *m) {
  switch (kind) {
    case SCN_REQUEST: return dis_is_request(m);
    case SCN_RESPONSE: return dis_is_response(m);
    case SCN_EMPTY: return dis_is_empty(m);
    default: return true;
  }
}

static bool packet_fits(const struct run_expectations *e, const struct scn_expectation *x,
                        const struct run_sent *sent) {
  const struct dis_coap *m = sent->message;
  char path[512];
  if (!node_fits(e, &x->from, sent->node)) return false;
  uint32_t receiver = run_directory_find(e->directory, &sent->packet->destination);
  if (!node_fits(e, &x->to, receiver)) return false;
  if (sent->time < x->from_time || sent->time >= x->to_time) return false;
  if (x->type >= 0 && (x->type != m->type || m->length < 4)) return false;
  if (!code_fits(&x->code, m->code) || !kind_fits(x->message, m)) return false;
  if (!destination_fits(x->destination, chorus_is_group(&sent->packet->destination))) return false;
  if (!payload_fits(x, m->payload, m->payload_length)) return false;
  return !x->path || path_fits(x->path, dis_path_text(m, path, sizeof path));
}

void run_expectations_sent(struct run_expectations *e, const struct run_sent *sent) {
  for (size_t i = 0; i < e->scenario->expectation_count; i++) {
    const struct scn_expectation *x = &e->scenario->expectations[i];
    if (x->kind != SCN_EXPECT_PACKETS || !packet_fits(e, x, sent)) continue;
    count_one(e, i, sent->node);
    if (!e->states[i].frame) e->states[i].frame = sent->frame;
  }
}

/* ---- deciding ---- */

static const char *range_text(struct scn_arena *arena, const struct scn_range *r) {
  if (r->min == r->max) return scn_print(arena, "%llu", (unsigned long long)r->min);
  if (r->max == UINT64_MAX) return scn_print(arena, "%llu or more", (unsigned long long)r->min);
  return scn_print(arena, "%llu to %llu", (unsigned long long)r->min, (unsigned long long)r->max);
}

static bool in_range(const struct scn_range *r, uint64_t n) {
  return n >= r->min && n <= r->max;
}

/* Whose count `each` looks at: deliveries come from servers and testers, the rest is by pattern
 * alone. */
static bool is_counted(const struct run_expectations *e, const struct scn_expectation *x,
                       uint32_t node) {
  const struct scn_patterns *patterns = x->kind == SCN_EXPECT_EVENTS ? &x->node : &x->from;
  if (patterns->count == 0 && e->scenario->nodes[node].role == SCN_CLIENT)
    return x->kind != SCN_EXPECT_DELIVERIES;
  return node_fits(e, patterns, node);
}

static const char *each_text(struct run_expectations *e, size_t i, bool *ok) {
  const struct scn_expectation *x = &e->scenario->expectations[i];
  const char *actual = "";
  unsigned shown = 0;
  *ok = true;
  for (uint32_t n = 0; n < e->scenario->node_count; n++) {
    if (!is_counted(e, x, n) || in_range(&x->times, e->states[i].counts[n])) continue;
    *ok = false;
    if (shown++ < 8)
      actual = scn_print(e->arena, "%s%s%llu from %s", actual, shown > 1 ? ", " : "",
                         (unsigned long long)e->states[i].counts[n], name_of(e, n));
  }
  return shown > 8 ? scn_print(e->arena, "%s and %u more nodes", actual, shown - 8) : actual;
}

static void decide(struct run_expectations *e, size_t i, struct run_items *items) {
  const struct scn_expectation *x = &e->scenario->expectations[i];
  const struct run_expectation_state *s = &e->states[i];
  bool ok;
  const char *actual;
  if (x->each) {
    actual = each_text(e, i, &ok);
  } else {
    ok = in_range(&x->times, s->total);
    actual = scn_print(e->arena, "%llu", (unsigned long long)s->total);
  }
  struct run_item item = {
      .kind = RUN_EXPECTATION, .verdict = JDG_PASS, .line = x->place.line, .text = x->text};
  if (!ok) {
    item.verdict = JDG_FAIL;
    item.frame = s->frame;
    item.expected =
        scn_print(e->arena, "%s%s", range_text(e->arena, &x->times), x->each ? " from each" : "");
    item.actual = s->near ? scn_print(e->arena, "%s (nearest: %s)", actual, s->near) : actual;
  }
  run_item_add(items, &item);
}

/* ---- life ---- */

bool run_expectations_begin(struct run_expectations *e, const struct scn_scenario *scenario,
                            struct scn_arena *arena, const struct run_directory *directory,
                            chorus_time tolerance) {
  e->scenario = scenario;
  e->tolerance = tolerance;
  e->arena = arena;
  e->directory = directory;
  run_set_clear(&e->requests);
  e->states = scn_alloc(arena, (scenario->expectation_count + 1) * sizeof *e->states);
  for (size_t i = 0; e->states && i < scenario->expectation_count; i++) {
    e->states[i].counts = scn_alloc(arena, (scenario->node_count + 1) * sizeof(uint64_t));
    if (!e->states[i].counts) return false;
  }
  return e->states != NULL;
}

void run_expectations_end(struct run_expectations *e, struct run_items *items) {
  for (size_t i = 0; i < e->scenario->expectation_count; i++) decide(e, i, items);
}

void run_expectations_free(struct run_expectations *e) {
  run_set_free(&e->requests);
}
