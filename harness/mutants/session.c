/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutated nodes in a run: what the runner's hooks do, and the wrapper around a node. */
#include <stdlib.h>

#include "mutants/change.h"

struct mut_session {
  const struct mutant *mutant;
  struct mut_change change;
  struct run_hooks hooks;
  struct mut_node **nodes;
  size_t node_count, capacity;
  const struct scn_node *first; /* of the mutated role */
  struct ref_resource *resources[64];
  size_t resource_lists;
  uint64_t applied;
};

void mut_note(struct mut_node *node) {
  if (node) ++*node->applied;
}

bool mut_concerns(const struct mutant *mutant, const struct scn_node *node, bool first) {
  switch (mutant->role) {
    case MUT_CLIENT: return node->role == SCN_CLIENT;
    case MUT_SERVER: return node->role == SCN_SERVER;
    case MUT_ONE_SERVER: return node->role == SCN_SERVER && first;
    default: return node->role != SCN_TESTER;
  }
}

/* ---- on the way out ---- */

static void send_octets(struct mut_node *n, const struct mut_message *m, const uint8_t *octets,
                        size_t length) {
  struct chorus_datagram d = {.source = m->source,
                              .destination = m->destination,
                              .payload = octets,
                              .length = length,
                              .hop_limit = m->hop_limit};
  n->host->ops->send(n->host->context, &d);
}

void mut_send(struct mut_node *n, const struct mut_message *m) {
  uint8_t octets[MUT_MAX_DATAGRAM];
  size_t length = mut_message_write(m, octets);
  mut_note(n);
  if (length) send_octets(n, m, octets, length);
}

static bool same_datagram(const struct chorus_datagram *d, const struct mut_message *m,
                          const uint8_t *octets, size_t length) {
  return m->copies == 1 && length == d->length && memcmp(octets, d->payload, length) == 0 &&
         memcmp(&d->source, &m->source, sizeof m->source) == 0 &&
         memcmp(&d->destination, &m->destination, sizeof m->source) == 0 &&
         d->hop_limit == m->hop_limit;
}

static int on_send(void *context, const struct chorus_datagram *d) {
  struct mut_node *n = context;
  struct mut_message m;
  uint8_t octets[MUT_MAX_DATAGRAM];
  if (!n->change->outgoing || !mut_message_read(&m, d))
    return n->host->ops->send(n->host->context, d);
  n->change->outgoing(n, &m);
  size_t length = mut_message_write(&m, octets);
  if (!length) return CHORUS_TOO_LARGE;
  if (!same_datagram(d, &m, octets, length)) mut_note(n);
  for (unsigned i = 0; i < m.copies; i++) send_octets(n, &m, octets, length);
  return CHORUS_OK;
}

/* ---- what a node asks of its host ---- */

static void on_deadline(void *context, chorus_time at) {
  mut_hold_deadline(context, at);
}

static int on_open(void *context, uint16_t port) {
  struct mut_node *n = context;
  return n->host->ops->open(n->host->context, port);
}

static void on_close(void *context, uint16_t port) {
  struct mut_node *n = context;
  n->host->ops->close(n->host->context, port);
}

static int on_join(void *context, const struct chorus_endpoint *group) {
  struct mut_node *n = context;
  return n->host->ops->join(n->host->context, group);
}

static void on_leave(void *context, const struct chorus_endpoint *group) {
  struct mut_node *n = context;
  if (!n->change->leave || n->change->leave(n, group))
    n->host->ops->leave(n->host->context, group);
  else
    mut_note(n);
}

static void on_event(void *context, const struct chorus_event *event) {
  struct mut_node *n = context;
  if (!n->host->ops->event) return;
  struct chorus_event copy = *event;
  bool reported = !n->change->event || n->change->event(n, &copy);
  if (!reported || memcmp(&copy, event, sizeof copy) != 0) mut_note(n);
  if (reported) n->host->ops->event(n->host->context, &copy);
}

static uint64_t on_random(void *context, uint32_t purpose) {
  struct mut_node *n = context;
  return n->host->ops->random(n->host->context, purpose);
}

static const struct chorus_host_ops host_ops = {.send = on_send,
                                                .deadline = on_deadline,
                                                .open = on_open,
                                                .close = on_close,
                                                .join = on_join,
                                                .leave = on_leave,
                                                .event = on_event,
                                                .random = on_random};

void mut_report(struct mut_node *n, const struct chorus_event *event) {
  mut_note(n);
  n->host->ops->event(n->host->context, event);
}

void mut_open(struct mut_node *n, uint16_t port) {
  if (n->host->ops->open(n->host->context, port) == CHORUS_OK) mut_note(n);
}

void mut_join(struct mut_node *n, const struct chorus_endpoint *group) {
  if (n->host->ops->join(n->host->context, group) == CHORUS_OK) mut_note(n);
}

/* ---- the wrapped node ---- */

static int on_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct mut_node *n = node;
  n->now = now;
  n->host = host;
  n->own = (struct chorus_host){.ops = &host_ops, .context = n};
  int status = n->inner.ops->start(n->inner.state, now, &n->own);
  if (status == CHORUS_OK && n->change->start) n->change->start(n);
  return status;
}

void mut_hand_in(struct mut_node *n, const struct chorus_datagram *d) {
  n->inner.ops->datagram(n->inner.state, n->now, d);
}

static void hand_in_octets(struct mut_node *n, const struct mut_message *m, const uint8_t *octets,
                           size_t length) {
  struct chorus_datagram d = {.source = m->source,
                              .destination = m->destination,
                              .payload = octets,
                              .length = length,
                              .hop_limit = m->hop_limit};
  mut_hand_in(n, &d);
}

void mut_deliver(struct mut_node *n, const struct mut_message *m) {
  uint8_t octets[MUT_MAX_DATAGRAM];
  size_t length = mut_message_write(m, octets);
  mut_note(n);
  if (length) hand_in_octets(n, m, octets, length);
}

static void on_datagram(void *node, chorus_time now, const struct chorus_datagram *d) {
  struct mut_node *n = node;
  struct mut_message m;
  uint8_t octets[MUT_MAX_DATAGRAM];
  n->now = now;
  if (n->change->damaged && n->change->damaged(n, d)) {
    mut_note(n);
    return;
  }
  if (!n->change->incoming || !mut_message_read(&m, d)) {
    mut_hand_in(n, d);
    return;
  }
  n->change->incoming(n, &m);
  size_t length = mut_message_write(&m, octets);
  if (!same_datagram(d, &m, octets, length)) mut_note(n);
  for (unsigned i = 0; i < m.copies && length; i++) hand_in_octets(n, &m, octets, length);
}

static void on_wake(void *node, chorus_time now) {
  struct mut_node *n = node;
  n->now = now;
  mut_hold_wake(n);
}

static int on_command(void *node, chorus_time now, const struct chorus_command *command,
                      const char **why) {
  struct mut_node *n = node;
  n->now = now;
  return n->inner.ops->command(n->inner.state, now, command, why);
}

static void on_unreachable(void *node, chorus_time now, const struct chorus_endpoint *destination) {
  struct mut_node *n = node;
  n->now = now;
  n->inner.ops->unreachable(n->inner.state, now, destination);
}

static void on_stop(void *node, chorus_time now) {
  struct mut_node *n = node;
  n->now = now;
  n->inner.ops->stop(n->inner.state, now);
}

static struct chorus_node_ops wrapper_ops(const struct chorus_node_ops *inner) {
  return (struct chorus_node_ops){.start = on_start,
                                  .datagram = inner->datagram ? on_datagram : NULL,
                                  .wake = inner->wake ? on_wake : NULL,
                                  .command = inner->command ? on_command : NULL,
                                  .unreachable = inner->unreachable ? on_unreachable : NULL,
                                  .stop = inner->stop ? on_stop : NULL};
}

/* ---- the runner's hooks ---- */

static bool concerns(struct mut_session *s, const struct scn_node *node) {
  bool first = s->first == node;
  if (!s->first && mut_concerns(s->mutant, node, true)) {
    s->first = node;
    first = true;
  }
  return mut_concerns(s->mutant, node, first);
}

static struct mut_node *find(struct mut_session *s, const struct scn_node *node) {
  for (size_t i = s->node_count; i-- > 0;)
    if (s->nodes[i]->scenario == node) return s->nodes[i];
  return NULL;
}

static struct mut_node *add(struct mut_session *s, const struct scn_node *node) {
  struct mut_node *n = find(s, node);
  if (n) return n;
  if (s->node_count == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 16;
    struct mut_node **grown = realloc(s->nodes, capacity * sizeof *grown);
    if (!grown) return NULL;
    s->nodes = grown;
    s->capacity = capacity;
  }
  n = calloc(1, sizeof *n);
  if (!n) return NULL;
  n->mutant = s->mutant;
  n->scenario = node;
  n->applied = &s->applied;
  n->change = &s->change;
  n->deadline = CHORUS_NEVER;
  return s->nodes[s->node_count++] = n;
}

static void change_resources(struct mut_session *s, struct ref_server_config *config) {
  size_t size = (config->resource_count + 1) * sizeof(struct ref_resource);
  struct ref_resource *list = s->resource_lists < 64 ? malloc(size) : NULL;
  if (!list) return;
  if (config->resource_count) memcpy(list, config->resources, size - sizeof *list);
  for (size_t i = 0; i < config->resource_count; i++) {
    s->change.resource(&list[i]);
    s->applied += memcmp(&list[i], &config->resources[i], sizeof *list) != 0;
  }
  config->resources = s->resources[s->resource_lists++] = list;
}

static void on_server(void *context, const struct scn_node *node,
                      struct ref_server_config *config) {
  struct mut_session *s = context;
  struct mut_change *c = &s->change;
  struct mut_node *n = concerns(s, node) ? add(s, node) : NULL;
  if (!n) return;
  struct ref_server_config before = *config;
  if (c->server) c->server(config);
  s->applied += memcmp(&before, config, sizeof before) != 0;
  if (c->resource) change_resources(s, config);
  if (!c->server_policy) return;
  c->own_server_policy = ref_server_policy_default;
  c->server_policy(&c->own_server_policy);
  config->policy = &c->own_server_policy;
  config->policy_context = n;
}

static void on_client(void *context, const struct scn_node *node,
                      struct ref_client_config *config) {
  struct mut_session *s = context;
  struct mut_change *c = &s->change;
  struct mut_node *n = concerns(s, node) ? add(s, node) : NULL;
  if (!n) return;
  struct ref_client_config before = *config;
  if (c->client) c->client(config);
  s->applied += memcmp(&before, config, sizeof before) != 0;
  if (!c->client_policy) return;
  c->own_client_policy = ref_client_policy_default;
  c->client_policy(&c->own_client_policy);
  config->policy = &c->own_client_policy;
  config->policy_context = n;
}

static void on_statement(void *context, const struct scn_node *node, struct jdg_ics *ics) {
  struct mut_session *s = context;
  if (!s->change.statement || !concerns(s, node)) return;
  s->change.statement(ics);
  s->applied++;
}

static void on_stack(void *context, const struct scn_node *node, struct emu_node_config *config) {
  struct mut_session *s = context;
  if (!s->change.stack || !concerns(s, node)) return;
  s->change.stack(config);
  s->applied++;
}

static struct chorus_node on_wrap(void *context, const struct scn_node *node,
                                  struct chorus_node inner) {
  struct mut_session *s = context;
  struct mut_node *n = concerns(s, node) ? add(s, node) : NULL;
  if (!n) return inner;
  n->inner = inner;
  n->ops = wrapper_ops(inner.ops);
  return (struct chorus_node){.ops = &n->ops, .state = n};
}

/* ---- life ---- */

struct mut_session *mut_session_new(const struct mutant *mutant) {
  struct mut_session *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->mutant = mutant;
  mutant->change(&s->change);
  s->hooks = (struct run_hooks){.context = s,
                                .server = on_server,
                                .client = on_client,
                                .statement = on_statement,
                                .stack = on_stack,
                                .wrap = on_wrap};
  return s;
}

void mut_session_free(struct mut_session *s) {
  if (!s) return;
  for (size_t i = 0; i < s->node_count; i++) {
    mut_hold_free(s->nodes[i]);
    free(s->nodes[i]);
  }
  for (size_t i = 0; i < s->resource_lists; i++) free(s->resources[i]);
  free(s->nodes);
  free(s);
}

const struct run_hooks *mut_session_hooks(struct mut_session *s) {
  return &s->hooks;
}

uint64_t mut_session_applied(const struct mut_session *s) {
  return s->applied;
}
