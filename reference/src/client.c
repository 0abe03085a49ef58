/* SPDX-License-Identifier: BSD-2-Clause */
/* The client as a node: its deadlines, and the end of its requests. */
#include "client.h"

#include <stdlib.h>

int ref_client_send(struct ref_client *c, const struct chorus_endpoint *destination,
                    uint8_t hop_limit, const uint8_t *octets, size_t length) {
  struct chorus_datagram datagram = {.source = {.port = c->port},
                                     .destination = *destination,
                                     .payload = octets,
                                     .length = length,
                                     .hop_limit = hop_limit};
  return c->host->ops->send(c->host->context, &datagram);
}

struct ref_client_request *ref_client_find_token(struct ref_client *c, const uint8_t *token,
                                                 uint8_t length) {
  for (struct ref_client_request *r = c->requests; r; r = r->next) {
    const struct ref_exchange *x = &r->exchange;
    if (r->sent && x->token_length == length && memcmp(x->token, token, length) == 0) return r;
  }
  return NULL;
}

/* When the Token of a request that ends now may be used again. */
static chorus_time token_free_at(struct ref_client *c, const struct ref_client_request *r,
                                 chorus_time now, bool goes_on) {
  struct ref_env env = ref_client_env(c, now);
  if (!r->sent) return now;
  chorus_time last = r->exchange.last;
  if (goes_on) last = r->exchange.first + REF_MAX_TRANSMIT_SPAN;
  return last + c->policy->token_retention(&env, &r->exchange, c->msrd) + 1;
}

static void emit_done(struct ref_client *c, const struct ref_client_request *r, const char *how) {
  struct chorus_event event = {.type = CHORUS_EVENT_DONE,
                               .request = r->id,
                               .detail = how,
                               .peer = r->exchange.destination,
                               .token_length = r->exchange.token_length,
                               .has_message = r->sent,
                               .group = r->exchange.group,
                               .message_type = r->exchange.type,
                               .code = r->exchange.method,
                               .mid = r->exchange.mid};
  memcpy(event.token, r->exchange.token, sizeof event.token);
  ref_emit(c->host, &event);
}

/*
 * The list of responders goes with the request: from here on no response is accepted any more, so
 * that there is nothing left to tell apart while the Token is still reserved (seed 2.3.1).
 */
void ref_client_finish(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                       enum ref_end end) {
  struct ref_env env = ref_client_env(c, now);
  bool goes_on = ref_transmission_abandon(c, r, end == REF_END_NO_RESPONSE);
  ref_tokens_retire(&c->tokens, r->exchange.token, r->exchange.token_length,
                    token_free_at(c, r, now, goes_on));
  struct ref_client_request **at = &c->requests;
  while (*at != r) at = &(*at)->next;
  *at = r->next;
  if (r->responders) {
    ref_responders_clear(r->responders);
    r->responders->next = c->pool;
    c->pool = r->responders;
  }
  ref_follows_free(r->follows);
  emit_done(c, r, c->policy->done(&env, &r->exchange, end));
  free(r);
}

void ref_client_schedule(struct ref_client *c) {
  chorus_time at = ref_transmission_next(c);
  if (ref_tokens_next(&c->tokens) < at) at = ref_tokens_next(&c->tokens);
  for (const struct ref_client_request *r = c->requests; r; r = r->next)
    if (r->listen_until < at) at = r->listen_until;
  if (at == c->deadline) return;
  c->deadline = at;
  c->host->ops->deadline(c->host->context, at);
}

static struct ref_client_request *find_over(struct ref_client *c, chorus_time now) {
  struct ref_client_request *r = c->requests;
  while (r && r->listen_until > now) r = r->next;
  return r;
}

static bool is_all_disclaimed(const struct ref_client_request *r) {
  return r->exchange.no_response >= 0 && (r->exchange.no_response & 26) == 26;
}

static void free_tokens(struct ref_client *c, chorus_time now) {
  struct ref_token_entry *e;
  while ((e = ref_tokens_expire(&c->tokens, now))) {
    struct chorus_event event = {.type = CHORUS_EVENT_TOKEN_FREED, .token_length = e->length};
    memcpy(event.token, e->token, sizeof event.token);
    ref_emit(c->host, &event);
    free(e);
  }
}

static void client_wake(void *node, chorus_time now) {
  struct ref_client *c = node;
  struct ref_client_request *r;
  c->deadline = CHORUS_NEVER;
  while ((r = find_over(c, now)))
    ref_client_finish(c, r, now, is_all_disclaimed(r) ? REF_END_NO_RESPONSE : REF_END_TIMEOUT);
  ref_transmission_run(c, now);
  free_tokens(c, now);
  ref_client_schedule(c);
}

static int client_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct ref_client *c = node;
  c->host = host;
  c->deadline = CHORUS_NEVER;
  ref_mids_start(&c->mids, now, host->ops->random(host->context, REF_RANDOM_MID));
  return host->ops->open(host->context, c->port);
}

static void leak(struct ref_client *c, const char *request, const char *detail) {
  struct chorus_event event = {.type = CHORUS_EVENT_LEAK, .request = request, .detail = detail};
  ref_emit(c->host, &event);
}

static void client_stop(void *node, chorus_time now) {
  struct ref_client *c = node;
  for (struct ref_client_request *r = c->requests; r; r = r->next)
    if (r->listen_until < now) leak(c, r->id, "a request whose time is over");
  for (struct ref_transmission *t = c->transmissions; t; t = t->next)
    if (t->state != REF_TRANSMISSION_QUEUED && t->due < now)
      leak(c, t->request ? t->request->id : NULL, "a Confirmable message whose time is over");
  if (ref_tokens_next(&c->tokens) < now) leak(c, NULL, "a Token whose reuse time has passed");
}

static const struct chorus_node_ops client_ops = {.start = client_start,
                                                  .datagram = ref_client_datagram,
                                                  .wake = client_wake,
                                                  .command = ref_client_command,
                                                  .stop = client_stop,
                                                  .expect = ref_client_expect};

static const char *config_fault(const struct ref_client_config *config) {
  if (config->token_length > 8) return "a Token has at most 8 octets";
  if (config->empty_token && config->token_length) return "an empty Token has no length";
  if (config->port == CHORUS_COAPS_PORT) return "port 5684 is not for group communication";
  if (config->max_server_response_delay && config->max_server_response_delay <= REF_DEFAULT_LEISURE)
    return "MAX_SERVER_RESPONSE_DELAY has to exceed DEFAULT_LEISURE, 5 s (RFC 7967, section 3.1)";
  return NULL;
}

struct chorus_node ref_client_new(const struct ref_client_config *config, const char **why) {
  const char *fault = config_fault(config);
  struct ref_client *c = fault ? NULL : calloc(1, sizeof *c);
  if (!c) {
    if (why) *why = fault ? fault : "no memory";
    return (struct chorus_node){NULL, NULL};
  }
  c->policy = config->policy ? config->policy : &ref_client_policy_default;
  c->policy_context = config->policy_context;
  c->port = config->port ? config->port : 40000;
  c->token_length = config->token_length;
  if (!c->token_length && !config->empty_token) c->token_length = 8;
  c->msrd = config->max_server_response_delay;
  c->group_hop_limit = config->group_hop_limit;
  ref_tokens_init(&c->tokens);
  ref_dedup_init(&c->dedup);
  return (struct chorus_node){&client_ops, c};
}

static void free_requests(struct ref_client *c) {
  while (c->requests) {
    struct ref_client_request *r = c->requests;
    c->requests = r->next;
    ref_responders_free(r->responders);
    ref_follows_free(r->follows);
    free(r);
  }
}

void ref_client_free(struct chorus_node node) {
  struct ref_client *c = node.state;
  if (!c) return;
  ref_transmission_free_all(c);
  free_requests(c);
  while (c->pool) {
    struct ref_responders *r = c->pool;
    c->pool = r->next;
    ref_responders_free(r);
  }
  ref_tokens_free(&c->tokens);
  ref_dedup_free(&c->dedup);
  ref_exchanges_free(&c->exchanges);
  free(c->last_uri);
  free(c->draft);
  free(c);
}
