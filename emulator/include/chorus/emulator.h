/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Network seam, backend `sim`: an emulated multicast network in virtual time, in one process.
 *
 * One queue of events ordered by (time, sequence number); integer nanoseconds; integer arithmetic
 * only. Who hears a datagram is decided per (sender, receiver). The network knows IP, UDP, ICMP and
 * group membership, and nothing of CoAP. A network is a function of its configuration, its seed and
 * the calls made: the same calls give the same octets, on any compiler.
 *
 * In steady state (pools and queues have grown to their working size) nothing is allocated per
 * packet, and the payload of a multicast datagram is shared by its receivers.
 */
#ifndef CHORUS_EMULATOR_H
#define CHORUS_EMULATOR_H

#include "chorus/node.h"
#include "chorus/types.h"

struct emu_network;

/* Ratios are in parts per million, 0 to 1,000,000. */
typedef uint32_t emu_ppm;
#define EMU_ALWAYS 1000000u

enum emu_jitter { EMU_JITTER_UNIFORM = 0, EMU_JITTER_NORMAL, EMU_JITTER_PARETO };

/*
 * What happens to packets from one node to another; the vocabulary is tc-netem's where it has a
 * word. A Gilbert-Elliott pair starts in the good state; a packet is lost by the state that it
 * finds, then the state may change. A duplicate shares the fate of its original in this impairment
 * and is a packet of its own for those added later. Loss comes first, then queue, delay,
 * corruption. Zero everywhere: nothing happens. Packets are counted per (sender, receiver) and
 * clause from 1 on; with fragmentation every fragment is a packet with a fate of its own.
 */
struct emu_impairment {
  uint32_t clause;           /* the scenario line that asks for it; reported with every fate */
  emu_ppm loss;              /* random loss */
  emu_ppm gemodel_p;         /* Gilbert-Elliott: good to bad, per packet */
  emu_ppm gemodel_r;         /* bad to good, per packet */
  emu_ppm gemodel_loss_bad;  /* 1-h: loss in the bad state */
  emu_ppm gemodel_loss_good; /* 1-k: loss in the good state */
  const uint32_t *drop;      /* packet numbers to drop, ascending; copied */
  size_t drop_count;
  chorus_time delay;           /* added to the link's own latency */
  chorus_time jitter;          /* spread of the delay around |delay|, at most 2^46 ns; sum >= 0 */
  enum emu_jitter jitter_kind; /* shape of the spread (integer tables, no libm) */
  emu_ppm duplicate;           /* probability that a packet arrives twice */
  chorus_time duplicate_gap;   /* the copy arrives that much later */
  emu_ppm reorder;             /* probability that a packet is held back by |reorder_gap| */
  chorus_time reorder_gap;
  emu_ppm corrupt;      /* probability that one random bit of the packet is flipped */
  uint64_t rate;        /* bits per second through a queue of the pair; 0: no limit */
  uint32_t queue_limit; /* packets that the queue holds before tail drop; 0: 1000 */
  chorus_time from, to; /* active in [from, to); to = 0: for ever (outage: loss = EMU_ALWAYS) */
  bool multicast_only;  /* only packets to a group */
  bool unicast_only;    /* only packets to a unicast address */
};

struct emu_config {
  uint64_t seed;
  chorus_time latency; /* one-way latency of every link, ns */
  uint32_t mtu;        /* IP MTU in octets, at least 68; IPv6 uses at least 1280; 0: 1500 */
  chorus_time
      reassembly_timeout;    /* 0: 60 s (RFC 8200, section 4.5); IPv4: 15 s (RFC 791 default) */
  uint32_t reassembly_limit; /* datagrams under reassembly per receiver; 0: 16 */
};

/*
 * A link, and the zones that it lies in. A multicast packet of scope 2 stays on its link, of scope
 * 3 in its realm, 4 admin, 5 site, 8 organization; scope 14 goes everywhere (RFC 7346, RFC 4007).
 * Equal numbers are the same zone; link 0 has zeros. Every crossing from one link to another costs
 * one hop. Hop limits that a sender leaves open: 64 for unicast, 1 for groups of scope 2 and
 * broadcast, 16 for wider groups. The zone of link-local addresses of link n is n + 1.
 */
struct emu_link_config {
  uint32_t realm, admin, site, organization;
};

struct emu_node_config {
  const char
      *name; /* unique; copied; the random streams depend on it, not on the order of adding */
  struct chorus_node node;
  const struct chorus_endpoint *addresses; /* unicast addresses, ports ignored; copied */
  size_t address_count;
  uint32_t link;           /* from emu_add_link; 0 is the default link, always there */
  bool multicast_loopback; /* own multicasts come back, at once, when the node is a member */
  bool no_icmp;            /* never sends ICMP errors */
  bool icmp_to_group;      /* wrong on purpose: sends them about packets to groups, too */
};

/* Fate of one packet towards one receiver. */
enum emu_fate {
  EMU_DELIVERED = 0,      /* reached the node (for fragments: reached the reassembly) */
  EMU_DROPPED_LOSS,       /* random or Gilbert-Elliott */
  EMU_DROPPED_LIST,       /* drop list */
  EMU_DROPPED_QUEUE,      /* tail drop, or no memory (clause 0) */
  EMU_DROPPED_CORRUPT,    /* arrived with a flipped bit, checksum wrong */
  EMU_DROPPED_NO_ROUTE,   /* unicast to an address that nobody has; its receiver is EMU_ANY */
  EMU_DROPPED_SCOPE,      /* unicast to link-local on another link, or hop limit exhausted */
  EMU_DROPPED_CLOSED,     /* no open port, or not a member with this port */
  EMU_DROPPED_REASSEMBLY, /* timeout or limit of the reassembly; counted per fragment */
  EMU_DROPPED_TOO_BIG,    /* must not be fragmented and exceeds the MTU */
  EMU_DROPPED_STOPPED,    /* receiver was stopped or removed */
  EMU_FATE_COUNT
};

/*
 * Watches the network. All members may be NULL. |packet| is a whole IPv4 or IPv6 packet (or
 * fragment) with right checksums, unless corruption made them wrong on its way in. |id| is the same
 * for the transmission of a packet, its fates and its arrivals; numbers grow from 1. For each
 * transmission come first transmitted(), then at once one fate() per possible receiver whose packet
 * was decided at sending (loss, list, queue, no route; with the clause that did it), and later
 * arrived() and the remaining fates. EMU_DELIVERED is reported after arrived(). A member of the
 * network that is no member of the group is no receiver and has no fate.
 */
struct emu_observer {
  void *context;
  void (*transmitted)(void *context, chorus_time now, uint32_t node, uint64_t id,
                      const uint8_t *packet, size_t length);
  void (*fate)(void *context, chorus_time now, uint64_t id, uint32_t receiver, enum emu_fate fate,
               uint32_t clause);
  void (*arrived)(void *context, chorus_time now, uint32_t node, uint64_t id, const uint8_t *packet,
                  size_t length);
  void (*event)(void *context, chorus_time now, uint32_t node, const struct chorus_event *event);
  void (*membership)(void *context, chorus_time now, uint32_t node,
                     const struct chorus_endpoint *group, bool joined);
};

/* The conservation law: receptions == sum of fate[] + in_flight, counted per receiver. */
struct emu_counters {
  uint64_t transmissions;        /* packets sent, fragments counted one by one */
  uint64_t receptions;           /* (packet, receiver) pairs, duplicates included */
  uint64_t fate[EMU_FATE_COUNT]; /* of these pairs */
  uint64_t in_flight;            /* pairs still under way, or waiting in a reassembly */
  uint64_t duplicated;           /* extra pairs that duplication made */
  uint64_t datagrams_delivered;  /* datagrams handed to nodes */
  uint64_t events;               /* events taken from the queue */
};

struct emu_network *emu_network_new(const struct emu_config *config); /* NULL: no memory */
void emu_network_free(struct emu_network *network);                   /* stops no nodes */

/* Adds a link. Returns its number (1 and up), or UINT32_MAX without memory. */
uint32_t emu_add_link(struct emu_network *network, const struct emu_link_config *config);

/* Adds a node and returns its number (0 and up), or UINT32_MAX: no memory, a name or an address (on
 * its link) taken, an address that is no unicast address, no such link. It starts with emu_start().
 */
uint32_t emu_add_node(struct emu_network *network, const struct emu_node_config *config);
const char *emu_node_name(const struct emu_network *network, uint32_t node);
/* The |i|th unicast address of the node, or NULL. */
const struct chorus_endpoint *emu_node_address(const struct emu_network *network, uint32_t node,
                                               size_t i);

/*
 * Puts an impairment on all packets from |sender| to |receiver| (EMU_ANY: any other node; what a
 * node loops back to itself is impaired only if both sides name it). Several impairments of a pair
 * apply in the order of adding. Returns a handle (1 and up), or 0: no memory, no such node, a ratio
 * above EMU_ALWAYS, a drop list that does not ascend, multicast_only with unicast_only.
 */
#define EMU_ANY UINT32_MAX
uint32_t emu_impair(struct emu_network *network, uint32_t sender, uint32_t receiver,
                    const struct emu_impairment *impairment);
/* Ends an impairment (its use stays counted). */
void emu_repair(struct emu_network *network, uint32_t handle);
/* How many packets the impairment changed (dropped, delayed, duplicated, corrupted). */
uint64_t emu_impairment_used(const struct emu_network *network, uint32_t handle);

void emu_observe(struct emu_network *network, const struct emu_observer *observer); /* copied */

/* Starts all nodes that are not started, in the order of adding. A node's status, or CHORUS_OK. */
int emu_start(struct emu_network *network);
/* Calls stop() of all nodes, in the order of adding. */
void emu_stop(struct emu_network *network);

/* Asks a node something at the present time. |why| as in chorus_node_ops.command. */
int emu_command(struct emu_network *network, uint32_t node, const struct chorus_command *command,
                const char **why);

/*
 * Sends a datagram as |node|, whatever its source says (spoofed sources are allowed). A status of
 * chorus_host_ops.send; CHORUS_BAD_ARGUMENT: the node has no address of the destination's IP
 * version.
 */
int emu_inject(struct emu_network *network, uint32_t node, const struct chorus_datagram *datagram);

chorus_time emu_now(const struct emu_network *network);
/* Time of the next event, or CHORUS_NEVER. May look at many events; emu_run_until() does not need
 * it. */
chorus_time emu_next(const struct emu_network *network);
/* Runs all events up to and including |until|, then sets the time to |until|. */
void emu_run_until(struct emu_network *network, chorus_time until);
/* Runs until no packet is under way and the next deadline lies after |limit|. Returns the time. */
chorus_time emu_run_idle(struct emu_network *network, chorus_time limit);

struct emu_counters emu_counters(const struct emu_network *network);

/* One stream of integer random numbers per (seed, purpose, sender, receiver); see
 * emulator/random.h. */

#endif
