/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rungs share; private to harness/sut. */
#ifndef CHORUS_SUT_NODE_H
#define CHORUS_SUT_NODE_H

#include "sut/internal.h"
#include "sut/process.h"
#include "sut/tracker.h"

#define SUT_DATAGRAM_MAX 65507u

/* How a rung does what a node does. */
struct sut_rung_ops {
  int (*start)(struct sut_node *node, chorus_time now);
  void (*datagram)(struct sut_node *node, chorus_time now, const struct chorus_datagram *datagram);
  void (*wake)(struct sut_node *node, chorus_time now);
  int (*command)(struct sut_node *node, chorus_time now, const struct chorus_command *command,
                 const char **why);
  void (*unreachable)(struct sut_node *node, chorus_time now,
                      const struct chorus_endpoint *destination);
  void (*stop)(struct sut_node *node, chorus_time now);
  void (*free)(struct sut_node *node);
};
extern const struct sut_rung_ops sut_linked_ops, sut_piped_ops, sut_program_ops;

/*
 * The All CoAP Nodes groups that a server of this configuration joins by itself, where the stack
 * can be told to be discoverable (RFC 7252, section 12.8). Returns how many.
 */
#define SUT_ALL_COAP_NODES 4
size_t sut_all_coap_nodes(const struct sut_node_config *config, const struct sut_part *part,
                          struct chorus_endpoint groups[SUT_ALL_COAP_NODES]);

struct sut_command_sent { /* rung d: commands that wait for their reply */
  uint64_t id;
  char text[120]; /* "request q1" */
  char request[64];
  bool declared;
};

struct sut_node {
  struct sut_node_config config;
  const struct sut_part *part;
  const struct sut_rung_ops *ops;
  struct scn_arena *arena;
  const struct chorus_host *host;
  char *start; /* the text of the `start` object */
  bool broken, stopping, ready;
  char why[200]; /* of the last command that was turned down */
  char stack[64], stack_version[64];
  uint64_t commands; /* ids of commands, counted from 1 on */
  uint64_t replied;  /* the last one that was replied to */
  int reply;         /* its status */
  struct sut_trouble *troubles;
  size_t trouble_count;
  struct { /* the last datagram that it was given */
    uint8_t *octets;
    size_t length;
    chorus_time at;
    bool any;
  } last;
  struct { /* datagrams of the present second */
    uint64_t second;
    uint32_t count;
    bool told;
  } flood;
  struct sut_tail tail;
  /* rung a */
  void *library;
  struct chorus_node plugin;
  void (*plugin_free)(struct chorus_node);
  /* rung b */
  struct sut_process process;
  /* rung d */
  struct krn_network *network;
  uint32_t number, program;
  bool ended, signalled;
  struct sut_command_sent *waiting;
  size_t waiting_count;
  struct sut_tracker tracker;
  struct {       /* whether it follows a dilated clock; real ns */
    uint64_t id; /* of the command; 0: not asked */
    chorus_time asked, replied;
    bool known;
  } probe;
};

/* Notes that something went wrong at |now|. */
void sut_trouble_add(struct sut_node *node, enum sut_trouble_kind kind, chorus_time now,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* An alarm on standard error becomes a trouble, once. */
void sut_check_alarm(struct sut_node *node, chorus_time now);
/* Keeps the last datagram that it was given. */
void sut_remember(struct sut_node *node, chorus_time now, const uint8_t *octets, size_t length);
/* How it ended after it was told to; |status| as of waitpid(). */
void sut_check_exit(struct sut_node *node, chorus_time now, int status);
/* Counts a datagram that it sent. */
void sut_count_sent(struct sut_node *node, chorus_time now);
/* A reply of `unsupported` to what the manifest declares is a lie. */
void sut_check_honesty(struct sut_node *node, chorus_time now, const struct chorus_command *command,
                       int status);
/* Whether the manifest declares verb and arguments. */
bool sut_declares(const struct sut_part *part, const struct chorus_command *command);

/* The value of `start`, to be freed; NULL without memory. */
char *sut_start_text(const struct sut_node_config *config, const struct sut_part *part);
/* A seed of the node's own, at most 2^53 - 1. */
uint64_t sut_node_seed(const struct sut_node_config *config);
/* What the placeholders of this node stand for; texts in the arena. */
struct sut_places sut_places_of(struct sut_node *node);
/* argv of the program, filled in, and the manifest's additions to its environment. */
const char *const *sut_node_argv(struct sut_node *node);
const char *const *sut_node_variables(struct sut_node *node);

/* ---- dilated time (rung d) ---- */

/* NULL, or why the program of |node| cannot be started with a dilated clock, in the arena. */
const char *sut_dilation_refused(struct sut_node *node);
/* |variables| with those that make a program's clock run faster; NULL without memory. */
const char *const *sut_dilation_variables(struct sut_node *node, const char *const *variables);
/*
 * Asks the program for its own timer, and compares that with ours. False: not known yet. When it
 * does not follow, that is a trouble, and the program is broken.
 */
bool sut_dilation_probed(struct sut_node *node);
/* The command `wait` of the probe, written to the program; false: it does not read. */
bool sut_program_ask(struct sut_node *node, const struct chorus_command *command);

/* ---- messages as JSON (docs/plugins.md) ---- */

void sut_write_datagram(struct txt_buffer *out, chorus_time now,
                        const struct chorus_datagram *datagram);
/* |now| CHORUS_NEVER: without. */
void sut_write_command(struct txt_buffer *out, uint64_t id, chorus_time now,
                       const struct chorus_command *command);

/* An event of a program; the strings belong to |json|. */
struct sut_event {
  struct chorus_event event;
  uint8_t *payload; /* freed by sut_event_free() */
};
/* NULL, or what is wrong with it. */
const char *sut_event_read(json_t *json, struct sut_event *out);
void sut_event_free(struct sut_event *event);

struct sut_reply {
  uint64_t id;
  int status; /* enum chorus_status */
  const char *why;
};
const char *sut_reply_read(json_t *line, struct sut_reply *out);
/* `ready`: checks the protocol's version, notes stack and version. */
const char *sut_ready_read(struct sut_node *node, json_t *ready);
const char *sut_send_read(json_t *send, uint8_t *payload, struct chorus_datagram *out);

#endif
