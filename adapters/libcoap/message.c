/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of libcoap as the members of events. */
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "role.h"

static const char *const methods[] = {NULL,     "GET",   "POST",  "PUT",
                                      "DELETE", "FETCH", "PATCH", "iPATCH"};
enum { METHODS = sizeof methods / sizeof *methods };

const char *code_text(coap_pdu_code_t code, char text[12]) {
  unsigned number = (unsigned)code & 0xff;
  if (number > 0 && number < METHODS) return methods[number];
  snprintf(text, 12, "%u.%02u", number >> 5, number & 31);
  return text;
}

coap_pdu_code_t method_code(const char *name) {
  for (unsigned i = 1; i < METHODS; i++)
    if (strcmp(methods[i], name) == 0) return (coap_pdu_code_t)i;
  return (coap_pdu_code_t)0;
}

void event_message(json_t *event, const coap_pdu_t *pdu) {
  static const char *const types[] = {"CON", "NON", "ACK", "RST"};
  coap_bin_const_t token = coap_pdu_get_token(pdu);
  char text[12];
  event_text(event, "type", types[coap_pdu_get_type(pdu) & 3]);
  event_text(event, "code", code_text(coap_pdu_get_code(pdu), text));
  json_object_set_new(event, "mid", json_integer(coap_pdu_get_mid(pdu)));
  event_hex(event, "token", token.s, token.length);
}

void event_endpoint(json_t *event, const char *member, const coap_address_t *address) {
  char text[ENDPOINT_TEXT];
  endpoint_print(address, text);
  event_text(event, member, text);
}
