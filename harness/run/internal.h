/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the runner share; private to harness/run. */
#ifndef CHORUS_RUN_INTERNAL_H
#define CHORUS_RUN_INTERNAL_H

#include "dissect/coap.h"
#include "dissect/frame.h"
#include "events/events.h"
#include "run/run.h"
#include "run/set.h"
#include "scenario/arena.h"
#include "text/text.h"

/* ---- items ---- */

struct run_items {
  struct scn_arena *arena;
  struct run_item *list;
  size_t count;
};

/* Adds an item; |expected| and |actual| are NULL, or texts of the arena. */
void run_item_add(struct run_items *items, const struct run_item *item);

/* ---- who is where ---- */

/* Nodes by address. */
struct run_directory {
  struct run_set addresses; /* digest of the address -> node number */
};
bool run_directory_build(struct run_directory *directory, const struct scn_scenario *scenario);
/* Number of the node, or UINT32_MAX. */
uint32_t run_directory_find(const struct run_directory *directory,
                            const struct chorus_endpoint *endpoint);

/* ---- expectations ---- */

struct run_expectation_state {
  uint64_t *counts; /* per node */
  uint64_t total;
  const char *near; /* the first that came near and did not count */
  uint64_t frame;   /* PACKETS: the first frame that counted */
};

struct run_expectations {
  const struct scn_scenario *scenario;
  struct scn_arena *arena;
  const struct run_directory *directory;
  struct run_expectation_state *states;
  struct run_set requests; /* digest of (node, id) -> when it was issued, plus 1 */
  chorus_time tolerance;   /* added to `within` */
};

/* A CoAP message as its sender sent it. */
struct run_sent {
  chorus_time time;
  uint64_t frame;
  uint32_t node;
  const struct dis_frame *packet;
  const struct dis_coap *message;
};

bool run_expectations_begin(struct run_expectations *e, const struct scn_scenario *scenario,
                            struct scn_arena *arena, const struct run_directory *directory,
                            chorus_time tolerance);
void run_expectations_event(struct run_expectations *e, chorus_time time, uint32_t node,
                            const struct chorus_event *event);
void run_expectations_sent(struct run_expectations *e, const struct run_sent *sent);
void run_expectations_end(struct run_expectations *e, struct run_items *items);
void run_expectations_free(struct run_expectations *e);

/* ---- the closing sweep ---- */

struct run_sweep {
  const struct scn_scenario *scenario;
  struct run_set issued;   /* (node, Token) of requests that the application made */
  struct run_set asked;    /* (node, peer, Token) of requests that arrived */
  struct run_set received; /* (node, peer, Message ID) of messages that arrived */
  struct run_pending {
    uint64_t key, frame;
    uint32_t node;
    char text[160];
  } * pending; /* requests seen before the event that explains them */
  size_t pending_count, pending_capacity;
  uint64_t unexpected; /* how many */
  uint64_t first_frame;
  char first_text[200];
  uint64_t leaks;
  char first_leak[200];
};

void run_sweep_begin(struct run_sweep *s, const struct scn_scenario *scenario);
void run_sweep_event(struct run_sweep *s, uint32_t node, const struct chorus_event *event);
void run_sweep_sent(struct run_sweep *s, const struct run_sent *sent);
void run_sweep_arrived(struct run_sweep *s, uint32_t node, const struct dis_frame *packet,
                       const struct dis_coap *message);
void run_sweep_end(struct run_sweep *s, struct run_items *items);
void run_sweep_free(struct run_sweep *s);

/* ---- the record ---- */

/* One packet id: where it was sent, and its place in the trace. */
struct run_transmission {
  uint64_t frame;
  uint32_t message; /* index in the trace plus 1; 0: none */
  uint32_t comments;
};

struct run_event_copy {
  chorus_time time;
  uint32_t node;
  struct chorus_event event;
  size_t request, path, detail, payload; /* offsets in |text|, plus 1; 0: NULL */
};

struct run_record {
  const struct scn_scenario *scenario;
  struct judge *judge;
  struct cap_writer *capture; /* NULL: nothing is kept */
  struct run_expectations *expectations;
  struct run_sweep *sweep;
  struct dis_reassembly *sent_fragments, *arrived_fragments;
  struct sut_node *const *suts; /* by node, NULL for those of our own */
  uint64_t frames;
  bool no_memory;
  bool closed;                            /* nothing more is recorded */
  struct run_transmission *transmissions; /* by packet id */
  size_t transmission_capacity;
  struct run_event_copy *waiting; /* events of the present instant; packets go first */
  size_t waiting_count, waiting_capacity;
  struct txt_buffer text;   /* their strings */
  struct txt_buffer events; /* JSON Lines */
  struct run_message *trace;
  size_t trace_count;
  uint64_t trace_total;
};

bool run_record_init(struct run_record *r);
void run_record_free(struct run_record *r);
void run_record_begin(struct run_record *r, const struct scn_scenario *scenario,
                      struct judge *judge, struct cap_writer *capture,
                      struct run_expectations *expectations, struct run_sweep *sweep,
                      struct sut_node *const *suts);
struct emu_observer run_record_observer(struct run_record *r);
/* Hands on the events that wait. */
void run_record_flush(struct run_record *r);

#endif
