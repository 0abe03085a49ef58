/* SPDX-License-Identifier: BSD-2-Clause */
/* Server mutants: one policy of the reference server replaced. */
#include "mutants/change.h"

/* The reference's own answer; what differs from it is noted. */
#define OWN ref_server_policy_default

static bool noted(const struct ref_env *env, bool own, bool wrong) {
  if (own != wrong) mut_note(mut_of(env));
  return wrong;
}

static void note(const struct ref_env *env) {
  mut_note(mut_of(env));
}

static bool has_option(const struct ref_request *request, uint16_t number) {
  struct dis_coap m;
  dis_coap_parse(&m, request->datagram->payload, request->datagram->length);
  return dis_option_count(&m, number, NULL) > 0;
}

/* ---- where a response goes ---- */

static void response_to_group(const struct ref_env *env, const struct ref_request *request,
                              struct chorus_endpoint *destination, struct chorus_endpoint *source) {
  OWN.response_route(env, request, destination, source);
  if (!request->group) return;
  *destination = request->datagram->destination;
  note(env);
}
SERVER_POLICY(response_to_group, response_route)

static void response_from_group(const struct ref_env *env, const struct ref_request *request,
                                struct chorus_endpoint *destination,
                                struct chorus_endpoint *source) {
  OWN.response_route(env, request, destination, source);
  if (!request->group) return;
  *source = request->datagram->destination;
  note(env);
}
SERVER_POLICY(response_from_group, response_route)

static void response_to_5683(const struct ref_env *env, const struct ref_request *request,
                             struct chorus_endpoint *destination, struct chorus_endpoint *source) {
  OWN.response_route(env, request, destination, source);
  if (destination->port == CHORUS_COAP_PORT) return;
  destination->port = CHORUS_COAP_PORT;
  note(env);
}
SERVER_POLICY(response_to_5683, response_route)

/* ---- copies ---- */

static void dedup_by_mid(const struct ref_env *env, const struct ref_request *request,
                         struct chorus_endpoint *source, uint16_t *mid) {
  OWN.dedup_key(env, request, source, mid);
  memset(source, 0, sizeof *source);
  note(env);
}
SERVER_POLICY(dedup_by_mid, dedup_key)

static void dedup_by_token(const struct ref_env *env, const struct ref_request *request,
                           struct chorus_endpoint *source, uint16_t *mid) {
  OWN.dedup_key(env, request, source, mid);
  uint32_t hash = 5381;
  for (uint8_t i = 0; i < request->message->token_length; i++)
    hash = hash * 33 + request->message->token[i];
  *mid = (uint16_t)(hash ^ hash >> 16);
  note(env);
}
SERVER_POLICY(dedup_by_token, dedup_key)

static bool no_dedup(const struct ref_env *env, const struct ref_request *request, chorus_time age,
                     bool enabled) {
  return noted(env, OWN.duplicate(env, request, age, enabled), false);
}
SERVER_POLICY(no_dedup, duplicate)

/* ---- whether there is a response ---- */

static unsigned answers_twice(const struct ref_env *env, const struct ref_request *request) {
  if (!request->group) return 1;
  note(env);
  return 2;
}
SERVER_POLICY(answers_twice, response_count)

static bool answers_once_only(const struct ref_env *env, const struct ref_request *request,
                              const struct ref_outcome *outcome) {
  bool own = OWN.suppress(env, request, outcome);
  if (own || !request->group) return own;
  return noted(env, own, mut_of(env)->count[0]++ > 0);
}
SERVER_POLICY(answers_once_only, suppress)

static bool suppresses_nothing(const struct ref_env *env, const struct ref_request *request,
                               const struct ref_outcome *outcome) {
  return noted(env, OWN.suppress(env, request, outcome), false);
}
SERVER_POLICY(suppresses_nothing, suppress)

static bool group_on_all_resources(const struct ref_env *env, const struct ref_request *request) {
  return noted(env, OWN.accept_group(env, request), true);
}
SERVER_POLICY(group_on_all_resources, accept_group)

static bool unlimited_rate(const struct ref_env *env, const struct ref_request *request,
                           bool within_rate) {
  return noted(env, OWN.permit(env, request, within_rate), true);
}
SERVER_POLICY(unlimited_rate, permit)

/* ---- No-Response ---- */

static int noted_value(const struct ref_env *env, int own, int wrong) {
  if (own != wrong) note(env);
  return wrong;
}

static int nr_zero_ignored(const struct ref_env *env, const struct ref_request *request) {
  int own = OWN.no_response(env, request);
  return noted_value(env, own, own == 0 ? -1 : own);
}
SERVER_POLICY(nr_zero_ignored, no_response)

static int nr_bits_shifted(const struct ref_env *env, const struct ref_request *request) {
  int own = OWN.no_response(env, request);
  return noted_value(env, own, own > 0 ? own << 2 & 0xff : own);
}
SERVER_POLICY(nr_bits_shifted, no_response)

static int nr_bits_smeared(const struct ref_env *env, const struct ref_request *request) {
  int own = OWN.no_response(env, request);
  return noted_value(env, own, own > 0 ? own | own << 2 : own);
}
SERVER_POLICY(nr_bits_smeared, no_response)

static int nr_bits_shifted_down(const struct ref_env *env, const struct ref_request *request) {
  int own = OWN.no_response(env, request);
  return noted_value(env, own, own > 0 ? own >> 2 : own);
}
SERVER_POLICY(nr_bits_shifted_down, no_response)

static int nr_enumerated(const struct ref_env *env, const struct ref_request *request) {
  int own = OWN.no_response(env, request);
  bool single = own == 0 || own == 2 || own == 8 || own == 16;
  return noted_value(env, own, single ? own : -1);
}
SERVER_POLICY(nr_enumerated, no_response)

static int nr_ignored(const struct ref_env *env, const struct ref_request *request) {
  return noted_value(env, OWN.no_response(env, request), -1);
}
SERVER_POLICY(nr_ignored, no_response)

static bool nr_by_anybody(const struct ref_env *env, const struct ref_request *request, bool base,
                          int bitmap, uint8_t code, bool only_widen) {
  return noted(env, OWN.combine(env, request, base, bitmap, code, only_widen),
               OWN.combine(env, request, base, bitmap, code, false));
}
SERVER_POLICY(nr_by_anybody, combine)

static bool nr_only_widens(const struct ref_env *env, const struct ref_request *request, bool base,
                           int bitmap, uint8_t code, bool only_widen) {
  return noted(env, OWN.combine(env, request, base, bitmap, code, only_widen),
               OWN.combine(env, request, base, bitmap, code, true));
}
SERVER_POLICY(nr_only_widens, combine)

static void nr_is_critical(const struct ref_env *env, const struct ref_request *request,
                           struct ref_outcome *outcome) {
  if (!request->resource || request->resource->no_response) return;
  if (!has_option(request, DIS_NO_RESPONSE)) return;
  *outcome = (struct ref_outcome){.code = REF_CODE(4, 2), .content_format = UINT16_MAX};
  note(env);
}
SERVER_POLICY(nr_is_critical, finish)

/* ---- Leisure ---- */

static struct ref_leisure_plan no_leisure(const struct ref_env *env,
                                          const struct ref_request *request, chorus_time leisure,
                                          const struct ref_period *last) {
  struct ref_leisure_plan plan = OWN.leisure(env, request, leisure, last);
  plan.due = env->now;
  note(env);
  return plan;
}
SERVER_POLICY(no_leisure, leisure)

/* The Leisure passes before the request is looked at. */
static bool request_waits(struct mut_node *n, const struct chorus_datagram *d) {
  if (!chorus_is_group(&d->destination)) return false;
  uint64_t random = n->host->ops->random(n->host->context, REF_RANDOM_POLICY);
  return mut_hold(n, d, n->now + random % REF_DEFAULT_LEISURE);
}

void mut_execution_waits(struct mut_change *change) {
  change->damaged = request_waits;
  change->server_policy = no_leisure_policy;
}

static struct ref_leisure_plan half_leisure(const struct ref_env *env,
                                            const struct ref_request *request, chorus_time leisure,
                                            const struct ref_period *last) {
  struct ref_leisure_plan plan = OWN.leisure(env, request, leisure, last);
  plan.due = plan.period.begin + leisure / 2;
  note(env);
  return plan;
}
SERVER_POLICY(half_leisure, leisure)

static struct ref_leisure_plan end_of_leisure(const struct ref_env *env,
                                              const struct ref_request *request,
                                              chorus_time leisure, const struct ref_period *last) {
  struct ref_leisure_plan plan = OWN.leisure(env, request, leisure, last);
  plan.due = plan.period.end;
  note(env);
  return plan;
}
SERVER_POLICY(end_of_leisure, leisure)

/* One timer for all: what comes during a period is answered together with what began it. */
static struct ref_leisure_plan one_leisure(const struct ref_env *env,
                                           const struct ref_request *request, chorus_time leisure,
                                           const struct ref_period *last) {
  struct mut_node *n = mut_of(env);
  if (last->end <= env->now || n->count[0] < env->now) {
    struct ref_leisure_plan plan = OWN.leisure(env, request, leisure, last);
    n->count[0] = plan.due;
    return plan;
  }
  note(env);
  return (struct ref_leisure_plan){.due = n->count[0], .period = *last};
}
SERVER_POLICY(one_leisure, leisure)

/* ---- the message ---- */

static uint8_t confirmable_response(const struct ref_env *env, const struct ref_request *request) {
  if (OWN.response_type(env, request) != REF_CON) note(env);
  return REF_CON;
}
SERVER_POLICY(confirmable_response, response_type)

static uint8_t ack_type(const struct ref_env *env, const struct ref_request *request) {
  if (request->message->type != REF_NON) return OWN.response_type(env, request);
  note(env);
  return REF_ACK;
}

static uint16_t request_mid(const struct ref_env *env, const struct ref_request *request,
                            uint16_t fresh) {
  return request->message->type == REF_NON ? request->message->mid
                                           : OWN.response_mid(env, request, fresh);
}

static void response_in_ack_policy(struct ref_server_policy *policy) {
  policy->response_type = ack_type;
  policy->response_mid = request_mid;
}

void mut_response_in_ack(struct mut_change *change) {
  change->server_policy = response_in_ack_policy;
}

static uint8_t token_as_integer(const struct ref_env *env, const struct ref_request *request,
                                uint8_t token[8]) {
  uint8_t length = OWN.response_token(env, request, token), zeros = 0;
  while (zeros < length && token[zeros] == 0) zeros++;
  if (!zeros) return length;
  note(env);
  memmove(token, token + zeros, (size_t)(length - zeros));
  return (uint8_t)(length - zeros);
}
SERVER_POLICY(token_as_integer, response_token)

static uint8_t other_token(const struct ref_env *env, const struct ref_request *request,
                           uint8_t token[8]) {
  uint8_t length = OWN.response_token(env, request, token);
  note(env);
  if (length) token[length - 1] ^= 1;
  return length ? length : 1;
}
SERVER_POLICY(other_token, response_token)

static uint16_t constant_mid(const struct ref_env *env, const struct ref_request *request,
                             uint16_t fresh) {
  (void)request;
  (void)fresh;
  note(env);
  return 0x1234;
}
SERVER_POLICY(constant_mid, response_mid)

/* ---- rejections ---- */

static uint8_t reacts(const struct ref_env *env, const struct ref_request *request,
                      enum ref_fault fault, uint8_t wrong) {
  if (OWN.reject(env, request, fault) != wrong) note(env);
  return wrong;
}

static uint8_t resets_group(const struct ref_env *env, const struct ref_request *request,
                            enum ref_fault fault) {
  return reacts(env, request, fault, REF_REACT_RESET);
}
SERVER_POLICY(resets_group, reject)

static uint8_t bad_request(const struct ref_env *env, const struct ref_request *request,
                           enum ref_fault fault) {
  return reacts(env, request, fault, REF_CODE(4, 0));
}
SERVER_POLICY(bad_request, reject)

static uint8_t bad_option(const struct ref_env *env, const struct ref_request *request,
                          enum ref_fault fault) {
  bool option = fault == REF_FAULT_CRITICAL || fault == REF_FAULT_PROXY;
  if (!option) return OWN.reject(env, request, fault);
  return reacts(env, request, fault, REF_CODE(4, 2));
}
SERVER_POLICY(bad_option, reject)

static bool any_version(const struct ref_env *env, uint8_t version) {
  return noted(env, OWN.version(env, version), true);
}
SERVER_POLICY(any_version, version)

static void elective_is_critical(const struct ref_env *env, const struct ref_request *request,
                                 struct ref_outcome *outcome) {
  struct dis_coap m;
  dis_coap_parse(&m, request->datagram->payload, request->datagram->length);
  for (size_t i = 0; i < m.option_count; i++) {
    uint16_t number = m.options[i].number;
    if (dis_option_known(number) || dis_option_critical(number)) continue;
    *outcome = (struct ref_outcome){.code = REF_CODE(4, 2), .content_format = UINT16_MAX};
    note(env);
  }
}
SERVER_POLICY(elective_is_critical, finish)

static bool acknowledges_nothing(const struct ref_env *env, const struct ref_request *request) {
  return noted(env, OWN.acknowledge(env, request), false);
}
SERVER_POLICY(acknowledges_nothing, acknowledge)

static bool acknowledged_by_anybody(const struct ref_env *env,
                                    const struct chorus_endpoint *destination,
                                    const struct chorus_endpoint *source) {
  return noted(env, OWN.match_ack(env, destination, source), true);
}
SERVER_POLICY(acknowledged_by_anybody, match_ack)

static chorus_time constant_interval(const struct ref_env *env, unsigned attempt,
                                     chorus_time previous) {
  (void)attempt;
  (void)previous;
  note(env);
  return 2 * CHORUS_SECOND;
}
SERVER_POLICY(constant_interval, retransmit)

/* ---- discovery and blocks ---- */

static enum ref_filter whole_list(const struct ref_env *env, const struct ref_request *request,
                                  bool supported, size_t matches) {
  if (OWN.filter(env, request, supported, matches) != REF_FILTER_WHOLE) note(env);
  return REF_FILTER_WHOLE;
}
SERVER_POLICY(whole_list, filter)

static enum ref_filter empty_list(const struct ref_env *env, const struct ref_request *request,
                                  bool supported, size_t matches) {
  if (OWN.filter(env, request, supported, matches) != REF_FILTER_MATCHES) note(env);
  return REF_FILTER_MATCHES;
}
SERVER_POLICY(empty_list, filter)

static void not_found(const struct ref_env *env, const struct ref_request *request,
                      struct ref_outcome *outcome) {
  if (!request->resource || !request->resource->discovery || outcome->payload_length) return;
  *outcome = (struct ref_outcome){.code = REF_CODE(4, 4), .content_format = UINT16_MAX};
  note(env);
}

static bool discovery_not_suppressed(const struct ref_env *env, const struct ref_request *request,
                                     const struct ref_outcome *outcome) {
  bool discovery = request->resource && request->resource->discovery;
  return !discovery && OWN.suppress(env, request, outcome);
}

static void no_links_not_found_policy(struct ref_server_policy *policy) {
  policy->finish = not_found;
  policy->suppress = discovery_not_suppressed;
}

void mut_no_links_not_found(struct mut_change *change) {
  change->server_policy = no_links_not_found_policy;
}

static int always_1024(const struct ref_env *env, const struct ref_request *request, size_t whole,
                       size_t message, int asked) {
  if (OWN.block(env, request, whole, message, asked) != 6) note(env);
  return 6;
}
SERVER_POLICY(always_1024, block)

/* ---- memberships ---- */

static bool joined(const struct ref_env *env, const struct chorus_endpoint *group, bool discovery,
                   bool wrong) {
  return noted(env, OWN.join(env, group, discovery), wrong);
}

static bool no_discovery_groups(const struct ref_env *env, const struct chorus_endpoint *group,
                                bool discovery) {
  return joined(env, group, discovery, !discovery);
}
SERVER_POLICY(no_discovery_groups, join)

static bool not_admin_local(const struct ref_env *env, const struct chorus_endpoint *group,
                            bool discovery) {
  return joined(env, group, discovery, !(discovery && chorus_multicast_scope(group) == 4));
}
SERVER_POLICY(not_admin_local, join)

static bool not_realm_local(const struct ref_env *env, const struct chorus_endpoint *group,
                            bool discovery) {
  return joined(env, group, discovery, !(discovery && chorus_multicast_scope(group) == 3));
}
SERVER_POLICY(not_realm_local, join)

static bool not_link_local(const struct ref_env *env, const struct chorus_endpoint *group,
                           bool discovery) {
  return joined(env, group, discovery, !(discovery && chorus_multicast_scope(group) == 2));
}
SERVER_POLICY(not_link_local, join)

/* ---- control ---- */

static void same_policy(struct ref_server_policy *policy) {
  *policy = ref_server_policy_default;
}

/* The very same policies, handed over like a mutant's; noted, so that it counts as applied. */
static bool same_version(const struct ref_env *env, uint8_t version) {
  note(env);
  return OWN.version(env, version);
}

static void no_op_server(struct ref_server_policy *policy) {
  same_policy(policy);
  policy->version = same_version;
}

void mut_no_op_policies(struct mut_change *change) {
  change->server_policy = no_op_server;
}
