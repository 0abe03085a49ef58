/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks under test (SUT): manifests, and nodes that are somebody else's program
 * (docs/plugins.md).
 *
 * Rungs a and b are nodes of virtual time, for any network. Rung d is a node of the kernel backend
 * with presence KRN_HOST: its start() spawns the program in the node's namespace.
 */
#ifndef CHORUS_SUT_H
#define CHORUS_SUT_H

#include "chorus/kernel.h"
#include "chorus/node.h"
#include "sut/manifest.h"

/* ---- what goes wrong with a program, beside the rules ---- */

enum sut_trouble_kind {
  SUT_NO_START = 0, /* cannot be started, refused to start, never became ready */
  SUT_CRASH,        /* ended by a signal, or before it was told to */
  SUT_HANG,         /* said nothing for the whole watchdog, or did not end in time */
  SUT_PROTOCOL,     /* a line that is no JSON, a member that makes no sense */
  SUT_LIE,          /* `unsupported` for what the manifest declares */
  SUT_SANITIZER,    /* a sanitizer or run-time reported on standard error */
  SUT_FLOOD,        /* more datagrams per second than allowed */
  SUT_BAD_EXIT,     /* an exit status other than 0 after `stop` */
  SUT_LEFTOVER,     /* processes that outlive it */
};
const char *sut_trouble_name(enum sut_trouble_kind kind); /* "crash", "hang", ... */

/* All text belongs to the node. */
struct sut_trouble {
  enum sut_trouble_kind kind;
  chorus_time at;   /* of the run */
  const char *text; /* a sentence */
  const char *last; /* the last datagram that it was given, in hexadecimal, or NULL */
  chorus_time last_at;
  const char *tail; /* the end of its standard error, "" if there was none */
};

/* ---- a node ---- */

struct sut_node;

/* Rung a without a shared object: the functions of a stack that is linked into this program. */
struct sut_linked {
  /* As SYMBOL_new and SYMBOL_free of docs/plugins.md. */
  struct chorus_node (*make)(const char *start_json, const char **why);
  void (*release)(struct chorus_node node);
};

struct sut_node_config {
  const struct sut_manifest *manifest; /* outlives the node */
  const struct scn_scenario *scenario; /* outlives the node */
  const struct scn_node *node;         /* one of the scenario; of a role that the manifest plays */
  uint64_t seed;                       /* of the run; mixed with the node's name */
  chorus_time watchdog;                /* real ns; 0: 10 s */
  uint32_t flood;                      /* datagrams per second that are allowed; 0: 1000 */
  const struct sut_linked *linked;     /* rung a: instead of the manifest's library; else NULL */
  bool thorough; /* at the end, look for leftovers among all processes of the machine */
};

/* NULL with a sentence in |why|. */
struct sut_node *sut_node_new(const struct sut_node_config *config, char *why, size_t size);
void sut_node_free(struct sut_node *node);
struct chorus_node sut_node_node(struct sut_node *node);

/* Rung d: where it lives; before the network starts. */
void sut_node_attach(struct sut_node *node, struct krn_network *network, uint32_t number);
/* Rung d: for krn_start(). Others: true. A program that failed is ready, too: see the troubles. */
bool sut_node_ready(struct sut_node *node);

/* Whether the last command was replied to, and how (enum chorus_status); rung d takes its time. */
bool sut_node_replied(const struct sut_node *node, int *status);

/*
 * CoAP datagrams that left the node, or reached it, for events of programs that do not know them:
 * Token, Message ID and type come from there. Rung d needs this, others do not mind.
 */
void sut_node_sent(struct sut_node *node, chorus_time now,
                   const struct chorus_endpoint *destination, const uint8_t *payload,
                   size_t length);
void sut_node_arrived(struct sut_node *node, chorus_time now, const struct chorus_endpoint *source,
                      const uint8_t *payload, size_t length);

/*
 * Rung d, after the network was stopped: serves it until the programs of |nodes| (NULL members are
 * none of ours) have ended, at most as long as their manifests say, so that how they ended is
 * known. |network| NULL: nothing to do. |dilation|: virtual seconds per real second, 0: 1.
 */
void sut_settle(struct sut_node *const *nodes, size_t count, struct krn_network *network,
                uint32_t dilation);

/* After stop(): all that went wrong, in order. */
size_t sut_node_troubles(const struct sut_node *node, const struct sut_trouble **troubles);
/* What `ready` said, or "". */
const char *sut_node_stack(const struct sut_node *node);
const char *sut_node_stack_version(const struct sut_node *node);

#endif
