/* SPDX-License-Identifier: BSD-2-Clause */
/* What nodes may ask of the network; the context of each call is the node. */
#include <stdlib.h>

#include "network.h"
#include "random.h"

/* Sending. */

static int host_send(void *context, const struct chorus_datagram *datagram) {
  struct emu_node *node = context;
  return emu_send(node->network, node, datagram);
}

/* Deadlines. */

/*
 * The queue need not hold an event for the very deadline: one that comes earlier will do, as it can
 * be followed by another. So a node that moves its deadline to and fro leaves few events behind.
 */
static void ensure_wake(struct emu_node *node) {
  if (node->deadline >= node->queued) return; /* true of CHORUS_NEVER */
  struct emu_network *network = node->network;
  if (!emu_push(network, node->deadline, EMU_EVENT_WAKE, node->index, 0)) {
    network->failed = true;
    return;
  }
  node->spare = node->queued;
  node->queued = node->deadline;
}

static void host_deadline(void *context, chorus_time at) {
  struct emu_node *node = context;
  chorus_time now = node->network->now;
  node->deadline = at < now ? now : at;
  ensure_wake(node);
}

chorus_time emu_wake_time(const struct emu_node *node, chorus_time at) {
  if (at != node->queued || node->deadline == CHORUS_NEVER) return CHORUS_NEVER;
  if (node->status != EMU_NODE_RUNNING) return CHORUS_NEVER;
  return node->deadline > at ? node->deadline : at;
}

void emu_wake(struct emu_network *network, uint32_t index, chorus_time at) {
  struct emu_node *node = emu_node_at(network, index);
  if (at != node->queued) return;
  node->queued = node->spare;
  node->spare = CHORUS_NEVER;
  if (node->status != EMU_NODE_RUNNING) return;
  if (node->deadline > at) {
    ensure_wake(node);
    return;
  }
  node->deadline = CHORUS_NEVER;
  if (node->ops->wake) node->ops->wake(node->state, at);
}

/* Ports. */

bool emu_port_is_open(const struct emu_node *node, uint16_t port) {
  for (unsigned i = 0; i < node->port_count; i++)
    if (node->ports[i] == port) return true;
  const struct emu_node_details *details = node->details;
  for (uint32_t i = 0; i < details->port_count; i++)
    if (details->ports[i] == port) return true;
  return false;
}

static bool add_port(struct emu_node_details *details, uint16_t port) {
  if (details->port_count == details->port_capacity) {
    uint32_t capacity = details->port_capacity ? details->port_capacity * 2 : 8;
    uint16_t *ports = realloc(details->ports, capacity * sizeof *ports);
    if (!ports) return false;
    details->ports = ports;
    details->port_capacity = capacity;
  }
  details->ports[details->port_count++] = port;
  return true;
}

static int host_open(void *context, uint16_t port) {
  struct emu_node *node = context;
  if (port == 0) return CHORUS_BAD_ARGUMENT;
  if (emu_port_is_open(node, port)) return CHORUS_OK;
  if (node->port_count < EMU_NODE_PORTS) {
    node->ports[node->port_count++] = port;
    return CHORUS_OK;
  }
  return add_port(node->details, port) ? CHORUS_OK : CHORUS_NO_MEMORY;
}

static void host_close(void *context, uint16_t port) {
  struct emu_node *node = context;
  struct emu_node_details *details = node->details;
  for (uint32_t i = 0; i < details->port_count; i++) {
    if (details->ports[i] != port) continue;
    details->ports[i] = details->ports[--details->port_count];
    return;
  }
  for (unsigned i = 0; i < node->port_count; i++) {
    if (node->ports[i] != port) continue;
    memmove(&node->ports[i], &node->ports[i + 1],
            (size_t)(node->port_count - i - 1) * sizeof node->ports[0]);
    node->port_count--;
    return;
  }
}

/* Groups. */

static void show_membership(const struct emu_node *node, const struct chorus_endpoint *group,
                            bool joined) {
  const struct emu_network *network = node->network;
  const struct emu_observer *observer = &network->observer;
  if (observer->membership)
    observer->membership(observer->context, network->now, node->index, group, joined);
}

static int host_join(void *context, const struct chorus_endpoint *group) {
  struct emu_node *node = context;
  if (!chorus_is_multicast(group) || group->port == 0) return CHORUS_BAD_ARGUMENT;
  enum emu_change change = emu_membership_join(&node->network->membership, group, node->index);
  if (change == EMU_NO_MEMORY) return CHORUS_NO_MEMORY;
  if (change == EMU_CHANGED) show_membership(node, group, true);
  return CHORUS_OK;
}

static void host_leave(void *context, const struct chorus_endpoint *group) {
  struct emu_node *node = context;
  enum emu_change change = emu_membership_leave(&node->network->membership, group, node->index);
  if (change == EMU_NO_MEMORY) node->network->failed = true;
  if (change == EMU_CHANGED) show_membership(node, group, false);
}

/* Events. */

static void host_event(void *context, const struct chorus_event *event) {
  const struct emu_node *node = context;
  const struct emu_network *network = node->network;
  const struct emu_observer *observer = &network->observer;
  if (observer->event) observer->event(observer->context, network->now, node->index, event);
}

/* Random numbers. */

/* How often the node has drawn for |purpose| before; counts this time. */
static uint64_t count_draw(struct emu_node *node, uint32_t purpose) {
  if (purpose < EMU_NODE_PURPOSES) return node->draws[purpose]++;
  struct emu_node_details *details = node->details;
  for (uint32_t i = 0; i < details->counter_count; i++)
    if (details->counters[i].purpose == purpose) return details->counters[i].count++;
  struct emu_purpose_counter *counters =
      realloc(details->counters, (details->counter_count + 1) * sizeof *counters);
  if (!counters) {
    node->network->failed = true;
    return 0;
  }
  details->counters = counters;
  counters[details->counter_count++] = (struct emu_purpose_counter){.purpose = purpose, .count = 1};
  return 0;
}

static uint64_t host_random(void *context, uint32_t purpose) {
  struct emu_node *node = context;
  uint64_t stream = emu_mix(node->key + purpose);
  return emu_random(stream, count_draw(node, purpose));
}

static const struct chorus_host_ops with_events = {
    .send = host_send,
    .deadline = host_deadline,
    .open = host_open,
    .close = host_close,
    .join = host_join,
    .leave = host_leave,
    .event = host_event,
    .random = host_random,
};

static const struct chorus_host_ops without_events = {
    .send = host_send,
    .deadline = host_deadline,
    .open = host_open,
    .close = host_close,
    .join = host_join,
    .leave = host_leave,
    .random = host_random,
};

const struct chorus_host_ops *emu_host_ops(bool events) {
  return events ? &with_events : &without_events;
}
