/* SPDX-License-Identifier: BSD-2-Clause */
/* What the main loop knows of a role. */
#ifndef CHORUS_ADAPTER_ROLE_H
#define CHORUS_ADAPTER_ROLE_H

#include <coap3/coap.h>

#include "arguments.h"
#include "lines.h"

struct role {
  const char *name;
  /* NULL: refused, |outcome| says why. |start| stays valid until close(). */
  void *(*open)(const json_t *start, struct outcome *outcome);
  coap_context_t *(*context)(void *self);
  /* Carries out a command; |outcome| is OK before. */
  void (*command)(void *self, const char *verb, const json_t *pairs, struct outcome *outcome);
  /* Ends what is due; milliseconds until the next deadline, -1: there is none. */
  int (*due)(void *self);
  void (*close)(void *self);
};

extern const struct role server_role, client_role;

/* Members of `start`, with what they are when absent. */
const char *start_text(const json_t *start, const char *member, const char *absent);
uint16_t start_port(const json_t *start, uint16_t absent);
/* The name of the only interface. */
const char *start_interface(const json_t *start);

/* Token, Message ID and type of a message, as members of an event. */
void event_message(json_t *event, const coap_pdu_t *pdu);
void event_endpoint(json_t *event, const char *member, const coap_address_t *address);
/* "GET" or "2.05". */
const char *code_text(coap_pdu_code_t code, char text[12]);
/* A method by its name; 0: there is none. */
coap_pdu_code_t method_code(const char *name);

#endif
