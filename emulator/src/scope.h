/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far packets go: scopes and zones (RFC 4007, RFC 7346), hop limits, and the address that a
 * node sends from.
 */
#ifndef EMU_SCOPE_H
#define EMU_SCOPE_H

#include "network.h"

#define EMU_HOPS_UNICAST    64u
#define EMU_HOPS_LINK_GROUP 1u /* groups of link-local scope, broadcast */
#define EMU_HOPS_WIDE_GROUP \
  16u /* groups of wider scope: more links than any scenario has in a row */

/* The zone number of addresses that are local to |link|. */
static inline uint32_t emu_zone(uint32_t link) {
  return link + 1;
}

/* The hop limit of a packet to |destination| whose sender does not choose one. */
uint8_t emu_default_hop_limit(const struct chorus_endpoint *destination);

/* Whether the nodes on |a| and |b| share the zone of a group address. */
bool emu_same_zone(const struct emu_network *network, uint32_t a, uint32_t b,
                   const struct chorus_endpoint *group);

/*
 * Whether a packet can go from link |a| to link |b|: no router passes link-local addresses on
 * (RFC 4291, section 2.5.6), and every crossing takes a hop.
 */
bool emu_can_cross(const struct emu_packet *packet, uint32_t a, uint32_t b);

/*
 * Chooses the address to send from (RFC 6724, section 5, rules 2 and 8, as far as they matter
 * here): link-local for destinations of link-local scope, else one of the widest scope; of several,
 * that with the longest common prefix, then the first. Sets address and zone of |source|. False:
 * the node has no address of that IP version.
 */
bool emu_select_source(const struct emu_node *node, const struct chorus_endpoint *destination,
                       struct chorus_endpoint *source);

/* Notes an address of a node for emu_select_source(). */
void emu_add_source(struct emu_node *node, const struct chorus_endpoint *address);

/* Link-local scope: a unicast address of a link, a group of scope 2 or less, broadcast. */
static inline bool emu_is_local(const struct chorus_endpoint *e) {
  unsigned scope = chorus_multicast_scope(e);
  return scope ? scope <= 2 : chorus_is_link_local(e);
}

/* Whether a node has an address of an IP version. */
static inline bool emu_speaks(const struct emu_node *node, bool v4) {
  unsigned kinds = v4 ? EMU_V4_GLOBAL | EMU_V4_LOCAL : EMU_V6_GLOBAL | EMU_V6_LOCAL;
  return (node->sources & kinds) != 0;
}

/* ff02::1 and 224.0.0.1, to which all hosts belong (RFC 4291, section 2.7.1; RFC 1112, section 4).
 */
bool emu_is_all_nodes(const struct chorus_endpoint *e);

#endif
