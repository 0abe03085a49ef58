/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference implementation: a CoAP server and a CoAP client for group communication
 * (draft-dijk-core-groupcomm-bis-03, RFC 7252, RFC 7967, RFC 6690) as sans-I/O state machines
 * behind the Node seam. No socket, no clock, no randomness of its own. What a node decides for
 * itself is a function in a policy table (chorus/policy.h).
 */
#ifndef CHORUS_REFERENCE_H
#define CHORUS_REFERENCE_H

#include "chorus/node.h"
#include "chorus/policy.h"
#include "chorus/types.h"

/* Suppression of responses to group requests, as a set. */
enum ref_suppress {
  REF_SUPPRESS_2XX = 1u << 0,
  REF_SUPPRESS_4XX = 1u << 1,
  REF_SUPPRESS_5XX = 1u << 2,
  REF_SUPPRESS_EMPTY_205 = 1u << 3, /* 2.05 with an empty payload (RFC 7390, section 2.7) */
};

/* How a resource behaves. */
enum ref_resource_kind {
  REF_RESOURCE_STATE = 0, /* GET reads, PUT replaces, POST appends, DELETE removes the resource */
  REF_RESOURCE_COUNTER, /* POST adds one (a side effect that repeats show); GET reads the number */
  REF_RESOURCE_FIXED,   /* always answers |code| with |payload| */
};

enum ref_method {
  REF_GET = 1u << 1,
  REF_POST = 1u << 2,
  REF_PUT = 1u << 3,
  REF_DELETE = 1u << 4,
  REF_FETCH = 1u << 5,
  REF_PATCH = 1u << 6,
  REF_IPATCH = 1u << 7
};

/* A resource of a server, as configured. Strings and payload are copied. */
struct ref_resource {
  const char *path; /* "/a%20b", as RFC 7252, section 6.5, composes it; no query */
  enum ref_resource_kind kind;
  uint32_t methods;        /* REF_GET | ...; others get 4.05. 0: all that its kind knows */
  const uint8_t *payload;  /* initial representation */
  size_t payload_length;   /* octets, 0 to 1024 */
  uint16_t content_format; /* RFC 7252, section 12.3; UINT16_MAX: none */
  uint8_t code;            /* FIXED: the Response Code; 0: 2.05 */
  uint32_t suppress;       /* default response suppression for group requests, REF_SUPPRESS_* */
  bool no_response;        /* honours the No-Response option (RFC 7967) */
  bool unicast_only;       /* not enabled for group requests (seed 2.3.4, third bullet list) */
  bool hidden;             /* not listed in /.well-known/core */
  const char *attributes;  /* link attributes, e.g. "rt=\"light lamp\";if=\"a\"", or NULL */
  chorus_time processing;  /* extra time before a response to unicast (separate response), ns */
};

/*
 * Where servers live. Many servers in one process are faster when their memory is contiguous and in
 * huge pages.
 */
struct ref_allocator {
  /* |size| octets, a multiple of 64, aligned to 64; NULL: no memory. */
  void *(*allocate)(void *context, size_t size);
  void (*release)(void *context, void *memory); /* NULL: memory is given back in another way */
  void *context;
};

struct ref_server_config {
  const struct ref_resource *resources;
  size_t resource_count;
  const struct chorus_endpoint *groups; /* joined at start, address and port */
  size_t group_count;
  uint16_t port;       /* unicast port; 0: 5683 */
  chorus_time leisure; /* Leisure period, ns; 0: DEFAULT_LEISURE, 5 s (RFC 7252, section 4.8) */
  bool no_dedup;       /* do not de-duplicate NON messages (it is optional: seed 2.3.1) */
  bool no_filter;      /* no RFC 6690 query filtering */
  bool no_discovery;   /* no /.well-known/core, and no All CoAP Nodes groups by default */
  bool authorised_relaxation_only; /* No-Response may only widen suppression (seed 5.4) */
  bool multicast_unaware; /* cannot tell how a message came: resets, also to a group, what it cannot
                             process (RFC 7252, section 8.1) */
  uint32_t response_rate; /* responses per second per source and at most; 0: 20 (COAP-4.7-03) */
  const struct ref_server_policy *policy; /* NULL: the reference's own; must outlive the server */
  void *policy_context;                   /* handed to each policy */
  const struct ref_allocator *allocator;  /* NULL: the heap; copied, its context must outlive */
};

struct ref_client_config {
  uint16_t port;        /* source port; 0: 40000 */
  uint8_t token_length; /* 0 to 8 octets; 0 with |empty_token| only, else 0 means 8 */
  bool empty_token;     /* Tokens of length 0: one request at a time per reuse time */
  /* MSRD, ns, more than 5 s (RFC 7967, section 3.1); 0: unknown, 250 s is assumed (seed 2.3.1) */
  chorus_time max_server_response_delay;
  uint8_t group_hop_limit;                /* 0: host default */
  const struct ref_client_policy *policy; /* NULL: the reference's own; must outlive the client */
  void *policy_context;
};

/*
 * Makes a node. The configuration is copied, but for the policy. NULL without memory or with a
 * configuration that makes no sense (then |why|, if not NULL, gets a static text).
 */
struct chorus_node ref_server_new(const struct ref_server_config *config, const char **why);
void ref_server_free(struct chorus_node node);
struct chorus_node ref_client_new(const struct ref_client_config *config, const char **why);
void ref_client_free(struct chorus_node node);

/* Octets that one idle server takes in all (at most 2 KiB with up to four resources; tested). */
size_t ref_server_footprint(const struct chorus_node *node);

#endif
