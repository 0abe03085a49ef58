/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference's own server policies. What each is for stands in chorus/policy.h. */
#include "chorus/reference.h"
#include "policy_common.h"

static uint8_t reject(const struct ref_env *env, const struct ref_request *request,
                      enum ref_fault fault) {
  (void)env;
  if (request->group) return REF_REACT_SILENCE; /* section 8.1: never a Reset, never an error */
  bool confirmable = request->message->type == REF_CON;
  if (fault == REF_FAULT_CRITICAL) return confirmable ? REF_CODE(4, 2) : REF_REACT_RESET;
  if (fault == REF_FAULT_PROXY) return REF_CODE(5, 5);
  if (fault == REF_FAULT_BLOCK) return REF_CODE(4, 0);
  return REF_REACT_RESET;
}

static void dedup_key(const struct ref_env *env, const struct ref_request *request,
                      struct chorus_endpoint *source, uint16_t *mid) {
  (void)env;
  *source = request->datagram->source;
  *mid = request->message->mid;
}

/* At exactly the lifetime the sender may use the Message ID again: it is a new message then. */
static bool duplicate(const struct ref_env *env, const struct ref_request *request, chorus_time age,
                      bool enabled) {
  (void)env;
  if (request->message->type == REF_CON) return age < REF_EXCHANGE_LIFETIME;
  return enabled && age < REF_NON_LIFETIME;
}

static chorus_time execute_at(const struct ref_env *env, const struct ref_request *request) {
  (void)request;
  return env->now;
}

static bool accept_group(const struct ref_env *env, const struct ref_request *request) {
  (void)env;
  return !request->resource->unicast_only;
}

static uint32_t class_bit(uint8_t code) {
  switch (code >> 5) {
    case 2: return REF_SUPPRESS_2XX;
    case 4: return REF_SUPPRESS_4XX;
    case 5: return REF_SUPPRESS_5XX;
    default: return 0;
  }
}

/*
 * Consistent (seed 2.3.1): the set is fixed per resource, and an empty 2.05 is no longer withheld
 * once a 2.05 of this resource was answered. Paths that nobody knows are always withheld.
 */
static bool suppress(const struct ref_env *env, const struct ref_request *request,
                     const struct ref_outcome *outcome) {
  (void)env;
  if (!request->group) return false;
  if (!request->resource) return true;
  if (request->resource->suppress & class_bit(outcome->code)) return true;
  bool empty = outcome->code == REF_CODE(2, 5) && outcome->payload_length == 0;
  return empty && request->resource->suppress & REF_SUPPRESS_EMPTY_205 &&
         !request->resource->answered_2_05;
}

static int no_response(const struct ref_env *env, const struct ref_request *request) {
  (void)env;
  if (!request->resource || !request->resource->no_response) return -1;
  return request->no_response;
}

static bool combine(const struct ref_env *env, const struct ref_request *request, bool base,
                    int bitmap, uint8_t code, bool only_widen) {
  (void)env;
  (void)request;
  if (bitmap < 0) return base;
  unsigned class = code >> 5;
  bool unwanted = class > 0 && (unsigned)bitmap & 1u << (class - 1);
  return unwanted || (only_widen && base);
}

static struct ref_leisure_plan leisure(const struct ref_env *env, const struct ref_request *request,
                                       chorus_time length, const struct ref_period *last) {
  struct ref_leisure_plan plan = {.period = *last};
  (void)request;
  if (last->begin <= env->now) {
    plan.period.begin = last->end > env->now ? last->end : env->now;
    plan.period.end = plan.period.begin + length;
  }
  plan.due = plan.period.begin + ref_random_below(env, REF_RANDOM_LEISURE, length);
  return plan;
}

static bool permit(const struct ref_env *env, const struct ref_request *request, bool within_rate) {
  (void)env;
  (void)request;
  return within_rate;
}

static unsigned response_count(const struct ref_env *env, const struct ref_request *request) {
  (void)env;
  (void)request;
  return 1;
}

static uint8_t response_type(const struct ref_env *env, const struct ref_request *request) {
  (void)env;
  return !request->group && request->message->type == REF_CON ? REF_CON : REF_NON;
}

/* From the port that was addressed; towards a group, the host selects the address. */
static void response_route(const struct ref_env *env, const struct ref_request *request,
                           struct chorus_endpoint *destination, struct chorus_endpoint *source) {
  (void)env;
  *destination = request->datagram->source;
  *source = request->datagram->destination;
  if (!request->group) return;
  memset(source->address, 0, sizeof source->address);
  source->zone = 0;
}

static uint8_t response_token(const struct ref_env *env, const struct ref_request *request,
                              uint8_t token[8]) {
  (void)env;
  memcpy(token, request->message->token, sizeof request->message->token);
  return request->message->token_length;
}

static uint16_t response_mid(const struct ref_env *env, const struct ref_request *request,
                             uint16_t fresh) {
  (void)env;
  (void)request;
  return fresh;
}

static void finish(const struct ref_env *env, const struct ref_request *request,
                   struct ref_outcome *outcome) {
  (void)env;
  (void)request;
  (void)outcome;
}

static bool acknowledge(const struct ref_env *env, const struct ref_request *request) {
  (void)env;
  return !request->group && request->message->type == REF_CON;
}

static bool match_ack(const struct ref_env *env, const struct chorus_endpoint *destination,
                      const struct chorus_endpoint *source) {
  (void)env;
  return chorus_same_endpoint(destination, source);
}

static enum ref_filter filter(const struct ref_env *env, const struct ref_request *request,
                              bool supported, size_t matches) {
  (void)env;
  if (request->group && (!supported || matches == 0)) return REF_FILTER_SILENCE;
  return supported ? REF_FILTER_MATCHES : REF_FILTER_WHOLE;
}

enum { SZX_64 = 2, SZX_1024 = 6, LARGE_MESSAGE = 152 };

/*
 * A group gets a large representation in a first block of 64 octets: unauthenticated requests are
 * not to be amplified (section 11.3; 152 octets are the bound of draft-ietf-core-echo-request-tag),
 * and 64 octets fit one IEEE 802.15.4 frame (seed 2.3.4).
 */
static int block(const struct ref_env *env, const struct ref_request *request, size_t whole,
                 size_t message, int asked) {
  (void)env;
  int own = request->group ? SZX_64 : SZX_1024;
  if (asked >= 0 && !(request->group && message > LARGE_MESSAGE && asked > own)) return asked;
  if (request->group && message > LARGE_MESSAGE) return own;
  return whole > 1024 ? SZX_1024 : -1;
}

static bool join(const struct ref_env *env, const struct chorus_endpoint *group, bool discovery) {
  (void)env;
  (void)discovery;
  return group->port != CHORUS_COAPS_PORT;
}

const struct ref_server_policy ref_server_policy_default = {
    .version = ref_common_version,
    .reject = reject,
    .dedup_key = dedup_key,
    .duplicate = duplicate,
    .execute_at = execute_at,
    .accept_group = accept_group,
    .suppress = suppress,
    .no_response = no_response,
    .combine = combine,
    .leisure = leisure,
    .permit = permit,
    .response_count = response_count,
    .response_type = response_type,
    .response_route = response_route,
    .response_token = response_token,
    .response_mid = response_mid,
    .finish = finish,
    .acknowledge = acknowledge,
    .match_ack = match_ack,
    .retransmit = ref_common_retransmit,
    .filter = filter,
    .block = block,
    .join = join,
};
