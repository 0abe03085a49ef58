/* SPDX-License-Identifier: BSD-2-Clause */
/* What a scenario may ask of a client; docs/commands.md describes it. */
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "client.h"
#include "path.h"
#include "uri.h"

enum { PAYLOAD_MAX = 1024 };

/* The arguments of "request", as they lie in |values|. */
enum argument {
  ID,
  METHOD,
  URI,
  TYPE,
  PAYLOAD,
  PAYLOAD_HEX,
  TOKEN,
  NO_RESPONSE,
  ACCEPT,
  CONTENT_FORMAT,
  OBSERVE,
  OPTION,
  TIMEOUT,
  HOP_LIMIT,
  ARGUMENTS
};
static const char *const request_arguments[ARGUMENTS + 1] = {
    "id",          "method", "uri",         "type",      "payload",
    "payload-hex", "token",  "no-response", "accept",    "content-format",
    "observe",     "option", "timeout",     "hop-limit", NULL};

/* A request while it is put together. */
struct ref_draft {
  const char *values[ARGUMENTS];
  struct ref_exchange exchange;
  struct ref_uri uri;
  size_t payload_length;
  uint8_t forced_token[8];
  int forced_token_length; /* -1: the policy chooses */
  int type;                /* REF_CON, REF_NON, or -1: auto */
  uint8_t hop_limit;
  /* large, and filled from the front: set to nothing, not to zeros */
  struct ref_option_list options;
  uint8_t payload[PAYLOAD_MAX];
};

/* The client's draft, for the next request to be made; NULL: no memory. */
static struct ref_draft *draft_begin(struct ref_client *c) {
  if (!c->draft) c->draft = malloc(sizeof *c->draft);
  struct ref_draft *d = c->draft;
  if (!d) return NULL;
  memset(d, 0, offsetof(struct ref_draft, options));
  d->options.count = d->options.used = 0;
  return d;
}

static int bad(const char **why, const char *text) {
  *why = text;
  return CHORUS_BAD_ARGUMENT;
}

static int refuse(const char **why, const char *text) {
  *why = text;
  return CHORUS_REFUSED;
}

static int read_method(struct ref_draft *d, const char *text, const char **why) {
  static const char *const names[] = {"",       "GET",   "POST",  "PUT",
                                      "DELETE", "FETCH", "PATCH", "iPATCH"};
  if (!text) text = "GET";
  for (uint8_t i = 1; i < sizeof names / sizeof *names; i++)
    if (strcmp(text, names[i]) == 0) d->exchange.method = i;
  if (d->exchange.method) return CHORUS_OK;
  return bad(why, "method is GET, POST, PUT, DELETE, FETCH, PATCH or iPATCH");
}

static int read_type(struct ref_draft *d, const char *text, const char **why) {
  d->type = -1;
  if (!text || strcmp(text, "auto") == 0) return CHORUS_OK;
  if (strcmp(text, "CON") == 0) d->type = REF_CON;
  if (strcmp(text, "NON") == 0) d->type = REF_NON;
  return d->type >= 0 ? CHORUS_OK : bad(why, "type is auto, NON or CON");
}

static int read_token(struct ref_draft *d, const char *text, const char **why) {
  size_t length;
  d->forced_token_length = -1;
  if (!text) return CHORUS_OK;
  if (!ref_parse_hex(text, d->forced_token, sizeof d->forced_token, &length))
    return bad(why, "token is 0 to 8 octets in hexadecimal");
  d->forced_token_length = (int)length;
  return CHORUS_OK;
}

/* Adds an option of format uint that is an argument by itself. */
static int read_uint_option(struct ref_draft *d, const char *text, uint16_t number, uint32_t max,
                            const char *complaint, const char **why) {
  uint32_t value;
  if (!text) return CHORUS_OK;
  if (!ref_parse_number(text, max, &value)) return bad(why, complaint);
  if (number == REF_OPTION_NO_RESPONSE) d->exchange.no_response = (int)value;
  if (number == REF_OPTION_OBSERVE) d->exchange.observe = value == 0;
  if (!ref_option_add_uint(&d->options, number, value)) return bad(why, "too many options");
  return CHORUS_OK;
}

/* "number=hex". */
static int read_raw_option(struct ref_draft *d, const char *text, const char **why) {
  uint8_t value[1034];
  char number_text[8];
  size_t length;
  uint32_t number;
  const char *equals = strchr(text, '=');
  if (!equals || (size_t)(equals - text) >= sizeof number_text)
    return bad(why, "option is number=hex, such as 258=1a");
  memcpy(number_text, text, (size_t)(equals - text));
  number_text[equals - text] = '\0';
  if (!ref_parse_number(number_text, UINT16_MAX, &number) ||
      !ref_parse_hex(equals + 1, value, sizeof value, &length))
    return bad(why, "option is number=hex, such as 258=1a");
  if (number == REF_OPTION_NO_RESPONSE && length <= 1)
    d->exchange.no_response = (int)ref_option_uint(value, length);
  if (number == REF_OPTION_OBSERVE && ref_option_uint(value, length) == 0)
    d->exchange.observe = true;
  if (!ref_option_add(&d->options, (uint16_t)number, value, length))
    return bad(why, "too many options, or too long ones");
  return CHORUS_OK;
}

static int read_raw_options(struct ref_draft *d, const struct chorus_command *command,
                            const char **why) {
  for (size_t i = 0; i < command->count; i++) {
    if (strcmp(command->arguments[i].name, "option") != 0) continue;
    int status = read_raw_option(d, command->arguments[i].value, why);
    if (status != CHORUS_OK) return status;
  }
  return CHORUS_OK;
}

static int read_options(struct ref_draft *d, const struct chorus_command *command,
                        const char **why) {
  static const struct {
    enum argument argument;
    uint16_t number;
    uint32_t max;
    const char *complaint;
  } plain[] = {
      {NO_RESPONSE, REF_OPTION_NO_RESPONSE, 255, "no-response is a number from 0 to 255"},
      {ACCEPT, REF_OPTION_ACCEPT, UINT16_MAX, "accept is a number from 0 to 65535"},
      {CONTENT_FORMAT, REF_OPTION_CONTENT_FORMAT, UINT16_MAX,
       "content-format is a number from 0 to 65535"},
      {OBSERVE, REF_OPTION_OBSERVE, 0xffffff, "observe is a number, 0 or 1"},
  };
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
    const char *text = d->values[plain[i].argument];
    int status = read_uint_option(d, text, plain[i].number, plain[i].max, plain[i].complaint, why);
    if (status != CHORUS_OK) return status;
  }
  return d->values[OPTION] ? read_raw_options(d, command, why) : CHORUS_OK;
}

static int read_rest(struct ref_client *c, struct ref_draft *d,
                     const struct chorus_command *command, const char **why) {
  const char *timeout = d->values[TIMEOUT], *hops = d->values[HOP_LIMIT];
  uint32_t hop_limit = d->exchange.group ? c->group_hop_limit : 0;
  bool present;
  d->exchange.timeout = d->exchange.group ? 20 * CHORUS_SECOND : REF_MAX_TRANSMIT_WAIT;
  if (timeout && (!ref_parse_duration(timeout, &d->exchange.timeout) || !d->exchange.timeout))
    return bad(why, "timeout is a duration such as 5s, 200ms, 2min");
  if (hops && (!ref_parse_number(hops, 255, &hop_limit) || hop_limit == 0))
    return bad(why, "hop-limit is a number from 1 to 255");
  d->hop_limit = (uint8_t)hop_limit;
  if (!d->values[PAYLOAD] && !d->values[PAYLOAD_HEX]) return CHORUS_OK;
  return ref_command_payload(command, d->payload, sizeof d->payload, &d->payload_length, &present,
                             why);
}

static int read_command(struct ref_client *c, struct ref_draft *d,
                        const struct chorus_command *command, const char **why) {
  if (!ref_command_read(command, request_arguments, d->values, c->why, why))
    return CHORUS_UNSUPPORTED;
  d->exchange.id = d->values[ID];
  d->exchange.no_response = -1;
  if (!d->exchange.id) return bad(why, "request: id is missing");
  if (!d->values[URI]) return bad(why, "request: uri is missing");
  int status = ref_uri_recall(&c->last_uri, d->values[URI], &d->uri, &d->options, why);
  if (status != CHORUS_OK) return status;
  d->exchange.destination = d->uri.destination;
  d->exchange.group = chorus_is_group(&d->uri.destination);
  status = read_method(d, d->values[METHOD], why);
  if (status == CHORUS_OK) status = read_type(d, d->values[TYPE], why);
  if (status == CHORUS_OK) status = read_token(d, d->values[TOKEN], why);
  if (status == CHORUS_OK) status = read_options(d, command, why);
  if (status == CHORUS_OK) status = read_rest(c, d, command, why);
  return status;
}

/* Options that must not or cannot go to a group: ETag (8.2.1), Block1 and later blocks (RFC
 * 7959, 2.8). */
static int check_group_options(const struct ref_draft *d, const char **why) {
  for (size_t i = 0; d->exchange.group && i < d->options.count; i++) {
    uint16_t number = d->options.item[i].number;
    uint32_t value =
        ref_option_uint(d->options.store + d->options.item[i].offset, d->options.item[i].length);
    if (number == REF_OPTION_ETAG && d->exchange.method == 1)
      return refuse(why, "no ETag in a GET to a group (RFC 7252, section 8.2.1)");
    if (number == REF_OPTION_BLOCK1)
      return refuse(why, "Block1 is not defined for groups (RFC 7959, section 2.8)");
    if (number == REF_OPTION_BLOCK2 && value >> 4 != 0)
      return refuse(why, "only the first block can be asked of a group (RFC 7959, section 2.8)");
  }
  return CHORUS_OK;
}

static int choose_token(struct ref_client *c, struct ref_draft *d, const struct ref_env *env,
                        const char **why) {
  struct ref_exchange *x = &d->exchange;
  if (d->forced_token_length >= 0) {
    x->token_length = (uint8_t)d->forced_token_length;
    memcpy(x->token, d->forced_token, sizeof x->token);
    if (ref_tokens_is_free(&c->tokens, x->token, x->token_length)) return CHORUS_OK;
    return refuse(why, "this Token is in use, or waits for its reuse time");
  }
  struct ref_token_view view = ref_tokens_view(&c->tokens);
  x->token_length = c->token_length;
  if (c->policy->token(env, &view, c->token_length, x->token)) return CHORUS_OK;
  return refuse(why, "no Token is free");
}

/* Asks the policies whether and how the request may be made. */
static int settle(struct ref_client *c, struct ref_draft *d, chorus_time now, const char **why) {
  struct ref_env env = ref_client_env(c, now);
  int status = c->policy->check_uri(&env, &d->uri.destination, d->uri.secure, why);
  if (status == CHORUS_OK && d->uri.secure) return refuse(why, "coaps: there is no DTLS here");
  if (status == CHORUS_OK) status = check_group_options(d, why);
  if (status != CHORUS_OK) return status;
  int type = c->policy->request_type(&env, d->exchange.group, d->type);
  if (type < 0) return refuse(why, "a group request is Non-confirmable (RFC 7252, section 8.1)");
  d->exchange.type = (uint8_t)type;
  c->policy->options(&env, &d->exchange, &d->options);
  return choose_token(c, d, &env, why);
}

/* A request of one block of memory: the structure, |length| octets of message, two texts. */
static struct ref_client_request *new_request(const struct ref_draft *d, const uint8_t *octets,
                                              size_t length) {
  size_t id = strlen(d->exchange.id) + 1, path = ref_path_compose(&d->options, NULL, 0) + 1;
  struct ref_client_request *r = malloc(sizeof *r + length + id + path);
  if (!r) return NULL;
  char *texts = (char *)r->octets + length;
  *r = (struct ref_client_request){.exchange = d->exchange,
                                   .id = memcpy(texts, d->exchange.id, id),
                                   .path = texts + id,
                                   .payload_offset = length - d->payload_length,
                                   .length = (uint16_t)length,
                                   .hop_limit = d->hop_limit};
  r->exchange.id = r->id;
  ref_path_compose(&d->options, texts + id, path);
  memcpy(r->octets, octets, length);
  return r;
}

/* Encodes the message, with Message ID 0 so far. NULL with |*status| set. */
static struct ref_client_request *make_request(const struct ref_draft *d, int *status,
                                               const char **why) {
  uint8_t octets[REF_MESSAGE_MAX];
  struct ref_writer w;
  ref_writer_begin(&w, octets, sizeof octets, d->exchange.type, d->exchange.method, 0,
                   d->exchange.token, d->exchange.token_length);
  ref_writer_list(&w, &d->options);
  ref_writer_payload(&w, d->payload, d->payload_length);
  size_t length = ref_writer_end(&w);
  if (length == 0) {
    *why = "the message exceeds 1152 octets (RFC 7252, section 4.6)";
    *status = CHORUS_TOO_LARGE;
    return NULL;
  }
  *status = CHORUS_NO_MEMORY;
  return new_request(d, octets, length);
}

static void event_of(struct chorus_event *event, const struct ref_client_request *r,
                     enum chorus_event_type type) {
  *event = (struct chorus_event){.type = type,
                                 .request = r->id,
                                 .path = r->path,
                                 .peer = r->exchange.destination,
                                 .token_length = r->exchange.token_length,
                                 .has_message = true,
                                 .group = r->exchange.group,
                                 .message_type = r->exchange.type,
                                 .code = r->exchange.method,
                                 .mid = r->exchange.mid};
  memcpy(event->token, r->exchange.token, sizeof event->token);
  event->payload = r->octets + r->payload_offset;
  event->payload_length = r->length - r->payload_offset;
}

static void set_mid(struct ref_client_request *r, uint16_t mid) {
  r->exchange.mid = mid;
  r->octets[2] = (uint8_t)(mid >> 8);
  r->octets[3] = (uint8_t)mid;
}

static void transmitted(struct ref_client *c, struct ref_client_request *r, chorus_time now) {
  struct ref_env env = ref_client_env(c, now);
  r->exchange.last = now;
  r->listen_until = c->policy->listen_until(&env, &r->exchange);
}

void ref_client_started(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                        uint16_t mid) {
  struct chorus_event event;
  set_mid(r, mid);
  r->sent = true;
  r->exchange.first = r->message_first = now;
  transmitted(c, r, now);
  event_of(&event, r, CHORUS_EVENT_REQUEST);
  event.timeout = r->exchange.timeout;
  ref_emit(c->host, &event);
}

static void emit_repeat(struct ref_client *c, const struct ref_client_request *r,
                        const char *detail) {
  struct chorus_event event;
  event_of(&event, r, CHORUS_EVENT_REPEAT);
  event.detail = detail;
  ref_emit(c->host, &event);
}

void ref_client_followed_up(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                            const struct chorus_endpoint *destination, uint16_t mid) {
  struct chorus_event event;
  transmitted(c, r, now);
  event_of(&event, r, CHORUS_EVENT_REPEAT);
  event.detail = "unicast";
  event.peer = *destination;
  event.message_type = REF_CON;
  event.mid = mid;
  ref_emit(c->host, &event);
}

static bool take_mid(struct ref_client *c, const struct ref_client_request *r, chorus_time now,
                     uint16_t *mid) {
  struct ref_env env = ref_client_env(c, now);
  uint16_t fresh;
  if (!ref_mids_take(&c->mids, now, &fresh)) return false;
  *mid = c->policy->message_id(&env, r->exchange.group, fresh);
  return true;
}

static int send_request(struct ref_client *c, const struct ref_client_request *r) {
  return ref_client_send(c, &r->exchange.destination, r->hop_limit, r->octets, r->length);
}

/* Confirmable requests go through the queue of their server; others go at once. */
static int launch(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                  const char **why) {
  uint16_t mid;
  if (r->exchange.type == REF_CON) {
    bool added =
        ref_transmission_add(c, r, now, &r->exchange.destination, r->octets, r->length, false);
    return added ? CHORUS_OK : CHORUS_NO_MEMORY;
  }
  if (!take_mid(c, r, now, &mid)) return refuse(why, "no Message ID is free");
  ref_client_started(c, r, now, mid);
  send_request(c, r);
  return CHORUS_OK;
}

static void unlink_request(struct ref_client *c, struct ref_client_request *r) {
  struct ref_client_request **at = &c->requests;
  while (*at != r) at = &(*at)->next;
  *at = r->next;
}

static int issue(struct ref_client *c, const struct ref_draft *d, chorus_time now,
                 const char **why) {
  int status;
  struct ref_client_request *r = make_request(d, &status, why);
  if (!r) return status;
  if (!ref_tokens_take(&c->tokens, r->exchange.token, r->exchange.token_length)) {
    free(r);
    return CHORUS_NO_MEMORY;
  }
  r->listen_until = CHORUS_NEVER;
  r->next = c->requests;
  c->requests = r;
  status = launch(c, r, now, why);
  if (status == CHORUS_OK) return CHORUS_OK;
  ref_tokens_retire(&c->tokens, r->exchange.token, r->exchange.token_length, now);
  unlink_request(c, r);
  free(r);
  return status;
}

static void emit_refused(struct ref_client *c, const char *id, const char *why) {
  struct chorus_event event = {.type = CHORUS_EVENT_REFUSED, .request = id, .detail = why};
  ref_emit(c->host, &event);
}

struct ref_client_request *ref_client_find_id(struct ref_client *c, const char *id) {
  for (struct ref_client_request *r = c->requests; id && r; r = r->next)
    if (strcmp(r->id, id) == 0) return r;
  return NULL;
}

static int command_request(struct ref_client *c, chorus_time now,
                           const struct chorus_command *command, const char **why) {
  struct ref_draft *d = draft_begin(c);
  if (!d) return CHORUS_NO_MEMORY;
  int status = read_command(c, d, command, why);
  if (status == CHORUS_OK && ref_client_find_id(c, d->exchange.id))
    status = bad(why, "request: this id belongs to a request that is still going on");
  if (status == CHORUS_OK) status = settle(c, d, now, why);
  if (status == CHORUS_OK) status = issue(c, d, now, why);
  if (status == CHORUS_REFUSED || status == CHORUS_TOO_LARGE) emit_refused(c, d->exchange.id, *why);
  return status;
}

int ref_client_get(struct ref_client *c, chorus_time now, const char *id, const char *uri,
                   const char **why) {
  const struct chorus_argument arguments[] = {{"id", id}, {"uri", uri}};
  const struct chorus_command command = {.verb = "request", .arguments = arguments, .count = 2};
  return command_request(c, now, &command, why);
}

/* A unicast repeat: Confirmable, a Message ID of its own, otherwise the same (seed 2.3.5). */
static int follow_up(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                     const struct chorus_endpoint *to) {
  uint8_t octets[REF_MESSAGE_MAX];
  memcpy(octets, r->octets, r->length);
  octets[0] = (uint8_t)((octets[0] & 0xcfu) | (unsigned)REF_CON << 4);
  bool added = ref_transmission_add(c, r, now, to, octets, r->length, true);
  return added ? CHORUS_OK : CHORUS_NO_MEMORY;
}

static int repeat_now(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                      enum ref_repeat how, const struct chorus_endpoint *to, const char **why) {
  struct ref_env env = ref_client_env(c, now);
  int status = c->policy->repeat(&env, &r->exchange, how, now - r->message_first, why);
  if (status != CHORUS_OK) return status;
  if (how == REF_REPEAT_UNICAST) return follow_up(c, r, now, to);
  if (how == REF_REPEAT_NEW_MID) {
    uint16_t mid;
    if (!take_mid(c, r, now, &mid)) return refuse(why, "no Message ID is free");
    set_mid(r, mid);
    r->message_first = now;
  }
  ref_mids_touch(&c->mids, now, r->exchange.mid);
  transmitted(c, r, now);
  emit_repeat(c, r, how == REF_REPEAT_SAME_MID ? "same-mid" : "new-mid");
  send_request(c, r);
  return CHORUS_OK;
}

static int read_repeat(const struct chorus_command *command, enum ref_repeat *how,
                       struct chorus_endpoint *to, const char **why) {
  const char *mid = chorus_argument_get(command, "mid");
  const char *text = chorus_argument_get(command, "to");
  *how = REF_REPEAT_NEW_MID;
  if (mid && strcmp(mid, "same") == 0)
    *how = REF_REPEAT_SAME_MID;
  else if (mid && strcmp(mid, "new") != 0)
    return bad(why, "mid is same or new");
  if (!text) return CHORUS_OK;
  if (mid && *how == REF_REPEAT_SAME_MID)
    return bad(why, "a unicast repeat always has a new Message ID (section 2.3.5)");
  *how = REF_REPEAT_UNICAST;
  if (!chorus_endpoint_parse(text, CHORUS_COAP_PORT, to) || chorus_is_group(to))
    return bad(why, "to is a unicast endpoint such as [2001:db8::1]:5683");
  return CHORUS_OK;
}

static int command_repeat(struct ref_client *c, chorus_time now,
                          const struct chorus_command *command, const char **why) {
  static const char *const known[] = {"of", "mid", "to", NULL};
  enum ref_repeat how;
  struct chorus_endpoint to;
  if (!ref_command_known(command, known, c->why, why)) return CHORUS_UNSUPPORTED;
  const char *of = chorus_argument_get(command, "of");
  if (!of) return bad(why, "repeat: of is missing");
  int status = read_repeat(command, &how, &to, why);
  if (status != CHORUS_OK) return status;
  struct ref_client_request *r = ref_client_find_id(c, of);
  if (!r || !r->sent)
    status = refuse(why, "repeat: no request with this id is going on");
  else
    status = repeat_now(c, r, now, how, &to, why);
  if (status == CHORUS_REFUSED) emit_refused(c, of, *why);
  return status;
}

static int command_forget(struct ref_client *c, chorus_time now,
                          const struct chorus_command *command, const char **why) {
  static const char *const known[] = {"of", NULL};
  if (!ref_command_known(command, known, c->why, why)) return CHORUS_UNSUPPORTED;
  struct ref_client_request *r = ref_client_find_id(c, chorus_argument_get(command, "of"));
  if (!r) return bad(why, "forget: no request with this id is going on");
  ref_client_finish(c, r, now, REF_END_CANCELLED);
  return CHORUS_OK;
}

/* Requests and what was received are lost; Tokens and Message IDs in use are not (token.h, mid.h).
 */
static int read_port(const struct ref_client *c, const struct chorus_command *command,
                     uint16_t *port, const char **why) {
  const char *text = chorus_argument_get(command, "port");
  uint32_t number = c->port;
  if (text && (!ref_parse_number(text, UINT16_MAX, &number) || number == 0))
    return bad(why, "restart: port is a number from 1 to 65535");
  if (number == CHORUS_COAPS_PORT)
    return bad(why, "restart: port 5684 is not for group communication");
  *port = (uint16_t)number;
  return CHORUS_OK;
}

/*
 * On another port it is another endpoint, to which the Tokens of the old one mean nothing (RFC
 * 7252, section 5.3.1). It does not come back: there they may still be in use.
 */
static int move(struct ref_client *c, uint16_t port, const char **why) {
  if (port == c->port) return CHORUS_OK;
  for (unsigned i = 0; i < c->left_count; i++)
    if (c->left[i] == port) return refuse(why, "restart: the client had this port before");
  if (c->left_count == REF_CLIENT_PORTS) return refuse(why, "restart: too many ports");
  int status = c->host->ops->open(c->host->context, port);
  if (status != CHORUS_OK) return status;
  c->host->ops->close(c->host->context, c->port);
  c->left[c->left_count++] = c->port;
  c->port = port;
  ref_transmission_free_all(c);
  ref_tokens_free(&c->tokens);
  return CHORUS_OK;
}

static int command_restart(struct ref_client *c, chorus_time now,
                           const struct chorus_command *command, const char **why) {
  static const char *const known[] = {"port", NULL};
  struct chorus_event event = {.type = CHORUS_EVENT_RESTART};
  uint16_t port;
  if (!ref_command_known(command, known, c->why, why)) return CHORUS_UNSUPPORTED;
  int status = read_port(c, command, &port, why);
  if (status != CHORUS_OK) return status;
  while (c->requests) ref_client_finish(c, c->requests, now, REF_END_RESTART);
  ref_dedup_free(&c->dedup);
  ref_exchanges_free(&c->exchanges);
  ref_mids_start(&c->mids, now, c->host->ops->random(c->host->context, REF_RANDOM_MID));
  status = move(c, port, why);
  ref_emit(c->host, &event);
  return status;
}

int ref_client_command(void *node, chorus_time now, const struct chorus_command *command,
                       const char **why) {
  static const struct {
    const char *verb;
    int (*run)(struct ref_client *, chorus_time, const struct chorus_command *, const char **);
  } verbs[] = {{"request", command_request},
               {"repeat", command_repeat},
               {"follow", ref_client_command_follow},
               {"forget", command_forget},
               {"restart", command_restart}};
  struct ref_client *c = node;
  *why = "no memory";
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    if (strcmp(command->verb, verbs[i].verb) != 0) continue;
    int status = verbs[i].run(c, now, command, why);
    ref_client_schedule(c);
    return status;
  }
  *why = "a client knows the verbs request, repeat, follow, forget and restart";
  return CHORUS_UNSUPPORTED;
}
