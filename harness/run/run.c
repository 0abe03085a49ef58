/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/rules.h"
#include "run/internal.h"
#include "run/tester.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

struct run_engine {
  struct judge *judge;
  struct cap_writer *capture;
  struct run_record record;
  struct run_directory directory;
  struct run_expectations expectations;
  struct run_sweep sweep;
  struct scn_arena *arena; /* of the last run's items */
};

/* One impairment in force. */
struct handle {
  uint32_t impairment, handle;
};

/* A run while it lasts. */
struct session {
  struct run_engine *engine;
  const struct scn_scenario *scenario;
  const struct run_options *options;
  struct emu_network *network;
  struct chorus_node *inner, *outer; /* by node */
  struct run_tester **testers;       /* by node; NULL: none */
  uint32_t *links;                   /* the network's numbers */
  size_t made;                       /* nodes that were made */
  struct handle *handles;
  size_t handle_count;
  struct run_impairment_use *uses;
  struct run_items items;
  bool interrupted;
};

/* ---- complaints ---- */

static void harness_error(struct session *s, uint32_t line, const char *what, const char *actual) {
  struct run_item item = {.kind = RUN_HARNESS,
                          .verdict = JDG_ERROR,
                          .line = line,
                          .text = what,
                          .expected = "",
                          .actual = scn_print(s->items.arena, "%s", actual)};
  run_item_add(&s->items, &item);
}

/* ---- making nodes ---- */

static struct chorus_node make_server(struct session *s, const struct scn_node *node,
                                      const char **why) {
  struct ref_server_config config = node->server;
  const struct run_hooks *hooks = s->options->hooks;
  if (hooks && hooks->server) hooks->server(hooks->context, node, &config);
  return ref_server_new(&config, why);
}

static struct chorus_node make_client(struct session *s, const struct scn_node *node,
                                      const char **why) {
  struct ref_client_config config = node->client;
  const struct run_hooks *hooks = s->options->hooks;
  if (hooks && hooks->client) hooks->client(hooks->context, node, &config);
  return ref_client_new(&config, why);
}

static struct chorus_node make_inner(struct session *s, size_t i, const char **why) {
  const struct scn_node *node = &s->scenario->nodes[i];
  if (node->role == SCN_SERVER) return make_server(s, node, why);
  if (node->role == SCN_CLIENT) return make_client(s, node, why);
  s->testers[i] = run_tester_new(node);
  if (s->testers[i]) return run_tester_node(s->testers[i]);
  return (struct chorus_node){NULL, NULL};
}

static void free_inner(struct session *s, size_t i) {
  switch (s->scenario->nodes[i].role) {
    case SCN_SERVER: ref_server_free(s->inner[i]); return;
    case SCN_CLIENT: ref_client_free(s->inner[i]); return;
    default: run_tester_free(s->testers[i]);
  }
}

static bool add_node(struct session *s, size_t i) {
  const struct scn_node *node = &s->scenario->nodes[i];
  const struct run_hooks *hooks = s->options->hooks;
  const char *why = "no memory";
  s->inner[i] = make_inner(s, i, &why);
  if (!s->inner[i].ops) {
    harness_error(s, node->place.line, scn_print(s->items.arena, "making node %s", node->name),
                  why);
    return false;
  }
  s->outer[i] = hooks && hooks->wrap ? hooks->wrap(hooks->context, node, s->inner[i]) : s->inner[i];
  s->made = i + 1;
  struct emu_node_config config = {.name = node->name,
                                   .node = s->outer[i],
                                   .addresses = node->addresses,
                                   .address_count = node->address_count,
                                   .link = node->link ? s->links[node->link - 1] : 0,
                                   .multicast_loopback = node->multicast_loopback,
                                   .no_icmp = node->no_icmp};
  if (hooks && hooks->stack) hooks->stack(hooks->context, node, &config);
  uint32_t number = emu_add_node(s->network, &config);
  if (s->testers[i]) run_tester_attach(s->testers[i], s->network, number);
  if (number == i) return true;
  harness_error(s, node->place.line, scn_print(s->items.arena, "adding node %s", node->name),
                "the network refused it");
  return false;
}

static void tell_judge(struct session *s, size_t i) {
  const struct scn_node *node = &s->scenario->nodes[i];
  struct judge *judge = s->engine->judge;
  const struct run_hooks *hooks = s->options->hooks;
  struct jdg_ics ics;
  bool is_judged = node->role != SCN_TESTER;
  uint32_t number =
      jdg_add_node(judge, node->name, node->addresses, node->address_count, is_judged);
  jdg_bind_interface(judge, (uint32_t)i, number);
  if (!is_judged) return;
  run_ics(s->scenario, node, &ics);
  if (hooks && hooks->statement) hooks->statement(hooks->context, node, &ics);
  jdg_set_ics(judge, number, &ics);
  jdg_set_roles(judge, number, node->role == SCN_CLIENT ? JDG_CLIENT : JDG_SERVER);
}

static void add_interface(struct session *s, size_t i) {
  static const char *const roles[] = {"client", "server", "tester"};
  const struct scn_node *node = &s->scenario->nodes[i];
  if (!s->options->record) return;
  struct cap_interface_info info = {.name = node->name,
                                    .description = roles[node->role],
                                    .addresses = node->addresses,
                                    .address_count = node->address_count};
  cap_writer_interface(s->engine->capture, &info);
}

static bool add_nodes(struct session *s) {
  for (size_t i = 0; i < s->scenario->network.link_count; i++)
    s->links[i] = emu_add_link(s->network, &s->scenario->network.links[i].config);
  for (size_t i = 0; i < s->scenario->node_count; i++) {
    if (!add_node(s, i)) return false;
    tell_judge(s, i);
    add_interface(s, i);
  }
  return true;
}

static void free_nodes(struct session *s) {
  const struct run_hooks *hooks = s->options->hooks;
  for (size_t i = 0; i < s->made; i++) {
    bool wrapped = s->outer[i].state != s->inner[i].state || s->outer[i].ops != s->inner[i].ops;
    if (wrapped && hooks->unwrap)
      hooks->unwrap(hooks->context, &s->scenario->nodes[i], s->outer[i]);
    free_inner(s, i);
  }
}

/* ---- impairments ---- */

static void impair(struct session *s, uint32_t index) {
  const struct scn_impairment *m = &s->scenario->network.impairments[index];
  for (size_t a = 0; a < m->sender_count; a++)
    for (size_t b = 0; b < m->receiver_count; b++) {
      struct handle *h = scn_append(s->items.arena, &s->handles, &s->handle_count, sizeof *h);
      if (!h) return;
      h->impairment = index;
      h->handle = emu_impair(s->network, m->senders[a], m->receivers[b], &m->impairment);
    }
}

static void repair(struct session *s, uint32_t index) {
  for (size_t i = 0; i < s->handle_count; i++)
    if (s->handles[i].impairment == index && s->handles[i].handle)
      emu_repair(s->network, s->handles[i].handle);
}

static void impair_initially(struct session *s) {
  for (uint32_t i = 0; i < s->scenario->network.impairment_count; i++)
    if (s->scenario->network.impairments[i].initial) impair(s, i);
}

/* An impairment that changed nothing did not test anything (hole W18 of other suites). */
static void count_impairments(struct session *s) {
  const struct scn_network *n = &s->scenario->network;
  s->uses = scn_alloc(s->items.arena, (n->impairment_count + 1) * sizeof *s->uses);
  if (!s->uses) return;
  for (size_t i = 0; i < n->impairment_count; i++) s->uses[i].impairment = &n->impairments[i];
  for (size_t i = 0; i < s->handle_count; i++)
    s->uses[s->handles[i].impairment].used += emu_impairment_used(s->network, s->handles[i].handle);
  for (size_t i = 0; i < n->impairment_count; i++) {
    const struct scn_impairment *m = &n->impairments[i];
    if (s->uses[i].used || m->optional) continue;
    struct run_item item = {
        .kind = RUN_HARNESS,
        .verdict = JDG_ERROR,
        .line = m->place.line,
        .text = scn_print(s->items.arena, "impairment from %s to %s is used", m->from, m->to),
        .expected = "1 packet or more changed",
        .actual = "none: impairment unused"};
    run_item_add(&s->items, &item);
  }
}

/* ---- steps ---- */

static const char *status_text(int status) {
  static const char *const texts[] = {[CHORUS_OK] = "ok",
                                      [CHORUS_UNSUPPORTED] = "not known to this node",
                                      [CHORUS_BAD_ARGUMENT] = "a bad argument",
                                      [CHORUS_REFUSED] = "refused",
                                      [CHORUS_NO_MEMORY] = "no memory",
                                      [CHORUS_TOO_LARGE] = "too large for a datagram"};
  return status >= 0 && status <= CHORUS_TOO_LARGE ? texts[status] : "an unknown status";
}

/* A refusal is an answer: the node reports it as an event, and expectations can ask for it. */
static void step_result(struct session *s, const struct scn_step *step, int status,
                        const char *why) {
  if (status == CHORUS_OK || status == CHORUS_REFUSED) return;
  if (step->optional && status != CHORUS_NO_MEMORY) return;
  const char *node = s->scenario->nodes[step->node].name;
  const char *verb = step->kind == SCN_SEND ? "send" : step->command.verb;
  const char *what = scn_print(s->items.arena, "%s of node %s", verb, node);
  char actual[256];
  snprintf(actual, sizeof actual, "%s%s%s", status_text(status), *why ? ": " : "", why);
  harness_error(s, step->place.line, what, actual);
}

static void do_step(struct session *s, const struct scn_step *step) {
  const char *why = "";
  int status = CHORUS_OK;
  switch (step->kind) {
    case SCN_COMMAND: status = emu_command(s->network, step->node, &step->command, &why); break;
    case SCN_SEND: status = run_tester_send(s->testers[step->node], &step->send); break;
    case SCN_IMPAIR: impair(s, step->impairment); break;
    case SCN_REPAIR: repair(s, step->impairment); break;
  }
  step_result(s, step, status, why ? why : "");
}

static bool is_interrupted(struct session *s) {
  const struct run_options *o = s->options;
  if (!s->interrupted && o->interrupted) s->interrupted = o->interrupted(o->interrupted_context);
  return s->interrupted;
}

static void run_steps(struct session *s) {
  const struct scn_scenario *scenario = s->scenario;
  for (size_t i = 0; i < scenario->step_count && !is_interrupted(s); i++) {
    if (scenario->steps[i].at > scenario->end) break;
    emu_run_until(s->network, scenario->steps[i].at);
    do_step(s, &scenario->steps[i]);
  }
  if (!is_interrupted(s)) emu_run_until(s->network, scenario->end);
}

static void live(struct session *s) {
  impair_initially(s);
  int status = emu_start(s->network);
  if (status != CHORUS_OK) {
    harness_error(s, 0, "starting the nodes", status_text(status));
    return;
  }
  run_steps(s);
  emu_stop(s->network);
}

/* ---- afterwards ---- */

static void check_conservation(struct session *s, const struct emu_counters *c) {
  uint64_t sum = c->in_flight;
  char actual[80];
  for (size_t i = 0; i < EMU_FATE_COUNT; i++) sum += c->fate[i];
  if (sum == c->receptions) return;
  snprintf(actual, sizeof actual, "%llu receptions, %llu accounted for",
           (unsigned long long)c->receptions, (unsigned long long)sum);
  harness_error(s, 0, "conservation law of the network", actual);
}

struct required {
  bool implemented, applicable, exercised, inconclusive;
};

static struct required look_up(struct judge *judge, const struct rule *rule,
                               enum jdg_profile profile) {
  struct required r = {0};
  const struct rule_check *check = rule ? rule_check_of(rule) : NULL;
  r.implemented = check != NULL;
  r.applicable = check && check->levels[profile] != JDG_NOT_APPLICABLE;
  for (size_t i = 0; r.applicable && i < jdg_result_count(judge); i++) {
    const struct jdg_result *result = jdg_result_get(judge, i);
    if (result->rule != rule) continue;
    if (result->activations > 0 && result->verdict != JDG_NOT_EXERCISED) r.exercised = true;
    if (result->verdict == JDG_INCONCLUSIVE) r.inconclusive = true;
  }
  return r;
}

/* A rule that never looked proves nothing (hole W4 of other suites). */
static void check_required(struct session *s) {
  const struct scn_scenario *scenario = s->scenario;
  for (size_t i = 0; i < scenario->cover_count; i++) {
    const char *id = scenario->covers[i];
    struct required r = look_up(s->engine->judge, rule_find(id), s->options->profile);
    if (r.implemented && !r.applicable) continue;
    struct run_item item = {.kind = RUN_REQUIRED,
                            .verdict = JDG_PASS,
                            .text = scn_print(s->items.arena, "covers %s", id)};
    if (!r.implemented || !r.exercised) {
      item.verdict = JDG_ERROR;
      item.expected = "1 activation or more";
      item.actual = r.implemented ? "not exercised" : "this rule is not implemented";
    } else if (r.inconclusive) {
      item.verdict = JDG_INCONCLUSIVE;
      item.expected = "a decision";
      item.actual = "inconclusive";
    }
    run_item_add(&s->items, &item);
  }
}

/* Findings go to their frames, so that the capture tells its story in Wireshark. */
static void comment_findings(struct session *s) {
  struct judge *judge = s->engine->judge;
  for (size_t i = 0; i < jdg_result_count(judge); i++) {
    const struct jdg_result *r = jdg_result_get(judge, i);
    if (r->verdict != JDG_FAIL && r->verdict != JDG_WARN) continue;
    for (size_t k = 0; k < r->finding_count; k++) {
      const struct jdg_finding *f = &r->findings[k];
      if (!f->frame) continue;
      cap_writer_comment(s->engine->capture, f->frame,
                         scn_print(s->items.arena, "%s %s: expected %s; actual %s", r->rule->id,
                                   jdg_verdict_name(r->verdict), f->expected ? f->expected : "",
                                   f->actual ? f->actual : ""));
    }
  }
}

enum jdg_verdict run_worst(enum jdg_verdict a, enum jdg_verdict b) {
  static const unsigned rank[] = {
      [JDG_NOT_EXERCISED] = 0, [JDG_UNSUPPORTED] = 0,  [JDG_WAIVED] = 1, [JDG_PASS] = 1,
      [JDG_WARN] = 2,          [JDG_INCONCLUSIVE] = 3, [JDG_FAIL] = 4,   [JDG_ERROR] = 5};
  return rank[b] > rank[a] ? b : a;
}

/* What is inconclusive counts only where the scenario asked for it (`covers`). */
static enum jdg_verdict verdict_of_rules(struct judge *judge) {
  enum jdg_verdict worst = JDG_NOT_EXERCISED;
  for (size_t i = 0; i < jdg_result_count(judge); i++) {
    enum jdg_verdict v = jdg_result_get(judge, i)->verdict;
    if (v != JDG_INCONCLUSIVE) worst = run_worst(worst, v);
  }
  return worst;
}

/* A flipped bit may hit a length: then the frame is unreadable on purpose. */
static bool corrupts(const struct scn_scenario *scenario) {
  for (size_t i = 0; i < scenario->network.impairment_count; i++)
    if (scenario->network.impairments[i].impairment.corrupt) return true;
  return false;
}

static void check_readable(struct session *s) {
  const char *why = "";
  char actual[160];
  uint64_t frame = jdg_unreadable(s->engine->judge, &why);
  if (!frame || corrupts(s->scenario)) return;
  snprintf(actual, sizeof actual, "frame %llu: %s", (unsigned long long)frame, why);
  harness_error(s, 0, "own capture is readable", actual);
}

static enum jdg_verdict conclude(struct session *s, struct run_outcome *outcome) {
  outcome->counters = emu_counters(s->network);
  check_readable(s);
  if (s->interrupted) harness_error(s, 0, "the run", "interrupted before its end");
  if (!s->options->judge_only) {
    check_conservation(s, &outcome->counters);
    count_impairments(s);
    run_expectations_end(&s->engine->expectations, &s->items);
    run_sweep_end(&s->engine->sweep, &s->items);
    check_required(s);
  }
  if (s->engine->record.no_memory) harness_error(s, 0, "the record", "no memory");
  enum jdg_verdict worst = verdict_of_rules(s->engine->judge);
  for (size_t i = 0; i < s->items.count; i++) worst = run_worst(worst, s->items.list[i].verdict);
  return worst;
}

static void fill_outcome(struct session *s, struct run_outcome *o) {
  const struct run_record *r = &s->engine->record;
  o->judge = s->engine->judge;
  o->items = s->items.list;
  o->item_count = s->items.count;
  o->impairments = s->uses;
  o->impairment_count = s->uses ? s->scenario->network.impairment_count : 0;
  o->interrupted = s->interrupted;
  if (!s->options->record) return;
  o->capture = s->engine->capture;
  o->events = r->events.data ? r->events.data : "";
  o->events_length = r->events.length;
  o->trace = r->trace;
  o->trace_count = r->trace_count;
  o->trace_total = r->trace_total;
}

/* ---- the run ---- */

static bool prepare(struct session *s) {
  struct run_engine *e = s->engine;
  const struct scn_scenario *scenario = s->scenario;
  size_t n = scenario->node_count + 1;
  struct emu_config config = {.seed = s->options->seed,
                              .latency = scenario->network.latency,
                              .mtu = scenario->network.mtu,
                              .reassembly_timeout = scenario->network.reassembly_timeout,
                              .reassembly_limit = scenario->network.reassembly_limit};
  s->inner = scn_alloc(s->items.arena, n * sizeof *s->inner);
  s->outer = scn_alloc(s->items.arena, n * sizeof *s->outer);
  s->testers = scn_alloc(s->items.arena, n * sizeof *s->testers);
  s->links = scn_alloc(s->items.arena, (scenario->network.link_count + 1) * sizeof *s->links);
  s->network = emu_network_new(&config);
  if (!s->inner || !s->outer || !s->testers || !s->links || !s->network) return false;
  return run_directory_build(&e->directory, scenario) &&
         run_expectations_begin(&e->expectations, scenario, s->items.arena, &e->directory);
}

static void begin_record(struct session *s) {
  struct run_engine *e = s->engine;
  struct jdg_config config = {.profile = s->options->profile, .strict = s->options->strict};
  jdg_reset(e->judge, &config);
  run_sweep_begin(&e->sweep, s->scenario);
  if (s->options->record)
    cap_writer_reset(
        e->capture,
        scn_print(s->items.arena, "chorus %s, scenario %s, seed %llu, digest %016llx, profile %s",
                  CHORUS_VERSION, s->scenario->name, (unsigned long long)s->options->seed,
                  (unsigned long long)s->scenario->digest, jdg_profile_name(s->options->profile)));
  run_record_begin(&e->record, s->scenario, e->judge, s->options->record ? e->capture : NULL,
                   &e->expectations, &e->sweep);
  struct emu_observer observer = run_record_observer(&e->record);
  emu_observe(s->network, &observer);
}

static void execute(struct session *s, struct run_outcome *outcome) {
  begin_record(s);
  if (add_nodes(s)) live(s);
  run_record_flush(&s->engine->record);
  outcome->end = emu_now(s->network);
  jdg_finish(s->engine->judge, outcome->end);
  outcome->verdict = conclude(s, outcome);
  if (s->options->record) comment_findings(s);
  fill_outcome(s, outcome);
}

bool run_execute(struct run_engine *engine, const struct scn_scenario *scenario,
                 const struct run_options *options, struct run_outcome *outcome) {
  struct session s = {.engine = engine, .scenario = scenario, .options = options};
  memset(outcome, 0, sizeof *outcome);
  scn_arena_free(engine->arena);
  engine->arena = s.items.arena = scn_arena_new();
  bool ok = s.items.arena && prepare(&s);
  if (ok) execute(&s, outcome);
  if (s.network) emu_network_free(s.network);
  if (s.made) free_nodes(&s);
  return ok;
}

struct run_engine *run_engine_new(void) {
  struct jdg_config config = {.profile = JDG_DIJK_03};
  struct run_engine *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  e->judge = jdg_new(&config);
  e->capture = cap_writer_new(NULL);
  if (e->judge && e->capture && run_record_init(&e->record)) return e;
  run_engine_free(e);
  return NULL;
}

void run_engine_free(struct run_engine *engine) {
  if (!engine) return;
  if (engine->judge) jdg_free(engine->judge);
  if (engine->capture) cap_writer_free(engine->capture);
  run_record_free(&engine->record);
  run_expectations_free(&engine->expectations);
  run_sweep_free(&engine->sweep);
  run_set_free(&engine->directory.addresses);
  scn_arena_free(engine->arena);
  free(engine);
}
