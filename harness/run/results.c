/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chorus/endpoint_text.h"
#include "rules/rules.h"
#include "text/text.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

/* Texts of others may hold octets that JSON cannot. */
static json_t *text(const char *value) {
  if (!value) return json_null();
  json_t *string = json_string(value);
  if (string) return string;
  char *clean = strdup(value);
  for (char *p = clean; p && *p; p++)
    if ((unsigned char)*p >= 0x80) *p = '?';
  string = clean ? json_string(clean) : json_null();
  free(clean);
  return string;
}

static json_t *number(uint64_t value) {
  return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static void put(json_t *object, const char *key, json_t *value) {
  json_object_set_new(object, key, value);
}

/* ---- rules ---- */

static json_t *finding(const struct jdg_finding *f) {
  json_t *o = json_object();
  put(o, "frame", number(f->frame));
  put(o, "time_ns", number(f->time));
  put(o, "expected", text(f->expected));
  put(o, "actual", text(f->actual));
  put(o, "message", text(f->message));
  return o;
}

static json_t *rule_entry(struct judge *judge, const struct jdg_result *r) {
  json_t *o = json_object(), *findings = json_array();
  put(o, "id", text(r->rule->id));
  put(o, "node", text(jdg_node_name(judge, r->node)));
  put(o, "level", text(jdg_level_name(r->level)));
  put(o, "verdict", text(jdg_verdict_name(r->verdict)));
  put(o, "activations", number(r->activations));
  for (size_t i = 0; i < r->finding_count; i++)
    json_array_append_new(findings, finding(&r->findings[i]));
  put(o, "findings", findings);
  if (r->finding_total > r->finding_count) put(o, "finding_total", number(r->finding_total));
  return o;
}

json_t *run_rules(struct judge *judge) {
  json_t *list = json_array();
  for (size_t i = 0; i < jdg_result_count(judge); i++) {
    const struct jdg_result *r = jdg_result_get(judge, i);
    if (jdg_node_judged(judge, r->node)) json_array_append_new(list, rule_entry(judge, r));
  }
  return list;
}

json_t *run_counts(struct judge *judge) {
  struct jdg_counts c = jdg_counts_get(judge);
  json_t *o = json_object();
  put(o, "packets", number(c.packets));
  put(o, "datagrams", number(c.datagrams));
  put(o, "coap_messages", number(c.coap_messages));
  put(o, "malformed_messages", number(c.malformed_messages));
  put(o, "damaged_frames", number(c.damaged_frames));
  put(o, "unreadable_frames", number(c.unreadable_frames));
  put(o, "requests", number(c.requests));
  put(o, "group_requests", number(c.group_requests));
  put(o, "responses", number(c.responses));
  put(o, "empty_messages", number(c.empty_messages));
  put(o, "icmp_errors", number(c.icmp_errors));
  return o;
}

/* ---- parts of a run ---- */

static json_t *network_counts(const struct emu_counters *c) {
  json_t *o = json_object(), *lost = json_object();
  put(o, "transmissions", number(c->transmissions));
  put(o, "receptions", number(c->receptions));
  put(o, "delivered", number(c->fate[EMU_DELIVERED]));
  for (size_t i = 0; i < EMU_FATE_COUNT; i++)
    if (i != EMU_DELIVERED && c->fate[i])
      put(lost, run_fate_text((enum emu_fate)i), number(c->fate[i]));
  put(o, "lost", lost);
  put(o, "in_flight", number(c->in_flight));
  put(o, "duplicated", number(c->duplicated));
  return o;
}

static json_t *item_entry(const struct run_item *item) {
  static const char *const kinds[] = {"expectation", "required", "sweep", "harness"};
  json_t *o = json_object();
  put(o, "kind", text(kinds[item->kind]));
  put(o, "verdict", text(jdg_verdict_name(item->verdict)));
  put(o, "text", text(item->text));
  put(o, "line", number(item->line));
  put(o, "frame", number(item->frame));
  put(o, "expected", text(item->expected));
  put(o, "actual", text(item->actual));
  return o;
}

static json_t *items(const struct run_outcome *outcome) {
  json_t *list = json_array();
  for (size_t i = 0; i < outcome->item_count; i++)
    json_array_append_new(list, item_entry(&outcome->items[i]));
  return list;
}

static json_t *impairments(const struct run_outcome *outcome) {
  json_t *list = json_array();
  for (size_t i = 0; i < outcome->impairment_count; i++) {
    const struct run_impairment_use *use = &outcome->impairments[i];
    json_t *o = json_object();
    if (use->impairment->name) put(o, "name", text(use->impairment->name));
    put(o, "from", text(use->impairment->from));
    put(o, "to", text(use->impairment->to));
    put(o, "line", number(use->impairment->place.line));
    put(o, "used", number(use->used));
    json_array_append_new(list, o);
  }
  return list;
}

static json_t *nodes(const struct scn_scenario *scenario, const struct run_about *about) {
  static const char *const roles[] = {"client", "server", "tester"};
  json_t *list = json_array();
  for (size_t i = 0; i < scenario->node_count; i++) {
    const struct scn_node *n = &scenario->nodes[i];
    json_t *o = json_object(), *addresses = json_array();
    char address[CHORUS_ENDPOINT_TEXT];
    put(o, "name", text(n->name));
    put(o, "role", text(roles[n->role]));
    if (n->role != SCN_TESTER && about->stacks[n->role].name)
      put(o, "sut", text(about->stacks[n->role].name));
    for (size_t k = 0; k < n->address_count; k++)
      json_array_append_new(addresses, text(chorus_address_text(&n->addresses[k], address)));
    put(o, "addresses", addresses);
    json_array_append_new(list, o);
  }
  return list;
}

/* ---- the trace ---- */

static json_t *delivery(const struct scn_scenario *scenario, const struct run_delivery *d) {
  json_t *o = json_object();
  put(o, "node", text(d->node < scenario->node_count ? scenario->nodes[d->node].name : "?"));
  put(o, "time_ns", number(d->time));
  if (!d->lost) {
    put(o, "frame", number(d->frame));
    return o;
  }
  put(o, "lost", text(run_fate_text(d->fate)));
  put(o, "clause", d->clause ? number(d->clause) : json_null());
  return o;
}

static json_t *message(const struct scn_scenario *scenario, const struct run_message *m) {
  json_t *o = json_object(), *deliveries = json_array();
  put(o, "frame", number(m->frame));
  put(o, "time_ns", number(m->time));
  put(o, "node", text(scenario->nodes[m->node].name));
  put(o, "text", text(m->text));
  put(o, "to", text(m->to));
  for (size_t i = 0; i < m->delivery_count; i++)
    json_array_append_new(deliveries, delivery(scenario, &m->deliveries[i]));
  put(o, "deliveries", deliveries);
  if (m->delivery_total > m->delivery_count) put(o, "delivery_total", number(m->delivery_total));
  return o;
}

static json_t *trace(const struct scn_scenario *scenario, const struct run_outcome *outcome) {
  json_t *list = json_array();
  for (size_t i = 0; i < outcome->trace_count; i++)
    json_array_append_new(list, message(scenario, &outcome->trace[i]));
  return list;
}

/* ---- parts of it ---- */

static json_t *words(const char *const *list, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++) json_array_append_new(array, text(list[i]));
  return array;
}

static json_t *stack_name(const struct run_stack_name *stack) {
  json_t *o = json_object();
  put(o, "name", text(stack->name));
  put(o, "version", text(stack->version));
  return o;
}

static void put_head(json_t *o, const struct scn_scenario *scenario,
                     const struct run_about *about) {
  json_t *parameters = json_object(), *sut = json_object();
  char digest[20];
  put(o, "scenario", text(scenario->name));
  put(o, "id", text(scenario->id));
  put(o, "title", text(scenario->title));
  put(o, "topic", text(scenario->topic));
  for (size_t i = 0; i < scenario->setting_count; i++)
    put(parameters, scenario->settings[i].key, text(scenario->settings[i].value));
  put(o, "parameters", parameters);
  put(o, "seed", number(about->seed));
  snprintf(digest, sizeof digest, "%016llx", (unsigned long long)scenario->digest);
  put(o, "digest", text(digest));
  put(o, "profile", text(jdg_profile_name(about->profile)));
  put(sut, "name", text(about->sut_name));
  put(sut, "version", text(about->sut_version));
  if (about->sut_role) put(sut, "role", text(about->sut_role));
  if (about->stacks[SCN_CLIENT].name && about->stacks[SCN_SERVER].name) {
    put(sut, "client", stack_name(&about->stacks[SCN_CLIENT]));
    put(sut, "server", stack_name(&about->stacks[SCN_SERVER]));
  }
  put(o, "sut", sut);
}

static json_t *trouble(const struct scn_scenario *scenario, const struct run_trouble *t) {
  json_t *o = json_object();
  put(o, "node", text(scenario->nodes[t->node].name));
  put(o, "verdict", text(t->kind));
  put(o, "text", text(t->text));
  put(o, "datagram", text(t->last));
  put(o, "time_ns", number(t->at));
  put(o, "stderr", text(t->tail));
  return o;
}

static json_t *tolerances(chorus_time delta) {
  json_t *list = json_array(), *o = json_object();
  put(o, "name", text("delta"));
  put(o, "value_ns", number(delta));
  put(o, "about", text("how much later than the text says something may happen in real time"));
  json_array_append_new(list, o);
  return list;
}

static json_t *lag(const struct krn_lag *l) {
  json_t *o = json_object();
  put(o, "frames", number(l->frames));
  put(o, "median_ns", number(l->median));
  put(o, "p99_ns", number(l->p99));
  put(o, "worst_ns", number(l->worst));
  return o;
}

static json_t *gaps(const struct sut_gap *gap) {
  json_t *list = json_array(), *o = json_object();
  put(o, "line", number(gap->line));
  put(o, "why", text(gap->text));
  json_array_append_new(list, o);
  return list;
}

static json_t *troubles(const struct scn_scenario *scenario, const struct run_outcome *outcome) {
  json_t *list = json_array();
  for (size_t i = 0; i < outcome->trouble_count; i++)
    json_array_append_new(list, trouble(scenario, &outcome->troubles[i]));
  return list;
}

/* What only runs with stacks under test, or in real time, have. */
static void put_stack_outcome(json_t *o, const struct scn_scenario *scenario,
                              const struct run_outcome *outcome) {
  if (outcome->gap) put(o, "unsupported", gaps(outcome->gap));
  if (outcome->trouble_count) put(o, "sut_verdicts", troubles(scenario, outcome));
  if (outcome->tolerance) put(o, "tolerances", tolerances(outcome->tolerance));
  if (outcome->lag.frames) put(o, "lag", lag(&outcome->lag));
}

/* ---- verdicts ---- */

const char *run_verdict_name(enum jdg_verdict verdict) {
  if (verdict == JDG_NOT_EXERCISED) return "none";
  if (verdict == JDG_WAIVED) return "pass";
  return jdg_verdict_name(verdict);
}

enum jdg_verdict run_verdict_parse(const char *name) {
  for (int v = JDG_NOT_EXERCISED; v <= JDG_ERROR; v++)
    if (strcmp(jdg_verdict_name((enum jdg_verdict)v), name) == 0) return (enum jdg_verdict)v;
  return JDG_NOT_EXERCISED;
}

static enum jdg_verdict verdict_of(json_t *entry) {
  const char *name = json_string_value(json_object_get(entry, "verdict"));
  return name ? run_verdict_parse(name) : JDG_ERROR;
}

/* ---- a run ---- */

/* Of `covers` what the profile does not ask, in one text; "": something of the run is asked. */
static void list_unasked(json_t *run, struct txt_buffer *list) {
  size_t i;
  json_t *item;
  txt_clear(list);
  json_array_foreach(json_object_get(run, "expectations"), i, item) {
    const char *kind = json_string_value(json_object_get(item, "kind"));
    bool required = kind && strcmp(kind, "required") == 0;
    bool expected = kind && strcmp(kind, "expectation") == 0;
    bool unasked = required && verdict_of(item) == JDG_UNSUPPORTED;
    if (unasked) {
      const char *rule = json_string_value(json_object_get(item, "text"));
      txt_print(list, "%s%s", list->length ? ", " : "", rule ? rule : "");
    } else if (required || expected) {
      txt_clear(list);
      return;
    }
  }
}

/* Whether nothing of the run is asked by its profile; then it says so. */
static bool put_unasked(json_t *run) {
  struct txt_buffer list = {0}, why = {0};
  list_unasked(run, &list);
  bool unasked = list.length > 0;
  if (unasked && !json_object_get(run, "unsupported")) {
    json_t *reasons = json_array(), *o = json_object();
    const char *profile = json_string_value(json_object_get(run, "profile"));
    txt_print(&why, "not asked by %s: %s", profile ? profile : "?", list.data);
    put(o, "line", number(0));
    put(o, "why", text(why.data));
    json_array_append_new(reasons, o);
    put(run, "unsupported", reasons);
  }
  txt_free(&list);
  txt_free(&why);
  return unasked;
}

json_t *run_result(const struct scn_scenario *scenario, const struct run_about *about,
                   const struct run_outcome *outcome) {
  json_t *o = json_object(), *counts;
  if (!o) return NULL;
  put_head(o, scenario, about);
  put(o, "verdict", text(run_verdict_name(outcome->verdict)));
  put(o, "capture", text(about->capture));
  put(o, "events", text(about->events));
  put(o, "end_ns", number(outcome->end));
  put(o, "counts", counts = run_counts(outcome->judge));
  put(counts, "network", network_counts(&outcome->counters));
  put(o, "nodes", nodes(scenario, about));
  put(o, "covers", words(scenario->covers, scenario->cover_count));
  put(o, "rules", run_rules(outcome->judge));
  put(o, "expectations", items(outcome));
  put(o, "impairments", impairments(outcome));
  put(o, "trace", trace(scenario, outcome));
  put(o, "trace_total", number(outcome->trace_total));
  put_stack_outcome(o, scenario, outcome);
  if (outcome->verdict == JDG_UNSUPPORTED) put_unasked(o);
  put(o, "reproduce", text(about->reproduce));
  return o;
}

/* ---- deciding again ---- */

enum jdg_verdict run_decide(json_t *run) {
  enum jdg_verdict worst = JDG_NOT_EXERCISED;
  size_t i;
  json_t *entry;
  json_array_foreach(json_object_get(run, "rules"), i, entry) {
    enum jdg_verdict v = verdict_of(entry);
    if (v != JDG_INCONCLUSIVE) worst = run_worst(worst, v);
  }
  json_array_foreach(json_object_get(run, "expectations"), i, entry) worst =
      run_worst(worst, verdict_of(entry));
  if (json_array_size(json_object_get(run, "sut_verdicts"))) worst = run_worst(worst, JDG_ERROR);
  bool unasked = run_worst(worst, JDG_PASS) == JDG_PASS && put_unasked(run);
  if (unasked || json_object_get(run, "unsupported")) worst = JDG_UNSUPPORTED;
  json_object_set_new(run, "verdict", text(run_verdict_name(worst)));
  return worst;
}

/* ---- the whole ---- */

/* The texts of the rules that the runs name, in the catalogue's order. */
static json_t *rule_texts(json_t *runs) {
  json_t *seen = json_object(), *texts = json_object(), *run, *entry;
  size_t i, k;
  json_array_foreach(runs, i, run) json_array_foreach(json_object_get(run, "rules"), k, entry)
      json_object_set(seen, json_string_value(json_object_get(entry, "id")), json_true());
  for (size_t n = 0; n < rule_count(); n++) {
    const struct rule *rule = rule_get(n);
    const struct rule_check *check = rule_check_of(rule);
    if (!json_object_get(seen, rule->id)) continue;
    json_t *o = json_object();
    put(o, "document", text(rule->document));
    put(o, "section", text(rule->section));
    put(o, "title", text(rule->title));
    if (check) put(o, "requirement", text(check->requirement));
    put(texts, rule->id, o);
  }
  json_decref(seen);
  return texts;
}

static void count_verdict(json_t *counts, json_t *entry) {
  const char *name = json_string_value(json_object_get(entry, "verdict"));
  json_int_t n = json_integer_value(json_object_get(counts, name));
  if (name) put(counts, name, json_integer(n + 1));
}

static json_t *zero_counts(const char *const *names, size_t count) {
  json_t *counts = json_object();
  for (size_t i = 0; i < count; i++) put(counts, names[i], json_integer(0));
  return counts;
}

static json_t *summary(json_t *runs, json_t *waivers, bool interrupted) {
  static const char *const of_runs[] = {"pass",  "warn", "inconclusive", "fail",
                                        "error", "none", "unsupported"};
  static const char *const of_rules[] = {"pass",          "warn",        "inconclusive", "fail",
                                         "not-exercised", "unsupported", "waived"};
  json_t *o = json_object(), *by_run = zero_counts(of_runs, 7), *run, *entry;
  json_t *by_rule = zero_counts(of_rules, 7);
  enum jdg_verdict worst = JDG_NOT_EXERCISED;
  size_t i, k;
  json_array_foreach(runs, i, run) {
    count_verdict(by_run, run);
    worst = run_worst(worst, verdict_of(run));
    json_array_foreach(json_object_get(run, "rules"), k, entry) count_verdict(by_rule, entry);
  }
  json_array_foreach(waivers, i, entry) if (json_is_string(json_object_get(entry, "problem")))
      worst = run_worst(worst, JDG_FAIL);
  put(o, "verdict", text(run_verdict_name(worst)));
  put(o, "total", number(json_array_size(runs)));
  put(o, "runs", by_run);
  put(o, "rules", by_rule);
  if (waivers) put(o, "waivers", waivers);
  if (interrupted) put(o, "interrupted", json_true());
  return o;
}

json_t *run_results(const char *profile, const char *backend, json_t *runs, json_t *waivers,
                    bool interrupted) {
  json_t *o = json_object();
  put(o, "chorus", text(CHORUS_VERSION));
  put(o, "profile", text(profile));
  if (backend) put(o, "backend", text(backend));
  put(o, "rules", rule_texts(runs));
  put(o, "summary", summary(runs, waivers, interrupted));
  put(o, "runs", runs);
  return o;
}

/* ---- files ---- */

/* What was written so far stays under the temporary name when the disk is full. */
bool run_write_file(const char *path, const char *data, size_t length) {
  struct txt_buffer part = {0};
  txt_print(&part, "%s.part", path);
  FILE *stream = part.data ? fopen(part.data, "wb") : NULL;
  bool ok = stream != NULL;
  if (stream && length && fwrite(data, 1, length, stream) != length) ok = false;
  int error = errno;
  if (stream && fclose(stream) != 0 && ok) {
    ok = false;
    error = errno;
  }
  if (ok && rename(part.data, path) != 0) {
    ok = false;
    error = errno;
  }
  txt_free(&part);
  errno = error;
  return ok;
}

bool run_write_json(const json_t *value, const char *path) {
  char *dump = json_dumps(value, JSON_INDENT(1));
  if (!dump) {
    errno = ENOMEM;
    return false;
  }
  struct txt_buffer with_end = {0};
  txt_add(&with_end, dump, strlen(dump));
  txt_add(&with_end, "\n", 1);
  free(dump);
  bool ok = run_write_file(path, with_end.data, with_end.length);
  txt_free(&with_end);
  return ok;
}
