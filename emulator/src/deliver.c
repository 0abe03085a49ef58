/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving: what happens when a packet has come to a node. */
#include "network.h"
#include "prefetch.h"
#include "scope.h"

/* How far ahead of its turn the memory of a node, and then of what the node points to, is asked
 * for. */
#define AHEAD_NODE  12
#define AHEAD_STATE 8
#define AHEAD_MORE  4

/* A packet that has come to a node. */
struct arrival {
  struct emu_packet *packet;
  struct emu_node *node;
  struct emu_buffer *corrupted; /* its octets if they were changed on the way */
  uint32_t clause;              /* that changed them */
  uint8_t hop_limit;            /* what is left of it */
};

/* Checks. */

static bool listens(const struct emu_network *network, const struct emu_packet *packet,
                    const struct emu_node *node, uint16_t port) {
  const struct chorus_endpoint *to = &packet->destination;
  if (!packet->to_group || chorus_is_broadcast(to) || emu_is_all_nodes(to))
    return emu_port_is_open(node, port);
  if (packet->group == EMU_NO_GROUP) return false; /* flooded */
  return emu_membership_has(&network->membership, packet->group, port, node->index);
}

/* Errors. */

/*
 * Whether a Port Unreachable error may be sent (RFC 4443, section 2.4 (e); RFC 1122,
 * section 3.2.2): not about groups, nor to a source that is not a single node.
 */
static bool may_complain(const struct emu_node *node, const struct emu_packet *packet) {
  if (node->no_icmp || (packet->to_group && !node->icmp_to_group)) return false;
  return !chorus_is_group(&packet->source) && !chorus_is_unspecified(&packet->source);
}

static struct emu_packet *new_unreachable(struct emu_network *network, struct emu_node *node,
                                          const struct emu_packet *cause, const uint8_t *invoking,
                                          uint32_t length) {
  struct emu_packet *packet = emu_packet_new(network);
  if (!packet) return NULL;
  packet->octets = emu_buffer_new(&network->pool, EMU_IPV6_MIN_MTU);
  if (!packet->octets) {
    emu_packet_unref(network, packet);
    return NULL;
  }
  packet->kind = EMU_PACKET_ICMP;
  packet->sender = node->index;
  packet->source = cause->destination;
  packet->destination = cause->source;
  if (cause->to_group) emu_select_source(node, &cause->source, &packet->source);
  packet->source.port = packet->destination.port = 0;
  packet->v4 = cause->v4;
  packet->hop_limit = EMU_HOPS_UNICAST;
  struct emu_ip ip = {.source = packet->source,
                      .destination = packet->destination,
                      .v4 = cause->v4,
                      .hop_limit = EMU_HOPS_UNICAST};
  if (cause->v4) ip.identification = node->identification++ & 0xffff;
  packet->octets->length = emu_unreachable_write(packet->octets->data, &ip, invoking, length,
                                                 emu_mtu(network, cause->v4));
  return packet;
}

/* Tells the sender of |cause|, whose octets at arrival are |invoking|, that nobody listens. */
static void complain(struct emu_network *network, struct emu_node *node,
                     const struct emu_packet *cause, const uint8_t *invoking, uint32_t length) {
  if (!may_complain(node, cause)) return;
  struct emu_packet *packet = new_unreachable(network, node, cause, invoking, length);
  if (packet)
    emu_transmit(network, packet);
  else
    network->failed = true;
}

/* Octets at arrival. */

/* The octets as they arrive, a new reference: with the hop limit that is left, or corrupted. */
static struct emu_buffer *arrived_octets(struct emu_network *network, const struct arrival *a) {
  struct emu_buffer *octets = a->corrupted ? a->corrupted : emu_packet_octets(network, a->packet);
  if (!octets) return NULL;
  if (a->corrupted || a->hop_limit == a->packet->hop_limit) return emu_buffer_ref(octets);
  struct emu_buffer *copy = emu_buffer_new(&network->pool, octets->length);
  if (!copy) return NULL;
  memcpy(copy->data, octets->data, octets->length);
  emu_packet_set_hop_limit(copy->data, a->hop_limit);
  return copy;
}

/* Handing over. */

static void hand_over(struct emu_network *network, struct emu_node *node,
                      const struct chorus_datagram *datagram) {
  network->counters.datagrams_delivered++;
  if (node->ops->datagram) node->ops->datagram(node->state, network->now, datagram);
}

static struct chorus_datagram datagram_of(const struct emu_packet *packet, uint8_t hop_limit) {
  return (struct chorus_datagram){.source = packet->source,
                                  .destination = packet->destination,
                                  .payload = packet->payload->data,
                                  .length = packet->payload->length,
                                  .hop_limit = hop_limit};
}

/* An intact UDP packet. */
static void receive_udp(struct emu_network *network, const struct arrival *a) {
  struct emu_packet *packet = a->packet;
  struct emu_node *node = a->node;
  if (listens(network, packet, node, packet->destination.port)) {
    struct chorus_datagram datagram = datagram_of(packet, a->hop_limit);
    emu_decide(network, packet->id, node->index, EMU_DELIVERED, 0);
    hand_over(network, node, &datagram);
    return;
  }
  emu_decide(network, packet->id, node->index, EMU_DROPPED_CLOSED, 0);
  if (!may_complain(node, packet)) return;
  struct emu_buffer *octets = arrived_octets(network, a);
  if (!octets) return;
  complain(network, node, packet, octets->data, octets->length);
  emu_buffer_unref(&network->pool, octets);
}

/*
 * A UDP packet given as octets, valid by its checksum: made elsewhere, or a flipped bit was in a
 * field that no checksum covers.
 */
static void receive_udp_octets(struct emu_network *network, const struct arrival *a,
                               const struct emu_ip *ip, const struct emu_udp *udp,
                               const struct emu_buffer *octets) {
  if (!listens(network, a->packet, a->node, udp->destination_port)) {
    emu_decide(network, a->packet->id, a->node->index, EMU_DROPPED_CLOSED, 0);
    if (!a->corrupted) complain(network, a->node, a->packet, octets->data, octets->length);
    return;
  }
  struct chorus_datagram datagram = {.source = a->packet->source,
                                     .destination = a->packet->destination,
                                     .payload = udp->payload,
                                     .length = udp->length,
                                     .hop_limit = ip->hop_limit};
  emu_decide(network, a->packet->id, a->node->index, EMU_DELIVERED, 0);
  hand_over(network, a->node, &datagram);
}

/* What becomes of octets that mean nothing here. */
static void misunderstand(struct emu_network *network, const struct arrival *a, bool intact) {
  bool foreign = intact && !a->corrupted; /* a protocol that only real hosts know */
  enum emu_fate fate = foreign ? EMU_DROPPED_CLOSED : EMU_DROPPED_CORRUPT;
  emu_decide(network, a->packet->id, a->node->index, fate, a->clause);
}

static void receive_icmp(struct emu_network *network, const struct arrival *a,
                         const struct emu_ip *ip) {
  struct chorus_endpoint destination;
  struct emu_node *node = a->node;
  if (!emu_unreachable_parse(ip, &destination)) {
    misunderstand(network, a, true);
    return;
  }
  if (emu_is_local(&destination)) destination.zone = emu_zone(node->link);
  emu_decide(network, a->packet->id, node->index, EMU_DELIVERED, 0);
  if (node->ops->unreachable) node->ops->unreachable(node->state, network->now, &destination);
}

/* Fragments. */

/* The same fate for all fragments of a datagram. */
static void decide_parts(struct emu_network *network, const struct emu_partial *p,
                         enum emu_fate fate, uint32_t clause) {
  for (uint32_t i = 0; i < emu_partial_parts(p); i++)
    emu_decide(network, emu_partial_part(p, i), p->receiver, fate, clause);
}

static void release(struct emu_network *network, uint32_t partial) {
  uint32_t receiver = emu_reassembly_at(&network->reassembly, partial)->receiver;
  struct emu_node_details *details = emu_node_at(network, receiver)->details;
  emu_reassembly_release(&network->reassembly, &details->partials, partial);
}

/* Tells the sender that a whole datagram, come in pieces, found its port closed. */
static void complain_whole(struct emu_network *network, const struct arrival *a,
                           const struct emu_partial *p) {
  uint32_t length = emu_packet_size(p->ip.v4, p->body->length);
  struct emu_buffer *octets = emu_buffer_new(&network->pool, length);
  if (!octets) return;
  struct emu_ip ip = p->ip;
  ip.length = p->body->length;
  uint32_t header = emu_ip_write(octets->data, &ip);
  memcpy(octets->data + header, p->body->data, p->body->length);
  complain(network, a->node, a->packet, octets->data, length);
  emu_buffer_unref(&network->pool, octets);
}

/* A datagram is whole. The caller releases it. */
static void receive_whole(struct emu_network *network, const struct arrival *a,
                          const struct emu_partial *p) {
  struct emu_udp udp;
  struct emu_node *node = a->node;
  const struct emu_packet *packet = a->packet;
  if (!emu_udp_parse(&p->ip, p->body->data, p->body->length, &udp)) {
    decide_parts(network, p, EMU_DROPPED_CORRUPT, p->clause);
    return;
  }
  if (!listens(network, packet, node, udp.destination_port)) {
    decide_parts(network, p, EMU_DROPPED_CLOSED, 0);
    complain_whole(network, a, p);
    return;
  }
  struct chorus_datagram datagram = {.source = packet->source,
                                     .destination = packet->destination,
                                     .payload = udp.payload,
                                     .length = udp.length,
                                     .hop_limit = p->ip.hop_limit};
  datagram.source.port = udp.source_port;
  datagram.destination.port = udp.destination_port;
  decide_parts(network, p, EMU_DELIVERED, 0);
  hand_over(network, node, &datagram);
}

static chorus_time timeout_of(const struct emu_network *network, bool v4) {
  if (network->config.reassembly_timeout) return network->config.reassembly_timeout;
  return (v4 ? 15 : 60) * CHORUS_SECOND;
}

static void start_timer(struct emu_network *network, uint32_t partial) {
  const struct emu_partial *p = emu_reassembly_at(&network->reassembly, partial);
  chorus_time at = network->now + timeout_of(network, p->ip.v4);
  if (emu_push(network, at, EMU_EVENT_EXPIRY, partial, p->generation)) return;
  network->failed = true;
  decide_parts(network, p, EMU_DROPPED_REASSEMBLY, 0);
  release(network, partial);
}

static void receive_fragment(struct emu_network *network, const struct arrival *a,
                             const struct emu_ip *ip) {
  uint32_t partial, index = a->node->index;
  struct emu_reassembly *r = &network->reassembly;
  enum emu_part_result result =
      emu_reassembly_add(r, &a->node->details->partials, index, ip, a->packet->id, &partial);
  if (result != EMU_PART_REFUSED && a->corrupted) emu_reassembly_at(r, partial)->clause = a->clause;
  switch (result) {
    case EMU_PART_WAITS: return;
    case EMU_PART_STARTS: start_timer(network, partial); return;
    case EMU_PART_REFUSED:
      emu_decide(network, a->packet->id, index, EMU_DROPPED_REASSEMBLY, 0);
      return;
    case EMU_PART_SPOILS:
      decide_parts(network, emu_reassembly_at(r, partial), EMU_DROPPED_REASSEMBLY, 0);
      break;
    case EMU_PART_COMPLETES: receive_whole(network, a, emu_reassembly_at(r, partial)); break;
  }
  release(network, partial);
}

void emu_expire(struct emu_network *network, uint32_t partial, uint32_t generation) {
  const struct emu_partial *p = emu_reassembly_at(&network->reassembly, partial);
  uint32_t mask = UINT32_MAX >> EMU_EVENT_KIND_BITS;
  if (!p->body || (p->generation & mask) != generation) return;
  decide_parts(network, p, EMU_DROPPED_REASSEMBLY, 0);
  release(network, partial);
}

/* Any packet as octets. */

/* Whether a packet whose octets were changed still says what concerns addresses and protocol. */
static bool is_plausible(const struct emu_packet *packet, const struct emu_ip *ip) {
  if (!chorus_same_address(&ip->source, &packet->source)) return false;
  if (!chorus_same_address(&ip->destination, &packet->destination)) return false;
  return ip->fragment == (packet->kind == EMU_PACKET_FRAGMENT);
}

static void receive_octets(struct emu_network *network, const struct arrival *a,
                           const struct emu_buffer *octets) {
  struct emu_ip ip;
  struct emu_udp udp;
  bool valid = emu_ip_parse(octets->data, octets->length, &ip) && is_plausible(a->packet, &ip);
  if (valid && a->packet->kind == EMU_PACKET_FRAGMENT)
    receive_fragment(network, a, &ip);
  else if (valid && a->packet->kind == EMU_PACKET_ICMP)
    receive_icmp(network, a, &ip);
  else if (valid && emu_udp_parse(&ip, ip.body, ip.length, &udp))
    receive_udp_octets(network, a, &ip, &udp, octets);
  else
    misunderstand(network, a, valid && ip.protocol != EMU_PROTOCOL_UDP);
}

/* A packet has come to a node, with everything that may happen. */
static void arrive(struct emu_network *network, const struct arrival *a) {
  struct emu_packet *packet = a->packet;
  const struct emu_observer *observer = &network->observer;
  if (a->node->status != EMU_NODE_RUNNING) {
    emu_decide(network, packet->id, a->node->index, EMU_DROPPED_STOPPED, 0);
    return;
  }
  bool plain = packet->kind == EMU_PACKET_UDP && !a->corrupted && !a->node->wired;
  if (plain && !observer->arrived) {
    receive_udp(network, a);
    return;
  }
  struct emu_buffer *octets = arrived_octets(network, a);
  if (!octets) {
    network->failed = true;
    emu_decide(network, packet->id, a->node->index, EMU_DROPPED_QUEUE, 0);
    return;
  }
  if (observer->arrived)
    observer->arrived(observer->context, network->now, a->node->index, packet->id, octets->data,
                      octets->length);
  if (a->node->wired)
    network->wire->arrive(network->wire->context, a->node->index, packet->id, octets);
  else if (plain)
    receive_udp(network, a);
  else
    receive_octets(network, a, octets);
  emu_buffer_unref(&network->pool, octets);
}

static uint8_t hops_left(const struct emu_network *network, const struct emu_packet *packet,
                         const struct emu_node *node) {
  bool crossed =
      network->link_count > 1 && emu_node_at(network, packet->sender)->link != node->link;
  return (uint8_t)(packet->hop_limit - crossed);
}

static void arrive_at(struct emu_network *network, struct emu_packet *packet, uint32_t receiver,
                      struct emu_buffer *corrupted, uint32_t clause) {
  struct emu_node *node = emu_node_at(network, receiver);
  struct arrival a = {.packet = packet,
                      .node = node,
                      .corrupted = corrupted,
                      .clause = clause,
                      .hop_limit = hops_left(network, packet, node)};
  arrive(network, &a);
}

void emu_arrive_unicast(struct emu_network *network, uint32_t index) {
  struct emu_packet *packet = emu_packet_at(network, index);
  arrive_at(network, packet, packet->receiver, NULL, 0);
  emu_packet_unref(network, packet);
}

void emu_arrive_flight(struct emu_network *network, uint32_t index) {
  struct emu_flight flight = *emu_flight_at(network, index);
  struct emu_packet *packet = emu_packet_at(network, flight.packet);
  emu_store_delete(&network->flights, index);
  arrive_at(network, packet, flight.receiver, flight.octets, flight.clause);
  emu_buffer_unref(&network->pool, flight.octets);
  emu_packet_unref(network, packet);
}

/* Groups. */

/* Asks for the memory of receivers that come soon: node, its state, what its state points to. */
static EMU_ALWAYS_INLINE void prefetch(const struct emu_network *network,
                                       const struct emu_packet *packet, const uint32_t *nodes,
                                       uint32_t count, uint32_t i) {
  if (i + AHEAD_NODE < count) emu_prefetch(emu_node_at(network, nodes[i + AHEAD_NODE]), 2);
  if (i + AHEAD_STATE < count) {
    const struct emu_node *node = emu_node_at(network, nodes[i + AHEAD_STATE]);
    emu_prefetch_set(node->state, node->ops->wake_lines);
  }
  if (i + AHEAD_MORE >= count) return;
  const struct emu_node *node = emu_node_at(network, nodes[i + AHEAD_MORE]);
  if (node->ops->expect && node->status == EMU_NODE_RUNNING)
    node->ops->expect(node->state, &packet->source);
}

/*
 * Whether an intact UDP packet goes straight to the nodes that run and are still members: nobody
 * looks at it, and it keeps its hop limit.
 */
static bool is_straight(const struct emu_network *network, const struct emu_packet *packet) {
  return !network->wants_packets && !network->observer.fate && network->link_count == 1 &&
         packet->kind == EMU_PACKET_UDP && packet->group != EMU_NO_GROUP && !network->wire;
}

/* Whether the members have not changed since the packet was sent. */
static bool is_current(const struct emu_network *network, const struct emu_packet *packet) {
  return emu_membership_is_current(&network->membership, packet->group, packet->destination.port,
                                   packet->nodes);
}

static void arrive_straight(struct emu_network *network, struct emu_node *node,
                            const struct chorus_datagram *datagram) {
  network->counters.in_flight--;
  network->counters.fate[EMU_DELIVERED]++;
  hand_over(network, node, datagram);
}

void emu_arrive_group(struct emu_network *network, uint32_t index) {
  struct emu_packet *packet = emu_packet_at(network, index);
  const uint32_t *nodes = emu_node_list(packet->nodes);
  uint32_t count = emu_node_count(packet->nodes);
  bool straight = is_straight(network, packet);
  struct chorus_datagram datagram = {0};
  if (straight) datagram = datagram_of(packet, packet->hop_limit);
  for (uint32_t i = 0; i < count; i++) {
    prefetch(network, packet, nodes, count, i);
    if (nodes[i] == packet->sender) continue; /* looped back on its own, or not at all */
    struct emu_node *node = emu_node_at(network, nodes[i]);
    if (straight && node->status == EMU_NODE_RUNNING && is_current(network, packet))
      arrive_straight(network, node, &datagram);
    else
      arrive_at(network, packet, nodes[i], NULL, 0);
  }
  emu_packet_unref(network, packet);
}
