/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policies of the reference: every choice that the texts leave to, or demand of, an endpoint is
 * one function here. Mutants replace one of them; the reference itself has no switch for being
 * wrong:
 *
 *   struct ref_server_policy p = ref_server_policy_default;
 *   p.leisure = my_leisure;
 *   config.policy = &p;
 *
 * A policy is called in the course of one call of the node; it keeps nothing of what it is handed.
 * Sections without a document are those of RFC 7252; "seed" is draft-dijk-core-groupcomm-bis-03.
 */
#ifndef CHORUS_POLICY_H
#define CHORUS_POLICY_H

#include "chorus/node.h"
#include "chorus/types.h"

/* Message types (section 3). */
enum ref_type { REF_CON = 0, REF_NON = 1, REF_ACK = 2, REF_RST = 3 };

/* Response Codes and methods as octets: class << 5 | detail (section 12.1). */
#define REF_CODE(class, detail) ((uint8_t)(((class) << 5) | (detail)))

/* Times of section 4.8, ns. */
#define REF_ACK_TIMEOUT       (2 * CHORUS_SECOND)
#define REF_ACK_TIMEOUT_MAX   (3 * CHORUS_SECOND) /* ACK_TIMEOUT * ACK_RANDOM_FACTOR */
#define REF_MAX_RETRANSMIT    4u
#define REF_DEFAULT_LEISURE   (5 * CHORUS_SECOND)
#define REF_MAX_TRANSMIT_SPAN (45 * CHORUS_SECOND)
#define REF_MAX_TRANSMIT_WAIT (93 * CHORUS_SECOND)
#define REF_MAX_LATENCY       (100 * CHORUS_SECOND)
#define REF_NON_LIFETIME      (145 * CHORUS_SECOND)
#define REF_EXCHANGE_LIFETIME (247 * CHORUS_SECOND)

/* Streams of randomness of a node (chorus_host_ops.random). */
enum ref_purpose {
  REF_RANDOM_LEISURE = 1,
  REF_RANDOM_TOKEN = 2,
  REF_RANDOM_MID = 3,
  REF_RANDOM_RETRANSMIT = 4,
  REF_RANDOM_POLICY = 5, /* left to replaced policies */
};

/* What every policy is told. */
struct ref_env {
  void *context; /* policy_context of the configuration */
  const struct chorus_host *host;
  chorus_time now; /* ns */
};

/* 64 random bits of stream |purpose|. */
static inline uint64_t ref_random(const struct ref_env *env, uint32_t purpose) {
  return env->host->ops->random(env->host->context, purpose);
}

/* Uniform in [0, bound), |bound| > 0, by multiplication (no modulo bias worth a name: 2^-64). */
static inline uint64_t ref_random_below(const struct ref_env *env, uint32_t purpose,
                                        uint64_t bound) {
  uint64_t r = ref_random(env, purpose);
  uint64_t lo = (r & 0xffffffffu) * (bound & 0xffffffffu);
  uint64_t mid1 = (r >> 32) * (bound & 0xffffffffu) + (lo >> 32);
  uint64_t mid2 = (r & 0xffffffffu) * (bound >> 32) + (mid1 & 0xffffffffu);
  return (r >> 32) * (bound >> 32) + (mid1 >> 32) + (mid2 >> 32);
}

/* Why a message cannot be processed. */
enum ref_fault {
  REF_FAULT_NONE = 0,
  REF_FAULT_SHORT,          /* fewer than 4 octets, or shorter than its Token: section 3 */
  REF_FAULT_VERSION,        /* not version 1: section 3 */
  REF_FAULT_TOKEN_LENGTH,   /* TKL 9 to 15: section 3 */
  REF_FAULT_OPTION,         /* reserved nibble, overrun, number above 65535: section 3.1 */
  REF_FAULT_MARKER,         /* payload marker without payload: section 3 */
  REF_FAULT_EMPTY,          /* Empty message with trailing octets or a Token: section 4.1 */
  REF_FAULT_RESERVED_CLASS, /* class 1, 6, 7: sections 4.2, 4.3 */
  REF_FAULT_TYPE,           /* type and code do not go together: Table 1 */
  REF_FAULT_CRITICAL,       /* unrecognized critical option: section 5.4.1 */
  REF_FAULT_PROXY,          /* Proxy-Uri or Proxy-Scheme at a server that is no proxy: 5.7.2 */
  REF_FAULT_BLOCK,          /* Block2 that is not defined there: RFC 7959, sections 2.2, 2.8 */
  REF_FAULT_ROLE,           /* a request at a client, an unexpected response */
};

/* A decoded message. Pointers go into the datagram. */
struct ref_message {
  const uint8_t *options; /* all options, as encoded */
  const uint8_t *payload;
  size_t options_length;
  size_t payload_length;
  uint16_t mid;
  uint8_t version;
  uint8_t type; /* enum ref_type */
  uint8_t code;
  uint8_t token_length; /* 0 to 8 */
  uint8_t token[8];
  bool has_header; /* at least the four octets of the header were there */
};

/* The policy-relevant side of a resource. NULL where a request names no resource. */
struct ref_resource_traits {
  uint32_t suppress;  /* REF_SUPPRESS_* (chorus/reference.h) */
  bool no_response;   /* honours No-Response */
  bool unicast_only;  /* not enabled for group requests */
  bool answered_2_05; /* a 2.05 to a group request was not suppressed before */
  bool discovery;     /* /.well-known/core */
};

/* A message at a server, and what the server made of it so far. */
struct ref_request {
  const struct chorus_datagram *datagram;
  const struct ref_message *message;
  const struct ref_resource_traits *resource; /* NULL: unknown path */
  const char *path;                           /* "/light?x=1"; "" until it is known */
  size_t path_length;                         /* octets of the path without the query */
  bool group;                                 /* it was sent to a group (section 8.1) */
  int no_response; /* value of the No-Response option, 0 to 255; -1: absent or ignored */
};

/* The outcome of a request. */
struct ref_outcome {
  uint8_t code;
  uint16_t content_format; /* UINT16_MAX: none */
  const uint8_t *payload;
  size_t payload_length;
};

/* A Leisure period of one group membership (section 8.2), ns. All zero: none so far. */
struct ref_period {
  chorus_time begin;
  chorus_time end;
};

struct ref_leisure_plan {
  chorus_time due;          /* when the response is sent, ns */
  struct ref_period period; /* the Leisure period that it belongs to */
};

/* Reaction to a message that cannot be processed: silence, a Reset, or a Response Code (>= 64). */
enum { REF_REACT_SILENCE = 0, REF_REACT_RESET = 1 };

enum ref_filter { REF_FILTER_SILENCE, REF_FILTER_WHOLE, REF_FILTER_MATCHES };

struct ref_server_policy {
  /* Whether a message of this version is looked at at all (section 3: unknown ones are ignored). */
  bool (*version)(const struct ref_env *env, uint8_t version);

  /* How to react to a message with |fault|: REF_REACT_* or a Response Code (4.2, 4.3, 5.4.1, 8.1).
   */
  uint8_t (*reject)(const struct ref_env *env, const struct ref_request *request,
                    enum ref_fault fault);

  /* The pair that tells messages apart (section 4.5): source endpoint and Message ID. */
  void (*dedup_key)(const struct ref_env *env, const struct ref_request *request,
                    struct chorus_endpoint *source, uint16_t *mid);

  /*
   * Whether the message is a duplicate to be ignored (NON) or answered from memory (CON), given
   * that one with the same key arrived |age| ns ago. |enabled|: the configuration wants
   * de-duplication. Section 4.5; NON_LIFETIME and EXCHANGE_LIFETIME of section 4.8.2.
   */
  bool (*duplicate)(const struct ref_env *env, const struct ref_request *request, chorus_time age,
                    bool enabled);

  /* When to execute a request, ns, >= now (seed 2.3.4: the response waits, the execution does not).
   */
  chorus_time (*execute_at)(const struct ref_env *env, const struct ref_request *request);

  /* Whether a resource takes part in group communication (seed 2.3.4; section 11.3). */
  bool (*accept_group)(const struct ref_env *env, const struct ref_request *request);

  /* Default suppression (seed 2.3.1; RFC 7390, section 2.7): true withholds the response. */
  bool (*suppress)(const struct ref_env *env, const struct ref_request *request,
                   const struct ref_outcome *outcome);

  /* The effective No-Response bitmap (RFC 7967, section 2), or -1: as if the option were absent. */
  int (*no_response)(const struct ref_env *env, const struct ref_request *request);

  /*
   * Brings default suppression (|base|) and an effective No-Response bitmap together (seed 2.3.1:
   * it overrides both ways; seed 5.4: |only_widen|, an unauthenticated client may only widen).
   */
  bool (*combine)(const struct ref_env *env, const struct ref_request *request, bool base,
                  int bitmap, uint8_t code, bool only_widen);

  /*
   * When the response to a group request is sent, and within which Leisure period (section 8.2).
   * |last| is the period of this group membership that was planned last.
   *
   * "A new leisure period starts at the earliest after the previous one finishes" is read so: a
   * request that arrives while no period runs begins one. Requests that arrive during a period
   * share the next one, which begins when the running one ends. Two responses are then never closer
   * than the text allows, and yet none waits longer than twice the Leisure, whatever the load.
   */
  struct ref_leisure_plan (*leisure)(const struct ref_env *env, const struct ref_request *request,
                                     chorus_time leisure, const struct ref_period *last);

  /* Whether the response rate towards this source still allows one (section 4.7, last paragraph).
   */
  bool (*permit)(const struct ref_env *env, const struct ref_request *request, bool within_rate);

  /* How many responses one processed request gets: 1. */
  unsigned (*response_count)(const struct ref_env *env, const struct ref_request *request);

  /* Message type of a response that is a message of its own (seed 2.3.4; section 5.2.3). */
  uint8_t (*response_type)(const struct ref_env *env, const struct ref_request *request);

  /* Where the response goes (seed 2.3.1) and from which endpoint; address unspecified: host's
   * choice. */
  void (*response_route)(const struct ref_env *env, const struct ref_request *request,
                         struct chorus_endpoint *destination, struct chorus_endpoint *source);

  /* The Token of the response (section 5.3.1); returns its length, 0 to 8. */
  uint8_t (*response_token)(const struct ref_env *env, const struct ref_request *request,
                            uint8_t token[8]);

  /* The Message ID of the response; |fresh| is the next of the server's own (section 4.4). */
  uint16_t (*response_mid)(const struct ref_env *env, const struct ref_request *request,
                           uint16_t fresh);

  /* Last look at an outcome before it becomes a message: may change all of it. */
  void (*finish)(const struct ref_env *env, const struct ref_request *request,
                 struct ref_outcome *outcome);

  /* Whether a message is acknowledged: Confirmable ones that did not go to a group (4.2, 4.3). */
  bool (*acknowledge)(const struct ref_env *env, const struct ref_request *request);

  /* Whether an ACK or RST from |source| concerns a message sent to |destination| (section 4.4). */
  bool (*match_ack)(const struct ref_env *env, const struct chorus_endpoint *destination,
                    const struct chorus_endpoint *source);

  /* Time until the next retransmission, ns: |previous| is the last one, 0 at first (section 4.2).
   */
  chorus_time (*retransmit)(const struct ref_env *env, unsigned attempt, chorus_time previous);

  /* /.well-known/core with a query (RFC 6690, section 4.1). |supported|: the server can filter. */
  enum ref_filter (*filter)(const struct ref_env *env, const struct ref_request *request,
                            bool supported, size_t matches);

  /*
   * Block size exponent SZX (0 to 6) for a representation of |whole| octets, or -1: no Block2.
   * |asked|: SZX that the request asks for, or -1. |message|: octets that the whole response
   * message would have. RFC 7959, sections 2.4, 2.8; seed 2.3.6; section 11.3.
   */
  int (*block)(const struct ref_env *env, const struct ref_request *request, size_t whole,
               size_t message, int asked);

  /* Whether to join |group|, one of the All CoAP Nodes groups if |discovery| (seed 2.3.2, 2.4). */
  bool (*join)(const struct ref_env *env, const struct chorus_endpoint *group, bool discovery);
};

/* The reference's own server policies: what the texts say. */
extern const struct ref_server_policy ref_server_policy_default;

/* A request at a client. */
struct ref_exchange {
  const char *id;                     /* the scenario's name for it */
  struct chorus_endpoint destination; /* group or server */
  chorus_time first;                  /* first transmission, ns */
  chorus_time last;                   /* last transmission that belongs to it, ns */
  chorus_time timeout;                /* how long the application waits, ns */
  int no_response;                    /* value of No-Response, or -1 */
  uint16_t mid;                       /* of the last transmission */
  uint8_t method;
  uint8_t type; /* REF_CON or REF_NON */
  uint8_t token_length;
  uint8_t token[8];
  bool group;
  bool observe; /* it carries Observe: 0 */
};

/* A response at a client. */
struct ref_reply {
  const struct chorus_datagram *datagram;
  const struct ref_message *message;
  bool observe;  /* it carries an Observe option */
  bool critical; /* it carries an unrecognized critical option (section 5.4.1) */
};

/* Which Tokens can be had. */
struct ref_token_view {
  const void *book;
  /* Neither in use nor waiting for its reuse time. */
  bool (*is_free)(const void *book, const uint8_t *token, uint8_t length);
  /* Was used before (known for Tokens of up to two octets only; else false). */
  bool (*was_used)(const void *book, const uint8_t *token, uint8_t length);
  uint64_t serial; /* how many Tokens were allocated before */
};

enum ref_repeat { REF_REPEAT_SAME_MID, REF_REPEAT_NEW_MID, REF_REPEAT_UNICAST };

enum ref_end {
  REF_END_ANSWERED,
  REF_END_TIMEOUT,
  REF_END_RESET,
  REF_END_NO_RESPONSE,
  REF_END_CANCELLED,
  REF_END_RESTART
};

/* A list of options to be encoded, in any order. Values are copied. */
struct ref_option_list;
/* Adds one option; false: no room. |value| of |length| octets, 0 to 1034. */
bool ref_option_add(struct ref_option_list *list, uint16_t number, const void *value,
                    size_t length);
/* Adds one option of format uint, in its shortest form (section 3.2). */
bool ref_option_add_uint(struct ref_option_list *list, uint16_t number, uint32_t value);

struct ref_client_policy {
  /* Whether a message of this version is looked at at all (section 3). */
  bool (*version)(const struct ref_env *env, uint8_t version);

  /*
   * Whether a request may go to |destination|: CHORUS_OK, or CHORUS_REFUSED with |why|. |secure|:
   * the scheme is coaps (seed 2.3.2; section 8.1).
   */
  int (*check_uri)(const struct ref_env *env, const struct chorus_endpoint *destination,
                   bool secure, const char **why);

  /* Message type of a request; |asked|: what the application wants, or -1. < 0: refused (8.1). */
  int (*request_type)(const struct ref_env *env, bool group, int asked);

  /* May add options to a request, e.g. ETag (sections 5.10, 8.2.1). */
  void (*options)(const struct ref_env *env, const struct ref_exchange *request,
                  struct ref_option_list *list);

  /* Chooses a Token of |length| octets; false: none is free (seed 2.3.1; section 5.3.1). */
  bool (*token)(const struct ref_env *env, const struct ref_token_view *view, uint8_t length,
                uint8_t *token);

  /* How long after the last transmission a Token stays reserved, ns (seed 2.3.1). |msrd| 0:
   * unknown. */
  chorus_time (*token_retention)(const struct ref_env *env, const struct ref_exchange *request,
                                 chorus_time msrd);

  /* The Message ID of a message; |fresh| is the next one (sections 4.4, 8.1). */
  uint16_t (*message_id)(const struct ref_env *env, bool group, uint16_t fresh);

  /* Whether a request may be repeated this way: CHORUS_OK, or CHORUS_REFUSED with |why|
   * (seed 2.3.1). */
  int (*repeat)(const struct ref_env *env, const struct ref_exchange *request, enum ref_repeat how,
                chorus_time age, const char **why);

  /* Until when responses are listened for, ns, after a transmission at env->now (RFC 7967, 2.1). */
  chorus_time (*listen_until)(const struct ref_env *env, const struct ref_exchange *request);

  /* Whether |reply| answers |request|, whose Token it carries: endpoints (5.3.2, 8.2; seed 2.3.1).
   */
  bool (*match)(const struct ref_env *env, const struct ref_exchange *request,
                const struct ref_reply *reply);

  /* Whether a matching response is valid at all (5.4.1, 4.2): invalid ones are rejected. */
  bool (*valid)(const struct ref_env *env, const struct ref_exchange *request,
                const struct ref_reply *reply);

  /* Whether a valid response goes to the application; |answered|: its server did so before (2.3.1).
   */
  bool (*accept)(const struct ref_env *env, const struct ref_exchange *request,
                 const struct ref_reply *reply, bool answered);

  /* Whom the application is told a response comes from (seed 2.3.1). */
  struct chorus_endpoint (*origin)(const struct ref_env *env, const struct ref_exchange *request,
                                   const struct ref_reply *reply);

  /*
   * The endpoint in the Base URI that links and Location-* of |reply| are relative to: that of the
   * request URI, a group's address replaced by that of the server that responds (8.2).
   */
  struct chorus_endpoint (*base)(const struct ref_env *env, const struct ref_exchange *request,
                                 const struct ref_reply *reply);

  /* Whether a delivered response ends its request (seed 2.3.1: never that of a group). */
  bool (*completes)(const struct ref_env *env, const struct ref_exchange *request,
                    const struct ref_reply *reply);

  /*
   * Reaction to a message that wants one: REF_ACK, REF_RST, or -1 for silence. |expected|: it is a
   * valid response to an outstanding request (sections 4.2, 4.3, 5.3.2).
   */
  int (*acknowledge)(const struct ref_env *env, const struct ref_message *message, bool expected);

  /* Time until the next retransmission, ns: |previous| is the last one, 0 at first (section 4.2).
   */
  chorus_time (*retransmit)(const struct ref_env *env, unsigned attempt, chorus_time previous);

  /* What the application is told at the end (RFC 7967, section 2.1: silence is not success). */
  const char *(*done)(const struct ref_env *env, const struct ref_exchange *request,
                      enum ref_end end);
};

/* The reference's own client policies: what the texts say. */
extern const struct ref_client_policy ref_client_policy_default;

#endif
