/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the kernel backend share.
 *
 * The emulator itself is the switch: |model| holds nodes, addresses, links, memberships,
 * impairments, the queue of events and the counters, and decides about every packet. This backend
 * gives it the time, the packets that leave the hosts (switch.c) and takes those that arrive there
 * (its wire).
 */
#ifndef KRN_INTERNAL_H
#define KRN_INTERNAL_H

#include <sys/resource.h>

#include "chorus/kernel.h"
#include "frame.h"
#include "lag.h"
#include "namespace.h"
#include "network.h"

/* A descriptor in the loop; goes first in what it belongs to. */
struct krn_watch {
  void (*ready)(struct krn_watch *watch, uint32_t events);
  struct krn_watch *next_dead;
  int fd;
  bool dead; /* closed, and freed when no event can name it any more */
};

/* A UDP socket in a node's namespace. */
struct krn_socket {
  struct krn_watch watch;
  struct krn_node *node;
  struct krn_socket *next;
  struct chorus_endpoint local; /* unspecified address: unicast; else the group */
  bool helper;                  /* only joins; never read */
};

struct krn_node {
  struct krn_watch watch; /* of its port */
  struct krn_network *network;
  uint32_t index;
  enum krn_presence presence;
  struct krn_namespace space; /* none with KRN_PORT */
  struct krn_socket *sockets;
  bool has_addresses; /* its kernel is known to take packets to all of them */
};

struct krn_network {
  struct emu_network *model;
  struct emu_wire wire;
  struct emu_observer observer; /* as given */
  struct krn_config config;
  enum krn_attachment attachment; /* KRN_TAP or KRN_PACKET */
  int home, switch_space, epoll;
  struct krn_node **nodes;
  uint32_t node_count, node_capacity;
  struct krn_process **programs; /* by handle - 1 */
  uint32_t program_count, program_capacity;
  struct krn_watch *dead;
  bool running;            /* time flows */
  chorus_time epoch;       /* real time at which it began */
  chorus_time last_report; /* real time at which the last membership report came */
  uint32_t impairments;    /* held back until time begins */
  struct krn_lags lags;
  struct rlimit files; /* limit of descriptors that we came with */
  char why[KRN_WHY];
  uint8_t frame[KRN_FRAME_MAX];
  uint8_t payload[65536];
  char line[65536];
};

/* network.c */

chorus_time krn_real_time(void);
/* Puts a descriptor into the loop. */
bool krn_watch_add(struct krn_network *network, struct krn_watch *watch, uint32_t events);
void krn_watch_events(struct krn_network *network, struct krn_watch *watch, uint32_t events);
/* Closes the descriptor and frees what |watch| goes first in, a little later. */
void krn_watch_end(struct krn_network *network, struct krn_watch *watch);
struct krn_node *krn_node_at(const struct krn_network *network, uint32_t node);

/* switch.c */

/* Takes all frames that the host has sent, at the present time. */
void krn_switch_drain(struct krn_node *node);
void krn_switch_ready(struct krn_watch *watch, uint32_t events);
/* The wire of the model. */
void krn_switch_arrive(void *context, uint32_t node, uint64_t id, const struct emu_buffer *octets);
/* Enters a membership of the node's kernel into the table, or removes it. */
void krn_switch_change(struct krn_node *node, const struct chorus_endpoint *group, bool member);
bool krn_switch_has(const struct krn_network *network, uint32_t node,
                    const struct chorus_endpoint *group);
/* Whether the table has every group that the node's kernel listens to. */
bool krn_switch_knows_all(struct krn_node *node);

/* sockets.c */

/* The table for the functions of a node; |events|: somebody listens to events. */
const struct chorus_host_ops *krn_host_ops(enum krn_presence presence, bool events);
/* Hands over what a packet to |destination|, maybe an ICMP error, has brought to its sockets. */
void krn_sockets_take(struct krn_node *node, const struct chorus_endpoint *destination, bool error);
void krn_sockets_close(struct krn_node *node);
int krn_sockets_help(struct krn_node *node, const struct chorus_endpoint *group);
void krn_sockets_stop_help(struct krn_node *node, const struct chorus_endpoint *group);

/* program.c */

void krn_programs_end(struct krn_network *network);

#endif
