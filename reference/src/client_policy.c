/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference's own client policies. What each is for stands in chorus/policy.h. */
#include "policy_common.h"

static int check_uri(const struct ref_env *env, const struct chorus_endpoint *destination,
                     bool secure, const char **why) {
  (void)env;
  if (!chorus_is_group(destination)) return CHORUS_OK;
  if (secure) {
    *why = "coaps cannot address a group (RFC 7252, section 8.1)";
    return CHORUS_REFUSED;
  }
  if (destination->port == CHORUS_COAPS_PORT) {
    *why = "port 5684 is not for groups (draft-dijk-core-groupcomm-bis-03, section 2.3.2)";
    return CHORUS_REFUSED;
  }
  return CHORUS_OK;
}

static int request_type(const struct ref_env *env, bool group, int asked) {
  (void)env;
  if (group) return asked == REF_CON ? -1 : REF_NON;
  return asked < 0 ? REF_CON : asked;
}

static void options(const struct ref_env *env, const struct ref_exchange *request,
                    struct ref_option_list *list) {
  (void)env;
  (void)request;
  (void)list;
}

static void draw(const struct ref_env *env, uint8_t *token, uint8_t length) {
  uint64_t bits = ref_random(env, REF_RANDOM_TOKEN);
  for (uint8_t i = 0; i < length; i++) token[i] = (uint8_t)(bits >> (8 * i));
}

/* Tokens of up to two octets: a random one among those never used, else among the free ones. */
static bool draw_short(const struct ref_env *env, const struct ref_token_view *view, uint8_t length,
                       uint8_t *token) {
  uint32_t count = 1u << (8 * length);
  uint32_t start = (uint32_t)ref_random_below(env, REF_RANDOM_TOKEN, count);
  for (int again = 0; again < 2; again++) {
    for (uint32_t i = 0; i < count; i++) {
      uint32_t n = (start + i) % count;
      if (length == 1) token[0] = (uint8_t)n;
      if (length == 2) token[0] = (uint8_t)(n >> 8), token[1] = (uint8_t)n;
      bool fresh = again || !view->was_used(view->book, token, length);
      if (fresh && view->is_free(view->book, token, length)) return true;
    }
  }
  return false;
}

static bool token(const struct ref_env *env, const struct ref_token_view *view, uint8_t length,
                  uint8_t *value) {
  if (length <= 2) return draw_short(env, view, length, value);
  for (int tries = 0; tries < 1000; tries++) {
    draw(env, value, length);
    if (view->is_free(view->book, value, length)) return true;
  }
  return false;
}

/* More than 250 s + MAX_SERVER_RESPONSE_DELAY; 250 s of that when it is unknown (seed 2.3.1). */
static chorus_time token_retention(const struct ref_env *env, const struct ref_exchange *request,
                                   chorus_time msrd) {
  (void)env;
  (void)request;
  return 250 * CHORUS_SECOND + (msrd ? msrd : 250 * CHORUS_SECOND);
}

static uint16_t message_id(const struct ref_env *env, bool group, uint16_t fresh) {
  (void)env;
  (void)group;
  return fresh;
}

static int repeat(const struct ref_env *env, const struct ref_exchange *request,
                  enum ref_repeat how, chorus_time age, const char **why) {
  (void)env;
  *why = NULL;
  if (how == REF_REPEAT_SAME_MID && age > REF_MAX_TRANSMIT_SPAN)
    *why = "no copies later than MAX_TRANSMIT_SPAN, 45 s (RFC 7252, section 4.3)";
  if (request->type == REF_CON) *why = "a Confirmable request is retransmitted by itself";
  if (how == REF_REPEAT_UNICAST && !request->group)
    *why = "only a group request can be followed up by unicast";
  return *why ? CHORUS_REFUSED : CHORUS_OK;
}

static chorus_time listen_until(const struct ref_env *env, const struct ref_exchange *request) {
  bool disclaimed = request->no_response >= 0 && (request->no_response & 26) == 26;
  return disclaimed ? env->now : env->now + request->timeout;
}

static bool match(const struct ref_env *env, const struct ref_exchange *request,
                  const struct ref_reply *reply) {
  (void)env;
  if (request->group) return true;
  return chorus_same_endpoint(&request->destination, &reply->datagram->source);
}

static bool valid(const struct ref_env *env, const struct ref_exchange *request,
                  const struct ref_reply *reply) {
  (void)env;
  (void)request;
  unsigned class = reply->message->code >> 5;
  return !reply->critical && (class == 2 || class == 4 || class == 5);
}

static bool accept(const struct ref_env *env, const struct ref_exchange *request,
                   const struct ref_reply *reply, bool answered) {
  (void)env;
  return !answered || (request->observe && reply->observe);
}

static struct chorus_endpoint origin(const struct ref_env *env, const struct ref_exchange *request,
                                     const struct ref_reply *reply) {
  (void)env;
  (void)request;
  return reply->datagram->source;
}

/* The Host component alone is replaced: the port stays that of the request URI. */
static struct chorus_endpoint base(const struct ref_env *env, const struct ref_exchange *request,
                                   const struct ref_reply *reply) {
  (void)env;
  struct chorus_endpoint endpoint = request->destination;
  if (!request->group) return endpoint;
  endpoint = reply->datagram->source;
  endpoint.port = request->destination.port;
  return endpoint;
}

static bool completes(const struct ref_env *env, const struct ref_exchange *request,
                      const struct ref_reply *reply) {
  (void)env;
  return !request->group && !(request->observe && reply->observe);
}

static int acknowledge(const struct ref_env *env, const struct ref_message *message,
                       bool expected) {
  (void)env;
  if (message->type != REF_CON) return -1;
  return expected ? REF_ACK : REF_RST;
}

static const char *done(const struct ref_env *env, const struct ref_exchange *request,
                        enum ref_end end) {
  static const char *const texts[] = {
      [REF_END_ANSWERED] = "answered",   [REF_END_TIMEOUT] = "timeout",
      [REF_END_RESET] = "reset",         [REF_END_NO_RESPONSE] = "no-response",
      [REF_END_CANCELLED] = "cancelled", [REF_END_RESTART] = "restart",
  };
  (void)env;
  (void)request;
  return texts[end];
}

const struct ref_client_policy ref_client_policy_default = {
    .version = ref_common_version,
    .check_uri = check_uri,
    .request_type = request_type,
    .options = options,
    .token = token,
    .token_retention = token_retention,
    .message_id = message_id,
    .repeat = repeat,
    .listen_until = listen_until,
    .match = match,
    .valid = valid,
    .accept = accept,
    .origin = origin,
    .base = base,
    .completes = completes,
    .acknowledge = acknowledge,
    .retransmit = ref_common_retransmit,
    .done = done,
};
