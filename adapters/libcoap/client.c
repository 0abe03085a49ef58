/* SPDX-License-Identifier: BSD-2-Clause */
/* A client as an application of libcoap: a session per destination, kept as long as the client. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "endpoint.h"
#include "request.h"
#include "role.h"

static const uint64_t MILLISECOND = 1000000u;

/* libcoap's side of a destination. */
struct destination {
  coap_address_t address;
  coap_session_t *session;
  struct destination *next;
};

/* A request that is going on. */
struct exchange {
  char *id;
  coap_session_t *session;
  uint8_t token[8];
  size_t token_length;
  bool group, observes, limited, answered;
  uint64_t deadline; /* ns of now() */
  struct exchange *next;
};

struct client {
  coap_context_t *context;
  const json_t *start;
  uint16_t port;
  uint32_t hop_limit; /* for groups; 0: libcoap's */
  struct destination *destinations;
  struct exchange *exchanges;
};

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 * MILLISECOND + (uint64_t)t.tv_nsec;
}

/* ---- requests that are going on ---- */

static struct exchange *find_id(struct client *c, const char *id) {
  struct exchange *x = c->exchanges;
  while (x && strcmp(x->id, id) != 0) x = x->next;
  return x;
}

static struct exchange *find_token(struct client *c, const coap_session_t *session,
                                   coap_bin_const_t token) {
  struct exchange *x = c->exchanges;
  while (x && !(x->session == session && x->token_length == token.length &&
                (!token.length || memcmp(x->token, token.s, token.length) == 0)))
    x = x->next;
  return x;
}

static void end(struct client *c, struct exchange *x, const char *detail) {
  json_t *event = event_new("done");
  event_text(event, "request", x->id);
  event_text(event, "detail", detail);
  if (x->group) json_object_set_new(event, "group", json_true());
  say_event(event);
  for (struct exchange **at = &c->exchanges; *at; at = &(*at)->next)
    if (*at == x) {
      *at = x->next;
      break;
    }
  free(x->id);
  free(x);
}

static void end_all(struct client *c, const char *detail) {
  while (c->exchanges) end(c, c->exchanges, detail);
}

static int client_due(void *self) {
  struct client *c = self;
  uint64_t present = now(), first = UINT64_MAX;
  for (struct exchange *x = c->exchanges, *next; x; x = next) {
    next = x->next;
    if (!x->limited) continue;
    if (x->deadline <= present)
      end(c, x, "timeout");
    else if (x->deadline < first)
      first = x->deadline;
  }
  if (first == UINT64_MAX) return -1;
  uint64_t ms = (first - present) / MILLISECOND + 1;
  return ms < 60000 ? (int)ms : 60000;
}

/* ---- what libcoap tells ---- */

static void deliver(const struct exchange *x, const coap_session_t *session,
                    const coap_pdu_t *received) {
  json_t *event = event_new("deliver");
  const uint8_t *data;
  size_t length, offset, total;
  event_text(event, "request", x->id);
  event_endpoint(event, "peer", coap_session_get_addr_remote(session));
  event_message(event, received);
  if (x->group) json_object_set_new(event, "group", json_true());
  if (coap_get_data_large(received, &length, &data, &offset, &total))
    event_hex(event, "payload", data, length);
  say_event(event);
}

static bool is_notification(const coap_pdu_t *received) {
  coap_opt_iterator_t iterator;
  return coap_check_option(received, COAP_OPTION_OBSERVE, &iterator) != NULL;
}

/* A response whose Token the application does not know is turned down, as coap-client does it. */
static coap_response_t on_response(coap_session_t *session, const coap_pdu_t *sent,
                                   const coap_pdu_t *received, const coap_mid_t mid) {
  struct client *c = coap_get_app_data(coap_session_get_context(session));
  struct exchange *x = find_token(c, session, coap_pdu_get_token(received));
  (void)sent;
  (void)mid;
  if (!x) return COAP_RESPONSE_FAIL;
  deliver(x, session, received);
  bool goes_on = x->group || (x->observes && is_notification(received));
  if (!goes_on) end(c, x, "answered");
  return COAP_RESPONSE_OK;
}

static void on_nack(coap_session_t *session, const coap_pdu_t *sent,
                    const coap_nack_reason_t reason, const coap_mid_t mid) {
  struct client *c = coap_get_app_data(coap_session_get_context(session));
  struct exchange *x = sent ? find_token(c, session, coap_pdu_get_token(sent)) : NULL;
  (void)mid;
  if (!x || (x->group && reason == COAP_NACK_RST)) return;
  if (reason == COAP_NACK_RST)
    end(c, x, "reset");
  else
    end(c, x, reason == COAP_NACK_TOO_MANY_RETRIES ? "timeout" : "unreachable");
}

/* ---- sending ---- */

/*
 * libcoap numbers the Tokens of each session from 1, for each has a port of its own. These here
 * share one: each gets Tokens from 65536 times its number on.
 */
static void separate_tokens(const struct client *c, coap_session_t *session) {
  uint8_t token[4];
  unsigned sessions = 0;
  for (const struct destination *d = c->destinations; d; d = d->next) sessions++;
  coap_session_init_token(session, coap_encode_var_safe(token, sizeof token, sessions << 16),
                          token);
}

static coap_session_t *session_to(struct client *c, const coap_address_t *address) {
  for (struct destination *d = c->destinations; d; d = d->next)
    if (coap_address_equals(&d->address, address)) return d->session;
  struct destination *d = calloc(1, sizeof *d);
  coap_address_t local = endpoint_any(address->addr.sa.sa_family, c->port);
  if (!d) return NULL;
  d->address = *address;
  d->session =
      coap_new_client_session(c->context, c->port ? &local : NULL, address, COAP_PROTO_UDP);
  if (!d->session) {
    free(d);
    return NULL;
  }
  separate_tokens(c, d->session);
  d->next = c->destinations;
  c->destinations = d;
  return d->session;
}

static json_t *request_event(const struct exchange *x, const struct request *r,
                             const coap_pdu_t *pdu) {
  json_t *event = event_new("request");
  event_text(event, "request", x->id);
  event_endpoint(event, "peer", &r->address);
  event_text(event, "path", r->path);
  event_message(event, pdu);
  event_hex(event, "payload", r->payload.data, r->payload.length);
  if (x->group) json_object_set_new(event, "group", json_true());
  json_object_set_new(event, "timeout_ns", json_integer((json_int_t)r->timeout));
  return event;
}

/* The message; NULL with an outcome. Its Token is copied to |x|. */
static coap_pdu_t *make_message(struct exchange *x, struct request *r, struct outcome *outcome) {
  coap_pdu_t *pdu = coap_new_pdu(r->type, r->method, x->session);
  if (!pdu) {
    fail(outcome, REFUSED, "libcoap made no message");
    return NULL;
  }
  if (request_fill(r, x->session, pdu, outcome)) {
    coap_bin_const_t token = coap_pdu_get_token(pdu);
    x->token_length = token.length < sizeof x->token ? token.length : sizeof x->token;
    memcpy(x->token, token.s, x->token_length);
    return pdu;
  }
  coap_delete_pdu(pdu);
  return NULL;
}

static void set_hops(const struct client *c, const struct exchange *x, const struct request *r) {
  uint32_t hops = r->hop_limit ? r->hop_limit : c->hop_limit;
  if (x->group && hops) coap_mcast_set_hops(x->session, hops);
}

static bool send_message(struct client *c, struct exchange *x, struct request *r,
                         struct outcome *outcome) {
  x->session = session_to(c, &r->address);
  if (!x->session) return fail(outcome, REFUSED, "libcoap made no session to the destination");
  set_hops(c, x, r);
  coap_pdu_t *pdu = make_message(x, r, outcome);
  if (!pdu) return false;
  if (find_token(c, x->session, coap_pdu_get_token(pdu))) {
    coap_delete_pdu(pdu);
    return fail(outcome, REFUSED, "token: another request uses it");
  }
  json_t *event = request_event(x, r, pdu); /* coap_send() takes the message away */
  if (coap_send(x->session, pdu) == COAP_INVALID_MID) {
    json_decref(event);
    return fail(outcome, REFUSED, "libcoap did not send the request");
  }
  say_event(event);
  return true;
}

static struct exchange *new_exchange(const struct request *r) {
  struct exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  x->id = strdup(r->id);
  x->group = coap_is_mcast(&r->address);
  x->observes = r->observes;
  x->limited = r->timeout_given || !r->observes;
  x->deadline = now() + r->timeout;
  return x;
}

static void do_request(struct client *c, const json_t *pairs, struct outcome *outcome) {
  struct request r;
  if (!request_read(&r, pairs, start_interface(c->start), outcome)) return;
  if (find_id(c, r.id)) {
    fail(outcome, REFUSED, "id: %.60s is going on", r.id);
  } else {
    struct exchange *x = new_exchange(&r);
    if (x && send_message(c, x, &r, outcome)) {
      x->next = c->exchanges;
      c->exchanges = x;
    } else if (x) {
      free(x->id);
      free(x);
    }
  }
  request_free(&r);
}

/* ---- the role ---- */

static bool open_context(struct client *c, struct outcome *outcome) {
  c->context = coap_new_context(NULL);
  if (!c->context) return fail(outcome, REFUSED, "libcoap made no context");
  coap_set_app_data(c->context, c);
  coap_context_set_block_mode(c->context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
  coap_register_response_handler(c->context, on_response);
  coap_register_nack_handler(c->context, on_nack);
  return true;
}

static void close_context(struct client *c) {
  while (c->destinations) {
    struct destination *d = c->destinations;
    c->destinations = d->next;
    coap_session_release(d->session);
    free(d);
  }
  if (c->context) coap_free_context(c->context);
  c->context = NULL;
}

static void *client_open(const json_t *start, struct outcome *outcome) {
  struct client *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  json_int_t hops = json_integer_value(json_object_get(start, "group_hop_limit"));
  c->start = start;
  c->port = start_port(start, 0);
  c->hop_limit = hops > 0 && hops < 256 ? (uint32_t)hops : 0;
  if (open_context(c, outcome)) return c;
  free(c);
  return NULL;
}

static coap_context_t *client_context(void *self) {
  return ((struct client *)self)->context;
}

static void client_close(void *self) {
  struct client *c = self;
  end_all(c, "cancelled");
  close_context(c);
  free(c);
}

static void do_forget(struct client *c, const json_t *pairs, struct outcome *outcome) {
  static const char *const known[] = {"of", NULL};
  if (!arguments_good(pairs, known, NULL, outcome)) return;
  const char *id = argument(pairs, "of");
  struct exchange *x = id ? find_id(c, id) : NULL;
  if (x)
    end(c, x, "cancelled");
  else
    fail(outcome, BAD_ARGUMENT, "of: no request %.60s is going on", id ? id : "without a name");
}

static void do_restart(struct client *c, const json_t *pairs, struct outcome *outcome) {
  static const char *const known[] = {"port", NULL};
  uint32_t port = c->port;
  bool given;
  if (!arguments_good(pairs, known, NULL, outcome) ||
      !argument_number(pairs, "port", UINT16_MAX, &port, &given, outcome))
    return;
  end_all(c, "restart");
  close_context(c);
  c->port = (uint16_t)port;
  if (open_context(c, outcome)) say_event(event_new("restart"));
}

static void client_command(void *self, const char *verb, const json_t *pairs,
                           struct outcome *outcome) {
  struct client *c = self;
  if (strcmp(verb, "request") == 0)
    do_request(c, pairs, outcome);
  else if (strcmp(verb, "forget") == 0)
    do_forget(c, pairs, outcome);
  else if (strcmp(verb, "restart") == 0)
    do_restart(c, pairs, outcome);
  else
    fail(outcome, UNSUPPORTED, "verb %.60s", verb);
}

const struct role client_role = {"client",       client_open, client_context,
                                 client_command, client_due,  client_close};
