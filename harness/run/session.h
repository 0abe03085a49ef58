/* SPDX-License-Identifier: BSD-2-Clause */
/* A run while it lasts; private to harness/run. */
#ifndef CHORUS_RUN_SESSION_H
#define CHORUS_RUN_SESSION_H

#include "run/internal.h"
#include "run/prober.h"
#include "run/tester.h"

struct run_engine {
  struct judge *judge;
  struct cap_writer *capture;
  struct run_record record;
  struct run_directory directory;
  struct run_expectations expectations;
  struct run_sweep sweep;
  struct scn_arena *arena; /* of the last run's items */
};

/* One impairment in force. */
struct run_handle {
  uint32_t impairment, handle;
};

/* A run while it lasts. */
struct run_session {
  struct run_engine *engine;
  const struct scn_scenario *scenario;
  const struct run_options *options;
  struct net_network *network;
  struct chorus_node *inner, *outer; /* by node */
  struct run_tester **testers;       /* by node; NULL: none */
  uint32_t *links;                   /* the network's numbers */
  struct sut_node **suts;            /* by node; NULL: the reference plays it */
  struct run_prober *prober; /* asks stacks under test whether they live; NULL: not needed */
  size_t made;               /* nodes that were made */
  struct run_handle *handles;
  size_t handle_count;
  struct run_impairment_use *uses;
  struct run_items items;
  struct run_trouble *troubles;
  size_t trouble_count;
  chorus_time end; /* of the scenario, reached or not */
  bool interrupted;
};

/* An item of kind RUN_HARNESS, verdict error. */
void run_harness_error(struct run_session *s, uint32_t line, const char *what, const char *actual);

/* The manifest of the stack that plays |node|, or NULL: the reference or a tester does. */
const struct sut_manifest *run_stack_of(const struct run_options *options,
                                        const struct scn_node *node);

/* Makes links and nodes, tells the judge and the capture of them. False: the complaint is made. */
bool run_nodes_add(struct run_session *s);
/* For krn_start(): whether a node can take part. */
bool run_node_ready(void *session, uint32_t node);
/* After the end of the scenario: do the servers under test still answer? Then collects troubles. */
void run_nodes_probe(struct run_session *s);
void run_nodes_troubles(struct run_session *s);
void run_nodes_free(struct run_session *s);

#endif
