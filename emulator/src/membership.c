/* SPDX-License-Identifier: BSD-2-Clause */
#include "membership.h"

#include <stdlib.h>

#define ENTRY ((uint32_t)sizeof(uint32_t))

void emu_membership_init(struct emu_membership *m, struct emu_pool *pool) {
  *m = (struct emu_membership){.pool = pool};
}

void emu_membership_free(struct emu_membership *m) {
  for (uint32_t i = 0; i < m->count; i++) free(m->groups[i].ports);
  free(m->groups);
  emu_map_free(&m->index);
  *m = (struct emu_membership){.pool = m->pool};
}

/* Arrays of nodes. */

static const uint32_t *list_of(const struct emu_buffer *nodes) {
  return (const void *)nodes->data;
}

/* The place of |node|, or where it belongs. */
static uint32_t place_of(const struct emu_buffer *nodes, uint32_t node) {
  const uint32_t *list = list_of(nodes);
  uint32_t low = 0, high = emu_node_count(nodes);
  if (high > 0 && list[high - 1] < node) return high; /* nodes mostly join in order */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (list[middle] < node)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool contains(const struct emu_buffer *nodes, uint32_t node) {
  uint32_t place = place_of(nodes, node);
  return place < emu_node_count(nodes) && list_of(nodes)[place] == node;
}

/* Makes |*nodes| ours alone, with room for |length| octets. */
static bool make_writable(struct emu_membership *m, struct emu_buffer **nodes, uint32_t length) {
  struct emu_buffer *old = *nodes;
  if (old->references == 1 && old->capacity >= length) return true;
  struct emu_buffer *copy = emu_buffer_new(m->pool, length);
  if (!copy) return false;
  copy->length = old->length;
  memcpy(copy->data, old->data, old->length < length ? old->length : length);
  emu_buffer_unref(m->pool, old);
  *nodes = copy;
  return true;
}

static enum emu_change insert(struct emu_membership *m, struct emu_buffer **nodes, uint32_t node) {
  if (contains(*nodes, node)) return EMU_UNCHANGED;
  if (!make_writable(m, nodes, (*nodes)->length + ENTRY)) return EMU_NO_MEMORY;
  uint32_t place = place_of(*nodes, node), count = emu_node_count(*nodes);
  uint32_t *list = emu_node_list(*nodes);
  memmove(list + place + 1, list + place, (count - place) * sizeof *list);
  list[place] = node;
  (*nodes)->length += ENTRY;
  return EMU_CHANGED;
}

static enum emu_change extract(struct emu_membership *m, struct emu_buffer **nodes, uint32_t node) {
  if (!contains(*nodes, node)) return EMU_UNCHANGED;
  if (!make_writable(m, nodes, (*nodes)->length)) return EMU_NO_MEMORY;
  uint32_t place = place_of(*nodes, node), count = emu_node_count(*nodes);
  uint32_t *list = emu_node_list(*nodes);
  memmove(list + place, list + place + 1, (count - place - 1) * sizeof *list);
  (*nodes)->length -= ENTRY;
  return EMU_CHANGED;
}

/* Groups. */

static struct emu_port_members *port_of(const struct emu_group *group, uint16_t port) {
  for (uint32_t i = 0; i < group->port_count; i++)
    if (group->ports[i].port == port) return &group->ports[i];
  return NULL;
}

uint32_t emu_membership_find(const struct emu_membership *m, const struct chorus_endpoint *group) {
  return emu_map_get(&m->index, emu_map_address(group->address, 0));
}

static uint32_t add_group(struct emu_membership *m, const struct chorus_endpoint *group) {
  if (m->count == m->capacity) {
    uint32_t capacity = m->capacity ? m->capacity * 2 : 8;
    struct emu_group *groups = realloc(m->groups, capacity * sizeof *groups);
    if (!groups) return EMU_NO_GROUP;
    m->groups = groups;
    m->capacity = capacity;
  }
  if (!emu_map_put(&m->index, emu_map_address(group->address, 0), m->count)) return EMU_NO_GROUP;
  m->groups[m->count] = (struct emu_group){0};
  return m->count++;
}

static struct emu_port_members *add_port(struct emu_membership *m, struct emu_group *group,
                                         uint16_t port) {
  if (group->port_count == group->port_capacity) {
    uint32_t capacity = group->port_capacity ? group->port_capacity * 2 : 1;
    struct emu_port_members *ports = realloc(group->ports, capacity * sizeof *ports);
    if (!ports) return NULL;
    group->ports = ports;
    group->port_capacity = capacity;
  }
  struct emu_buffer *nodes = emu_buffer_new(m->pool, 0);
  if (!nodes) return NULL;
  group->ports[group->port_count] = (struct emu_port_members){.nodes = nodes, .port = port};
  return &group->ports[group->port_count++];
}

static void remove_port(struct emu_membership *m, struct emu_group *group,
                        struct emu_port_members *members) {
  emu_buffer_unref(m->pool, members->nodes);
  *members = group->ports[--group->port_count];
}

static void forget_all(struct emu_membership *m, struct emu_group *group) {
  emu_buffer_unref(m->pool, group->all);
  group->all = NULL;
}

enum emu_change emu_membership_join(struct emu_membership *m, const struct chorus_endpoint *group,
                                    uint32_t node) {
  uint32_t index = emu_membership_find(m, group);
  if (index == EMU_NO_GROUP) index = add_group(m, group);
  if (index == EMU_NO_GROUP) return EMU_NO_MEMORY;
  struct emu_group *g = &m->groups[index];
  struct emu_port_members *members = port_of(g, group->port);
  if (!members) members = add_port(m, g, group->port);
  if (!members) return EMU_NO_MEMORY;
  enum emu_change change = insert(m, &members->nodes, node);
  if (members->nodes->length == 0) remove_port(m, g, members);
  if (change == EMU_CHANGED) forget_all(m, g);
  return change;
}

enum emu_change emu_membership_leave(struct emu_membership *m, const struct chorus_endpoint *group,
                                     uint32_t node) {
  uint32_t index = emu_membership_find(m, group);
  if (index == EMU_NO_GROUP) return EMU_UNCHANGED;
  struct emu_group *g = &m->groups[index];
  struct emu_port_members *members = port_of(g, group->port);
  if (!members) return EMU_UNCHANGED;
  enum emu_change change = extract(m, &members->nodes, node);
  if (members->nodes->length == 0) remove_port(m, g, members);
  if (change == EMU_CHANGED) forget_all(m, g);
  return change;
}

static int compare_nodes(const void *a, const void *b) {
  const uint32_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* Sorts a list and removes what is there twice. */
static void sort_unique(struct emu_buffer *nodes) {
  uint32_t *list = emu_node_list(nodes), count = emu_node_count(nodes), kept = 0;
  qsort(list, count, sizeof *list, compare_nodes);
  for (uint32_t i = 0; i < count; i++)
    if (kept == 0 || list[kept - 1] != list[i]) list[kept++] = list[i];
  nodes->length = kept * ENTRY;
}

/* The union of the members with all ports. */
static struct emu_buffer *unite(struct emu_membership *m, const struct emu_group *group) {
  uint32_t length = 0;
  for (uint32_t i = 0; i < group->port_count; i++) length += group->ports[i].nodes->length;
  struct emu_buffer *all = emu_buffer_new(m->pool, length);
  if (!all) return NULL;
  length = 0;
  for (uint32_t i = 0; i < group->port_count; i++) {
    const struct emu_buffer *nodes = group->ports[i].nodes;
    memcpy(all->data + length, nodes->data, nodes->length);
    length += nodes->length;
  }
  sort_unique(all);
  return all;
}

struct emu_buffer *emu_membership_nodes(struct emu_membership *m, uint32_t group) {
  struct emu_group *g = &m->groups[group];
  if (g->port_count == 0) return NULL;
  if (g->port_count == 1) return g->ports[0].nodes;
  if (!g->all) g->all = unite(m, g);
  return g->all;
}

bool emu_membership_has(const struct emu_membership *m, uint32_t group, uint16_t port,
                        uint32_t node) {
  const struct emu_port_members *members = port_of(&m->groups[group], port);
  return members && contains(members->nodes, node);
}
