/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of a run: the reference, testers, and stacks under test in place of the reference. */
#include <stdio.h>
#include <stdlib.h>

#include "run/session.h"
#include "statement/statement.h"

void run_harness_error(struct run_session *s, uint32_t line, const char *what, const char *actual) {
  struct run_item item = {.kind = RUN_HARNESS,
                          .verdict = JDG_ERROR,
                          .line = line,
                          .text = what,
                          .expected = "",
                          .actual = scn_print(s->items.arena, "%s", actual)};
  run_item_add(&s->items, &item);
}

const struct sut_manifest *run_stack_of(const struct run_options *options,
                                        const struct scn_node *node) {
  return node->role == SCN_TESTER ? NULL : options->stacks[node->role];
}

/* ---- making them ---- */

static struct chorus_node make_server(struct run_session *s, const struct scn_node *node,
                                      const char **why) {
  struct ref_server_config config = node->server;
  const struct run_hooks *hooks = s->options->hooks;
  if (hooks && hooks->server) hooks->server(hooks->context, node, &config);
  return ref_server_new(&config, why);
}

static struct chorus_node make_client(struct run_session *s, const struct scn_node *node,
                                      const char **why) {
  struct ref_client_config config = node->client;
  const struct run_hooks *hooks = s->options->hooks;
  if (hooks && hooks->client) hooks->client(hooks->context, node, &config);
  return ref_client_new(&config, why);
}

static struct chorus_node make_stack(struct run_session *s, size_t i, const char **why) {
  const struct scn_node *node = &s->scenario->nodes[i];
  char text[256] = "";
  struct sut_node_config config = {.manifest = run_stack_of(s->options, node),
                                   .scenario = s->scenario,
                                   .node = node,
                                   .seed = s->options->seed};
  s->suts[i] = sut_node_new(&config, text, sizeof text);
  if (s->suts[i]) return sut_node_node(s->suts[i]);
  *why = scn_print(s->items.arena, "%s", text);
  return (struct chorus_node){NULL, NULL};
}

static struct chorus_node make_inner(struct run_session *s, size_t i, const char **why) {
  const struct scn_node *node = &s->scenario->nodes[i];
  if (run_stack_of(s->options, node)) return make_stack(s, i, why);
  if (node->role == SCN_SERVER) return make_server(s, node, why);
  if (node->role == SCN_CLIENT) return make_client(s, node, why);
  s->testers[i] = run_tester_new(node);
  if (s->testers[i]) return run_tester_node(s->testers[i]);
  return (struct chorus_node){NULL, NULL};
}

static void free_inner(struct run_session *s, size_t i) {
  if (s->suts[i]) {
    sut_node_free(s->suts[i]);
    return;
  }
  switch (s->scenario->nodes[i].role) {
    case SCN_SERVER: ref_server_free(s->inner[i]); return;
    case SCN_CLIENT: ref_client_free(s->inner[i]); return;
    default: run_tester_free(s->testers[i]);
  }
}

/* Testers forge sources, which no kernel does for them: the switch is their stack. */
static enum krn_presence presence_of(const struct run_session *s, const struct scn_node *node) {
  const struct sut_manifest *stack = run_stack_of(s->options, node);
  if (node->role == SCN_TESTER) return KRN_PORT;
  return stack && stack->rung == SUT_PROGRAM ? KRN_HOST : KRN_SOCKETS;
}

static bool complain_of_node(struct run_session *s, const struct scn_node *node, const char *what,
                             const char *why) {
  run_harness_error(s, node->place.line, scn_print(s->items.arena, "%s %s", what, node->name), why);
  return false;
}

static bool add_node(struct run_session *s, size_t i) {
  const struct scn_node *node = &s->scenario->nodes[i];
  const struct run_hooks *hooks = s->options->hooks;
  const char *why = "no memory";
  s->inner[i] = make_inner(s, i, &why);
  if (!s->inner[i].ops) return complain_of_node(s, node, "making node", why);
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
  uint32_t number = net_add_node(s->network, &config, presence_of(s, node));
  if (s->testers[i]) run_tester_attach(s->testers[i], s->network, number);
  if (number != i) return complain_of_node(s, node, "adding node", net_error(s->network));
  struct krn_network *kernel = net_kernel(s->network);
  if (s->suts[i] && kernel) sut_node_attach(s->suts[i], kernel, number);
  return true;
}

/* ---- telling of them ---- */

/* What the judge is told that |node| says of itself; its capture tells the same. */
static void state_node(const struct run_session *s, size_t i, struct jdg_ics *ics) {
  const struct scn_node *node = &s->scenario->nodes[i];
  const struct run_hooks *hooks = s->options->hooks;
  run_ics(s->scenario, node, ics);
  if (s->suts[i])
    sut_ics(run_stack_of(s->options, node), node->role == SCN_CLIENT ? SCN_CLIENT : SCN_SERVER,
            ics);
  if (hooks && hooks->statement) hooks->statement(hooks->context, node, ics);
}

/* Whether a step asks the node for this. */
static bool is_asked_to(const struct scn_scenario *scenario, size_t i, const char *verb) {
  for (size_t k = 0; k < scenario->step_count; k++) {
    const struct scn_step *step = &scenario->steps[k];
    if (step->kind == SCN_COMMAND && step->node == i && strcmp(step->command.verb, verb) == 0)
      return true;
  }
  return false;
}

/* A statement holds from beginning to end: of groups that come and go, only events can tell. */
static struct jdg_ics lasting(const struct scn_scenario *scenario, size_t i,
                              const struct jdg_ics *ics) {
  struct jdg_ics stated = *ics;
  bool leaves = is_asked_to(scenario, i, "leave");
  if (leaves) stated.group_count = 0;
  if (leaves || is_asked_to(scenario, i, "join")) stated.groups_declared = false;
  return stated;
}

static void tell_judge(struct run_session *s, size_t i, const struct jdg_ics *ics) {
  const struct scn_node *node = &s->scenario->nodes[i];
  struct judge *judge = s->engine->judge;
  bool is_judged = node->role != SCN_TESTER;
  uint32_t number =
      jdg_add_node(judge, node->name, node->addresses, node->address_count, is_judged);
  jdg_bind_interface(judge, (uint32_t)i, number);
  if (!is_judged) return;
  /* A stack under test may join and leave without a word. */
  struct jdg_ics stated = s->suts[i] ? lasting(s->scenario, i, ics) : *ics;
  jdg_set_ics(judge, number, &stated);
  jdg_set_roles(judge, number, node->role == SCN_CLIENT ? JDG_CLIENT : JDG_SERVER);
}

static void add_interface(struct run_session *s, size_t i, const struct jdg_ics *ics) {
  static const char *const roles[] = {"client", "server", "tester"};
  const struct scn_node *node = &s->scenario->nodes[i];
  struct txt_buffer statement = {0};
  if (!s->options->record) return;
  struct jdg_ics stated = lasting(s->scenario, i, ics);
  if (node->role != SCN_TESTER) stm_write(&statement, node->name, &stated);
  struct cap_interface_info info = {.name = node->name,
                                    .comment = statement.data,
                                    .description = roles[node->role],
                                    .addresses = node->addresses,
                                    .address_count = node->address_count};
  cap_writer_interface(s->engine->capture, &info);
  txt_free(&statement);
}

/* ---- whether they live ---- */

static bool is_asked(const struct run_session *s, size_t i) {
  return s->suts[i] && s->scenario->nodes[i].role == SCN_SERVER;
}

/* Virtual time stands still between two events, so that a stack in it cannot hang unnoticed. */
static bool add_prober(struct run_session *s) {
  struct krn_network *kernel = net_kernel(s->network);
  size_t count = s->scenario->node_count, asked = 0;
  struct chorus_endpoint own = run_prober_address(s->scenario->network.ip);
  struct chorus_endpoint *targets = scn_alloc(s->items.arena, (count + 1) * sizeof *targets);
  for (size_t i = 0; targets && i < count; i++) {
    const struct scn_node *node = &s->scenario->nodes[i];
    if (node->address_count) targets[i] = node->addresses[0];
    targets[i].port = node->server.port ? node->server.port : CHORUS_COAP_PORT;
    asked += is_asked(s, i);
  }
  if (!kernel || !asked) return true;
  s->prober = targets ? run_prober_new(targets, count) : NULL;
  if (!s->prober) return false;
  struct emu_node_config config = {.name = "chorus-prober",
                                   .node = run_prober_node(s->prober),
                                   .addresses = &own,
                                   .address_count = 1};
  if (net_add_node(s->network, &config, KRN_PORT) == count) return true;
  run_harness_error(s, 0, "adding the prober", net_error(s->network));
  return false;
}

bool run_node_ready(void *session, uint32_t node) {
  struct run_session *s = session;
  if (node >= s->scenario->node_count || !s->suts[node]) return true;
  if (!sut_node_ready(s->suts[node])) return false;
  const struct sut_trouble *troubles;
  if (!s->prober || !is_asked(s, node) || sut_node_troubles(s->suts[node], &troubles)) return true;
  run_prober_insist(s->prober, node, krn_clock(net_kernel(s->network)));
  return run_prober_answered(s->prober, node);
}

static void add_trouble(struct run_session *s, size_t i, const struct sut_trouble *trouble) {
  struct scn_arena *arena = s->items.arena;
  struct run_trouble *t = scn_append(arena, &s->troubles, &s->trouble_count, sizeof *t);
  if (!t) return;
  *t = (struct run_trouble){.node = (uint32_t)i,
                            .kind = sut_trouble_name(trouble->kind),
                            .text = scn_print(arena, "%s", trouble->text),
                            .at = trouble->at,
                            .last_at = trouble->last_at};
  if (trouble->last) t->last = scn_print(arena, "%s", trouble->last);
  if (trouble->tail) t->tail = scn_print(arena, "%s", trouble->tail);
}

static bool has_trouble(const struct run_session *s, size_t i) {
  const struct sut_trouble *troubles;
  return sut_node_troubles(s->suts[i], &troubles) > 0;
}

static bool all_answered(const struct run_session *s) {
  for (size_t i = 0; i < s->made; i++)
    if (is_asked(s, i) && !has_trouble(s, i) && !run_prober_answered(s->prober, i)) return false;
  return true;
}

void run_nodes_probe(struct run_session *s) {
  enum { PATIENCE_STEPS = 40 };
  const chorus_time step = 250 * CHORUS_MILLISECOND;
  if (!s->prober) return;
  for (size_t i = 0; i < s->made; i++)
    if (is_asked(s, i)) run_prober_ask(s->prober, i);
  for (int n = 0; n < PATIENCE_STEPS && !all_answered(s); n++)
    net_run_until(s->network, net_now(s->network) + step);
  for (size_t i = 0; i < s->made; i++) {
    struct sut_trouble trouble = {.kind = SUT_HANG,
                                  .at = s->scenario->end,
                                  .text = "does not answer a Confirmable GET after the scenario"};
    if (is_asked(s, i) && !has_trouble(s, i) && !run_prober_answered(s->prober, i))
      add_trouble(s, i, &trouble);
  }
}

void run_nodes_troubles(struct run_session *s) {
  for (size_t i = 0; i < s->made; i++) {
    const struct sut_trouble *list;
    size_t count = s->suts[i] ? sut_node_troubles(s->suts[i], &list) : 0;
    for (size_t k = 0; k < count; k++) add_trouble(s, i, &list[k]);
  }
}

/* ---- all of them ---- */

bool run_nodes_add(struct run_session *s) {
  for (size_t i = 0; i < s->scenario->network.link_count; i++)
    s->links[i] = net_add_link(s->network, &s->scenario->network.links[i].config);
  for (size_t i = 0; i < s->scenario->node_count; i++) {
    if (!add_node(s, i)) return false;
    struct jdg_ics ics;
    jdg_ics_default(&ics);
    if (s->scenario->nodes[i].role != SCN_TESTER) state_node(s, i, &ics);
    tell_judge(s, i, &ics);
    add_interface(s, i, &ics);
  }
  return add_prober(s);
}

void run_nodes_free(struct run_session *s) {
  const struct run_hooks *hooks = s->options->hooks;
  for (size_t i = 0; i < s->made; i++) {
    bool wrapped = s->outer[i].state != s->inner[i].state || s->outer[i].ops != s->inner[i].ops;
    if (wrapped && hooks->unwrap)
      hooks->unwrap(hooks->context, &s->scenario->nodes[i], s->outer[i]);
    free_inner(s, i);
  }
  run_prober_free(s->prober);
}
