/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Node seam: everything that takes part in a network is a node (reference server, client, a
 * mutant of them, a tester, an attacker, a stack behind a pipe). A node is a table of functions;
 * what it may ask of its host is another table. Neither knows what the other is made of.
 *
 * Rules for both sides:
 * - Time is an argument, in integer nanoseconds. A node never asks a clock.
 * - Randomness comes from chorus_host.random alone.
 * - A host never calls a node from within one of the node's own calls to the host: whatever a call
 *   causes (an own multicast looped back, an expired deadline) reaches the node in a later call.
 * - Pointers handed over are valid for the duration of the call only, in both directions.
 */
#ifndef CHORUS_NODE_H
#define CHORUS_NODE_H

#include "chorus/types.h"

/* A UDP datagram. */
struct chorus_datagram {
  struct chorus_endpoint source;      /* when sending: address unspecified = the host selects one */
  struct chorus_endpoint destination; /* group or unicast */
  const uint8_t *payload;             /* UDP payload */
  size_t length;                      /* octets, 0 to 65507 */
  uint8_t hop_limit;                  /* IPv6 hop limit or IPv4 TTL; 0 when sending: host default */
};

/* What a scenario asks of a node: a verb with named arguments, all text. docs/commands.md lists
 * them. */
struct chorus_argument {
  const char *name;
  const char *value;
};

struct chorus_command {
  const char *verb; /* "request", "repeat", "observe", "forget", "set", ... */
  const struct chorus_argument *arguments; /* |count| of them; lists are several with one name */
  size_t count;
};

/* The value of argument |name|, or NULL. */
static inline const char *chorus_argument_get(const struct chorus_command *c, const char *name) {
  for (size_t i = 0; i < c->count; i++) {
    const struct chorus_argument *a = &c->arguments[i];
    if (a->name[0] == name[0] && strcmp(a->name, name) == 0) return a->value;
  }
  return NULL;
}

enum chorus_status {
  CHORUS_OK = 0,
  CHORUS_UNSUPPORTED,  /* this node does not know the verb or the argument */
  CHORUS_BAD_ARGUMENT, /* known, but its value makes no sense */
  CHORUS_REFUSED,      /* understood, and refused on purpose (a coaps Group URI, port 5684) */
  CHORUS_NO_MEMORY,
  CHORUS_TOO_LARGE, /* a datagram larger than the transport can carry */
};

/* Application events: what a node says that its application saw or did. The host adds time and
 * node. */
enum chorus_event_type {
  CHORUS_EVENT_REQUEST, /* client: a new request was issued (|request|, |peer| = destination) */
  CHORUS_EVENT_REPEAT,  /* client: request sent again; |detail| "same-mid", "new-mid", "unicast" */
  CHORUS_EVENT_DELIVER, /* client: a response went to the application; |peer| as it was told */
  CHORUS_EVENT_DONE,    /* client: request ended; |detail| "timeout", "cancelled", "answered" */
  CHORUS_EVENT_TOKEN_FREED, /* client: |token| may be used again from now on */
  CHORUS_EVENT_REFUSED,     /* client: request not sent; |detail| says why */
  CHORUS_EVENT_EXECUTE,  /* server: a handler ran (|peer| = requester, |path|, |code| = method) */
  CHORUS_EVENT_STATE,    /* server: resource |path| changed; |payload| is its state now */
  CHORUS_EVENT_SUPPRESS, /* server: response |code| withheld by policy; |detail| says which */
  CHORUS_EVENT_JOIN,     /* member of |peer| from now on */
  CHORUS_EVENT_LEAVE,    /* no longer member of |peer| */
  CHORUS_EVENT_RESTART,  /* the node lost its volatile state and started again */
  CHORUS_EVENT_LEAK,     /* at stop: state that should be gone; |detail| says what */
  CHORUS_EVENT_NOTE,     /* anything else worth a line; |detail| */
  CHORUS_EVENT_FOLLOW, /* client: the link to |path| (as it stands there) in a response to |request|
                          from |peer| is followed, by a request with the name |detail| */
};

struct chorus_event {
  enum chorus_event_type type;
  const char *request;         /* the scenario's name for the request, or NULL */
  const char *path;            /* "/light?x=1" of the request or resource, percent-encoded as
                                  RFC 7252, section 6.5, composes it; or NULL */
  const char *detail;          /* see the types above, or NULL */
  struct chorus_endpoint peer; /* all zero: none */
  const uint8_t *payload;
  size_t payload_length;
  uint8_t token[8];
  uint8_t token_length; /* 0 to 8 */
  bool has_message;     /* |token|, |mid|, |message_type| and |code| are set */
  bool group;           /* the request concerned is a group request */
  uint8_t message_type; /* 0 CON, 1 NON, 2 ACK, 3 RST */
  uint8_t code;         /* class << 5 | detail: method of a request, Response Code of a response */
  uint16_t mid;
  chorus_time timeout; /* REQUEST: how long the application waits, ns; 0 otherwise */
};

/* What a host offers to its node. |context| goes first in every call. */
struct chorus_host_ops {
  /* Sends one datagram. CHORUS_TOO_LARGE, or CHORUS_OK: sent is not delivered. */
  int (*send)(void *context, const struct chorus_datagram *datagram);
  /* Replaces the node's only deadline: wake() is called once at |at|, or never (CHORUS_NEVER). */
  void (*deadline)(void *context, chorus_time at);
  /* Opens or closes a UDP port for unicast; datagrams to a port that is not open get an ICMP error.
   */
  int (*open)(void *context, uint16_t port);
  void (*close)(void *context, uint16_t port);
  /* Joins or leaves a group (address and port; RFC 3376, RFC 3810): joining twice is one
   * membership. */
  int (*join)(void *context, const struct chorus_endpoint *group);
  void (*leave)(void *context, const struct chorus_endpoint *group);
  /* Reports an application event. May be NULL: nobody listens, and the node saves the work. */
  void (*event)(void *context, const struct chorus_event *event);
  /* 64 random bits of the stream |purpose| of this node. Purposes do not disturb each other. */
  uint64_t (*random)(void *context, uint32_t purpose);
};

struct chorus_host {
  const struct chorus_host_ops *ops;
  void *context;
};

/* What a node offers. |node| goes first in every call. NULL members are not called. */
struct chorus_node_ops {
  /* Called once, before anything else. |host| stays valid until stop() returns. */
  int (*start)(void *node, chorus_time now, const struct chorus_host *host);
  /* A datagram has arrived on an open port or a joined group. */
  void (*datagram)(void *node, chorus_time now, const struct chorus_datagram *datagram);
  /* The deadline has come. */
  void (*wake)(void *node, chorus_time now);
  /* A scenario step. |why| (never NULL) gets a static or node-owned text when the result is not OK.
   */
  int (*command)(void *node, chorus_time now, const struct chorus_command *command,
                 const char **why);
  /* An ICMP error came back for a datagram to |destination| (RFC 4443, section 3; RFC 792). */
  void (*unreachable)(void *node, chorus_time now, const struct chorus_endpoint *destination);
  /* Called once, last. The node reports CHORUS_EVENT_LEAK for state that should be gone by |now|.
   */
  void (*stop)(void *node, chorus_time now);
  /*
   * A hint: which parts of the node's state most calls of wake() touch. Bit i stands for octets
   * 64 * i to 64 * i + 63. A host that serves many nodes asks for this memory ahead of the call.
   * 0: the node does not say.
   */
  uint32_t wake_lines;
  /*
   * A hint, too: a datagram from |source| is about to come. The node may ask for memory, and must
   * change nothing that can be noticed. Hosts need not call it.
   */
  void (*expect)(void *node, const struct chorus_endpoint *source);
};

/* A node: its functions and its state. Whoever made |state| frees it after stop(). */
struct chorus_node {
  const struct chorus_node_ops *ops;
  void *state;
};

#endif
