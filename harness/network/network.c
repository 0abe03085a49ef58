/* SPDX-License-Identifier: BSD-2-Clause */
#include "network/network.h"

#include <stdio.h>
#include <stdlib.h>

/* One of the two is there. */
struct net_network {
  struct emu_network *sim;
  struct krn_network *kernel;
};

const char *net_backend_name(enum net_backend backend) {
  return backend == NET_KERNEL ? "kernel" : "sim";
}

struct net_network *net_new(const struct net_config *config, char *why, size_t size) {
  struct net_network *n = calloc(1, sizeof *n);
  snprintf(why, size, "no memory");
  if (!n) return NULL;
  if (config->backend == NET_KERNEL)
    n->kernel = krn_network_new(&config->kernel, why, size);
  else
    n->sim = emu_network_new(&config->kernel.network);
  if (n->kernel || n->sim) return n;
  free(n);
  return NULL;
}

void net_free(struct net_network *n) {
  if (!n) return;
  if (n->kernel) krn_network_free(n->kernel);
  if (n->sim) emu_network_free(n->sim);
  free(n);
}

uint32_t net_add_link(struct net_network *n, const struct emu_link_config *config) {
  return n->kernel ? krn_add_link(n->kernel, config) : emu_add_link(n->sim, config);
}

uint32_t net_add_node(struct net_network *n, const struct emu_node_config *config,
                      enum krn_presence presence) {
  return n->kernel ? krn_add_node(n->kernel, config, presence) : emu_add_node(n->sim, config);
}

uint32_t net_impair(struct net_network *n, uint32_t sender, uint32_t receiver,
                    const struct emu_impairment *impairment) {
  return n->kernel ? krn_impair(n->kernel, sender, receiver, impairment)
                   : emu_impair(n->sim, sender, receiver, impairment);
}

void net_repair(struct net_network *n, uint32_t handle) {
  if (n->kernel)
    krn_repair(n->kernel, handle);
  else
    emu_repair(n->sim, handle);
}

uint64_t net_impairment_used(const struct net_network *n, uint32_t handle) {
  return n->kernel ? krn_impairment_used(n->kernel, handle) : emu_impairment_used(n->sim, handle);
}

void net_observe(struct net_network *n, const struct emu_observer *observer) {
  if (n->kernel)
    krn_observe(n->kernel, observer);
  else
    emu_observe(n->sim, observer);
}

int net_start(struct net_network *n, bool (*ready)(void *context, uint32_t node), void *context,
              chorus_time patience) {
  return n->kernel ? krn_start(n->kernel, ready, context, patience) : emu_start(n->sim);
}

void net_stop(struct net_network *n) {
  if (n->kernel)
    krn_stop(n->kernel);
  else
    emu_stop(n->sim);
}

int net_command(struct net_network *n, uint32_t node, const struct chorus_command *command,
                const char **why) {
  return n->kernel ? krn_command(n->kernel, node, command, why)
                   : emu_command(n->sim, node, command, why);
}

int net_inject(struct net_network *n, uint32_t node, const struct chorus_datagram *datagram) {
  return n->kernel ? krn_inject(n->kernel, node, datagram) : emu_inject(n->sim, node, datagram);
}

chorus_time net_now(const struct net_network *n) {
  return n->kernel ? krn_now(n->kernel) : emu_now(n->sim);
}

void net_run_until(struct net_network *n, chorus_time until) {
  if (n->kernel)
    krn_run_until(n->kernel, until);
  else
    emu_run_until(n->sim, until);
}

struct emu_counters net_counters(const struct net_network *n) {
  return n->kernel ? krn_counters(n->kernel) : emu_counters(n->sim);
}

const char *net_error(const struct net_network *n) {
  return n->kernel ? krn_error(n->kernel) : "the network refused it";
}

struct krn_network *net_kernel(struct net_network *n) {
  return n->kernel;
}
