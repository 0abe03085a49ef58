/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/rules.h"
#include "run/session.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

/* ---- impairments ---- */

static void impair(struct run_session *s, uint32_t index) {
  const struct scn_impairment *m = &s->scenario->network.impairments[index];
  for (size_t a = 0; a < m->sender_count; a++)
    for (size_t b = 0; b < m->receiver_count; b++) {
      struct run_handle *h = scn_append(s->items.arena, &s->handles, &s->handle_count, sizeof *h);
      if (!h) return;
      h->impairment = index;
      h->handle = net_impair(s->network, m->senders[a], m->receivers[b], &m->impairment);
    }
}

static void repair(struct run_session *s, uint32_t index) {
  for (size_t i = 0; i < s->handle_count; i++)
    if (scn_repairs(&s->scenario->network, index, s->handles[i].impairment) && s->handles[i].handle)
      net_repair(s->network, s->handles[i].handle);
}

static void impair_initially(struct run_session *s) {
  for (uint32_t i = 0; i < s->scenario->network.impairment_count; i++)
    if (s->scenario->network.impairments[i].initial) impair(s, i);
}

/* An impairment that changed nothing did not test anything (hole W18 of other suites). */
static void count_impairments(struct run_session *s) {
  const struct scn_network *n = &s->scenario->network;
  s->uses = scn_alloc(s->items.arena, (n->impairment_count + 1) * sizeof *s->uses);
  if (!s->uses) return;
  for (size_t i = 0; i < n->impairment_count; i++) s->uses[i].impairment = &n->impairments[i];
  for (size_t i = 0; s->network && i < s->handle_count; i++)
    s->uses[s->handles[i].impairment].used += net_impairment_used(s->network, s->handles[i].handle);
  for (size_t i = 0; i < n->impairment_count; i++) {
    const struct scn_impairment *m = &n->impairments[i];
    if (s->uses[i].used || m->optional) continue;
    struct run_item item = {
        .kind = RUN_HARNESS,
        .verdict = JDG_ERROR,
        .is_unused = true,
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
static void step_result(struct run_session *s, const struct scn_step *step, int status,
                        const char *why) {
  if (status == CHORUS_OK || status == CHORUS_REFUSED) return;
  if (step->optional && status != CHORUS_NO_MEMORY) return;
  const char *node = s->scenario->nodes[step->node].name;
  const char *verb = step->kind == SCN_SEND ? "send" : step->command.verb;
  const char *what = scn_print(s->items.arena, "%s of node %s", verb, node);
  char actual[256];
  snprintf(actual, sizeof actual, "%s%s%s", status_text(status), *why ? ": " : "", why);
  run_harness_error(s, step->place.line, what, actual);
}

static void do_step(struct run_session *s, const struct scn_step *step) {
  const char *why = "";
  int status = CHORUS_OK;
  switch (step->kind) {
    case SCN_COMMAND: status = net_command(s->network, step->node, &step->command, &why); break;
    case SCN_SEND: status = run_tester_send(s->testers[step->node], &step->send); break;
    case SCN_IMPAIR: impair(s, step->impairment); break;
    case SCN_REPAIR: repair(s, step->impairment); break;
  }
  step_result(s, step, status, why ? why : "");
}

static bool is_interrupted(struct run_session *s) {
  const struct run_options *o = s->options;
  if (!s->interrupted && o->interrupted) s->interrupted = o->interrupted(o->interrupted_context);
  return s->interrupted;
}

static void run_steps(struct run_session *s) {
  const struct scn_scenario *scenario = s->scenario;
  for (size_t i = 0; i < scenario->step_count && !is_interrupted(s); i++) {
    if (scenario->steps[i].at > scenario->end) break;
    net_run_until(s->network, scenario->steps[i].at);
    do_step(s, &scenario->steps[i]);
  }
  if (!is_interrupted(s)) net_run_until(s->network, scenario->end);
}

/* What comes after the end is between the prober and the stacks, on a network without fault. */
static void close_record(struct run_session *s) {
  s->end = net_now(s->network);
  if (!s->prober || is_interrupted(s)) return;
  s->engine->record.closed = true;
  for (size_t i = 0; i < s->handle_count; i++)
    if (s->handles[i].handle) net_repair(s->network, s->handles[i].handle);
  run_nodes_probe(s);
  s->engine->record.closed = false; /* what nodes say when they stop belongs to the record */
}

static int start_nodes(struct run_session *s) {
  const struct run_options *o = s->options;
  if (o->starting) o->starting(o->starting_context, true);
  int status = net_start(s->network, run_node_ready, s, o->patience);
  if (o->starting) o->starting(o->starting_context, false);
  return status;
}

static void live(struct run_session *s) {
  impair_initially(s);
  int status = start_nodes(s);
  if (is_interrupted(s)) return;
  if (status != CHORUS_OK) {
    bool says_why = s->options->backend != NET_SIM && status == CHORUS_REFUSED;
    run_harness_error(s, 0, "starting the nodes",
                      says_why ? net_error(s->network) : status_text(status));
    return;
  }
  run_steps(s);
  close_record(s);
  net_stop(s->network);
  sut_settle(s->suts, s->made, net_kernel(s->network), s->options->dilation);
}

/* ---- afterwards ---- */

static void check_conservation(struct run_session *s, const struct emu_counters *c) {
  uint64_t sum = c->in_flight;
  char actual[80];
  for (size_t i = 0; i < EMU_FATE_COUNT; i++) sum += c->fate[i];
  if (sum == c->receptions) return;
  snprintf(actual, sizeof actual, "%llu receptions, %llu accounted for",
           (unsigned long long)c->receptions, (unsigned long long)sum);
  run_harness_error(s, 0, "conservation law of the network", actual);
}

static bool has_stacks(const struct run_session *s) {
  for (size_t i = 0; i < s->made; i++)
    if (s->suts[i]) return true;
  return false;
}

/*
 * Lateness that is as long as what rules allow for it makes timing verdicts doubtful: those of
 * programs. Nodes of our own live in the times at which packets were due, however late it is.
 */
static void check_lag(struct run_session *s) {
  struct krn_network *kernel = s->network ? net_kernel(s->network) : NULL;
  if (!kernel || !has_stacks(s)) return;
  struct krn_lag lag = krn_lag(kernel);
  uint64_t dilation = s->options->dilation ? s->options->dilation : 1;
  if (lag.worst * dilation <= run_tolerance(s->options) / 2) return;
  struct run_item item = {
      .kind = RUN_HARNESS,
      .verdict = JDG_INCONCLUSIVE,
      .text = "the network keeps up with real time",
      .expected = scn_print(
          s->items.arena, "no packet later than %llu ms",
          (unsigned long long)(run_tolerance(s->options) / dilation / (2 * CHORUS_MILLISECOND))),
      .actual = scn_print(s->items.arena, "one %llu ms late: the machine is too busy",
                          (unsigned long long)(lag.worst / CHORUS_MILLISECOND))};
  run_item_add(&s->items, &item);
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
static void check_required(struct run_session *s) {
  const struct scn_scenario *scenario = s->scenario;
  for (size_t i = 0; i < scenario->cover_count; i++) {
    const char *id = scenario->covers[i];
    struct required r = look_up(s->engine->judge, rule_find(id), s->options->profile);
    struct run_item item = {.kind = RUN_REQUIRED,
                            .verdict = JDG_PASS,
                            .text = scn_print(s->items.arena, "covers %s", id)};
    if (r.implemented && !r.applicable) {
      item.verdict = JDG_UNSUPPORTED;
      item.expected = "a rule that the profile asks";
      item.actual =
          scn_print(s->items.arena, "not asked by %s", jdg_profile_name(s->options->profile));
    } else if (!r.implemented || !r.exercised) {
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
static void comment_findings(struct run_session *s) {
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

static void check_readable(struct run_session *s) {
  const char *why = "";
  char actual[160];
  uint64_t frame = jdg_unreadable(s->engine->judge, &why);
  if (!frame || corrupts(s->scenario)) return;
  snprintf(actual, sizeof actual, "frame %llu: %s", (unsigned long long)frame, why);
  run_harness_error(s, 0, "own capture is readable", actual);
}

static bool decides(const struct run_session *s, const struct run_item *item) {
  enum run_deciding deciding = s->options->deciding;
  if (item->kind == RUN_HARNESS && !item->is_unused) return true;
  if (item->kind == RUN_EXPECTATION && deciding == RUN_INTEROP_DECIDES) return true;
  return deciding == RUN_ALL_DECIDES;
}

/* The verdict of rules and items. What does not decide is softened, and hides no warning. */
static enum jdg_verdict verdict_of_run(struct run_session *s) {
  enum jdg_verdict worst = verdict_of_rules(s->engine->judge);
  bool warned = worst == JDG_WARN;
  for (size_t i = 0; i < s->items.count; i++) {
    struct run_item *item = &s->items.list[i];
    bool softened =
        item->verdict != JDG_PASS && item->verdict != JDG_UNSUPPORTED && !decides(s, item);
    if (softened) item->verdict = JDG_INCONCLUSIVE;
    if (!softened || !warned) worst = run_worst(worst, item->verdict);
  }
  return worst;
}

/* None of what the scenario is for is asked by the profile: rules that look by the way and find
 * nothing wrong are no reason to call that a pass. */
static bool asks_nothing(const struct run_session *s) {
  size_t asked = 0, unasked = 0;
  for (size_t i = 0; i < s->items.count; i++) {
    const struct run_item *item = &s->items.list[i];
    bool is_required = item->kind == RUN_REQUIRED;
    if (is_required && item->verdict == JDG_UNSUPPORTED) unasked++;
    if (item->kind == RUN_EXPECTATION || (is_required && item->verdict != JDG_UNSUPPORTED)) asked++;
  }
  return unasked > 0 && asked == 0;
}

static enum jdg_verdict conclude(struct run_session *s, struct run_outcome *outcome) {
  if (s->network) outcome->counters = net_counters(s->network);
  check_readable(s);
  check_lag(s);
  if (s->interrupted) run_harness_error(s, 0, "the run", "interrupted before its end");
  if (!s->options->judge_only) {
    check_conservation(s, &outcome->counters);
    count_impairments(s);
    run_expectations_end(&s->engine->expectations, &s->items);
    run_sweep_end(&s->engine->sweep, &s->items);
    check_required(s);
  }
  if (s->engine->record.no_memory) run_harness_error(s, 0, "the record", "no memory");
  enum jdg_verdict worst = verdict_of_run(s);
  if (asks_nothing(s) && run_worst(worst, JDG_PASS) == JDG_PASS) worst = JDG_UNSUPPORTED;
  return s->trouble_count ? run_worst(worst, JDG_ERROR) : worst;
}

static void fill_outcome(struct run_session *s, struct run_outcome *o) {
  const struct run_record *r = &s->engine->record;
  o->judge = s->engine->judge;
  o->items = s->items.list;
  o->item_count = s->items.count;
  o->impairments = s->uses;
  o->impairment_count = s->uses ? s->scenario->network.impairment_count : 0;
  o->interrupted = s->interrupted;
  o->troubles = s->troubles;
  o->trouble_count = s->trouble_count;
  o->tolerance = run_tolerance(s->options);
  if (s->network && net_kernel(s->network)) o->lag = krn_lag(net_kernel(s->network));
  if (!s->options->record) return;
  o->capture = s->engine->capture;
  o->events = r->events.data ? r->events.data : "";
  o->events_length = r->events.length;
  o->trace = r->trace;
  o->trace_count = r->trace_count;
  o->trace_total = r->trace_total;
}

/* ---- the run ---- */

chorus_time run_tolerance(const struct run_options *options) {
  if (options->backend == NET_SIM) return 0;
  uint64_t dilation = options->dilation ? options->dilation : 1;
  return CHORUS_SECOND + (dilation - 1) * (50 * CHORUS_MILLISECOND);
}

static bool prepare(struct run_session *s) {
  struct run_engine *e = s->engine;
  const struct scn_scenario *scenario = s->scenario;
  size_t n = scenario->node_count + 1;
  s->inner = scn_alloc(s->items.arena, n * sizeof *s->inner);
  s->outer = scn_alloc(s->items.arena, n * sizeof *s->outer);
  s->testers = scn_alloc(s->items.arena, n * sizeof *s->testers);
  s->suts = scn_alloc(s->items.arena, n * sizeof *s->suts);
  s->links = scn_alloc(s->items.arena, (scenario->network.link_count + 1) * sizeof *s->links);
  if (!s->inner || !s->outer || !s->testers || !s->suts || !s->links) return false;
  return run_directory_build(&e->directory, scenario) &&
         run_expectations_begin(&e->expectations, scenario, s->items.arena, &e->directory,
                                run_tolerance(s->options));
}

static bool make_network(struct run_session *s) {
  const struct scn_network *n = &s->scenario->network;
  const struct run_options *o = s->options;
  char why[256];
  struct net_config config = {.backend = o->backend,
                              .kernel = {.network = {.seed = o->seed,
                                                     .latency = n->latency,
                                                     .mtu = n->mtu,
                                                     .reassembly_timeout = n->reassembly_timeout,
                                                     .reassembly_limit = n->reassembly_limit},
                                         .attachment = o->attachment,
                                         .flood = n->flood,
                                         .dilation = o->dilation,
                                         .interrupted = o->interrupted,
                                         .interrupted_context = o->interrupted_context}};
  s->network = net_new(&config, why, sizeof why);
  if (!s->network) run_harness_error(s, 0, "making the network", why);
  return s->network != NULL;
}

static void begin_record(struct run_session *s) {
  struct run_engine *e = s->engine;
  struct jdg_config config = {.profile = s->options->profile,
                              .strict = s->options->strict,
                              .real_time = s->options->backend != NET_SIM,
                              .delta = run_tolerance(s->options)};
  jdg_reset(e->judge, &config);
  run_sweep_begin(&e->sweep, s->scenario);
  if (s->options->record)
    cap_writer_reset(
        e->capture,
        scn_print(s->items.arena, "chorus %s, scenario %s, seed %llu, digest %016llx, profile %s",
                  CHORUS_VERSION, s->scenario->name, (unsigned long long)s->options->seed,
                  (unsigned long long)s->scenario->digest, jdg_profile_name(s->options->profile)));
  run_record_begin(&e->record, s->scenario, e->judge, s->options->record ? e->capture : NULL,
                   &e->expectations, &e->sweep, s->suts);
  struct emu_observer observer = run_record_observer(&e->record);
  if (s->network) net_observe(s->network, &observer);
}

static void execute(struct run_session *s, struct run_outcome *outcome) {
  bool made = make_network(s);
  begin_record(s);
  if (made && run_nodes_add(s)) live(s);
  run_nodes_troubles(s);
  run_record_flush(&s->engine->record);
  outcome->end = s->end;
  jdg_finish(s->engine->judge, outcome->end);
  if (s->options->record) cap_writer_end(s->engine->capture, outcome->end);
  outcome->verdict = conclude(s, outcome);
  if (s->options->record) comment_findings(s);
  fill_outcome(s, outcome);
}

/* What a stack does not declare is not asked of it (never guessed: DESIGN, section 4). */
static bool is_unsupported(struct run_session *s, struct run_outcome *outcome) {
  struct sut_gap *gap = scn_alloc(s->items.arena, sizeof *gap);
  for (int role = SCN_CLIENT; gap && role <= SCN_SERVER; role++) {
    const struct sut_manifest *stack = s->options->stacks[role];
    if (!stack || sut_can_play(stack, (enum scn_role)role, s->scenario, gap)) continue;
    begin_record(s);
    jdg_finish(s->engine->judge, 0);
    fill_outcome(s, outcome);
    outcome->gap = gap;
    outcome->verdict = JDG_UNSUPPORTED;
    return true;
  }
  return false;
}

bool run_execute(struct run_engine *engine, const struct scn_scenario *scenario,
                 const struct run_options *options, struct run_outcome *outcome) {
  struct run_session s = {.engine = engine, .scenario = scenario, .options = options};
  memset(outcome, 0, sizeof *outcome);
  scn_arena_free(engine->arena);
  engine->arena = s.items.arena = scn_arena_new();
  const struct sut_manifest *server = options->stacks[SCN_SERVER];
  if (server && s.items.arena) s.scenario = sut_mapped(server, scenario, s.items.arena);
  bool ok = s.items.arena && prepare(&s);
  if (ok && !is_unsupported(&s, outcome)) execute(&s, outcome);
  net_free(s.network);
  run_nodes_free(&s);
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
