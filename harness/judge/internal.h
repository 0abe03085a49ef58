/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the judge's own files share. Rules see model.h only.
 *
 *   judge.c         feeding, time, the hooks
 *   hosts.c         nodes, addresses, aliases, memberships
 *   requests.c      requests of a client endpoint, Tokens and Message IDs
 *   server_side.c   legs, receptions, responses sent
 *   group_sight.c   group messages where nobody's own view shows their reception
 *   client_side.c   arrivals, what is due, events of clients
 *   verdict.c       what rules say, and the results
 */
#ifndef CHORUS_JUDGE_INTERNAL_H
#define CHORUS_JUDGE_INTERNAL_H

#include "dissect/zero.h"
#include "judge/model.h"
#include "judge/pool.h"
#include "judge/table.h"
#include "judge/timers.h"

#define KEEP_RECEPTION (300 * CHORUS_SECOND) /* longer than EXCHANGE_LIFETIME */
#define KEEP_REQUEST   (600 * CHORUS_SECOND) /* longer than 250 s + 250 s (seed 2.3.1) */
#define ACK_LIMIT      (2 * CHORUS_SECOND)   /* a CON is acknowledged within ACK_TIMEOUT */

/* What one rule has said of one node. */
struct cell { /* but for the passes, which are counted apart: they are the hot part */
  uint64_t breaks, warnings, inconclusives;
  const char *inconclusive_why; /* the first reason */
  struct jdg_finding *findings;
  size_t finding_count, finding_capacity;
  uint64_t finding_total;
};

struct membership {
  struct chorus_endpoint group;
  bool joined;
};

struct recent_request {
  chorus_time time;
  uint64_t group;  /* hash of the destination, 0: unicast */
  uint64_t source; /* hash of the source address */
};

#define INSTANT_RECEPTIONS 8
#define RECENT_REQUESTS    32
#define CLIENT_PORTS       8

/* A host with what rules need not see. |host| comes first. */
struct host {
  struct jdg_host host;
  bool mac_known;     /* in by_mac, or another host's there */
  uint32_t *passes;   /* one per check, dense: most calls of rules end here */
  struct cell *cells; /* one per check, allocated when a rule first speaks */
  void **states;      /* one per check */
  struct membership *memberships;
  size_t membership_count, membership_capacity;
  bool membership_events;
  struct recent_request recent[RECENT_REQUESTS];
  chorus_time busy_until; /* Leisure periods one after the other, of all group requests so far */
  size_t recent_next;
  chorus_time instant; /* of the latest reception, and the group receptions of that instant */
  struct jdg_reception *at_instant[INSTANT_RECEPTIONS];
  size_t instant_count;
  uint16_t client_ports[CLIENT_PORTS]; /* source ports of requests sent, the latest first */
  size_t client_port_count;
  struct arrival *latest_arrivals; /* chain by |older|, the latest first, due ones removed */
};

struct leg {
  struct jdg_leg leg;
  struct leg *next_of_request;
  struct reception *latest;
  uint64_t hash;
};

struct request {
  struct jdg_request request;
  struct leg *legs;
  chorus_time last_seen;
  struct chorus_endpoint last_destination; /* of the last transmission */
  chorus_time time_before;                 /* the transmission before the last one */
  uint64_t hash;
  bool apart;                 /* in the table of those that are forged or malformed */
  bool current;               /* in the table: the latest under its Token */
  uint64_t conditions;        /* what of JDG_IF_... the request itself meets */
  unsigned generations_after; /* requests that name it as previous */
  uint64_t name;              /* digest of what the application calls it; 0: unknown */
};

struct reception {
  struct jdg_reception reception;
  uint64_t digest; /* of the datagram */
  uint64_t hash;
  bool indexed; /* the latest with its Message ID from its endpoint */
  uint64_t stimulus_hash;
  bool is_stimulus;    /* the latest of all from its endpoint */
  uint64_t conditions; /* what of JDG_IF_... it meets by itself */
};

struct arrival {
  struct jdg_arrival arrival;
  chorus_time last_time; /* of the last copy */
  uint64_t digest;
  uint64_t hash;
  bool indexed, is_due_chained;
  struct arrival *older, *newer;
};

/* Uses of a Message ID: by (source, destination) and, for clients, by source alone. */
struct mid_use {
  struct jdg_mid_use use;
  struct chorus_endpoint source;
  uint16_t mid;
  uint64_t hash_pair, hash_source;
  bool in_pair, in_source;
};

/* One datagram, sent once or more, seen on interfaces that are no node's own. */
struct sighting {
  uint64_t digest;
  chorus_time time; /* of the last transmission */
  unsigned transmissions;
  struct {
    uint32_t place; /* interface and direction */
    unsigned seen;  /* how often it was seen there: at most |transmissions| */
  } places[8];
  size_t place_count;
};
#define SIGHTINGS 1024

struct expected_ics {
  char name[64];
  bool has_name, has_address;
  struct chorus_endpoint address;
  struct jdg_ics ics;
};

struct hook_entry { /* a rule to be called */
  void (*look)(struct jdg_look *look);
  size_t check;   /* its index */
  uint64_t needs; /* JDG_IF_..., JDG_UNLESS(), JDG_PASSES */
};

/*
 * The rules of one hook that are called under one set of conditions, made when these conditions are
 * first met: there are few of them, and most of a hook's rules need what is not the case.
 */
struct call_list {
  uint64_t lacking; /* of the needs */
  bool made;
  struct hook_entry *entries, *entries_end;
  uint16_t *passes, *passes_end; /* checks that are known to pass, in the memory of |entries| */
};
#define CALL_LISTS 64 /* per hook, by a hash of the conditions */

struct text_block {
  struct text_block *next;
  size_t used, size;
};

struct judge {
  struct jdg_config config;
  chorus_time now;
  chorus_time expire_at; /* when old objects are looked for again */
  struct host **hosts;
  size_t host_count, host_capacity;
  struct jdg_table by_address, by_mac;
  uint32_t *interface_hosts; /* host index + 1; 0: nobody's */
  size_t interface_count;
  struct expected_ics *expected;
  size_t expected_count;

  struct jdg_table requests, apart_requests, legs, receptions, stimuli, arrivals, mid_pairs,
      mid_sources, group_sights;
  struct jdg_table coap_endpoints; /* endpoints known to speak CoAP (captures made elsewhere) */
  struct jdg_pool request_pool, leg_pool, reception_pool, arrival_pool, mid_pool, endpoint_pool,
      address_pool, group_sight_pool;
  struct jdg_fifo request_ages, reception_ages, arrival_ages, mid_ages, group_sight_ages;
  struct jdg_timers timers;
  uint64_t request_serial;

  struct dis_reassembly *reassembly;
  struct dis_frame frame;
  struct dis_coap coap;
  uint64_t digest;                        /* of the datagram in |coap| */
  uint64_t message_conditions;            /* of |coap|: JDG_IF_... */
  bool to_group;                          /* its destination is a group */
  uint64_t source_hash, destination_hash; /* endpoint_hash() of those in |frame| */
  uint64_t source_address_hash, destination_address_hash;
  struct sighting sightings[SIGHTINGS];

  const struct rule_check **checks; /* by index */
  const struct rule **check_rules;
  bool *enabled;
  size_t
      *same_as; /* a restated rule is looked at once: the index of the row that is, else its own */
  size_t check_count;
  struct hook_entry *hook_lists[JDG_HOOK_COUNT];
  size_t hook_counts[JDG_HOOK_COUNT];
  uint64_t hook_needs[JDG_HOOK_COUNT]; /* all that its rules may need */
  bool look_always;                    /* for a test: every rule is called at all of its hooks */
  struct call_list call_lists[JDG_HOOK_COUNT][CALL_LISTS];

  struct jdg_result *results;
  size_t result_count, result_capacity;
  struct text_block *texts;
  struct jdg_counts counts;
  uint64_t unreadable_frame, damaged_frame;
  const char *unreadable_why, *damaged_why;
  bool no_memory;
};

/* At most eight octets, with zeros behind them, as they lie in memory. */
static inline uint64_t token_word(const uint8_t *token, size_t length) {
  uint8_t octets[8] = {0};
  uint64_t word;
  if (length == sizeof octets)
    memcpy(octets, token, sizeof octets);
  else if (length == 4)
    memcpy(octets, token, 4);
  else
    for (size_t i = 0; i < length; i++) octets[i & 7] = token[i];
  memcpy(&word, octets, sizeof word);
  return word;
}

/* Copies the Token of a message where it has one, and zeros behind it; returns its length. */
static inline uint8_t copy_token(uint8_t to[8], const struct dis_coap *m) {
  uint8_t length = m->token_length <= 8 ? m->token_length : 0;
  uint64_t word = token_word(m->token, length);
  memcpy(to, &word, sizeof word);
  return length;
}

/* The octets where a Token of a reserved length begins: who cuts it off repeats them. */
static inline void copy_token_front(uint8_t to[8], const struct dis_coap *m) {
  if (!(m->errors & DIS_ERROR_TOKEN_LENGTH) || m->length < 4) return;
  memcpy(to, m->data + 4, m->length < 12 ? m->length - 4 : 8);
}

static inline bool same_token(const uint8_t *a, size_t a_length, const uint8_t *b,
                              size_t b_length) {
  return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* chorus_is_group(), at once for what begins neither like a group nor like IPv4. */
static inline bool is_group(const struct chorus_endpoint *e) {
  if (e->address[0]) return e->address[0] == 0xff;
  return chorus_is_group(e);
}

/* What the place that a request or reception went to means to rules: JDG_IF_... */
static inline uint64_t destination_conditions(const struct chorus_endpoint *to) {
  uint64_t have = 0;
  uint8_t last = to->address[15]; /* of ff0X::1, ff0X::fd, 224.0.1.187 and broadcast */
  if (chorus_is_ipv4(to)) have |= JDG_IF_IPV4;
  bool assigned = to->address[0] != 0xff || !(to->address[1] & 0xf0u);
  if (last == 0x01 || last == 0xfd || last == 187 || last == 255)
    have |= assigned ? JDG_IF_WELL_KNOWN : 0;
  if (to->port == CHORUS_COAPS_PORT) have |= JDG_IF_SECURE_PORT;
  return have;
}

/* judge.c */
void judge_call(struct judge *judge, struct jdg_look *look, enum jdg_hook hook,
                struct jdg_host *host);
/* The same at another hook, for the same host, with nothing changed in between. */
void judge_call_again(struct judge *judge, struct jdg_look *look, enum jdg_hook hook);
/* What is the case with the datagram just read. */
uint64_t judge_message_conditions(const struct judge *judge);

/* hosts.c */
struct host *host_new(struct judge *judge, const char *name);
bool host_add_address(struct judge *judge, struct host *host,
                      const struct chorus_endpoint *address);
struct host *host_find(const struct judge *judge, const struct chorus_endpoint *address);
/*
 * Finds or makes the host; the link-layer address it sends from shows aliases. That of a
 * destination may be a router's: NULL then. Returns NULL for a group, or without memory.
 */
struct host *host_at(struct judge *judge, const struct chorus_endpoint *address, const uint8_t *mac,
                     size_t mac_length, uint8_t hop_limit);
bool host_has(const struct jdg_host *host, const struct chorus_endpoint *address);
void host_membership(struct host *host, const struct chorus_endpoint *group, bool joined);
enum jdg_tristate host_member(const struct host *host, const struct chorus_endpoint *group);
void host_free(struct judge *judge, struct host *host);

static inline uint64_t address_hash(const struct chorus_endpoint *address) {
  return jdg_hash16(0, address->address);
}

static inline uint64_t endpoint_hash(const struct chorus_endpoint *endpoint) {
  return jdg_mix(address_hash(endpoint), endpoint->port);
}

static inline uint64_t address_hash_of(const struct judge *judge,
                                       const struct chorus_endpoint *endpoint) {
  if (endpoint == &judge->frame.source) return judge->source_address_hash;
  if (endpoint == &judge->frame.destination) return judge->destination_address_hash;
  return address_hash(endpoint);
}

/* The same, without work for the endpoints of the datagram at hand. */
static inline uint64_t hash_of(const struct judge *judge, const struct chorus_endpoint *endpoint) {
  if (endpoint == &judge->frame.source) return judge->source_hash;
  if (endpoint == &judge->frame.destination) return judge->destination_hash;
  return endpoint_hash(endpoint);
}

/* requests.c */
struct request *request_find(const struct judge *judge, const struct chorus_endpoint *source,
                             const uint8_t *token, size_t token_length);
/* The same among those kept apart: sent by somebody else under that address, or malformed. */
struct request *request_find_apart(const struct judge *judge, const struct chorus_endpoint *source,
                                   const uint8_t *token, size_t token_length);
/* Notes a transmission of a request; fills look->request, relation and gap. NULL: no memory. */
struct request *request_sent(struct judge *judge, struct jdg_look *look, struct jdg_host *sender);
/* The request that a received message belongs to, made up if its transmission was not seen. */
struct request *request_received(struct judge *judge, struct jdg_look *look);
/* A new request of the application under a Token that carried the very same request before. */
struct request *request_again(struct judge *judge, struct request *old, chorus_time now);
void mid_note(struct judge *judge, struct jdg_look *look);
void requests_expire(struct judge *judge);
void mids_expire(struct judge *judge);

/* server_side.c */
struct leg *leg_of(struct judge *judge, struct request *request, struct jdg_host *server);
struct leg *leg_find(const struct judge *judge, const struct request *request,
                     const struct jdg_host *server);
void server_received(struct judge *judge, struct jdg_look *look, enum jdg_bad bad);
void server_responded(struct judge *judge, struct jdg_look *look);
void server_empty_sent(struct judge *judge, struct jdg_look *look);
void server_event(struct judge *judge, struct jdg_look *look);
void receptions_expire(struct judge *judge);
struct reception *reception_find(const struct judge *judge, const struct jdg_host *server,
                                 const struct chorus_endpoint *source, uint16_t mid);

/* |source|: the reception's, or the same in the datagram at hand. */
void reception_index(struct judge *judge, struct reception *reception,
                     const struct chorus_endpoint *source);

/* group_sight.c */
#define GROUP_SIGHT_SIZE 320 /* octets; asserted there */
void group_sight_note(struct judge *judge, const struct jdg_look *look, enum jdg_bad bad);
/* Each makes and indexes a reception at |server| if one can be inferred, else NULL. */
struct reception *group_sight_by_mid(struct judge *judge, struct jdg_host *server,
                                     const struct chorus_endpoint *source, uint16_t mid);
struct reception *group_sight_by_request(struct judge *judge, struct jdg_host *server,
                                         const struct jdg_request *request);
/* |since|: it came after that. */
struct reception *group_sight_latest(struct judge *judge, struct jdg_host *server,
                                     const struct chorus_endpoint *source, chorus_time since);
void group_sights_expire(struct judge *judge);

/* client_side.c */
void client_received(struct judge *judge, struct jdg_look *look);
struct arrival *arrival_find(const struct judge *judge, const struct jdg_host *client,
                             const struct chorus_endpoint *source, uint16_t mid);
void client_event(struct judge *judge, struct jdg_look *look);
/* What was due is in doubt if the request ended in the instant of the arrival. */
void arrival_settle(struct jdg_arrival *arrival);
void arrival_unchain(struct host *host, struct arrival *arrival);
void arrivals_expire(struct judge *judge);

/* verdict.c */
int verdict_setup(struct judge *judge);
void verdict_collect(struct judge *judge);
void verdict_free(struct judge *judge);
const char *text_keep(struct judge *judge, const char *text);

#endif
