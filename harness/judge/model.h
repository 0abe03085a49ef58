/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conversation as rules see it: who sent what to whom, which request a message belongs to, what
 * a server made of it, and what an application got. Built in one pass; see docs/architecture.md.
 *
 * Words. A *transmission* is a datagram leaving its sender, a *reception* its arrival at one
 * receiver. A capture with a view per node ("own view") shows both apart; elsewhere one sighting
 * stands for both, and what was really received is uncertain. A *request* is everything that one
 * client endpoint sends under one Token for one purpose: the first transmission, copies (same
 * Message ID), repeats (new Message ID) and unicast follow-ups. A *leg* is what one server made of
 * one request. An *arrival* is a response at a client.
 *
 * Objects live at least as long as any rule may be called with them, and 600 s (of the capture)
 * after their last use at most; rules keep no pointers between calls.
 */
#ifndef CHORUS_JUDGE_MODEL_H
#define CHORUS_JUDGE_MODEL_H

#include "chorus/node.h"
#include "dissect/coap.h"
#include "dissect/frame.h"
#include "judge/ics.h"
#include "judge/judge.h"
#include "rules/rules.h"

#define JDG_NON_LIFETIME      (145 * CHORUS_SECOND) /* RFC 7252, section 4.8.2 */
#define JDG_EXCHANGE_LIFETIME (247 * CHORUS_SECOND) /* RFC 7252, section 4.8.2 */
#define JDG_MAX_TRANSMIT_SPAN (45 * CHORUS_SECOND)
#define JDG_MAX_LATENCY       (100 * CHORUS_SECOND)
#define JDG_DEFAULT_LEISURE   (5 * CHORUS_SECOND)
#define JDG_PROCESSING_DELAY  (2 * CHORUS_SECOND)
/* Responses may still be on their way for NON_LIFETIME + MAX_LATENCY after the last transmission
 * (seed, 2.3.1). */
#define JDG_TOKEN_DOUBT (JDG_NON_LIFETIME + JDG_MAX_LATENCY)

/* When a rule is called. |host| is the judged node in the role named. */
enum jdg_hook {
  JDG_ON_SENT = 1u << 0,         /* any CoAP message, also a malformed one, left |host| */
  JDG_ON_REQUEST_SENT = 1u << 1, /* client: well-formed request; |request|, |relation| */
  JDG_ON_RESPONSE_SENT =
      1u << 2, /* server: well-formed response; |leg| or NULL: no request known */
  JDG_ON_EMPTY_SENT =
      1u << 3, /* empty ACK or RST, or Empty CON; |reception| or |arrival| it reacts to, or NULL */
  JDG_ON_RECEIVED =
      1u << 4, /* any datagram on a CoAP conversation reached |host| (own view only) */
  JDG_ON_REQUEST_RECEIVED =
      1u << 5,             /* server: |reception|; malformed ones too (|reception->bad|) */
  JDG_ON_WINDOW = 1u << 6, /* server: quiet window of |reception| is over (own view only) */
  JDG_ON_RESPONSE_RECEIVED = 1u << 7, /* client: |arrival| */
  JDG_ON_ARRIVAL_DUE = 1u << 8, /* client: the time to deliver and acknowledge |arrival| is over */
  JDG_ON_EVENT =
      1u
      << 9, /* application event |event| of |host|; |request|, |reception| or |arrival| if known */
  JDG_ON_ICMP = 1u << 10, /* |host| sent the ICMP error in |frame_info| */
  JDG_ON_END = 1u << 11,  /* once per node, last */
};
#define JDG_HOOK_COUNT 12

/*
 * What a rule needs beside its hook, or-ed to it in its table row: without it the rule is not
 * called at all, which is most of a judge's speed. A JDG_IF_ may be met where its sentence is not
 * quite true (but for those marked "exactly"): the rule still checks what it relies on. Where a
 * look has neither message nor request, only EVENTS and STATED are looked at.
 */
#define JDG_NEED(n) (UINT64_C(1) << (n))

#define JDG_IF_GROUP       JDG_NEED(12) /* the message went to a group, or its request did */
#define JDG_IF_UNICAST     JDG_NEED(13) /* neither of both */
#define JDG_IF_CON         JDG_NEED(14) /* the message is Confirmable */
#define JDG_IF_NO_RESPONSE JDG_NEED(15) /* the request has the No-Response option */
#define JDG_IF_BLOCK       JDG_NEED(16) /* message or request has a Block option */
#define JDG_IF_DISCOVERY   JDG_NEED(17) /* the request is for /.well-known/core */
#define JDG_IF_EVENTS      JDG_NEED(18) /* the host's application has spoken */
#define JDG_IF_STATED      JDG_NEED(19) /* the host has a statement (ICS) */
#define JDG_IF_OPTIONS     JDG_NEED(20) /* exactly: the message has options */
#define JDG_IF_UNANSWERED  JDG_NEED(21) /* exactly: no response was sent since |reception| came */
#define JDG_IF_AGAIN       JDG_NEED(22) /* a copy, or not the first transmission of its request */
#define JDG_IF_PAYLOAD     JDG_NEED(23) /* exactly: the message has a payload */
#define JDG_IF_EMPTY       JDG_NEED(24) /* exactly: the message has the code 0.00 */
#define JDG_IF_NON         JDG_NEED(25) /* exactly: the message is Non-confirmable */
#define JDG_IF_REPLY       JDG_NEED(26) /* the message is an Acknowledgement or a Reset */
#define JDG_IF_CLIENT      JDG_NEED(27) /* the host has been seen as a client */
#define JDG_IF_FRAGILE     JDG_NEED(28) /* exactly: the Token is empty, or begins with 0 */
#define JDG_IF_SECURE_PORT JDG_NEED(29) /* the request went to port 5684 */
#define JDG_IF_COAP_PORT   JDG_NEED(30) /* exactly: the request went to port 5683 */
#define JDG_IF_WELL_KNOWN  JDG_NEED(31) /* it went to all nodes, or to All CoAP Nodes */
#define JDG_IF_SUCCESSOR   JDG_NEED(32) /* it observes, or its Token was another request's before */
#define JDG_IF_MEANINGLESS JDG_NEED(33) /* exactly: an error, or a 2.05 without payload */
/* RESPONSE_SENT, exactly: it answers a group request, and can be the answer to nothing else. */
#define JDG_IF_ANSWER JDG_NEED(34)
/* RESPONSE_SENT, exactly: the same, it is no copy, and the server is known to be a member now. */
#define JDG_IF_MEMBER JDG_NEED(35)
#define JDG_IF_FIRST  JDG_NEED(36) /* RESPONSE_SENT, exactly: the leg's first response */
#define JDG_IF_OTHERS JDG_NEED(37) /* exactly: several servers have answered the request */
/* RESPONSE_SENT, exactly: the request was a NON whenever it was sent. */
#define JDG_IF_TO_NON    JDG_NEED(38)
#define JDG_IF_NON_CAUSE JDG_NEED(39) /* exactly: |reception| is Non-confirmable */

#define JDG_IF_ACK      JDG_NEED(40) /* exactly: the message is an Acknowledgement */
#define JDG_IF_STRANGER JDG_NEED(41) /* |reception|'s group is known not to be served */
#define JDG_IF_TRIED    JDG_NEED(42) /* an answer of this server that was due did not come */
#define JDG_IF_LARGE    JDG_NEED(43) /* exactly: over 1152 octets, or in fragments */
#define JDG_IF_AMPLE    JDG_NEED(44) /* exactly: over 152 octets */
#define JDG_IF_TO_GROUP JDG_NEED(45) /* exactly: |group| */

/* From here on, the contrary can be asked for as well. */
#define JDG_IF_BAD     JDG_NEED(46) /* format error, or something to be rejected */
#define JDG_IF_OBSERVE JDG_NEED(47) /* message, request or leg has to do with Observe */
#define JDG_IF_IPV4    JDG_NEED(48) /* the request or message goes over IPv4 */
/* In message or request: an option twice, or one that is not in daily use. */
#define JDG_IF_ODD       JDG_NEED(49)
#define JDG_IF_COPY      JDG_NEED(50) /* exactly: |copy| */
#define JDG_IF_LEG       JDG_NEED(51) /* exactly: there is a |leg| */
#define JDG_IF_ASTRAY    JDG_NEED(52) /* exactly: the message comes from or goes to a group */
#define JDG_NEGATABLE    (JDG_NEED(53) - JDG_NEED(46))
#define JDG_NEGATE       8
#define JDG_UNLESS(need) ((need) << JDG_NEGATE) /* the |need| is certainly not met */

/*
 * Of a further row (WHEN): where this is met the rule is known to pass, and is not called. All its
 * needs must then be met exactly, or be contraries. A row that calls it prevails.
 */
#define JDG_PASSES JDG_NEED(63)

#define JDG_NEEDS (~UINT64_C(0) << JDG_HOOK_COUNT)

/* A node, or a host known by its address. */
struct jdg_host {
  uint32_t index;
  char name[64];
  struct chorus_endpoint addresses[16]; /* ports 0 */
  size_t address_count;
  bool own_view;            /* the capture shows what this node really sent and received */
  bool judged;              /* false: a tester */
  bool has_events;          /* application events of this node have been seen */
  chorus_time restarted_at; /* last CHORUS_EVENT_RESTART; 0: none */
  unsigned roles;           /* seen so far, enum jdg_role */
  bool tried;               /* an answer that was due did not come: some rules count these */
  struct jdg_ics ics;
};

/* How a transmission of a request relates to earlier ones under the same Token. */
enum jdg_relation {
  JDG_NEW,      /* first use of the Token as far as known */
  JDG_COPY,     /* same destination and Message ID, byte-identical, within EXCHANGE_LIFETIME */
  JDG_ALTERED,  /* same destination and Message ID as an earlier one, different octets */
  JDG_REPEAT,   /* same destination, code, options and payload, new Message ID */
  JDG_FOLLOWUP, /* unicast to a server after a group request for the same resource, same Token */
  JDG_REUSE,    /* the Token for another request; request->previous is the old one */
};

#define JDG_REQUEST_MIDS 16

/* One bit per rule, for jdg_once(). */
struct jdg_marks {
  uint64_t bits[4];
};

/* A Message ID that a request was sent with. */
struct jdg_own_mid {
  chorus_time first; /* of the transmissions with it */
  uint16_t mid;
  bool followup; /* they were unicast follow-ups of a group request */
};

struct jdg_request {
  uint64_t serial; /* 1 and up */
  struct jdg_request
      *previous; /* earlier request under this Token; NULL: none known. Only one deep */
  struct jdg_request *group_before; /* the latest of those that went to a group; often |previous| */
  struct jdg_host *client;          /* who really sent it (not whom the source address names) */
  bool spoofed;                     /* the source address is not one of |client|'s */
  struct chorus_endpoint source;    /* client endpoint */
  struct chorus_endpoint destination;
  bool group;   /* destination is a group */
  bool proxied; /* Proxy-Uri or Proxy-Scheme present */
  uint8_t token[8], token_length;
  uint8_t type, code;
  uint64_t digest;               /* dis_digest_request */
  uint64_t resource;             /* dis_digest_resource */
  char path[96];                 /* "/light?x=1", cut */
  size_t size;                   /* UDP payload octets of the first transmission */
  enum dis_presence no_response; /* option 258 */
  uint32_t no_response_value;
  enum dis_presence observe;
  uint32_t observe_value;
  bool discovery; /* GET /.well-known/core */
  bool has_query;
  bool rejectable; /* a critical option that must lead to rejection */
  bool oscore;     /* OSCORE option: outer code and options mean little */
  bool blockwise;  /* Block1, Block2, Q-Block1 or Q-Block2 */
  bool elective;   /* dis_options_unknown_elective() */
  /* of the first transmission */
  enum dis_presence accept, block2;
  uint32_t accept_value, block2_value;
  uint64_t first_frame, last_frame;
  chorus_time first_time; /* first transmission */
  chorus_time last_time;  /* last transmission that belongs to it (copies, repeats, follow-ups) */
  unsigned transmissions, copies, repeats, followups;
  struct jdg_own_mid mids[JDG_REQUEST_MIDS]; /* the last ones used */
  unsigned mid_count;
  /* what the client's application said (has_events) */
  bool announced;      /* CHORUS_EVENT_REQUEST seen */
  chorus_time timeout; /* how long it listens, ns from |announced_at|; 0: unknown */
  chorus_time announced_at;
  chorus_time done_at;     /* CHORUS_EVENT_DONE; CHORUS_NEVER: still listening */
  unsigned delivered;      /* CHORUS_EVENT_DELIVER seen */
  unsigned responders;     /* legs with a response seen */
  chorus_time notified_at; /* the last success with Observe was sent; 0: none */
  struct jdg_marks marks;  /* one bit per rule that wants to speak once per request: jdg_once() */
};

/* What one server made of one request. */
struct jdg_leg {
  struct jdg_request *request;
  struct jdg_host *server;
  chorus_time received; /* first reception; CHORUS_NEVER: only inferred from the response */
  chorus_time last_received;
  unsigned receptions; /* messages (distinct Message IDs) */
  unsigned copies;     /* further arrivals of the same message */
  unsigned executed;   /* CHORUS_EVENT_EXECUTE */
  unsigned suppressed; /* CHORUS_EVENT_SUPPRESS */
  unsigned responses;  /* distinct responses sent (retransmitted copies not counted) */
  unsigned acks;       /* empty ACKs sent for it */
  chorus_time first_response, last_response;
  uint64_t first_response_frame;
  uint8_t response_code; /* of the last response */
  uint8_t response_type;
  uint16_t response_mid;
  uint16_t response_mids[8];    /* the last ones, to tell copies */
  uint64_t response_digests[8]; /* datagrams, to tell copies */
  bool observing; /* a 2.xx response with Observe was sent: notifications may follow */
  /* at the client */
  unsigned arrivals; /* responses that arrived, copies not counted */
  bool answered;     /* a valid response has arrived before (not a notification) */
  bool doubtful;     /* one has arrived of which it cannot be told whether it counts */
  struct chorus_endpoint answered_from;
  unsigned delivered;
  struct jdg_marks marks;
};

/* Why a request (or something like one) cannot be processed normally. */
enum jdg_bad {
  JDG_GOOD = 0,
  JDG_BAD_FORMAT, /* message format error: DIS_FORMAT_ERRORS */
  JDG_BAD_VERSION,
  JDG_BAD_CLASS,  /* reserved class, or another unprocessable code */
  JDG_BAD_EMPTY,  /* Empty NON, or Empty CON ("ping") */
  JDG_BAD_OPTION, /* critical option that is unknown, surplus or of a wrong length: |culprit| */
  JDG_BAD_TYPE,   /* CON to a group; ACK or RST that carries a request */
};

/* One message at one server: a request, or a stimulus that looks like none. */
struct jdg_reception {
  struct jdg_host *server;
  struct jdg_request *request;                /* NULL: malformed beyond a Token */
  struct jdg_leg *leg;                        /* NULL with it */
  struct chorus_endpoint source, destination; /* of the datagram */
  bool group;
  bool certain;      /* the server did get the datagram: its own view shows it, or it reacted */
  bool member;       /* group: the server is known to serve (destination, port) now */
  bool member_known; /*   and that is known (events or statement) */
  enum jdg_bad bad;
  uint16_t culprit; /* BAD_OPTION: option number */
  uint32_t errors;  /* enum dis_error */
  uint8_t type, code;
  uint8_t token[8], token_length; /* 0 also where it cannot be read: |token| is what fits of it */
  uint16_t mid;
  size_t size; /* UDP payload, octets */
  uint64_t frame;
  chorus_time time;      /* first arrival */
  chorus_time last_time; /* last copy */
  unsigned copies; /* further byte-identical arrivals with this Message ID from this endpoint */
  bool duplicate_of_known;     /* the Message ID was received before with different octets */
  unsigned executed;           /* EXECUTE events with this Message ID */
  unsigned responses;          /* responses sent while it was the latest message of its leg */
  unsigned rsts, acks;         /* empty RST or ACK with its Message ID to its source */
  uint64_t reaction_frame;     /* the first RST, ACK or response, 0: none */
  unsigned earlier_in_leisure; /* other group requests received within one Leisure before it, same
                                  group */
  bool
      isolated; /* no earlier group request can still be pending, each given a Leisure of its own */
  unsigned
      recent; /* datagrams from this source address within the last second before (at most 31) */
  chorus_time
      window_end; /* end of the quiet window: own Leisure and those still running + PROC + delta */
  struct jdg_marks marks;
};

/* What a client's application ought to do with a response. */
enum jdg_due {
  JDG_DELIVER,   /* matches an outstanding request, first valid answer of this server, or a
                    notification */
  JDG_UNMATCHED, /* no request of this client has the Token (or the datagram came to another port)
                  */
  JDG_WRONG_SOURCE, /* unicast request, answer from another endpoint */
  JDG_SECOND, /* the server (source address) has validly answered this request before, no Observe */
  JDG_COPY_OF,   /* byte-identical copy of an earlier arrival (same source, Message ID) */
  JDG_INVALID,   /* format error, or a critical option that must lead to rejection */
  JDG_LATE,      /* the request was ended (DONE) before */
  JDG_UNCERTAIN, /* cannot be told: see the catalogue's ambiguities */
};

struct jdg_arrival {
  struct jdg_host *client;
  struct jdg_host *sender;     /* who really sent it, if known */
  struct jdg_request *request; /* by Token and port; NULL: none */
  struct jdg_leg *leg;         /* NULL with it */
  struct chorus_endpoint source, destination;
  bool certain;  /* the client has its own view */
  bool to_group; /* destination is a group: no response may be */
  enum jdg_due due;
  uint8_t type, code;
  uint8_t token[8], token_length;
  uint16_t mid;
  uint32_t errors;
  uint16_t culprit;
  enum dis_presence observe;
  uint32_t observe_value;
  uint64_t payload_digest;
  uint64_t frame;
  chorus_time time;
  unsigned copies;            /* further identical arrivals */
  unsigned delivered;         /* DELIVER events for it */
  bool delivered_identity_ok; /* the application was told the true source address */
  chorus_time delivered_at;
  unsigned acks, rsts; /* with its Message ID, to its source */
  struct jdg_marks marks;
};

/* What a rule is given. Members that the hook does not name are NULL or stale. */
struct jdg_look {
  struct judge *judge;
  enum jdg_hook hook;
  struct jdg_host *host; /* the node judged */
  chorus_time now;
  uint64_t frame;                     /* frame of the message or event's last packet; 0: none */
  const struct dis_coap *coap;        /* the message */
  const struct dis_frame *frame_info; /* its datagram */
  bool group;                         /* its destination is a group */
  bool certain;                       /* |host| has its own view */
  struct jdg_host *peer;              /* the other side as far as known, or NULL */
  struct jdg_request *request;
  enum jdg_relation relation;
  struct jdg_leg *leg;
  struct jdg_reception *reception;
  struct jdg_arrival *arrival;
  bool copy;       /* this very message was sent before (CON retransmission, network copy) */
  chorus_time gap; /* REQUEST_SENT: time since the request's (COPY, REPEAT, FOLLOWUP: last; REUSE:
                      old request's last) transmission */
  const struct jdg_mid_use
      *mid_clash; /* SENT: an earlier use of this Message ID, see below, or NULL */
  const struct chorus_event *event;
  /* the judge's own: which check looks, and what it has of |host| (see jdg_pass(), jdg_state()) */
  size_t check;
  uint32_t *passes;
  void **states;
  uint64_t conditions; /* that are met, JDG_IF_...; 0: not yet known */
};

/*
 * An earlier use of a Message ID by the same endpoint within the last 247 s: to the same
 * destination with different octets, or (clients) unicast against group.
 */
struct jdg_mid_use {
  const struct jdg_host *sender; /* who really sent it, also where the source address is forged */
  chorus_time time;
  uint64_t frame;
  uint64_t digest;
  struct chorus_endpoint destination;
  bool group, request;
  uint8_t type;
};

/* ---- what a rule may say; every call counts one activation, but for jdg_remark ---- */

static inline void jdg_pass(struct jdg_look *look) {
  uint32_t *passes = &look->passes[look->check];
  *passes += *passes != UINT32_MAX;
}
/* How often the rule has said so of this node. */
static inline uint32_t jdg_passes(const struct jdg_look *look) {
  return look->passes[look->check];
}
/*
 * A counter-example. |frame| 0: nothing happened in time. |expected| and |actual| are one line
 * each, in the same syntax; |actual| is a printf format.
 */
void jdg_break(struct jdg_look *look, uint64_t frame, const char *expected, const char *actual, ...)
    __attribute__((format(printf, 4, 5)));
/* The same graded WARN whatever the level (the catalogue says so for some MUST rows). */
void jdg_warn(struct jdg_look *look, uint64_t frame, const char *expected, const char *actual, ...)
    __attribute__((format(printf, 4, 5)));
/* The condition arose and cannot be decided; |why| is a sentence. */
void jdg_inconclusive(struct jdg_look *look, const char *why);
/* A remark (INFO): no verdict, no activation. */
void jdg_remark(struct jdg_look *look, uint64_t frame, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- what a rule may ask ---- */

/* Zeroed memory of this rule for this node, |size| octets (always the same), kept until the end.
 * NULL: no memory. */
void *jdg_state_new(struct jdg_look *look, size_t size);
static inline void *jdg_state(struct jdg_look *look, size_t size) {
  void *state = look->states ? look->states[look->check] : NULL;
  return state ? state : jdg_state_new(look, size);
}
/* The same if it has been asked for before, else NULL: for rules that only look something up. */
static inline void *jdg_state_if_any(const struct jdg_look *look) {
  return look->states ? look->states[look->check] : NULL;
}
/* True for the first call of this rule with this marks word: say it once per request, leg,
 * reception. */
bool jdg_once(struct jdg_look *look, struct jdg_marks *marks);
enum jdg_profile jdg_profile_of(const struct jdg_look *look);
bool jdg_strict_of(const struct jdg_look *look);
/* Tolerance for times: 50 ms in virtual time, 1 s in real time (catalogue, section 1). */
chorus_time jdg_delta(const struct jdg_look *look);
/* Statement for the request's resource at this server, or NULL. */
const struct jdg_ics_resource *jdg_resource(const struct jdg_host *host,
                                            const struct jdg_request *request);
/*
 * JDG_ON_RESPONSE_SENT: the response answers a group request, and cannot be the answer to something
 * else under the same Token (a unicast follow-up, or an earlier request).
 */
static inline bool jdg_answers_group(const struct jdg_look *look) {
  const struct jdg_request *q = look->leg ? look->leg->request : NULL;
  if (!q || !q->group || q->followups) return false;
  return !q->previous || look->now >= q->previous->last_time + JDG_TOKEN_DOUBT;
}
/* The host with this address, or NULL. */
struct jdg_host *jdg_host_of(const struct jdg_look *look, const struct chorus_endpoint *address);
/* Requests known under |token| of client endpoint |source|, the latest, or NULL. */
struct jdg_request *jdg_request_of(const struct jdg_look *look,
                                   const struct chorus_endpoint *source, const uint8_t *token,
                                   size_t token_length);
/* The latest that is known under |token| of another port of the address of |source|, or NULL. */
struct jdg_request *jdg_request_at_other_port(const struct jdg_look *look,
                                              const struct chorus_endpoint *source,
                                              const uint8_t *token, size_t token_length);
/* Whether |mid| is one of the latest Message IDs of the request. */
bool jdg_request_has_mid(const struct jdg_request *request, uint16_t mid);
/* Since when the request is sent with |mid| to its destination; CHORUS_NEVER: it is not. */
chorus_time jdg_request_mid_since(const struct jdg_request *request, uint16_t mid);
/* Whether |host| is known to be a member of |group| now: JDG_UNKNOWN, JDG_NO, JDG_YES. */
enum jdg_tristate jdg_member(const struct jdg_look *look, const struct jdg_host *host,
                             const struct chorus_endpoint *group);
/* Whether the host in the look has sent a response to the request. */
bool jdg_has_answered(const struct jdg_look *look, const struct jdg_request *request);
/* Elsewhere: the latest message to a group that |source| was seen to send, or NULL. */
const struct jdg_reception *jdg_group_message_of(const struct jdg_look *look,
                                                 const struct chorus_endpoint *source);
/* Seconds with millisecond digits, as text: "5.250 s". */
const char *jdg_time_text(chorus_time time, char text[32]);

#endif
