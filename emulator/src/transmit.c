/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending: from a datagram to events at its receivers. */
#include "network.h"
#include "scope.h"

/* What becomes of a packet towards one receiver. */

/* Counts a pair of packet and receiver. */
static void count_pairs(struct emu_network *network, uint64_t pairs) {
  network->counters.receptions += pairs;
  network->counters.in_flight += pairs;
}

static void refuse(struct emu_network *network, const struct emu_packet *packet, uint32_t receiver,
                   enum emu_fate fate, uint32_t clause) {
  count_pairs(network, 1);
  emu_decide(network, packet->id, receiver, fate, clause);
}

/* The packet's octets with one bit flipped. NULL: no memory. */
static struct emu_buffer *corrupt(struct emu_network *network, struct emu_packet *packet,
                                  uint64_t random) {
  struct emu_buffer *octets = emu_packet_octets(network, packet);
  struct emu_buffer *copy = octets ? emu_buffer_new(&network->pool, octets->length) : NULL;
  if (!copy) return NULL;
  memcpy(copy->data, octets->data, octets->length);
  uint32_t bit = (uint32_t)(random % ((uint64_t)octets->length * 8));
  copy->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
  return copy;
}

/* Sends one copy off on its own. False: no memory. */
static bool launch(struct emu_network *network, struct emu_packet *packet, uint32_t receiver,
                   chorus_time at, const struct emu_copy *copy) {
  uint32_t index = emu_store_new(&network->flights);
  if (index == EMU_STORE_NONE) return false;
  struct emu_flight *flight = emu_flight_at(network, index);
  *flight = (struct emu_flight){
      .packet = packet->own_index, .receiver = receiver, .clause = copy->clause};
  if (copy->corrupt) flight->octets = corrupt(network, packet, copy->bit);
  bool ready = !copy->corrupt || flight->octets;
  if (ready && emu_push(network, at, EMU_EVENT_FLIGHT, index, 0)) {
    packet->references++;
    return true;
  }
  emu_buffer_unref(&network->pool, flight->octets);
  emu_store_delete(&network->flights, index);
  return false;
}

static bool launch_unicast(struct emu_network *network, struct emu_packet *packet,
                           uint32_t receiver, chorus_time at) {
  packet->receiver = receiver;
  if (!emu_push_packet(network, at, EMU_EVENT_UNICAST, packet->own_index)) return false;
  packet->references++;
  return true;
}

/* Sends a copy on its way; a network without memory is a full one. */
static void depart(struct emu_network *network, struct emu_packet *packet, uint32_t receiver,
                   const struct emu_copy *copy) {
  bool own = receiver == packet->sender; /* does not leave the host */
  chorus_time at = network->now + (own ? 0 : network->config.latency) + copy->delay;
  bool gone = packet->to_group || copy->corrupt ? launch(network, packet, receiver, at, copy)
                                                : launch_unicast(network, packet, receiver, at);
  count_pairs(network, 1);
  if (gone) return;
  network->failed = true;
  emu_decide(network, packet->id, receiver, EMU_DROPPED_QUEUE, 0);
}

static struct emu_passage passage_of(const struct emu_network *network,
                                     const struct emu_packet *packet, uint32_t receiver) {
  return (struct emu_passage){
      .now = network->now,
      .sender = packet->sender,
      .receiver = receiver,
      .sender_hash = emu_node_at(network, packet->sender)->details->hash,
      .receiver_hash = emu_node_at(network, receiver)->details->hash,
      .length = emu_packet_length(packet),
      .group = packet->to_group,
  };
}

/*
 * Applies the impairments of a pair and sends what they leave. True: they left the packet as it is,
 * and it is still to be sent.
 */
static bool impair(struct emu_network *network, struct emu_packet *packet, uint32_t receiver) {
  struct emu_outcome outcome;
  struct emu_passage passage = passage_of(network, packet, receiver);
  emu_impairments_apply(&network->impairments, &passage, &outcome);
  const struct emu_copy *first = &outcome.copy[0];
  network->counters.duplicated += outcome.count - 1;
  if (outcome.count == 1 && first->fate == EMU_DELIVERED && !first->corrupt && first->delay == 0)
    return true;
  for (size_t i = 0; i < outcome.count; i++) {
    const struct emu_copy *copy = &outcome.copy[i];
    if (copy->fate == EMU_DELIVERED)
      depart(network, packet, receiver, copy);
    else
      refuse(network, packet, receiver, copy->fate, copy->clause);
  }
  return false;
}

/* Sends a packet to one receiver, whatever stands between. */
static void send_to(struct emu_network *network, struct emu_packet *packet, uint32_t receiver) {
  static const struct emu_copy unchanged = {.fate = EMU_DELIVERED};
  if (network->impairments.active > 0 &&
      emu_impairments_touch(&network->impairments, packet->sender, receiver) &&
      !impair(network, packet, receiver))
    return;
  depart(network, packet, receiver, &unchanged);
}

/* Unicast. */

static uint32_t find_address(const struct emu_network *network, const struct chorus_endpoint *e,
                             uint32_t zone) {
  return emu_map_get(&network->addresses, emu_map_address(e->address, zone));
}

/* The node that has the destination address; first on the sender's link, then on any. */
static uint32_t find_receiver(const struct emu_network *network, const struct emu_packet *packet,
                              uint32_t link) {
  const struct chorus_endpoint *to = &packet->destination;
  if (!chorus_is_link_local(to)) return find_address(network, to, 0);
  uint32_t zone = to->zone ? to->zone : emu_zone(link);
  uint32_t node = find_address(network, to, zone);
  return node != EMU_MAP_NONE ? node : find_address(network, to, UINT32_MAX);
}

static void send_unicast(struct emu_network *network, struct emu_packet *packet) {
  const struct emu_node *sender = emu_node_at(network, packet->sender);
  uint32_t receiver = find_receiver(network, packet, sender->link);
  if (receiver == EMU_MAP_NONE) {
    refuse(network, packet, EMU_ANY, EMU_DROPPED_NO_ROUTE, 0);
  } else if (!emu_can_cross(packet, sender->link, emu_node_at(network, receiver)->link)) {
    refuse(network, packet, receiver, EMU_DROPPED_SCOPE, 0);
  } else {
    send_to(network, packet, receiver);
  }
}

/* Groups. */

/* Whether all members can share one event: nothing stands between the sender and any of them. */
static bool is_plain(const struct emu_network *network, const struct emu_packet *packet) {
  if (network->link_count > 1 || packet->group == EMU_NO_GROUP) return false;
  return network->impairments.active == 0;
}

/* Whether |receiver| hears the packet at all; decides about one that the hop limit keeps away. */
static bool hears(struct emu_network *network, const struct emu_packet *packet, uint32_t receiver) {
  uint32_t from = emu_node_at(network, packet->sender)->link;
  uint32_t to = emu_node_at(network, receiver)->link;
  if (receiver == packet->sender || !emu_same_zone(network, from, to, &packet->destination))
    return false;
  bool anybody = packet->group == EMU_NO_GROUP || network->flood;
  if (anybody && !emu_speaks(emu_node_at(network, receiver), packet->v4)) return false;
  if (chorus_multicast_scope(&packet->destination) < 2) return false; /* stays in the node */
  if (emu_can_cross(packet, from, to)) return true;
  refuse(network, packet, receiver, EMU_DROPPED_SCOPE, 0);
  return false;
}

/* The i-th node that may be a receiver: a member, or any node if all are. */
static uint32_t candidate(struct emu_buffer *members, uint32_t i) {
  return members ? emu_node_list(members)[i] : i;
}

/*
 * Sends the packet to those candidates that impairments touch, and lists the others. |members|
 * NULL: all nodes are candidates. Returns the list, or NULL: no memory.
 */
static struct emu_buffer *sift(struct emu_network *network, struct emu_packet *packet,
                               struct emu_buffer *members, uint32_t count) {
  struct emu_buffer *list = emu_buffer_new(&network->pool, count * (uint32_t)sizeof(uint32_t));
  if (!list) return NULL;
  const struct emu_impairments *set = &network->impairments;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t receiver = candidate(members, i);
    if (!hears(network, packet, receiver)) continue;
    if (set->active > 0 && emu_impairments_touch(set, packet->sender, receiver) &&
        !impair(network, packet, receiver))
      continue;
    emu_node_list(list)[kept++] = receiver;
  }
  list->length = kept * (uint32_t)sizeof(uint32_t);
  return list;
}

/* Sends the packet to all nodes of packet->nodes in one event. */
static void depart_together(struct emu_network *network, struct emu_packet *packet,
                            uint32_t count) {
  chorus_time at = network->now + network->config.latency;
  if (count == 0) return;
  if (!emu_push_packet(network, at, EMU_EVENT_GROUP, packet->own_index)) {
    network->failed = true;
    return;
  }
  packet->references++;
  count_pairs(network, count);
}

static bool lists(const struct emu_buffer *nodes, uint32_t node) {
  const uint32_t *list = (const void *)nodes->data;
  uint32_t low = 0, high = emu_node_count(nodes);
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (list[middle] < node)
      low = middle + 1;
    else
      high = middle;
  }
  return low < emu_node_count(nodes) && list[low] == node;
}

/* Sends a group packet to |members|; NULL: to all nodes. |own|: the sender is a member itself. */
static void send_to_members(struct emu_network *network, struct emu_packet *packet,
                            struct emu_buffer *members, bool own) {
  uint32_t count = members ? emu_node_count(members) : network->node_count;
  if (members && is_plain(network, packet) && chorus_multicast_scope(&packet->destination) >= 2) {
    packet->nodes = emu_buffer_ref(members);
    depart_together(network, packet, count - own);
  } else {
    if (members) emu_buffer_ref(members);
    packet->nodes = sift(network, packet, members, count);
    emu_buffer_unref(&network->pool, members);
    if (!packet->nodes) network->failed = true;
    depart_together(network, packet, emu_node_count(packet->nodes));
  }
  if (own && emu_node_at(network, packet->sender)->multicast_loopback)
    send_to(network, packet, packet->sender);
}

static void send_group(struct emu_network *network, struct emu_packet *packet) {
  packet->group = EMU_NO_GROUP;
  if (chorus_is_broadcast(&packet->destination) || emu_is_all_nodes(&packet->destination)) {
    send_to_members(network, packet, NULL, true);
    return;
  }
  struct emu_buffer *members = NULL;
  packet->group = emu_membership_find(&network->membership, &packet->destination);
  if (packet->group != EMU_NO_GROUP)
    members = emu_membership_nodes(&network->membership, packet->group);
  bool own = members && lists(members, packet->sender);
  if (members || network->flood)
    send_to_members(network, packet, network->flood ? NULL : members, own);
}

/* Packets. */

static void show_transmission(struct emu_network *network, struct emu_packet *packet) {
  const struct emu_observer *observer = &network->observer;
  if (!observer->transmitted) return;
  const struct emu_buffer *octets = emu_packet_octets(network, packet);
  if (octets)
    observer->transmitted(observer->context, network->now, packet->sender, packet->id, octets->data,
                          octets->length);
}

void emu_transmit(struct emu_network *network, struct emu_packet *packet) {
  packet->id = ++network->last_id;
  network->counters.transmissions++;
  show_transmission(network, packet);
  if (packet->to_group)
    send_group(network, packet);
  else
    send_unicast(network, packet);
  emu_packet_unref(network, packet);
}

/* One fragment of |whole|; NULL: no memory. */
static struct emu_packet *new_fragment(struct emu_network *network, const struct emu_packet *whole,
                                       uint32_t offset, uint32_t body) {
  struct emu_packet *part = emu_packet_new(network);
  struct emu_buffer *octets =
      part ? emu_buffer_new(&network->pool, emu_mtu(network, whole->v4)) : NULL;
  if (!octets) {
    if (part) emu_packet_unref(network, part);
    return NULL;
  }
  part->kind = EMU_PACKET_FRAGMENT;
  part->sender = whole->sender;
  part->source = whole->source;
  part->destination = whole->destination;
  part->hop_limit = whole->hop_limit;
  part->v4 = whole->v4;
  part->to_group = whole->to_group;
  part->identification = whole->identification;
  part->octets = octets;
  octets->length = emu_fragment_write(octets->data, whole->octets->data, whole->octets->length,
                                      offset, body, whole->identification);
  return part;
}

/* Sends a packet that exceeds the MTU in fragments; takes the caller's reference. */
static int transmit_fragments(struct emu_network *network, struct emu_packet *whole) {
  uint32_t body = emu_fragment_body(whole->v4, emu_mtu(network, whole->v4));
  const struct emu_buffer *octets = emu_packet_octets(network, whole);
  int status = octets ? CHORUS_OK : CHORUS_NO_MEMORY;
  uint32_t total = octets ? octets->length - emu_packet_size(whole->v4, 0) : 0;
  for (uint32_t offset = 0; offset < total; offset += body) {
    struct emu_packet *part = new_fragment(network, whole, offset, body);
    if (part)
      emu_transmit(network, part);
    else
      status = CHORUS_NO_MEMORY;
  }
  emu_packet_unref(network, whole);
  return status;
}

/* Datagrams. */

/* The port to send from when the sender does not say: one that is open, so that answers arrive. */
static uint16_t source_port(struct emu_node *node) {
  if (node->port_count == 0) node->host.ops->open(node, EMU_EPHEMERAL_PORT);
  return node->ports[0];
}

/* Fills in what the sender left to the host. False: no address to send from. */
static bool address_packet(struct emu_node *node, const struct chorus_datagram *datagram,
                           struct emu_packet *packet) {
  packet->destination = datagram->destination;
  packet->source = datagram->source;
  packet->v4 = chorus_is_ipv4(&packet->destination);
  packet->to_group = chorus_is_group(&packet->destination);
  if (chorus_is_unspecified(&packet->source)) {
    if (!emu_select_source(node, &packet->destination, &packet->source)) return false;
  } else if (chorus_is_ipv4(&packet->source) != packet->v4) {
    return false;
  } else {
    packet->source.zone = chorus_is_link_local(&packet->source) ? emu_zone(node->link) : 0;
  }
  if (packet->source.port == 0) packet->source.port = source_port(node);
  packet->hop_limit =
      datagram->hop_limit ? datagram->hop_limit : emu_default_hop_limit(&packet->destination);
  return true;
}

/* Sends what has become a packet; takes the caller's reference. */
static int transmit_datagram(struct emu_network *network, struct emu_node *node,
                             struct emu_packet *packet) {
  bool whole = emu_packet_length(packet) <= emu_mtu(network, packet->v4);
  if (packet->v4 || !whole) packet->identification = node->identification++;
  if (packet->v4) packet->identification &= 0xffff;
  if (!whole) return transmit_fragments(network, packet);
  emu_transmit(network, packet);
  return CHORUS_OK;
}

int emu_send(struct emu_network *network, struct emu_node *node,
             const struct chorus_datagram *datagram) {
  if (datagram->length > EMU_UDP_MAX) return CHORUS_TOO_LARGE;
  struct emu_packet *packet = emu_packet_new(network);
  if (!packet) return CHORUS_NO_MEMORY;
  packet->kind = EMU_PACKET_UDP;
  packet->sender = node->index;
  packet->payload = emu_buffer_new(&network->pool, (uint32_t)datagram->length);
  bool addressed = packet->payload && address_packet(node, datagram, packet);
  if (!addressed) {
    int status = packet->payload ? CHORUS_BAD_ARGUMENT : CHORUS_NO_MEMORY;
    emu_packet_unref(network, packet);
    return status;
  }
  if (datagram->length) memcpy(packet->payload->data, datagram->payload, datagram->length);
  return transmit_datagram(network, node, packet);
}
