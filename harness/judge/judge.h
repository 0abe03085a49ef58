/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judge: reads packets (and application events, where there are any) in order of time, builds
 * the conversation, and lets every rule of the profile look at it. One pass; the same code judges a
 * run as it happens and a capture made elsewhere.
 */
#ifndef CHORUS_JUDGE_H
#define CHORUS_JUDGE_H

#include "capture/capture.h"
#include "chorus/node.h"
#include "chorus/types.h"
#include "judge/ics.h"

enum jdg_profile { JDG_DIJK_03 = 0, JDG_RFC7390, JDG_BIS_18, JDG_PROFILE_COUNT };

enum jdg_level {
  JDG_NOT_APPLICABLE = 0,
  JDG_FACT,
  JDG_MAY,
  JDG_SHOULD,
  JDG_SHOULD_NOT,
  JDG_RECOMMENDED,
  JDG_NOT_RECOMMENDED,
  JDG_MUST,
  JDG_MUST_NOT,
};

/* Verdict of one rule on one node. Broken MUST: FAIL. Broken SHOULD, RECOMMENDED or fact: WARN, and
 * FAIL when strict. */
enum jdg_verdict {
  JDG_NOT_EXERCISED = 0,
  JDG_PASS,
  JDG_WARN,
  JDG_INCONCLUSIVE,
  JDG_FAIL,
  JDG_UNSUPPORTED,
  JDG_WAIVED,
  JDG_ERROR,
};

enum jdg_role {
  JDG_CLIENT = 1u << 0,
  JDG_SERVER = 1u << 1,
  JDG_PROXY = 1u << 2,
  JDG_GM = 1u << 3,
  JDG_RD = 1u << 4,
  JDG_ROUTER = 1u << 5,
  JDG_CONFIG = 1u << 6,
  JDG_APP = 1u << 7,
};

const char *jdg_profile_name(enum jdg_profile profile); /* "dijk-03", "rfc7390", "bis-18" */
bool jdg_profile_parse(const char *name, enum jdg_profile *profile);
const char *jdg_level_name(enum jdg_level level);       /* "MUST NOT", "fact", ... */
const char *jdg_verdict_name(enum jdg_verdict verdict); /* "not-exercised", "pass", ... */

/* One counter-example, or one remark. Strings belong to the judge. */
struct jdg_finding {
  uint64_t frame;   /* 0: no single frame (something did not happen) */
  chorus_time time; /* ns */
  const char *expected, *actual, *message;
};

/* What one rule says of one node. */
struct jdg_result {
  const struct rule *rule;
  uint32_t node;        /* index, see jdg_node_* */
  enum jdg_level level; /* in the profile judged by */
  enum jdg_verdict verdict;
  uint64_t activations; /* how often its condition arose and was decided or tried */
  const struct jdg_finding *findings;
  size_t finding_count; /* kept; at most JDG_MAX_FINDINGS */
  uint64_t finding_total;
};
#define JDG_MAX_FINDINGS 16

struct judge;

struct jdg_config {
  enum jdg_profile profile;
  bool strict;
  bool real_time;    /* the capture is of real time: a silence needs several tries */
  chorus_time delta; /* tolerance of times, ns; 0: 1 s in real time, 50 ms in virtual time */
};

struct judge *jdg_new(const struct jdg_config *config); /* NULL: no memory */
void jdg_free(struct judge *judge);
/* Forgets everything but its memory: for the next capture. */
void jdg_reset(struct judge *judge, const struct jdg_config *config);

/*
 * Tells the judge of a node that has a name and an interface of its own in the capture (its own
 * view). |judged| false: a tester, whose behaviour is nobody's conformance. Returns the node's
 * index.
 */
uint32_t jdg_add_node(struct judge *judge, const char *name,
                      const struct chorus_endpoint *addresses, size_t address_count, bool judged);
/* Says that packets of interface |interface| are node |node|'s own view. */
void jdg_bind_interface(struct judge *judge, uint32_t interface, uint32_t node);
/* Gives the node's statement, by index. Before the first packet. Copied. */
void jdg_set_ics(struct judge *judge, uint32_t node, const struct jdg_ics *ics);
/* Says what the node is for, before it shows it (enum jdg_role, added to what is known). */
void jdg_set_roles(struct judge *judge, uint32_t node, unsigned roles);
/*
 * Gives a statement to the node that has |address| or |name| (either may be NULL) now or later;
 * NULL and NULL: to every node that has none. Copied.
 */
void jdg_expect_ics(struct judge *judge, const char *name, const struct chorus_endpoint *address,
                    const struct jdg_ics *ics);
/* Says that only these rules are judged (ids; NULL: all). Returns the first unknown id, or NULL. */
const char *jdg_select(struct judge *judge, const char *const *ids, size_t count);

/* Feeds a packet. Packets and events come in order of time; at equal times packets first. */
void jdg_packet(struct judge *judge, const struct cap_packet *packet);
/* Feeds an application event of node |node|. Without any event of a node, rules on events stay not
 * exercised. */
void jdg_event(struct judge *judge, uint32_t node, chorus_time time,
               const struct chorus_event *event);
/* Ends at |time|: pending windows that lie before it are decided, later ones are not. */
void jdg_finish(struct judge *judge, chorus_time time);

/* Results after jdg_finish(): by node, then by catalogue order. Nodes without any traffic included
 * if added. */
size_t jdg_result_count(const struct judge *judge);
const struct jdg_result *jdg_result_get(const struct judge *judge, size_t i);
size_t jdg_node_count(const struct judge *judge);
const char *jdg_node_name(const struct judge *judge, uint32_t node); /* name, or its address */
unsigned jdg_node_roles(const struct judge *judge, uint32_t node);   /* seen roles, enum jdg_role */
bool jdg_node_judged(const struct judge *judge, uint32_t node);

struct jdg_counts {
  uint64_t packets, datagrams, coap_messages, malformed_messages, damaged_frames, unreadable_frames;
  uint64_t requests, group_requests, responses, empty_messages, icmp_errors;
};
struct jdg_counts jdg_counts_get(const struct judge *judge);
/* The first unreadable frame (0: none) and why. */
uint64_t jdg_unreadable(const struct judge *judge, const char **why);
/* The first damaged frame (0: none) and why: a receiver drops it, so nothing was judged by it. */
uint64_t jdg_damaged(const struct judge *judge, const char **why);

/* True when memory ran out: what follows from the results is not to be trusted. */
bool jdg_out_of_memory(const struct judge *judge);

/*
 * Adds the nodes of named interfaces from number |known| on (see jdg_capture()); returns how many
 * interfaces are known now. For callers that feed a capture themselves.
 */
size_t jdg_add_interfaces(struct judge *judge, const struct cap_reader *reader, size_t known);
/* Whole captures: opens, adds nodes for named interfaces with addresses, feeds, finishes. */
enum cap_status jdg_capture(struct judge *judge, const char *path, char *message, size_t size);

#endif
