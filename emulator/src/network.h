/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the network share: its nodes, the packets under way and its state. */
#ifndef EMU_NETWORK_H
#define EMU_NETWORK_H

#include "chorus/emulator.h"
#include "impair.h"
#include "map.h"
#include "membership.h"
#include "packet.h"
#include "pool.h"
#include "queue.h"
#include "reassembly.h"
#include "store.h"

#define EMU_NODE_PORTS     2
#define EMU_NODE_PURPOSES  5
#define EMU_EPHEMERAL_PORT 49152u /* RFC 6335, section 6 */

enum emu_node_status { EMU_NODE_NEW, EMU_NODE_RUNNING, EMU_NODE_STOPPED };

struct emu_purpose_counter {
  uint32_t purpose;
  uint32_t reserved;
  uint64_t count;
};

/*
 * The way out for a backend whose nodes are real hosts (emu_node.wired): it gets what arrives
 * there, after the observer, and says what became of it by emu_decide(). What such a host sends
 * comes in by emu_transmit().
 */
struct emu_wire {
  void *context;
  void (*arrive)(void *context, uint32_t node, uint64_t id, const struct emu_buffer *octets);
};

/* What of a node is needed rarely. */
struct emu_node_details {
  char *name;
  uint64_t hash; /* of the name */
  struct chorus_endpoint *addresses;
  uint32_t address_count;
  uint32_t partials; /* datagrams under reassembly */
  uint16_t *ports;   /* open ports beyond the first few */
  uint32_t port_count, port_capacity;
  struct emu_purpose_counter *counters; /* of purposes beyond the first few */
  uint32_t counter_count;
};

/* Addresses to send from, by kind. */
enum emu_source { EMU_V6_GLOBAL = 1, EMU_V6_LOCAL = 2, EMU_V4_GLOBAL = 4, EMU_V4_LOCAL = 8 };

/*
 * A node: one cache line that deadlines touch, a second one that most packets touch, and a third
 * for IPv4 and link-local addresses.
 */
struct emu_node {
  const struct chorus_node_ops *ops;
  void *state;
  struct chorus_host host;
  struct emu_network *network;
  chorus_time deadline;
  chorus_time queued; /* the queue holds a wake event for this time (CHORUS_NEVER: none), */
  chorus_time spare;  /* and maybe another for this later time */

  uint64_t key; /* of the random streams */
  uint32_t draws[EMU_NODE_PURPOSES];
  uint32_t index;
  uint32_t link;
  uint8_t status; /* enum emu_node_status */
  bool multicast_loopback;
  bool no_icmp;
  uint8_t port_count;
  uint16_t ports[EMU_NODE_PORTS];
  uint8_t sources; /* set of enum emu_source */
  bool several;    /* more than one address of a kind: the choice needs a look at all */
  bool icmp_to_group;
  bool wired; /* what arrives goes to the network's wire */
  uint8_t v6_global[16];

  uint8_t v6_local[16], v4_global[4], v4_local[4];
  uint32_t identification; /* of the next packet that needs one */
  struct emu_node_details *details;
};

/* OTHER: made elsewhere, given by its octets alone; it may well be UDP. */
enum emu_packet_kind { EMU_PACKET_UDP, EMU_PACKET_FRAGMENT, EMU_PACKET_ICMP, EMU_PACKET_OTHER };

/* A packet on its way to one receiver or many. */
struct emu_packet {
  uint32_t next_free; /* the store's */
  uint32_t references;
  uint32_t sender;
  uint32_t receiver; /* of a unicast packet */
  struct chorus_endpoint source, destination;
  uint64_t id;
  struct emu_buffer *payload; /* UDP payload; NULL in fragments and ICMP */
  struct emu_buffer *octets;  /* the whole packet; NULL until somebody needs it */
  struct emu_buffer *nodes;   /* receivers of a group packet without further impairment */
  uint32_t group;             /* of a group packet, or EMU_NO_GROUP (broadcast) */
  uint32_t identification;
  uint32_t own_index;
  uint8_t kind; /* enum emu_packet_kind */
  uint8_t hop_limit;
  bool v4;
  bool to_group;
};

/* One copy of a packet on its way to one receiver, delayed or corrupted on its own. */
struct emu_flight {
  uint32_t next_free; /* the store's */
  uint32_t packet, receiver;
  uint32_t clause;           /* that corrupted it */
  struct emu_buffer *octets; /* as corrupted, else NULL */
};

/* What an event is about: the low 4 bits of its tag. */
enum emu_event_kind {
  EMU_EVENT_WAKE,    /* index: node */
  EMU_EVENT_UNICAST, /* index: packet */
  EMU_EVENT_GROUP,   /* index: packet; one event for all its nodes */
  EMU_EVENT_FLIGHT,  /* index: flight */
  EMU_EVENT_EXPIRY   /* index: partial; rest of the tag: its generation */
};
#define EMU_EVENT_KIND_BITS 4

struct emu_network {
  chorus_time now;
  struct emu_config config;
  struct emu_observer observer;
  struct emu_counters counters;
  uint64_t last_id;
  bool wants_packets;          /* the observer looks at octets */
  bool failed;                 /* memory ran out where nobody could be told */
  bool flood;                  /* multicasts go to all nodes of the zone, members or not */
  const struct emu_wire *wire; /* NULL: no node is wired */

  struct emu_store nodes, packets, flights;
  uint32_t node_count;
  struct emu_map names;     /* name hash -> node */
  struct emu_map addresses; /* address and zone -> node */
  struct emu_link_config *links;
  uint32_t link_count;

  struct emu_pool pool;
  struct emu_membership membership;
  struct emu_reassembly reassembly;
  struct emu_impairments impairments;
  struct emu_queue queue;
};

static inline struct emu_node *emu_node_at(const struct emu_network *network, uint32_t node) {
  return emu_store_at(&network->nodes, node);
}

static inline struct emu_packet *emu_packet_at(const struct emu_network *network, uint32_t packet) {
  return emu_store_at(&network->packets, packet);
}

static inline struct emu_flight *emu_flight_at(const struct emu_network *network, uint32_t flight) {
  return emu_store_at(&network->flights, flight);
}

/* The MTU for packets of an IP version (RFC 8200, section 5: no link of IPv6 is below 1280). */
static inline uint32_t emu_mtu(const struct emu_network *network, bool v4) {
  uint32_t mtu = network->config.mtu;
  return v4 || mtu > EMU_IPV6_MIN_MTU ? mtu : EMU_IPV6_MIN_MTU;
}

/* network.c */

/* Takes back one reference to a packet. */
void emu_packet_unref(struct emu_network *network, struct emu_packet *packet);
/* A packet with one reference, all zero; NULL: no memory. */
struct emu_packet *emu_packet_new(struct emu_network *network);
/* The packet's octets, built if need be; NULL: no memory. */
struct emu_buffer *emu_packet_octets(struct emu_network *network, struct emu_packet *packet);
/* Octets of the packet. */
uint32_t emu_packet_length(const struct emu_packet *packet);
/* Decides the fate of one pair that is counted as under way. */
void emu_decide(struct emu_network *network, uint64_t id, uint32_t receiver, enum emu_fate fate,
                uint32_t clause);
bool emu_push(struct emu_network *network, chorus_time at, enum emu_event_kind kind, uint32_t index,
              uint32_t tag);
/* The arrival of a packet; fast for one that nothing delays but the network's latency. */
bool emu_push_packet(struct emu_network *network, chorus_time at, enum emu_event_kind kind,
                     uint32_t packet);

/* host.c: what nodes may ask */

/* The table that nodes get; |events|: somebody listens to events. */
const struct chorus_host_ops *emu_host_ops(bool events);
bool emu_port_is_open(const struct emu_node *node, uint16_t port);
/* A wake event has come. */
void emu_wake(struct emu_network *network, uint32_t node, chorus_time at);
/* When the node's wake event |at| will wake it, or CHORUS_NEVER: superseded. */
chorus_time emu_wake_time(const struct emu_node *node, chorus_time at);

/* transmit.c */

/* Sends a datagram. A status of chorus_host_ops.send. */
int emu_send(struct emu_network *network, struct emu_node *node,
             const struct chorus_datagram *datagram);
/* Sends a whole packet, counting and showing it; takes the caller's reference. */
void emu_transmit(struct emu_network *network, struct emu_packet *packet);

/* deliver.c: what happens at receivers */
void emu_arrive_unicast(struct emu_network *network, uint32_t packet);
void emu_arrive_group(struct emu_network *network, uint32_t packet);
void emu_arrive_flight(struct emu_network *network, uint32_t flight);
void emu_expire(struct emu_network *network, uint32_t partial, uint32_t generation);

#endif
