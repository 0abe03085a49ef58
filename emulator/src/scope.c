/* SPDX-License-Identifier: BSD-2-Clause */
#include "scope.h"

uint8_t emu_default_hop_limit(const struct chorus_endpoint *destination) {
  if (!chorus_is_group(destination)) return EMU_HOPS_UNICAST;
  return emu_is_local(destination) ? EMU_HOPS_LINK_GROUP : EMU_HOPS_WIDE_GROUP;
}

bool emu_same_zone(const struct emu_network *network, uint32_t a, uint32_t b,
                   const struct chorus_endpoint *group) {
  if (a == b) return true;
  const struct emu_link_config *x = &network->links[a], *y = &network->links[b];
  unsigned scope = chorus_multicast_scope(group);
  if (scope <= 2) return false;
  if (scope == 3) return x->realm == y->realm;
  if (scope == 4) return x->admin == y->admin;
  if (scope <= 7) return x->site == y->site; /* 6 and 7: unassigned, not wider than the next */
  if (scope <= 13) return x->organization == y->organization;
  return true;
}

bool emu_can_cross(const struct emu_packet *packet, uint32_t a, uint32_t b) {
  if (a == b) return true;
  if (packet->hop_limit <= 1) return false;
  return !chorus_is_link_local(&packet->source) && !emu_is_local(&packet->destination);
}

bool emu_is_all_nodes(const struct chorus_endpoint *e) {
  static const uint8_t v6[16] = {0xff, 0x02, [15] = 1}, v4[4] = {224, 0, 0, 1};
  if (chorus_is_ipv4(e)) return memcmp(e->address + 12, v4, sizeof v4) == 0;
  return memcmp(e->address, v6, sizeof v6) == 0;
}

/* Source addresses. */

static enum emu_source kind_of(const struct chorus_endpoint *e) {
  bool local = chorus_is_link_local(e);
  if (chorus_is_ipv4(e)) return local ? EMU_V4_LOCAL : EMU_V4_GLOBAL;
  return local ? EMU_V6_LOCAL : EMU_V6_GLOBAL;
}

void emu_add_source(struct emu_node *node, const struct chorus_endpoint *address) {
  enum emu_source kind = kind_of(address);
  if (node->sources & kind) {
    node->several = true;
    return;
  }
  node->sources = (uint8_t)(node->sources | kind);
  switch (kind) {
    case EMU_V6_GLOBAL: memcpy(node->v6_global, address->address, 16); break;
    case EMU_V6_LOCAL: memcpy(node->v6_local, address->address, 16); break;
    case EMU_V4_GLOBAL: memcpy(node->v4_global, address->address + 12, 4); break;
    case EMU_V4_LOCAL: memcpy(node->v4_local, address->address + 12, 4); break;
  }
}

/* The kind of address to use, or 0. */
static unsigned choose_kind(unsigned sources, bool v4, bool local) {
  unsigned global_kind = v4 ? EMU_V4_GLOBAL : EMU_V6_GLOBAL;
  unsigned local_kind = v4 ? EMU_V4_LOCAL : EMU_V6_LOCAL;
  unsigned first = local ? local_kind : global_kind, second = local ? global_kind : local_kind;
  if (sources & first) return first;
  return sources & second;
}

static unsigned common_prefix(const uint8_t *a, const uint8_t *b) {
  unsigned bits = 0;
  while (bits < 128 && ((a[bits / 8] ^ b[bits / 8]) & (0x80u >> bits % 8)) == 0) bits++;
  return bits;
}

/* The best of several addresses of a kind. */
static const uint8_t *best_of(const struct emu_node *node, unsigned kind,
                              const struct chorus_endpoint *destination) {
  const uint8_t *best = NULL;
  unsigned longest = 0;
  for (uint32_t i = 0; i < node->details->address_count; i++) {
    const struct chorus_endpoint *address = &node->details->addresses[i];
    if ((unsigned)kind_of(address) != kind) continue;
    unsigned common = common_prefix(address->address, destination->address);
    if (best && (common <= longest || chorus_is_group(destination))) continue;
    best = address->address;
    longest = common;
  }
  return best;
}

static void set_ipv4(struct chorus_endpoint *e, const uint8_t address[4]) {
  memcpy(e->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(e->address + 12, address, 4);
}

bool emu_select_source(const struct emu_node *node, const struct chorus_endpoint *destination,
                       struct chorus_endpoint *source) {
  unsigned kind =
      choose_kind(node->sources, chorus_is_ipv4(destination), emu_is_local(destination));
  if (kind == 0) return false;
  if (node->several)
    memcpy(source->address, best_of(node, kind, destination), 16);
  else if (kind & (EMU_V6_GLOBAL | EMU_V6_LOCAL))
    memcpy(source->address, kind == EMU_V6_GLOBAL ? node->v6_global : node->v6_local, 16);
  else
    set_ipv4(source, kind == EMU_V4_GLOBAL ? node->v4_global : node->v4_local);
  source->zone = kind & (EMU_V6_LOCAL | EMU_V4_LOCAL) ? emu_zone(node->link) : 0;
  return true;
}
