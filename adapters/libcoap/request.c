/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "role.h"

static const uint64_t SECOND = 1000000000u;

/* Options of a command that are numbers. */
static const struct {
  const char *name;
  coap_option_num_t number;
  uint32_t most;
} number_options[] = {{"observe", COAP_OPTION_OBSERVE, 0xffffff},
                      {"content-format", COAP_OPTION_CONTENT_FORMAT, 65535},
                      {"accept", COAP_OPTION_ACCEPT, 65535},
                      {"no-response", COAP_OPTION_NORESPONSE, 255}};

static bool insert(struct request *r, unsigned number, const uint8_t *data, size_t length,
                   struct outcome *outcome) {
  coap_optlist_t *option = coap_new_optlist((uint16_t)number, length, data);
  if (option && coap_insert_optlist(&r->options, option)) return true;
  return fail(outcome, REFUSED, "libcoap did not take option %u", number);
}

/* ---- the URI ---- */

typedef int (*splitter)(const uint8_t *text, size_t length, unsigned char *buffer, size_t *room);

/* libcoap's splitters decode path or query into a row of options. */
static bool insert_split(struct request *r, unsigned number, const coap_str_const_t *text,
                         splitter split, struct outcome *outcome) {
  unsigned char buffer[1200], *at = buffer;
  size_t room = sizeof buffer;
  if (text->length == 0) return true;
  int n = split(text->s, text->length, buffer, &room);
  if (n < 0) return fail(outcome, BAD_ARGUMENT, "uri: the path or the query is too long");
  for (; n > 0; n--, at += coap_opt_size(at))
    if (!insert(r, number, coap_opt_value(at), coap_opt_length(at), outcome)) return false;
  return true;
}

static bool read_uri(struct request *r, const char *text, const char *interface,
                     struct outcome *outcome) {
  coap_uri_t uri;
  if (coap_split_uri((const uint8_t *)text, strlen(text), &uri) < 0)
    return fail(outcome, BAD_ARGUMENT, "uri: libcoap does not read %.100s", text);
  if (uri.scheme != COAP_URI_SCHEME_COAP)
    return fail(outcome, REFUSED, "uri: %.100s: the scheme is coap, this libcoap has no DTLS",
                text);
  if (!endpoint_parse_host((const char *)uri.host.s, uri.host.length, interface, &r->address))
    return fail(outcome, BAD_ARGUMENT, "uri: %.100s: address literals only", text);
  coap_address_set_port(&r->address, uri.port);
  const char *path = strchr(text + strlen("coap://"), '/');
  r->path = path ? path : "/";
  return insert_split(r, COAP_OPTION_URI_PATH, &uri.path, coap_split_path, outcome) &&
         insert_split(r, COAP_OPTION_URI_QUERY, &uri.query, coap_split_query, outcome);
}

/* ---- other arguments ---- */

static bool read_method(struct request *r, const json_t *pairs, struct outcome *outcome) {
  const char *method = argument(pairs, "method");
  r->method = method_code(method ? method : "GET");
  return r->method || fail(outcome, BAD_ARGUMENT, "method: %.40s is none", method);
}

/* libcoap leaves the type to the application. */
static bool read_type(struct request *r, const json_t *pairs, struct outcome *outcome) {
  const char *type = argument(pairs, "type");
  if (!type || strcmp(type, "auto") == 0)
    r->type = coap_is_mcast(&r->address) ? COAP_MESSAGE_NON : COAP_MESSAGE_CON;
  else if (strcmp(type, "NON") == 0)
    r->type = COAP_MESSAGE_NON;
  else if (strcmp(type, "CON") == 0)
    r->type = COAP_MESSAGE_CON;
  else
    return fail(outcome, BAD_ARGUMENT, "type: %.40s is none of auto, NON, CON", type);
  return true;
}

static bool read_token(struct request *r, const json_t *pairs, struct outcome *outcome) {
  const char *token = argument(pairs, "token");
  if (!token) return true;
  r->token_given = true;
  if (!octets_from_hex("token", token, &r->token, outcome)) return false;
  return r->token.length <= 8 || fail(outcome, BAD_ARGUMENT, "token: more than 8 octets");
}

static bool read_number_options(struct request *r, const json_t *pairs, struct outcome *outcome) {
  for (size_t i = 0; i < sizeof number_options / sizeof *number_options; i++) {
    uint32_t number = 0;
    bool given = false;
    uint8_t data[4];
    if (!argument_number(pairs, number_options[i].name, number_options[i].most, &number, &given,
                         outcome))
      return false;
    if (!given) continue;
    if (number_options[i].number == COAP_OPTION_OBSERVE) r->observes = number == 0;
    unsigned length = coap_encode_var_safe(data, sizeof data, number);
    if (!insert(r, number_options[i].number, data, length, outcome)) return false;
  }
  return true;
}

/* `number=hex` */
static bool read_option(struct request *r, const char *text, struct outcome *outcome) {
  char *equals;
  struct octets value;
  unsigned long number = strtoul(text, &equals, 10);
  if (equals == text || *equals != '=' || number > 65535 || *text < '0' || *text > '9')
    return fail(outcome, BAD_ARGUMENT, "option: %.40s is not of the form number=hex", text);
  if (!octets_from_hex("option", equals + 1, &value, outcome)) return false;
  bool good = insert(r, (unsigned)number, value.data, value.length, outcome);
  free(value.data);
  return good;
}

static bool read_options(struct request *r, const json_t *pairs, struct outcome *outcome) {
  for (size_t i = 0; i < json_array_size(pairs); i++) {
    const json_t *pair = json_array_get(pairs, i);
    if (strcmp(json_string_value(json_array_get(pair, 0)), "option") != 0) continue;
    if (!read_option(r, json_string_value(json_array_get(pair, 1)), outcome)) return false;
  }
  return true;
}

/* docs/commands.md: 20 s for groups, 93 s for servers. */
static bool read_timeout(struct request *r, const json_t *pairs, struct outcome *outcome) {
  r->timeout = (coap_is_mcast(&r->address) ? 20 : 93) * SECOND;
  return argument_duration(pairs, "timeout", &r->timeout, &r->timeout_given, outcome);
}

static bool read_hop_limit(struct request *r, const json_t *pairs, struct outcome *outcome) {
  bool given = false;
  if (!argument_number(pairs, "hop-limit", 255, &r->hop_limit, &given, outcome)) return false;
  if (given && r->hop_limit == 0) return fail(outcome, BAD_ARGUMENT, "hop-limit: from 1 to 255");
  if (given && !coap_is_mcast(&r->address))
    return fail(outcome, REFUSED, "hop-limit: libcoap sets it for groups alone");
  return true;
}

static bool read_all(struct request *r, const json_t *pairs, const char *interface,
                     struct outcome *outcome) {
  const char *uri = argument(pairs, "uri");
  bool given;
  r->id = argument(pairs, "id");
  if (!r->id || !*r->id) return fail(outcome, BAD_ARGUMENT, "id is needed");
  if (!uri) return fail(outcome, BAD_ARGUMENT, "uri is needed");
  return read_uri(r, uri, interface, outcome) && read_method(r, pairs, outcome) &&
         read_type(r, pairs, outcome) && argument_payload(pairs, &r->payload, &given, outcome) &&
         read_token(r, pairs, outcome) && read_number_options(r, pairs, outcome) &&
         read_options(r, pairs, outcome) && read_timeout(r, pairs, outcome) &&
         read_hop_limit(r, pairs, outcome);
}

bool request_read(struct request *r, const json_t *pairs, const char *interface,
                  struct outcome *outcome) {
  static const char *const known[] = {
      "id",          "uri",    "method",      "type",      "payload",
      "payload-hex", "token",  "no-response", "accept",    "content-format",
      "observe",     "option", "timeout",     "hop-limit", NULL};
  *r = (struct request){0};
  if (!arguments_good(pairs, known, "option", outcome)) return false;
  if (read_all(r, pairs, interface, outcome)) return true;
  request_free(r);
  return false;
}

void request_free(struct request *r) {
  free(r->payload.data);
  free(r->token.data);
  coap_delete_optlist(r->options);
}

/* ---- the message ---- */

static bool fill_token(const struct request *r, coap_session_t *session, coap_pdu_t *pdu) {
  uint8_t token[8];
  size_t length = 0;
  if (r->token_given) return coap_add_token(pdu, r->token.length, r->token.data);
  coap_session_new_token(session, &length, token);
  return coap_add_token(pdu, length, token);
}

static void release_copy(coap_session_t *session, void *copy) {
  (void)session;
  free(copy);
}

static bool fill_payload(const struct request *r, coap_session_t *session, coap_pdu_t *pdu) {
  if (r->payload.length == 0) return true;
  uint8_t *copy = malloc(r->payload.length);
  if (!copy) return false;
  memcpy(copy, r->payload.data, r->payload.length);
  return coap_add_data_large_request(session, pdu, r->payload.length, copy, release_copy, copy);
}

bool request_fill(struct request *r, coap_session_t *session, coap_pdu_t *pdu,
                  struct outcome *outcome) {
  if (!fill_token(r, session, pdu)) return fail(outcome, REFUSED, "libcoap did not take the token");
  if (r->options && !coap_add_optlist_pdu(pdu, &r->options))
    return fail(outcome, TOO_LARGE, "libcoap did not take the options");
  if (!fill_payload(r, session, pdu))
    return fail(outcome, TOO_LARGE, "libcoap did not take the payload");
  return true;
}
