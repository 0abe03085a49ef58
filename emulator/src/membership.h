/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is a member of which group. A membership is an address and a port (DESIGN: "groups"): the IP
 * layer of a node listens to an address as long as the node has a membership with any port there.
 *
 * The members of a group are an ascending array of node numbers in a shared buffer, which packets
 * under way hold on to; a change makes a new array only if some packet does.
 */
#ifndef EMU_MEMBERSHIP_H
#define EMU_MEMBERSHIP_H

#include "map.h"
#include "pool.h"

struct emu_port_members {
  struct emu_buffer *nodes; /* ascending, never empty */
  uint16_t port;
};

struct emu_group {
  struct emu_port_members *ports;
  uint32_t port_count, port_capacity;
  struct emu_buffer *all; /* members with any port, made when asked for; unused with one port */
};

struct emu_membership {
  struct emu_pool *pool;
  struct emu_map index; /* address -> groups */
  struct emu_group *groups;
  uint32_t count, capacity;
};

#define EMU_NO_GROUP EMU_MAP_NONE

void emu_membership_init(struct emu_membership *m, struct emu_pool *pool);
void emu_membership_free(struct emu_membership *m);

enum emu_change { EMU_UNCHANGED, EMU_CHANGED, EMU_NO_MEMORY };

enum emu_change emu_membership_join(struct emu_membership *m, const struct chorus_endpoint *group,
                                    uint32_t node);
enum emu_change emu_membership_leave(struct emu_membership *m, const struct chorus_endpoint *group,
                                     uint32_t node);

/* The group with this address, or EMU_NO_GROUP. */
uint32_t emu_membership_find(const struct emu_membership *m, const struct chorus_endpoint *group);

/* Node numbers with any port there, ascending; the buffer is borrowed. NULL: none, or no memory. */
struct emu_buffer *emu_membership_nodes(struct emu_membership *m, uint32_t group);

/* Whether |nodes| is the present array of the members with |port|, and of no others. */
static inline bool emu_membership_is_current(const struct emu_membership *m, uint32_t group,
                                             uint16_t port, const struct emu_buffer *nodes) {
  const struct emu_group *g = &m->groups[group];
  return g->port_count == 1 && g->ports[0].port == port && g->ports[0].nodes == nodes;
}

bool emu_membership_has(const struct emu_membership *m, uint32_t group, uint16_t port,
                        uint32_t node);

static inline uint32_t emu_node_count(const struct emu_buffer *nodes) {
  return nodes ? nodes->length / (uint32_t)sizeof(uint32_t) : 0;
}

static inline uint32_t *emu_node_list(struct emu_buffer *nodes) {
  return (void *)nodes->data;
}

#endif
