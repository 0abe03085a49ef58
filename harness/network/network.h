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

enum run_backend { RUN_SIM = 0, RUN_KERNEL };
const char *run_backend_name(enum run_backend backend); /* "sim", "kernel" */

struct run_network;

struct run_network_config {
  enum run_backend backend;
  struct krn_config kernel; /* |kernel.network| serves both backends */
};

/* NULL with a sentence in |why|. */
struct run_network *run_network_new(const struct run_network_config *config, char *why,
                                    size_t size);
void run_network_free(struct run_network *network);

uint32_t run_network_add_link(struct run_network *network, const struct emu_link_config *config);
uint32_t run_network_add_node(struct run_network *network, const struct emu_node_config *config,
                              enum krn_presence presence);
uint32_t run_network_impair(struct run_network *network, uint32_t sender, uint32_t receiver,
                            const struct emu_impairment *impairment);
void run_network_repair(struct run_network *network, uint32_t handle);
uint64_t run_network_impairment_used(const struct run_network *network, uint32_t handle);
void run_network_observe(struct run_network *network, const struct emu_observer *observer);
/* |ready| as for krn_start(); a simulated node is ready at once. */
int run_network_start(struct run_network *network, bool (*ready)(void *context, uint32_t node),
                      void *context, chorus_time patience);
void run_network_stop(struct run_network *network);
int run_network_command(struct run_network *network, uint32_t node,
                        const struct chorus_command *command, const char **why);
int run_network_inject(struct run_network *network, uint32_t node,
                       const struct chorus_datagram *datagram);
chorus_time run_network_now(const struct run_network *network);
void run_network_run_until(struct run_network *network, chorus_time until);
struct emu_counters run_network_counters(const struct run_network *network);
/* What went wrong last, in a sentence. */
const char *run_network_error(const struct run_network *network);
/* The kernel's network, for programs in it; NULL in the simulator. */
struct krn_network *run_network_kernel(struct run_network *network);

#endif
