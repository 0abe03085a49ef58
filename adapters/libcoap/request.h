/* SPDX-License-Identifier: BSD-2-Clause */
/* The command `request` (docs/commands.md), and the message that libcoap makes of it. */
#ifndef CHORUS_ADAPTER_REQUEST_H
#define CHORUS_ADAPTER_REQUEST_H

#include <coap3/coap.h>

#include "arguments.h"

struct request {
  const char *id;   /* of the command, as the other texts */
  const char *path; /* with query, as the URI has it */
  coap_address_t address;
  coap_pdu_type_t type;
  coap_pdu_code_t method;
  struct octets payload, token;
  bool token_given, observes, timeout_given;
  uint64_t timeout;   /* ns */
  uint32_t hop_limit; /* 0: none given */
  coap_optlist_t *options;
};

/* Reads a command; true: the caller frees it with request_free(). */
bool request_read(struct request *r, const json_t *pairs, const char *interface,
                  struct outcome *outcome);
/* Puts Token, options and payload into a message. */
bool request_fill(struct request *r, coap_session_t *session, coap_pdu_t *pdu,
                  struct outcome *outcome);
void request_free(struct request *r);

#endif
