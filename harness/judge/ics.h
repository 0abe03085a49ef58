/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The implementation conformance statement (ICS) of a node: what it says of itself, so that rules
 * know what they may demand. Silence in the statement is not "no": every member has an unknown
 * value.
 */
#ifndef CHORUS_JUDGE_ICS_H
#define CHORUS_JUDGE_ICS_H

#include "chorus/types.h"

enum jdg_tristate { JDG_UNKNOWN = 0, JDG_NO, JDG_YES };

/* Suppression of responses to group requests, as a set (same values as the reference's). */
enum jdg_suppress {
  JDG_SUPPRESS_2XX = 1u << 0,
  JDG_SUPPRESS_4XX = 1u << 1,
  JDG_SUPPRESS_5XX = 1u << 2,
  JDG_SUPPRESS_EMPTY_205 = 1u << 3,
};

enum jdg_nr_policy { JDG_NR_ALWAYS = 0, JDG_NR_AUTHONLY };

/* What is declared of one resource, by path ("/light"), or of all others ("*"). */
struct jdg_ics_resource {
  char path[64];
  uint32_t suppress; /* default suppression; valid if suppress_declared */
  bool suppress_declared;
  enum jdg_tristate no_response; /* honours option 258 */
  enum jdg_tristate multicast;   /* enabled for group requests */
  enum jdg_tristate idempotent_post;
  enum jdg_tristate exists; /* the server has this resource; "*" with NO: no others exist */
};

#define JDG_ICS_RESOURCES 32
#define JDG_ICS_GROUPS    32

struct jdg_ics {
  bool declared; /* anything at all was declared of this node */
  enum jdg_tristate
      leisure_declared;    /* YES: |leisure| is what the node says; else 5 s is assumed */
  chorus_time leisure;     /* ns; default 5 s (DEFAULT_LEISURE) */
  chorus_time processing;  /* PROC, ns; default 2 s (PROCESSING_DELAY) */
  enum jdg_tristate dedup; /* de-duplicates NON messages by Message ID */
  enum jdg_nr_policy nr_policy;
  bool msrd_declared;
  chorus_time msrd;              /* MAX_SERVER_RESPONSE_DELAY, ns */
  enum jdg_tristate discovery;   /* offers /.well-known/core */
  enum jdg_tristate filter;      /* RFC 6690 query filtering */
  enum jdg_tristate mcast_aware; /* can tell that a request came by multicast (RFC 7252, 8.1) */
  enum jdg_tristate constrained, sixlowpan, internet, secured, boundary;
  unsigned needed_scope;  /* 0: unknown */
  unsigned nstart;        /* default 1 */
  unsigned group_size;    /* for the bound S*G/R of Leisure; 0: unknown */
  uint64_t group_rate;    /* R, octets per second; 0: unknown */
  unsigned response_size; /* S, octets; 0: unknown */
  struct jdg_ics_resource resources[JDG_ICS_RESOURCES];
  size_t resource_count;
  struct chorus_endpoint groups[JDG_ICS_GROUPS]; /* CoAP groups that it serves from the start */
  size_t group_count;
  bool groups_declared; /* |groups| is complete */
};

/* The statement of a node that states nothing. */
void jdg_ics_default(struct jdg_ics *ics);

/*
 * Statement for |path| (without query): the resource's own entry, else the "*" entry, else NULL.
 */
const struct jdg_ics_resource *jdg_ics_find(const struct jdg_ics *ics, const char *path);

#endif
