/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the order of the steps in time makes senseless: a repeat before its request, a `leave` of a
 * group that was not joined, a port that a client had before, a repair of what is not cut yet.
 */
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "scenario/decode.h"
#include "scenario/units.h"

enum {
  STEPS_MOST = 4000, /* quadratic; longer lists come out of loops */
  CLIENT_PORTS = 8   /* that a client remembers to have had */
};

__attribute__((format(printf, 3, 4))) static void complain(struct scn_decoder *d,
                                                           const struct scn_step *step,
                                                           const char *format, ...) {
  char message[300];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  scn_errors_add(d->document->errors, d->document->path, d->document->text, step->place.line,
                 step->place.column, 1, "%s", message);
}

static bool is_command(const struct scn_step *step, uint32_t node, const char *verb) {
  return step->kind == SCN_COMMAND && step->node == node && strcmp(step->command.verb, verb) == 0;
}

/* ---- requests ---- */

static struct scn_request_id *find_request(struct scn_decoder *d, uint32_t node, const char *id) {
  for (size_t i = 0; id && i < d->request_count; i++)
    if (d->requests[i].node == node && strcmp(d->requests[i].id, id) == 0) return &d->requests[i];
  return NULL;
}

static void check_reference(struct scn_decoder *d, const struct scn_step *step) {
  const char *of = chorus_argument_get(&step->command, "of");
  struct scn_request_id *r = find_request(d, step->node, of);
  bool forgets = is_command(step, step->node, "forget");
  if (!r) return;
  if (r->at > step->at)
    complain(d, step, "this step comes at %s, before its request \"%s\" at %s",
             scn_duration_text(d->arena, step->at), of, scn_duration_text(d->arena, r->at));
  else if (forgets && r->ended && !step->optional)
    complain(d, step, "the request \"%s\" is over by then: a step before ends it", of);
  if (forgets) r->ended = true;
}

static void end_requests(struct scn_decoder *d, const struct scn_step *step) {
  for (size_t i = 0; i < d->request_count; i++)
    if (d->requests[i].node == step->node && d->requests[i].at <= step->at)
      d->requests[i].ended = true;
}

/* ---- ports ---- */

/* A client on a port that it had before would take old answers for new ones. */
static void check_port(struct scn_decoder *d, size_t n) {
  const struct scn_step *step = &d->steps[n];
  const char *text = chorus_argument_get(&step->command, "port");
  int port = text ? atoi(text) : 0, now = d->nodes[step->node].client.port;
  int had[CLIENT_PORTS + 1];
  size_t count = 0;
  for (size_t i = 0; text && i < n && count < CLIENT_PORTS; i++) {
    const char *other = is_command(&d->steps[i], step->node, "restart")
                            ? chorus_argument_get(&d->steps[i].command, "port")
                            : NULL;
    if (!other || atoi(other) == now) continue;
    had[count++] = now;
    now = atoi(other);
  }
  if (!text || port == now || step->optional) return;
  for (size_t i = 0; i < count; i++)
    if (had[i] == port)
      complain(d, step, "client %s had port %d before: restart it on another one",
               d->nodes[step->node].name, port);
  if (count == CLIENT_PORTS)
    complain(d, step, "client %s changes its port more than %d times", d->nodes[step->node].name,
             (int)CLIENT_PORTS);
}

static void check_restart(struct scn_decoder *d, size_t n) {
  if (d->nodes[d->steps[n].node].role != SCN_CLIENT) return;
  end_requests(d, &d->steps[n]);
  check_port(d, n);
}

/* ---- memberships ---- */

static bool same(const struct chorus_endpoint *a, const struct chorus_endpoint *b) {
  return a->port == b->port && a->zone == b->zone && chorus_same_address(a, b);
}

/* All CoAP Nodes, which a server joins unless it says `discovery: false`. */
static bool is_all_nodes(const struct chorus_endpoint *group) {
  static const char *const all[] = {"ff02::fd", "ff03::fd", "ff04::fd", "ff05::fd", "224.0.1.187"};
  struct chorus_endpoint e;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (chorus_address_parse(all[i], CHORUS_COAP_PORT, &e) && same(&e, group)) return true;
  return false;
}

static bool joins_at_start(const struct scn_node *node, const struct chorus_endpoint *group) {
  for (size_t i = 0; i < node->server.group_count; i++)
    if (same(&node->server.groups[i], group)) return true;
  return !node->server.no_discovery && is_all_nodes(group);
}

static bool is_member_before(const struct scn_decoder *d, size_t n,
                             const struct chorus_endpoint *group) {
  uint32_t node = d->steps[n].node;
  bool initial = joins_at_start(&d->nodes[node], group), member = initial;
  struct chorus_endpoint other;
  for (size_t i = 0; i < n; i++) {
    const struct scn_step *step = &d->steps[i];
    bool joins = is_command(step, node, "join");
    if (is_command(step, node, "restart")) member = initial;
    if (!joins && !is_command(step, node, "leave")) continue;
    const char *text = chorus_argument_get(&step->command, "group");
    if (text && chorus_endpoint_parse(text, CHORUS_COAP_PORT, &other) && same(&other, group))
      member = joins;
  }
  return member;
}

static void check_leave(struct scn_decoder *d, size_t n) {
  const struct scn_step *step = &d->steps[n];
  const char *text = chorus_argument_get(&step->command, "group");
  struct chorus_endpoint group;
  if (step->optional || !text || !chorus_endpoint_parse(text, CHORUS_COAP_PORT, &group)) return;
  if (!is_member_before(d, n, &group))
    complain(d, step, "node %s is no member of %s then", d->nodes[step->node].name, text);
}

/* ---- the network ---- */

static bool is_repaired(const struct scn_decoder *d, uint32_t repaired, uint32_t put_on) {
  const char *a = d->impairments[repaired].name, *b = d->impairments[put_on].name;
  return repaired == put_on || (a && b && strcmp(a, b) == 0);
}

static void check_repair(struct scn_decoder *d, size_t n) {
  uint32_t repaired = d->steps[n].impairment;
  for (uint32_t i = 0; i < d->impairment_count; i++)
    if (d->impairments[i].initial && is_repaired(d, repaired, i)) return;
  for (size_t i = 0; i < n; i++)
    if (d->steps[i].kind == SCN_IMPAIR && is_repaired(d, repaired, d->steps[i].impairment)) return;
  complain(d, &d->steps[n], "the impairment \"%s\" begins later than this repair",
           d->impairments[repaired].name);
}

/* ---- all of them ---- */

static void check_step(struct scn_decoder *d, size_t n) {
  const struct scn_step *step = &d->steps[n];
  if (step->kind == SCN_REPAIR) check_repair(d, n);
  if (step->kind != SCN_COMMAND) return;
  if (chorus_argument_get(&step->command, "of")) check_reference(d, step);
  if (is_command(step, step->node, "restart")) check_restart(d, n);
  if (is_command(step, step->node, "leave")) check_leave(d, n);
}

void scn_check_order(struct scn_decoder *d) {
  if (d->document->errors->total || d->step_count > STEPS_MOST || d->request_count > STEPS_MOST)
    return;
  for (size_t i = 0; i < d->step_count && !d->document->errors->total; i++) check_step(d, i);
}
