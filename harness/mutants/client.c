/* SPDX-License-Identifier: BSD-2-Clause */
/* Client mutants: one policy of the reference client replaced. */
#include "mutants/change.h"

#define OWN ref_client_policy_default

static bool noted(const struct ref_env *env, bool own, bool wrong) {
  if (own != wrong) mut_note(mut_of(env));
  return wrong;
}

static void note(const struct ref_env *env) {
  mut_note(mut_of(env));
}

/* ---- Tokens ---- */

static chorus_time retained_246(const struct ref_env *env, const struct ref_exchange *request,
                                chorus_time msrd) {
  (void)request;
  note(env);
  return 246 * CHORUS_SECOND + (msrd ? msrd : 0);
}
CLIENT_POLICY(retained_246, token_retention)

static chorus_time not_retained(const struct ref_env *env, const struct ref_exchange *request,
                                chorus_time msrd) {
  (void)request;
  (void)msrd;
  note(env);
  return 0;
}
CLIENT_POLICY(not_retained, token_retention)

/* The first free one of 16. */
static bool sixteen(const struct ref_env *env, const struct ref_token_view *view, uint8_t length,
                    uint8_t *token) {
  memset(token, 0x5c, length);
  for (unsigned i = 0; i < 16; i++) {
    if (length) token[length - 1] = (uint8_t)((view->serial + i) % 16);
    if (!view->is_free(view->book, token, length)) continue;
    note(env);
    return true;
  }
  return OWN.token(env, view, length, token);
}

static void sixteen_tokens_policy(struct ref_client_policy *policy) {
  policy->token = sixteen;
  policy->token_retention = not_retained;
}

void mut_sixteen_tokens(struct mut_change *change) {
  change->client_policy = sixteen_tokens_policy;
}

/* One Token for all, whether it is in use or not. */
static bool fixed_token(const struct ref_env *env, const struct ref_token_view *view,
                        uint8_t length, uint8_t *token) {
  (void)view;
  memset(token, 0x5c, length);
  note(env);
  return true;
}
CLIENT_POLICY(fixed_token, token)

static bool counted_token(const struct ref_env *env, const struct ref_token_view *view,
                          uint8_t length, uint8_t *token) {
  uint64_t n = view->serial + 1;
  for (unsigned i = 0; i < length; i++) token[length - 1 - i] = (uint8_t)(n >> (8 * i));
  if (!view->is_free(view->book, token, length)) return OWN.token(env, view, length, token);
  note(env);
  return true;
}
CLIENT_POLICY(counted_token, token)

/* ---- Message IDs ---- */

static uint16_t two_counters(const struct ref_env *env, bool group, uint16_t fresh) {
  (void)fresh;
  note(env);
  return (uint16_t)(0x1000 + mut_of(env)->count[group]++);
}
CLIENT_POLICY(two_counters, message_id)

static uint16_t eight_bits(const struct ref_env *env, bool group, uint16_t fresh) {
  (void)group;
  (void)fresh;
  note(env);
  return (uint16_t)(mut_of(env)->count[0]++ & 7u);
}
CLIENT_POLICY(eight_bits, message_id)

static uint16_t from_one(const struct ref_env *env, bool group, uint16_t fresh) {
  (void)group;
  (void)fresh;
  note(env);
  return (uint16_t)(1 + mut_of(env)->count[0]++);
}

static bool forget_count(struct mut_node *node, struct chorus_event *event) {
  if (event->type == CHORUS_EVENT_RESTART) node->count[0] = 0;
  return true;
}

static void from_one_policy(struct ref_client_policy *policy) {
  policy->message_id = from_one;
}

void mut_mid_from_one(struct mut_change *change) {
  change->client_policy = from_one_policy;
  change->event = forget_count;
}

/* ---- repeats and retransmissions ---- */

static chorus_time constant_interval(const struct ref_env *env, unsigned attempt,
                                     chorus_time previous) {
  (void)attempt;
  (void)previous;
  note(env);
  return 2 * CHORUS_SECOND;
}

static void client_constant_interval_policy(struct ref_client_policy *policy) {
  policy->retransmit = constant_interval;
}

void mut_client_constant_interval(struct mut_change *change) {
  change->client_policy = client_constant_interval_policy;
}

static int repeats_for_ever(const struct ref_env *env, const struct ref_exchange *request,
                            enum ref_repeat how, chorus_time age, const char **why) {
  if (OWN.repeat(env, request, how, age, why) != CHORUS_OK) note(env);
  return CHORUS_OK;
}
CLIENT_POLICY(repeats_for_ever, repeat)

/* ---- matching ---- */

static bool group_port_only(const struct ref_env *env, const struct ref_exchange *request,
                            const struct ref_reply *reply) {
  bool own = OWN.match(env, request, reply);
  if (!request->group) return own;
  return noted(env, own, reply->datagram->source.port == request->destination.port);
}
CLIENT_POLICY(group_port_only, match)

static bool source_compared(const struct ref_env *env, const struct ref_exchange *request,
                            const struct ref_reply *reply) {
  return noted(env, OWN.match(env, request, reply),
               chorus_same_endpoint(&request->destination, &reply->datagram->source));
}
CLIENT_POLICY(source_compared, match)

static bool any_source(const struct ref_env *env, const struct ref_exchange *request,
                       const struct ref_reply *reply) {
  return noted(env, OWN.match(env, request, reply), true);
}
CLIENT_POLICY(any_source, match)

static bool critical_taken(const struct ref_env *env, const struct ref_exchange *request,
                           const struct ref_reply *reply) {
  struct ref_reply copy = *reply;
  copy.critical = false;
  return noted(env, OWN.valid(env, request, reply), OWN.valid(env, request, &copy));
}
CLIENT_POLICY(critical_taken, valid)

static bool elective_rejected(const struct ref_env *env, const struct ref_exchange *request,
                              const struct ref_reply *reply) {
  struct dis_coap m;
  bool wrong = OWN.valid(env, request, reply);
  dis_coap_parse(&m, reply->datagram->payload, reply->datagram->length);
  for (size_t i = 0; i < m.option_count; i++)
    wrong = wrong &&
            (dis_option_known(m.options[i].number) || dis_option_critical(m.options[i].number));
  return noted(env, OWN.valid(env, request, reply), wrong);
}
CLIENT_POLICY(elective_rejected, valid)

/* ---- who answered ---- */

static bool takes_everything(const struct ref_env *env, const struct ref_exchange *request,
                             const struct ref_reply *reply, bool answered) {
  return noted(env, OWN.accept(env, request, reply, answered), true);
}
CLIENT_POLICY(takes_everything, accept)

static bool first_of_each_only(const struct ref_env *env, const struct ref_exchange *request,
                               const struct ref_reply *reply, bool answered) {
  return noted(env, OWN.accept(env, request, reply, answered), !answered);
}
CLIENT_POLICY(first_of_each_only, accept)

static bool marks_invalid(const struct ref_env *env, const struct ref_exchange *request,
                          const struct ref_reply *reply) {
  bool valid = OWN.valid(env, request, reply);
  if (!valid && request->group) mut_of(env)->peer = reply->datagram->source;
  return valid;
}

static bool not_the_marked(const struct ref_env *env, const struct ref_exchange *request,
                           const struct ref_reply *reply, bool answered) {
  bool own = OWN.accept(env, request, reply, answered);
  bool marked = chorus_same_address(&mut_of(env)->peer, &reply->datagram->source);
  return noted(env, own, own && !marked);
}

static void answered_before_valid_policy(struct ref_client_policy *policy) {
  policy->valid = marks_invalid;
  policy->accept = not_the_marked;
}

void mut_answered_before_valid(struct mut_change *change) {
  change->client_policy = answered_before_valid_policy;
}

/* One list of responders for all requests: the first server that answered answers no other one. */
static bool global_responders(const struct ref_env *env, const struct ref_exchange *request,
                              const struct ref_reply *reply, bool answered) {
  struct mut_node *n = mut_of(env);
  bool own = OWN.accept(env, request, reply, answered);
  if (!own || !request->group) return own;
  if (n->count[0] == 0) {
    n->peer = reply->datagram->source;
    n->count[0] = request->first + 1;
  }
  bool known = chorus_same_address(&n->peer, &reply->datagram->source);
  return noted(env, own, !known || n->count[0] == request->first + 1);
}
CLIENT_POLICY(global_responders, accept)

static bool same_token(const struct mut_node *n, const struct ref_exchange *request) {
  return n->octets[8] == request->token_length &&
         memcmp(n->octets, request->token, request->token_length) == 0;
}

/* The same per Token, and never forgotten. */
static bool responders_outlive_token(const struct ref_env *env, const struct ref_exchange *request,
                                     const struct ref_reply *reply, bool answered) {
  struct mut_node *n = mut_of(env);
  bool own = OWN.accept(env, request, reply, answered);
  if (!own || !request->group) return own;
  if (n->count[0] == 0 || !same_token(n, request)) {
    n->peer = reply->datagram->source;
    n->count[0] = request->first + 1;
    memcpy(n->octets, request->token, sizeof request->token);
    n->octets[8] = request->token_length;
  }
  bool known = chorus_same_address(&n->peer, &reply->datagram->source);
  return noted(env, own, !known || n->count[0] == request->first + 1);
}
CLIENT_POLICY(responders_outlive_token, accept)

static bool one_response_in_all(const struct ref_env *env, const struct ref_exchange *request,
                                const struct ref_reply *reply, bool answered) {
  struct mut_node *n = mut_of(env);
  bool own = OWN.accept(env, request, reply, answered);
  if (!own || !request->group || reply->observe) return own;
  bool again = n->count[0] == request->first + 1;
  n->count[0] = request->first + 1;
  return noted(env, own, !again);
}
CLIENT_POLICY(one_response_in_all, accept)

/* After an error nothing else is taken. */
static bool error_is_all(const struct ref_env *env, const struct ref_exchange *request,
                         const struct ref_reply *reply, bool answered) {
  struct mut_node *n = mut_of(env);
  bool own = OWN.accept(env, request, reply, answered);
  if (!own || !request->group) return own;
  bool over = n->count[0] == request->first + 1;
  if (reply->message->code >> 5 != 2) n->count[0] = request->first + 1;
  return noted(env, own, !over);
}
CLIENT_POLICY(error_is_all, accept)

static bool ends_with_first(const struct ref_env *env, const struct ref_exchange *request,
                            const struct ref_reply *reply) {
  return noted(env, OWN.completes(env, request, reply), true);
}
CLIENT_POLICY(ends_with_first, completes)

static struct chorus_endpoint group_as_origin(const struct ref_env *env,
                                              const struct ref_exchange *request,
                                              const struct ref_reply *reply) {
  if (!request->group) return OWN.origin(env, request, reply);
  note(env);
  return request->destination;
}
CLIENT_POLICY(group_as_origin, origin)

static struct chorus_endpoint group_as_base(const struct ref_env *env,
                                            const struct ref_exchange *request,
                                            const struct ref_reply *reply) {
  if (!request->group) return OWN.base(env, request, reply);
  note(env);
  return request->destination;
}
CLIENT_POLICY(group_as_base, base)

/* ---- acknowledgements ---- */

static int acknowledged(const struct ref_env *env, const struct ref_message *message, bool expected,
                        int wrong) {
  if (OWN.acknowledge(env, message, expected) != wrong) note(env);
  return wrong;
}

static int resets_responses(const struct ref_env *env, const struct ref_message *message,
                            bool expected) {
  return acknowledged(env, message, expected, message->type == REF_CON ? REF_RST : -1);
}
CLIENT_POLICY(resets_responses, acknowledge)

static int acks_everything(const struct ref_env *env, const struct ref_message *message,
                           bool expected) {
  return acknowledged(env, message, expected, message->type == REF_CON ? REF_ACK : -1);
}
CLIENT_POLICY(acks_everything, acknowledge)

static int acks_nothing(const struct ref_env *env, const struct ref_message *message,
                        bool expected) {
  return acknowledged(env, message, expected, -1);
}
CLIENT_POLICY(acks_nothing, acknowledge)

/* ---- listening ---- */

static chorus_time listens_in_vain(const struct ref_env *env, const struct ref_exchange *request) {
  chorus_time until = env->now + request->timeout;
  if (OWN.listen_until(env, request) != until) note(env);
  return until;
}
CLIENT_POLICY(listens_in_vain, listen_until)

static chorus_time listens_5s(const struct ref_env *env, const struct ref_exchange *request) {
  chorus_time own = OWN.listen_until(env, request), until = env->now + 5 * CHORUS_SECOND;
  if (own <= until) return own;
  note(env);
  return until;
}
CLIENT_POLICY(listens_5s, listen_until)

static const char *silence_is_success(const struct ref_env *env, const struct ref_exchange *request,
                                      enum ref_end end) {
  if (end != REF_END_TIMEOUT && end != REF_END_NO_RESPONSE) return OWN.done(env, request, end);
  note(env);
  return "answered";
}
CLIENT_POLICY(silence_is_success, done)
