/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client, inside.
 *
 *   client.c          the node: datagrams, deadlines, the end of requests
 *   client_request.c  commands: a URI and options become a message
 *   transmission.c    Confirmable messages: retransmission, and one at a time per server (NSTART)
 *   client_response.c responses: matching, one per server, delivery
 *   client_follow.c   links in them, where the application follows these
 */
#ifndef REF_CLIENT_H
#define REF_CLIENT_H

#include "chorus/reference.h"
#include "codec.h"
#include "dedup.h"
#include "event.h"
#include "mid.h"
#include "responders.h"
#include "token.h"

/* A request, from the command to its end. Afterwards only its Token is remembered (token.h). */
struct ref_client_request {
  struct ref_client_request *next;
  struct ref_exchange exchange;
  struct ref_responders *responders; /* NULL: nobody answered yet */
  struct ref_follow *follows;        /* NULL: the links of its responses lead nowhere */
  chorus_time message_first;         /* first transmission of |octets| as they are, ns */
  chorus_time listen_until;          /* ns */
  const char *id, *path;             /* behind |octets| */
  size_t payload_offset;             /* of the payload within |octets| */
  uint16_t length;
  uint8_t hop_limit;
  bool sent;        /* it was transmitted at least once; otherwise it waits for NSTART */
  uint8_t octets[]; /* the message as sent last */
};

enum ref_transmission_state {
  REF_TRANSMISSION_QUEUED,  /* another one to this server comes first */
  REF_TRANSMISSION_ACTIVE,  /* waits for its ACK, is retransmitted */
  REF_TRANSMISSION_HOLDING, /* given up, but an ACK may still be expected (RFC 7252, 4.7) */
};

/* A Confirmable message. */
struct ref_transmission {
  struct ref_transmission *next;
  struct ref_client_request *request; /* NULL: nobody waits for the answer any more */
  enum ref_transmission_state state;
  bool follow_up; /* a unicast repeat of a group request */
  struct chorus_endpoint destination;
  chorus_time first;
  chorus_time due;
  chorus_time interval;
  unsigned attempts;
  uint16_t mid;
  uint16_t length;
  uint8_t hop_limit;
  uint8_t octets[];
};

enum { REF_CLIENT_PORTS = 8 };
enum { REF_FOLLOW_MAX = 64 }; /* links that one command has followed */

struct ref_client {
  const struct ref_client_policy *policy;
  void *policy_context;
  const struct chorus_host *host;
  struct ref_client_request *requests;
  struct ref_transmission *transmissions; /* in the order in which they were asked for */
  struct ref_responders *pool;
  chorus_time deadline;
  chorus_time msrd;
  struct ref_tokens tokens;
  struct ref_mids mids;
  struct ref_dedup dedup; /* notifications */
  struct ref_exchanges exchanges;
  uint16_t port;
  uint16_t left[REF_CLIENT_PORTS]; /* ports that it had before */
  unsigned left_count;
  uint8_t token_length;
  uint8_t group_hop_limit;
  struct ref_uri_memory *last_uri; /* of its requests */
  struct ref_draft *draft;         /* of the request that is being made; on the heap, kept */
  char why[96];
};

static inline struct ref_env ref_client_env(const struct ref_client *c, chorus_time now) {
  return (struct ref_env){.context = c->policy_context, .host = c->host, .now = now};
}

/* client.c */
int ref_client_send(struct ref_client *c, const struct chorus_endpoint *destination,
                    uint8_t hop_limit, const uint8_t *octets, size_t length);
/* Ends a request: tells the application, retires the Token, drops the list of responders. */
void ref_client_finish(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                       enum ref_end end);
/* Tells the host the next deadline, if it is another one. */
void ref_client_schedule(struct ref_client *c);
struct ref_client_request *ref_client_find_token(struct ref_client *c, const uint8_t *token,
                                                 uint8_t length);

/* client_request.c */
int ref_client_command(void *node, chorus_time now, const struct chorus_command *command,
                       const char **why);
/* The request that goes on under |id|, or NULL. */
struct ref_client_request *ref_client_find_id(struct ref_client *c, const char *id);
/* What a command `request` of |id| and |uri| alone does. */
int ref_client_get(struct ref_client *c, chorus_time now, const char *id, const char *uri,
                   const char **why);
/* A request goes out for the first time with |mid|: tells the application and starts its clock. */
void ref_client_started(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                        uint16_t mid);
/* A unicast repeat goes out: tells the application. */
void ref_client_followed_up(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                            const struct chorus_endpoint *destination, uint16_t mid);

/* transmission.c: queues a Confirmable message and starts it if it is its turn; false: no memory.
 */
bool ref_transmission_add(struct ref_client *c, struct ref_client_request *r, chorus_time now,
                          const struct chorus_endpoint *destination, const uint8_t *octets,
                          size_t length, bool follow_up);
/* The one that |mid| and |source| of an ACK or RST belong to, or NULL. */
struct ref_transmission *ref_transmission_find(struct ref_client *c,
                                               const struct chorus_endpoint *source, uint16_t mid);
/* It arrived: forgets it, and starts the next one to that server. */
void ref_transmission_settle(struct ref_client *c, struct ref_transmission *t, chorus_time now);
/* |source| has answered |r|: its Confirmable request has arrived, ACK or not (4.2). */
void ref_transmission_answered(struct ref_client *c, const struct ref_client_request *r,
                               const struct chorus_endpoint *source, chorus_time now);
/* |r| ends: what is queued for it goes, what is active stops, unless |go_on|. True: some go on. */
bool ref_transmission_abandon(struct ref_client *c, const struct ref_client_request *r, bool go_on);
void ref_transmission_run(struct ref_client *c, chorus_time now);
chorus_time ref_transmission_next(const struct ref_client *c);
void ref_transmission_free_all(struct ref_client *c);

/* client_follow.c */
int ref_client_command_follow(struct ref_client *c, chorus_time now,
                              const struct chorus_command *command, const char **why);
/* |reply| to |r|, which has |follows|, is delivered: follows its links. */
void ref_client_follow(struct ref_client *c, const struct ref_env *env,
                       const struct ref_client_request *r, const struct ref_reply *reply);
void ref_follows_free(struct ref_follow *list);

/* client_response.c */
/* Asks for the memory in which the responder |source| will be looked up. */
void ref_client_expect(void *node, const struct chorus_endpoint *source);
void ref_client_datagram(void *node, chorus_time now, const struct chorus_datagram *datagram);

#endif
