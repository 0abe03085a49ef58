/* SPDX-License-Identifier: BSD-2-Clause */
#include "network/network.h"

#include <stdio.h>
#include <stdlib.h>

/* One of the two is there. */
struct run_network {
  struct emu_network *sim;
  struct krn_network *kernel;
};

const char *run_backend_name(enum run_backend backend) {
  return backend == RUN_KERNEL ? "kernel" : "sim";
}

struct run_network *run_network_new(const struct run_network_config *config, char *why,
                                    size_t size) {
  struct run_network *n = calloc(1, sizeof *n);
  snprintf(why, size, "no memory");
  if (!n) return NULL;
  if (config->backend == RUN_KERNEL)
    n->kernel = krn_network_new(&config->kernel, why, size);
  else
    n->sim = emu_network_new(&config->kernel.network);
  if (n->kernel || n->sim) return n;
  free(n);
  return NULL;
}

void run_network_free(struct run_network *n) {
  if (!n) return;
  if (n->kernel) krn_network_free(n->kernel);
  if (n->sim) emu_network_free(n->sim);
  free(n);
}

uint32_t run_network_add_link(struct run_network *n, const struct emu_link_config *config) {
  return n->kernel ? krn_add_link(n->kernel, config) : emu_add_link(n->sim, config);
}

uint32_t run_network_add_node(struct run_network *n, const struct emu_node_config *config,
                              enum krn_presence presence) {
  return n->kernel ? krn_add_node(n->kernel, config, presence) : emu_add_node(n->sim, config);
}

uint32_t run_network_impair(struct run_network *n, uint32_t sender, uint32_t receiver,
                            const struct emu_impairment *impairment) {
  return n->kernel ? krn_impair(n->kernel, sender, receiver, impairment)
                   : emu_impair(n->sim, sender, receiver, impairment);
}

void run_network_repair(struct run_network *n, uint32_t handle) {
  if (n->kernel)
    krn_repair(n->kernel, handle);
  else
    emu_repair(n->sim, handle);
}

uint64_t run_network_impairment_used(const struct run_network *n, uint32_t handle) {
  return n->kernel ? krn_impairment_used(n->kernel, handle) : emu_impairment_used(n->sim, handle);
}

void run_network_observe(struct run_network *n, const struct emu_observer *observer) {
  if (n->kernel)
    krn_observe(n->kernel, observer);
  else
    emu_observe(n->sim, observer);
}

int run_network_start(struct run_network *n, bool (*ready)(void *context, uint32_t node),
                      void *context, chorus_time patience) {
  return n->kernel ? krn_start(n->kernel, ready, context, patience) : emu_start(n->sim);
}

void run_network_stop(struct run_network *n) {
  if (n->kernel)
    krn_stop(n->kernel);
  else
    emu_stop(n->sim);
}

int run_network_command(struct run_network *n, uint32_t node, const struct chorus_command *command,
                        const char **why) {
  return n->kernel ? krn_command(n->kernel, node, command, why)
                   : emu_command(n->sim, node, command, why);
}

int run_network_inject(struct run_network *n, uint32_t node,
                       const struct chorus_datagram *datagram) {
  return n->kernel ? krn_inject(n->kernel, node, datagram) : emu_inject(n->sim, node, datagram);
}

chorus_time run_network_now(const struct run_network *n) {
  return n->kernel ? krn_now(n->kernel) : emu_now(n->sim);
}

void run_network_run_until(struct run_network *n, chorus_time until) {
  if (n->kernel)
    krn_run_until(n->kernel, until);
  else
    emu_run_until(n->sim, until);
}

struct emu_counters run_network_counters(const struct run_network *n) {
  return n->kernel ? krn_counters(n->kernel) : emu_counters(n->sim);
}

const char *run_network_error(const struct run_network *n) {
  return n->kernel ? krn_error(n->kernel) : "the network refused it";
}

struct krn_network *run_network_kernel(struct run_network *n) {
  return n->kernel;
}
