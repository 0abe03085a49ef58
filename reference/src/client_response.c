/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes in at a client: responses, acknowledgements, and what does not belong there. */
#include "client.h"

/* What this client understands in a response (RFC 7252, section 5.10; RFC 7641; RFC 7959). */
static const struct ref_option_rule response_rules[] = {
    {REF_OPTION_ETAG, 1, 8, false},           {REF_OPTION_OBSERVE, 0, 3, false},
    {REF_OPTION_LOCATION_PATH, 0, 255, true}, {REF_OPTION_CONTENT_FORMAT, 0, 2, false},
    {REF_OPTION_MAX_AGE, 0, 4, false},        {REF_OPTION_LOCATION_QUERY, 0, 255, true},
    {REF_OPTION_BLOCK2, 0, 3, false},         {REF_OPTION_BLOCK1, 0, 3, false},
    {REF_OPTION_SIZE2, 0, 4, false},          {REF_OPTION_SIZE1, 0, 4, false},
};

/* One datagram in the works. */
struct arrival {
  struct ref_env env;
  struct ref_message message;
  struct ref_reply reply;
  bool partial; /* Block2 with more to come */
};

static void read_options(struct arrival *a) {
  struct ref_option_walk o;
  uint32_t previous = 0;
  ref_option_first(&o, &a->message);
  while (ref_option_next(&o)) {
    bool known = ref_option_known(response_rules, sizeof response_rules / sizeof *response_rules,
                                  &o, previous);
    previous = o.number;
    if (!known && o.number & 1) a->reply.critical = true;
    if (known && o.number == REF_OPTION_OBSERVE) a->reply.observe = true;
    if (known && o.number == REF_OPTION_BLOCK2)
      a->partial = ref_option_uint(o.value, o.length) & 8u;
  }
}

/*
 * Answers a message with an ACK or RST where the policy wants one. ACKs are remembered for copies;
 * what is rejected is rejected again if it comes again.
 */
static void acknowledge(struct ref_client *c, const struct arrival *a, bool expected) {
  int type = c->policy->acknowledge(&a->env, &a->message, expected);
  if (type < 0) return;
  const struct chorus_endpoint *source = &a->reply.datagram->source;
  uint8_t octets[4];
  ref_encode_empty(octets, (uint8_t)type, a->message.mid);
  ref_client_send(c, source, 0, octets, sizeof octets);
  if (a->message.type == REF_CON && type == REF_ACK)
    ref_exchanges_add(&c->exchanges, source, a->message.mid, a->env.now, octets, sizeof octets);
}

/* A Confirmable message that was seen before gets the same again (RFC 7252, section 4.5). */
static bool answered_before(struct ref_client *c, const struct arrival *a) {
  if (a->message.type != REF_CON) return false;
  const struct chorus_endpoint *source = &a->reply.datagram->source;
  const struct ref_received *r = ref_exchanges_find(&c->exchanges, source, a->message.mid);
  if (!r || a->env.now - r->at >= REF_EXCHANGE_LIFETIME) return false;
  if (r->length) ref_client_send(c, source, 0, r->reply, r->length);
  return true;
}

/* Notifications are not told apart by their server alone: copies are found by Message ID. */
static bool is_copy(struct ref_client *c, const struct arrival *a) {
  const struct chorus_endpoint *source = &a->reply.datagram->source;
  chorus_time age;
  if (a->message.type != REF_NON || !a->reply.observe) return false;
  bool seen = ref_dedup_find(&c->dedup, source, a->message.mid, a->env.now, &age);
  if (seen && age < REF_NON_LIFETIME) return true;
  ref_dedup_add(&c->dedup, source, a->message.mid, a->env.now, REF_NON_LIFETIME);
  return false;
}

static void emit_deliver(struct ref_client *c, const struct arrival *a,
                         const struct ref_client_request *r) {
  if (!ref_listens(c->host)) return;
  struct chorus_event event = {.type = CHORUS_EVENT_DELIVER,
                               .request = r->id,
                               .detail = a->partial ? "partial" : NULL,
                               .payload = a->message.payload,
                               .payload_length = a->message.payload_length,
                               .group = r->exchange.group};
  event.peer = c->policy->origin(&a->env, &r->exchange, &a->reply);
  ref_event_message(&event, &a->message);
  ref_emit(c->host, &event);
}

static bool responders_ready(struct ref_client *c, struct ref_client_request *r) {
  if (r->responders) return true;
  r->responders = c->pool ? c->pool : ref_responders_new();
  if (c->pool) c->pool = c->pool->next;
  return r->responders != NULL;
}

/* A valid response to an outstanding request: at most one per server goes to the application. */
static void accept(struct ref_client *c, const struct arrival *a, struct ref_client_request *r) {
  const struct chorus_endpoint *source = &a->reply.datagram->source;
  if (!responders_ready(c, r)) return;
  struct ref_responder_look look = ref_responders_find(r->responders, source);
  if (is_copy(c, a)) return;
  if (!c->policy->accept(&a->env, &r->exchange, &a->reply, look.known)) return;
  if (!look.known) ref_responders_add(r->responders, source, &look);
  emit_deliver(c, a, r);
  if (r->follows) ref_client_follow(c, &a->env, r, &a->reply);
  if (c->policy->completes(&a->env, &r->exchange, &a->reply))
    ref_client_finish(c, r, a->env.now, REF_END_ANSWERED);
}

/* The request that a response belongs to and is valid for, or NULL. */
static struct ref_client_request *request_of(struct ref_client *c, const struct arrival *a) {
  const struct ref_message *m = &a->message;
  struct ref_client_request *r = ref_client_find_token(c, m->token, m->token_length);
  if (!r || r->listen_until <= a->env.now) return NULL;
  if (!c->policy->match(&a->env, &r->exchange, &a->reply)) return NULL;
  return c->policy->valid(&a->env, &r->exchange, &a->reply) ? r : NULL;
}

/*
 * Whether a response in an ACK belongs to |r|: it has to acknowledge the message that carried the
 * request. When nobody waits for that any more, it is an ACK and nothing else.
 */
static bool is_piggybacked(struct ref_client *c, const struct arrival *a,
                           const struct ref_client_request *r) {
  struct ref_transmission *t = ref_transmission_find(c, &a->reply.datagram->source, a->message.mid);
  if (t && !t->request) {
    ref_transmission_settle(c, t, a->env.now);
    return false;
  }
  return t && r && t->request == r;
}

static void receive_response(struct ref_client *c, struct arrival *a) {
  if (answered_before(c, a)) return;
  read_options(a);
  struct ref_client_request *r = request_of(c, a);
  const struct chorus_endpoint *source = &a->reply.datagram->source;
  if (a->message.type == REF_ACK && !is_piggybacked(c, a, r)) return;
  acknowledge(c, a, r != NULL);
  if (!r) return;
  if (c->transmissions) ref_transmission_answered(c, r, source, a->env.now);
  accept(c, a, r);
}

/* A Reset for a Non-confirmable unicast request: the server lacks context for it. */
static struct ref_client_request *find_reset(struct ref_client *c, const struct arrival *a) {
  for (struct ref_client_request *r = c->requests; r; r = r->next) {
    bool unicast = !r->exchange.group && r->sent && r->exchange.type == REF_NON;
    if (unicast && r->exchange.mid == a->message.mid &&
        chorus_same_endpoint(&r->exchange.destination, &a->reply.datagram->source))
      return r;
  }
  return NULL;
}

/* An Empty ACK or a Reset. */
static void receive_empty(struct ref_client *c, const struct arrival *a) {
  chorus_time now = a->env.now;
  struct ref_transmission *t = ref_transmission_find(c, &a->reply.datagram->source, a->message.mid);
  struct ref_client_request *r = t && !t->follow_up ? t->request : NULL;
  if (a->message.type == REF_RST && !t) r = find_reset(c, a);
  if (t) {
    t->request = NULL;
    ref_transmission_settle(c, t, now);
  }
  if (r && a->message.type == REF_RST) ref_client_finish(c, r, now, REF_END_RESET);
}

static void receive(struct ref_client *c, struct arrival *a, enum ref_fault fault) {
  const struct ref_message *m = &a->message;
  bool confirming = m->type == REF_ACK || m->type == REF_RST;
  unsigned class = m->code >> 5;
  if (fault == REF_FAULT_NONE && class >= 2 && m->type != REF_RST) {
    receive_response(c, a);
    return;
  }
  if (fault == REF_FAULT_NONE && m->code == 0 && confirming) {
    receive_empty(c, a);
    return;
  }
  /* A request, a ping, a malformed message: nothing that a client can process. */
  if (!confirming && !answered_before(c, a)) acknowledge(c, a, false);
}

void ref_client_expect(void *node, const struct chorus_endpoint *source) {
  const struct ref_client *c = node;
  const struct ref_client_request *latest = c->requests;
  if (latest && latest->responders) ref_responders_prefetch(latest->responders, source);
}

void ref_client_datagram(void *node, chorus_time now, const struct chorus_datagram *datagram) {
  struct ref_client *c = node;
  struct arrival a;
  if (datagram->destination.port != c->port || chorus_is_group(&datagram->destination)) return;
  if (datagram->source.port == 0 || chorus_is_group(&datagram->source)) return;
  enum ref_fault fault = ref_decode(datagram->payload, datagram->length, &a.message);
  a.env = ref_client_env(c, now);
  if (!a.message.has_header || !c->policy->version(&a.env, a.message.version)) return;
  a.reply = (struct ref_reply){.datagram = datagram, .message = &a.message};
  a.partial = false;
  receive(c, &a, fault);
  ref_client_schedule(c);
}
