/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network as the runner sees it: one of the backends (DESIGN, section 2), with the functions of
 * chorus/emulator.h that a run needs. What they mean stands there and, for real time, in
 * chorus/kernel.h.
 */
#ifndef CHORUS_NETWORK_H
#define CHORUS_NETWORK_H

#include "chorus/emulator.h"
#include "chorus/kernel.h"

enum net_backend { NET_SIM = 0, NET_KERNEL };
const char *net_backend_name(enum net_backend backend); /* "sim", "kernel" */

struct net_network;

struct net_config {
  enum net_backend backend;
  struct krn_config kernel; /* |kernel.network| serves both backends */
};

/* NULL with a sentence in |why|. */
struct net_network *net_new(const struct net_config *config, char *why, size_t size);
void net_free(struct net_network *network);

uint32_t net_add_link(struct net_network *network, const struct emu_link_config *config);
uint32_t net_add_node(struct net_network *network, const struct emu_node_config *config,
                      enum krn_presence presence);
uint32_t net_impair(struct net_network *network, uint32_t sender, uint32_t receiver,
                    const struct emu_impairment *impairment);
void net_repair(struct net_network *network, uint32_t handle);
uint64_t net_impairment_used(const struct net_network *network, uint32_t handle);
void net_observe(struct net_network *network, const struct emu_observer *observer);
/* |ready| as for krn_start(); a simulated node is ready at once. */
int net_start(struct net_network *network, bool (*ready)(void *context, uint32_t node),
              void *context, chorus_time patience);
void net_stop(struct net_network *network);
int net_command(struct net_network *network, uint32_t node, const struct chorus_command *command,
                const char **why);
int net_inject(struct net_network *network, uint32_t node, const struct chorus_datagram *datagram);
chorus_time net_now(const struct net_network *network);
void net_run_until(struct net_network *network, chorus_time until);
struct emu_counters net_counters(const struct net_network *network);
/* What went wrong last, in a sentence. */
const char *net_error(const struct net_network *network);
/* The kernel's network, for programs in it; NULL in the simulator. */
struct krn_network *net_kernel(struct net_network *network);

#endif
