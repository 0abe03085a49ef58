/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner: one scenario, one seed, one network; every node's own view is recorded and judged at
 * once, octet by octet the same that a capture would hold.
 *
 * An engine keeps the memory of judge, capture and buffers from run to run; it serves one run at a
 * time and one thread. Nothing here writes a file, asks a clock or depends on the machine.
 */
#ifndef CHORUS_RUN_H
#define CHORUS_RUN_H

#include "capture/capture.h"
#include "chorus/emulator.h"
#include "judge/judge.h"
#include "network/network.h"
#include "scenario/scenario.h"
#include "sut/sut.h"

/* Where nodes can be changed before they take part: mutants live here. All members may be NULL. */
struct run_hooks {
  void *context;
  /* Called with the node's configuration before the node is made. The statement (ICS) that the
   * judge gets comes from the configuration as it was before. */
  void (*server)(void *context, const struct scn_node *node, struct ref_server_config *config);
  void (*client)(void *context, const struct scn_node *node, struct ref_client_config *config);
  /* Called with the statement that the judge is about to get, and with the IP stack's settings. */
  void (*statement)(void *context, const struct scn_node *node, struct jdg_ics *ics);
  void (*stack)(void *context, const struct scn_node *node, struct emu_node_config *config);
  /* Returns the node to add in place of |inner| (or |inner| itself); called for every node, testers
   * too. */
  struct chorus_node (*wrap)(void *context, const struct scn_node *node, struct chorus_node inner);
  /* After the run: frees what wrap() made. The runner frees |inner| afterwards. */
  void (*unwrap)(void *context, const struct scn_node *node, struct chorus_node outer);
};

/*
 * What decides a run. A stack under test need not do what a scenario expects of the reference (it
 * may be silent where it may be): what does not decide and is not as written is inconclusive.
 */
enum run_deciding {
  RUN_ALL_DECIDES = 0, /* rules, `covers`, `expect`, the closing sweep */
  RUN_INTEROP_DECIDES, /* rules and `expect` */
  RUN_RULES_DECIDE,
};

struct run_options {
  uint64_t seed;
  enum jdg_profile profile;
  bool strict;
  bool record;     /* keep capture, events and trace; without it a run only has a verdict */
  bool judge_only; /* neither `covers` nor `expect` nor the closing sweep decide: rules alone do */
  const struct run_hooks *hooks; /* NULL: none */
  enum net_backend backend;
  enum krn_attachment attachment; /* these three: of a network in real time */
  uint32_t dilation;              /* virtual seconds per real second; 0: 1 */
  chorus_time patience;           /* real ns until all nodes have to be ready */
  /* Stacks in place of the reference, by enum scn_role; NULL: the reference. */
  const struct sut_manifest *stacks[2];
  enum run_deciding deciding;
  /*
   * Called before and after the nodes are started, which is when programs need the processor: may
   * wait for its turn. May be NULL.
   */
  void (*starting)(void *context, bool begin);
  void *starting_context;
  /* Asked between steps; true ends the run early with verdict error. May be NULL. */
  bool (*interrupted)(void *context);
  void *interrupted_context;
};

/* What is checked beside the rules. */
enum run_item_kind {
  RUN_EXPECTATION = 0, /* a row of `expect` */
  RUN_REQUIRED,        /* a rule of `covers` that was not exercised or cannot be */
  RUN_SWEEP,           /* leaks, unexpected packets */
  RUN_HARNESS,         /* conservation law, unused impairment, a step that failed, an interrupt */
};

struct run_item {
  enum run_item_kind kind;
  enum jdg_verdict verdict;      /* PASS, FAIL, INCONCLUSIVE or ERROR; of REQUIRED also UNSUPPORTED:
                                    the profile does not ask the rule */
  bool is_unused;                /* HARNESS: an impairment that changed nothing */
  uint32_t line;                 /* of the scenario; 0: none */
  uint64_t frame;                /* 0: none */
  const char *text;              /* the expectation as written, or what was checked */
  const char *expected, *actual; /* NULL when the verdict is PASS */
};

/* What went wrong with a stack under test, beside the rules (struct sut_trouble). */
struct run_trouble {
  uint32_t node;
  const char *kind, *text;
  chorus_time at;
  const char *last; /* the last datagram that it was given, hexadecimal, or NULL */
  chorus_time last_at;
  const char *tail; /* of its standard error, or NULL */
};

struct run_impairment_use {
  const struct scn_impairment *impairment;
  uint64_t used; /* packets that it changed */
};

/* A message on the wire, for the lane diagram. */
struct run_delivery {
  uint32_t node;
  bool lost;
  enum emu_fate fate; /* when lost */
  uint32_t clause;    /* line of the scenario that did it; 0: none */
  uint64_t frame;     /* when it arrived, else 0 */
  chorus_time time;   /* of arrival or loss */
};

struct run_message {
  uint64_t frame, id;
  chorus_time time;
  uint32_t node;
  char *text; /* "NON GET /light ..." */
  char *to;   /* destination as text */
  struct run_delivery *deliveries;
  size_t delivery_count, delivery_total; /* kept, and all */
};
#define RUN_TRACE_MESSAGES   300
#define RUN_TRACE_DELIVERIES 64

/* Belongs to the engine and lives until its next run. */
struct run_outcome {
  enum jdg_verdict verdict; /* the worst of rules, expectations, required rules and sweep */
  struct judge *judge;      /* results by jdg_result_get() */
  const struct run_item *items;
  size_t item_count;
  const struct run_impairment_use *impairments;
  size_t impairment_count;
  struct emu_counters counters;
  chorus_time end;
  bool interrupted;
  /* Verdict JDG_UNSUPPORTED: a stack's manifest does not declare what the scenario asks for, and
   * nothing was run; NULL: it was, and the profile asks none of what it is for. */
  const struct sut_gap *gap;
  const struct run_trouble *troubles;
  size_t trouble_count;
  chorus_time tolerance; /* of times, as the judge had it */
  struct krn_lag lag;    /* how late the network was; all zero in virtual time */
  /* With |record|: */
  struct cap_writer *capture; /* findings are on their frames; cap_writer_save() */
  const char *events;         /* JSON Lines */
  size_t events_length;
  const struct run_message *trace;
  size_t trace_count;
  uint64_t trace_total;
};

struct run_engine;
struct run_engine *run_engine_new(void); /* NULL: no memory */
void run_engine_free(struct run_engine *engine);

/*
 * Runs |scenario|. Always fills |outcome|; what goes wrong in the harness is an item of it and
 * makes the verdict ERROR. Returns false without memory.
 */
bool run_execute(struct run_engine *engine, const struct scn_scenario *scenario,
                 const struct run_options *options, struct run_outcome *outcome);

/*
 * How much later than asked for something may happen in real time before it counts (virtual ns): 1
 * s, and 50 ms of real time when time is dilated. 0 on the simulator, where rules leave 50 ms.
 */
chorus_time run_tolerance(const struct run_options *options);

/* The statement (ICS) of a node that the reference implements, from its configuration. */
void run_ics(const struct scn_scenario *scenario, const struct scn_node *node, struct jdg_ics *ics);

/* The lattice: none < not exercised < pass < warn < inconclusive < fail < error. */
enum jdg_verdict run_worst(enum jdg_verdict a, enum jdg_verdict b);
const char *run_fate_text(enum emu_fate fate); /* "loss", "drop list", "tail drop", ... */

#endif
