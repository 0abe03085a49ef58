/* SPDX-License-Identifier: BSD-2-Clause */
/* A resource as an application of libcoap serves it. */
#ifndef CHORUS_ADAPTER_RESOURCE_H
#define CHORUS_ADAPTER_RESOURCE_H

#include "arguments.h"
#include "role.h"

enum resource_kind { RESOURCE_STATE, RESOURCE_COUNTER, RESOURCE_FIXED };

struct resource {
  char *path;            /* begins with / */
  const json_t *what;    /* of the start message */
  coap_resource_t *live; /* in the present context, or NULL */
  enum resource_kind kind;
  uint32_t methods; /* bits 1 << code */
  coap_pdu_code_t fixed_code;
  coap_tick_t processing;
  int content_format; /* -1: none */
  struct octets initial, present;
  bool exists;
  coap_pdu_code_t override; /* by `set`; 0: none */
};

/* Fills a resource from the start message, which outlives it. */
bool resource_read(struct resource *r, const char *path, const json_t *what,
                   struct outcome *outcome);
void resource_free(struct resource *r);
/* Makes it known to a context. */
bool resource_publish(struct resource *r, coap_context_t *context);
/* What a restart does to it; says `state` if that changes it. */
void resource_reset(struct resource *r);
/* The command `set`. */
bool resource_set(struct resource *r, const json_t *pairs, struct outcome *outcome);

#endif
