/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server, inside. One request takes this way:
 *
 *   server.c    datagram: decode, reject, de-duplicate
 *   request.c   read the options, find the resource
 *   execute.c   run the method, make an outcome
 *   respond.c   suppress or answer; piggyback, send at once, or keep for later
 *   pace.c      how much was answered: Leisure periods, rate towards a source
 *   agenda.c    what is to be sent later: group responses in their Leisure, separate responses
 *
 * A server is two blocks of memory: its agenda, and this structure with its resources, texts and
 * groups. With 100,000 servers in one process every call finds its server outside of the cache, so
 * what a group request touches is gathered in as few cache lines as possible.
 */
#ifndef REF_SERVER_H
#define REF_SERVER_H

#include "agenda.h"
#include "chorus/reference.h"
#include "codec.h"
#include "dedup.h"
#include "event.h"
#include "mid.h"

enum {
  REF_PAYLOAD_MAX = 1024, /* RFC 7252, section 4.6 */
  REF_PATH_TEXT = 512,    /* path and query as text; longer ones are cut, and match nothing */
  REF_LINKS_MAX = 8192,   /* /.well-known/core; further links are left out */
  REF_SOURCES_MAX = 64,   /* sources that the response rate is kept for */
};

struct ref_server_resource {
  struct ref_resource_traits traits;
  const char *path;
  const uint8_t *initial;
  uint8_t *changed; /* on the heap once the representation was changed, else NULL */
  chorus_time processing;
  uint64_t counter;
  uint32_t methods;
  uint16_t path_length;
  uint16_t length;
  uint16_t content_format;
  uint8_t kind;
  uint8_t code; /* of the response, when it is always the same; 0: it depends */
  bool exists;
  bool hidden;
  uint8_t initial_code;
  /* Until here it is one cache line. */
  uint16_t initial_length;
  const char *attributes; /* NULL: none */
  uint64_t initial_counter;
};

/* The Leisure period of one group membership. */
struct ref_membership_period {
  struct chorus_endpoint group;
  struct ref_period period;
};

/* How much a source had already: theoretical arrival time of the next conforming response. */
struct ref_source_rate {
  uint8_t address[16];
  uint32_t zone;
  chorus_time next;
};

struct ref_server_group {
  struct chorus_endpoint endpoint;
  bool joined;
};

struct ref_server {
  _Alignas(REF_CACHE_LINE) const struct ref_server_policy *policy;
  void *policy_context;
  struct ref_agenda *agenda; /* the node's state; has the host */
  struct ref_server_resource *resources;
  struct ref_source_rate source; /* the source that was used last */

  struct ref_membership_period period; /* the membership that was used last */
  chorus_time leisure;
  uint32_t response_rate;
  uint16_t resource_count;
  bool no_dedup : 1, only_widen : 1, multicast_unaware : 1, no_discovery : 1;
  struct ref_mids mids; /* its first octets */
  /* Most group requests touch the above, */
  struct ref_dedup dedup; /* and a line or two of this. */

  bool no_filter;
  uint16_t port;
  struct ref_exchanges exchanges;
  struct ref_membership_period *periods; /* of other memberships */
  size_t period_count;
  struct ref_source_rate *sources; /* other sources */
  size_t source_count;
  struct ref_server_group *configured; /* groups that are joined at every start */
  size_t configured_count;
  struct ref_server_group *added; /* groups that were joined at run time */
  size_t added_count;
  struct ref_resource_traits discovery;
  struct ref_allocator allocator;
  size_t block;             /* octets of this block of memory */
  char *why;                /* text of the last command that failed; on the heap */
  uint8_t discovery_joined; /* bit per All CoAP Nodes group */
};

/* A request in the works. */
struct ref_work {
  struct ref_env env;
  struct ref_request request;
  struct ref_message message;
  struct chorus_endpoint key_source;    /* by which it is told from its copies, */
  uint16_t key_mid;                     /* and this */
  struct ref_server_resource *resource; /* NULL: unknown, or discovery */
  struct ref_outcome outcome;
  int accept;                   /* Accept, or -1 */
  int block_number, block_size; /* Block2: NUM and SZX, or -1 */
  bool if_none_match, if_match;
  bool is_discovery;
  char path[REF_PATH_TEXT];
  uint8_t number[24]; /* room for a counter as text */
};

/* request.c: reads the options; a fault if the request has to be rejected. */
enum ref_fault ref_request_read(struct ref_server *s, struct ref_work *w);

/* execute.c: runs the method on its resource; fills in w->outcome. */
void ref_execute(struct ref_server *s, struct ref_work *w);
/* The representation of a resource as it is now. */
const uint8_t *ref_resource_payload(const struct ref_server_resource *r, uint8_t number[24],
                                    size_t *length);
/* An entity-tag that tells representations apart (5.10.6). */
uint32_t ref_etag(const uint8_t *octets, size_t length);
/* Replaces it; false without memory. */
bool ref_resource_replace(struct ref_server_resource *r, const uint8_t *octets, size_t length);
/* Back to what was configured; true if anything changed by that. */
bool ref_resource_reset(struct ref_server_resource *r);
void ref_emit_state(const struct ref_server *s, const struct ref_server_resource *r,
                    const char *detail);

/* discovery.c: GET /.well-known/core; writes to |links| of REF_LINKS_MAX. False: silence. */
bool ref_discover(struct ref_server *s, struct ref_work *w, char *links);

/* respond.c: what becomes of an outcome. */
void ref_respond(struct ref_server *s, struct ref_work *w);
/* Reacts to a message that cannot be processed. */
void ref_reject(struct ref_server *s, struct ref_work *w, enum ref_fault fault);
/* Sends |length| octets. */
void ref_send(const struct chorus_host *host, const struct chorus_endpoint *destination,
              const struct chorus_endpoint *source, const uint8_t *octets, size_t length);

/* pace.c */
/* The period of a group membership that was planned last; made when there is none. NULL: no memory.
 */
struct ref_period *ref_period_of(struct ref_server *s, const struct chorus_endpoint *group,
                                 chorus_time now);
/* Takes one response towards |source| from its rate; false when it has had enough. */
bool ref_rate_take(struct ref_server *s, const struct chorus_endpoint *source, chorus_time now);
/* server.c */
struct ref_env ref_server_env(const struct ref_server *s, chorus_time now);
/* A request whose time has come. */
void ref_server_process(struct ref_server *s, struct ref_work *w);

/* server_command.c */
int ref_server_command(void *node, chorus_time now, const struct chorus_command *command,
                       const char **why);
/* membership.c */
void ref_groups_configure(struct ref_server *s, struct ref_server_group *block,
                          const struct chorus_endpoint *groups, size_t count);
void ref_groups_free(struct ref_server *s);
size_t ref_groups_footprint(const struct ref_server *s);
void ref_groups_join(struct ref_server *s, chorus_time now);
int ref_group_change(struct ref_server *s, chorus_time now, const struct chorus_endpoint *group,
                     bool join, const char **why);
void ref_groups_restart(struct ref_server *s, chorus_time now);

#endif
