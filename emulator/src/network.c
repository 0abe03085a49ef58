/* SPDX-License-Identifier: BSD-2-Clause */
/* The network as a whole: links, nodes, the flow of time. */
#include "network.h"

#include <stdlib.h>

#include "prefetch.h"
#include "random.h"
#include "scope.h"

#define DEFAULT_MTU              1500u
#define SMALLEST_MTU             68u /* RFC 791, section 3.2 */
#define DEFAULT_REASSEMBLY_LIMIT 16u
#define AHEAD_NODE               16 /* events */
#define AHEAD_STATE              8

/* Packets. */

struct emu_packet *emu_packet_new(struct emu_network *network) {
  uint32_t index = emu_store_new(&network->packets);
  if (index == EMU_STORE_NONE) return NULL;
  struct emu_packet *packet = emu_packet_at(network, index);
  *packet = (struct emu_packet){.references = 1, .group = EMU_NO_GROUP, .own_index = index};
  return packet;
}

void emu_packet_unref(struct emu_network *network, struct emu_packet *packet) {
  if (--packet->references > 0) return;
  uint32_t index = packet->own_index;
  emu_buffer_unref(&network->pool, packet->payload);
  emu_buffer_unref(&network->pool, packet->octets);
  emu_buffer_unref(&network->pool, packet->nodes);
  emu_store_delete(&network->packets, index);
}

uint32_t emu_packet_length(const struct emu_packet *packet) {
  if (packet->octets) return packet->octets->length;
  return emu_packet_size(packet->v4, EMU_UDP_HEADER + packet->payload->length);
}

struct emu_buffer *emu_packet_octets(struct emu_network *network, struct emu_packet *packet) {
  if (packet->octets) return packet->octets;
  packet->octets = emu_buffer_new(&network->pool, emu_packet_length(packet));
  if (!packet->octets) return NULL;
  struct emu_ip ip = {.source = packet->source,
                      .destination = packet->destination,
                      .v4 = packet->v4,
                      .hop_limit = packet->hop_limit,
                      .identification = packet->identification};
  emu_udp_write(packet->octets->data, &ip, packet->payload->data, packet->payload->length);
  return packet->octets;
}

void emu_decide(struct emu_network *network, uint64_t id, uint32_t receiver, enum emu_fate fate,
                uint32_t clause) {
  const struct emu_observer *observer = &network->observer;
  network->counters.in_flight--;
  network->counters.fate[fate]++;
  if (observer->fate) observer->fate(observer->context, network->now, id, receiver, fate, clause);
}

static struct emu_event event_of(chorus_time at, enum emu_event_kind kind, uint32_t index,
                                 uint32_t tag) {
  return (struct emu_event){
      .time = at, .index = index, .tag = tag << EMU_EVENT_KIND_BITS | (uint32_t)kind};
}

bool emu_push(struct emu_network *network, chorus_time at, enum emu_event_kind kind, uint32_t index,
              uint32_t tag) {
  return emu_queue_push(&network->queue, event_of(at, kind, index, tag));
}

bool emu_push_packet(struct emu_network *network, chorus_time at, enum emu_event_kind kind,
                     uint32_t packet) {
  struct emu_event event = event_of(at, kind, packet, 0);
  bool undisturbed = at == network->now + network->config.latency;
  return undisturbed ? emu_queue_push_stream(&network->queue, event)
                     : emu_queue_push(&network->queue, event);
}

/* Making and freeing. */

static void set_config(struct emu_network *network, const struct emu_config *config) {
  network->config = *config;
  if (network->config.mtu == 0) network->config.mtu = DEFAULT_MTU;
  if (network->config.mtu < SMALLEST_MTU) network->config.mtu = SMALLEST_MTU;
  if (network->config.reassembly_limit == 0)
    network->config.reassembly_limit = DEFAULT_REASSEMBLY_LIMIT;
}

struct emu_network *emu_network_new(const struct emu_config *config) {
  struct emu_network *network = calloc(1, sizeof *network);
  if (!network) return NULL;
  network->links = calloc(1, sizeof *network->links);
  if (!network->links) {
    free(network);
    return NULL;
  }
  network->link_count = 1;
  set_config(network, config);
  emu_store_init(&network->nodes, sizeof(struct emu_node));
  emu_store_init(&network->packets, sizeof(struct emu_packet));
  emu_store_init(&network->flights, sizeof(struct emu_flight));
  emu_queue_init(&network->queue);
  emu_membership_init(&network->membership, &network->pool);
  emu_impairments_init(&network->impairments, config->seed);
  emu_reassembly_init(&network->reassembly, &network->pool, network->config.reassembly_limit);
  return network;
}

static void free_details(struct emu_node_details *details) {
  if (!details) return;
  free(details->name);
  free(details->addresses);
  free(details->ports);
  free(details->counters);
  free(details);
}

void emu_network_free(struct emu_network *network) {
  if (!network) return;
  for (uint32_t i = 0; i < network->node_count; i++) free_details(emu_node_at(network, i)->details);
  emu_queue_free(&network->queue);
  emu_impairments_free(&network->impairments);
  emu_membership_free(&network->membership);
  emu_reassembly_free(&network->reassembly);
  emu_store_free(&network->nodes);
  emu_store_free(&network->packets);
  emu_store_free(&network->flights);
  emu_pool_free(&network->pool);
  emu_map_free(&network->names);
  emu_map_free(&network->addresses);
  free(network->links);
  free(network);
}

uint32_t emu_add_link(struct emu_network *network, const struct emu_link_config *config) {
  struct emu_link_config *links =
      realloc(network->links, (network->link_count + 1) * sizeof *links);
  if (!links) return UINT32_MAX;
  network->links = links;
  links[network->link_count] = *config;
  return network->link_count++;
}

/* Nodes. */

static struct emu_map_key name_key(uint64_t hash) {
  return (struct emu_map_key){.high = hash};
}

static struct emu_map_key address_key(const struct chorus_endpoint *address) {
  return emu_map_address(address->address, address->zone);
}

/* The node's own copy of its addresses, ports 0, zones filled in. */
static bool copy_addresses(struct emu_node_details *details, const struct emu_node_config *config) {
  if (config->address_count == 0) return true;
  details->addresses = malloc(config->address_count * sizeof *details->addresses);
  if (!details->addresses) return false;
  details->address_count = (uint32_t)config->address_count;
  for (uint32_t i = 0; i < details->address_count; i++) {
    struct chorus_endpoint *address = &details->addresses[i];
    *address = config->addresses[i];
    address->port = 0;
    address->zone = chorus_is_link_local(address) ? emu_zone(config->link) : 0;
  }
  return true;
}

static struct emu_node_details *new_details(const struct emu_node_config *config) {
  struct emu_node_details *details = calloc(1, sizeof *details);
  if (!details) return NULL;
  details->name = strdup(config->name);
  details->hash = emu_name_hash(config->name);
  details->partials = EMU_STORE_NONE;
  if (details->name && copy_addresses(details, config)) return details;
  free_details(details);
  return NULL;
}

/* Whether all addresses are unicast and nobody has them yet on that link. */
static bool addresses_are_free(const struct emu_network *network,
                               const struct emu_node_details *details) {
  for (uint32_t i = 0; i < details->address_count; i++) {
    const struct chorus_endpoint *address = &details->addresses[i];
    if (chorus_is_group(address) || chorus_is_unspecified(address)) return false;
    if (emu_map_get(&network->addresses, address_key(address)) != EMU_MAP_NONE) return false;
    for (uint32_t j = 0; j < i; j++)
      if (chorus_same_address(address, &details->addresses[j])) return false;
  }
  return true;
}

/*
 * Enters name and addresses. Link-local addresses are entered once more without their zone, so that
 * a packet to one on another link is told from a packet to nobody.
 */
static void enter(struct emu_network *network, const struct emu_node_details *details,
                  uint32_t index) {
  emu_map_put(&network->names, name_key(details->hash), index);
  for (uint32_t i = 0; i < details->address_count; i++) {
    const struct chorus_endpoint *address = &details->addresses[i];
    struct emu_map_key anywhere = emu_map_address(address->address, UINT32_MAX);
    emu_map_put(&network->addresses, address_key(address), index);
    if (address->zone != 0 && emu_map_get(&network->addresses, anywhere) == EMU_MAP_NONE)
      emu_map_put(&network->addresses, anywhere, index);
  }
}

static bool may_enter(struct emu_network *network, const struct emu_node_details *details) {
  if (emu_map_get(&network->names, name_key(details->hash)) != EMU_MAP_NONE) return false;
  if (!addresses_are_free(network, details)) return false;
  return emu_map_reserve(&network->names, 1) &&
         emu_map_reserve(&network->addresses, 2 * details->address_count);
}

static void set_node(struct emu_network *network, struct emu_node *node,
                     const struct emu_node_config *config, struct emu_node_details *details) {
  uint64_t seed = network->config.seed;
  *node = (struct emu_node){
      .ops = config->node.ops,
      .state = config->node.state,
      .host = {.ops = emu_host_ops(network->observer.event != NULL), .context = node},
      .network = network,
      .deadline = CHORUS_NEVER,
      .queued = CHORUS_NEVER,
      .spare = CHORUS_NEVER,
      .key = emu_key(emu_key(seed, (uint64_t)EMU_PURPOSE_NODE << 32), details->hash),
      .index = network->node_count,
      .link = config->link,
      .multicast_loopback = config->multicast_loopback,
      .no_icmp = config->no_icmp,
      .icmp_to_group = config->icmp_to_group,
      .details = details,
  };
  uint64_t stream =
      emu_key(emu_key(seed, (uint64_t)EMU_PURPOSE_IDENTIFICATION << 32), details->hash);
  node->identification = (uint32_t)emu_random(stream, 0);
  for (uint32_t i = 0; i < details->address_count; i++)
    emu_add_source(node, &details->addresses[i]);
}

uint32_t emu_add_node(struct emu_network *network, const struct emu_node_config *config) {
  if (config->link >= network->link_count || !config->name || !config->node.ops) return UINT32_MAX;
  struct emu_node_details *details = new_details(config);
  if (!details) return UINT32_MAX;
  uint32_t index = may_enter(network, details) ? emu_store_new(&network->nodes) : EMU_STORE_NONE;
  if (index == EMU_STORE_NONE) {
    free_details(details);
    return UINT32_MAX;
  }
  enter(network, details, index);
  set_node(network, emu_node_at(network, index), config, details);
  network->node_count++;
  return index;
}

const char *emu_node_name(const struct emu_network *network, uint32_t node) {
  return node < network->node_count ? emu_node_at(network, node)->details->name : NULL;
}

const struct chorus_endpoint *emu_node_address(const struct emu_network *network, uint32_t node,
                                               size_t i) {
  if (node >= network->node_count) return NULL;
  const struct emu_node_details *details = emu_node_at(network, node)->details;
  return i < details->address_count ? &details->addresses[i] : NULL;
}

/* Impairments. */

static bool is_selector(const struct emu_network *network, uint32_t node) {
  return node == EMU_ANY || node < network->node_count;
}

uint32_t emu_impair(struct emu_network *network, uint32_t sender, uint32_t receiver,
                    const struct emu_impairment *impairment) {
  if (!is_selector(network, sender) || !is_selector(network, receiver)) return 0;
  return emu_impairments_add(&network->impairments, sender, receiver, impairment);
}

void emu_repair(struct emu_network *network, uint32_t handle) {
  emu_impairments_end(&network->impairments, handle);
}

uint64_t emu_impairment_used(const struct emu_network *network, uint32_t handle) {
  return emu_impairments_used(&network->impairments, handle);
}

/* Watching. */

void emu_observe(struct emu_network *network, const struct emu_observer *observer) {
  network->observer = *observer;
  network->wants_packets = observer->transmitted || observer->arrived;
  for (uint32_t i = 0; i < network->node_count; i++)
    emu_node_at(network, i)->host.ops = emu_host_ops(observer->event != NULL);
}

struct emu_counters emu_counters(const struct emu_network *network) {
  return network->counters;
}

chorus_time emu_now(const struct emu_network *network) {
  return network->now;
}

/* Starting, stopping, asking. */

int emu_start(struct emu_network *network) {
  for (uint32_t i = 0; i < network->node_count; i++) {
    struct emu_node *node = emu_node_at(network, i);
    if (node->status != EMU_NODE_NEW) continue;
    node->status = EMU_NODE_RUNNING;
    int status = CHORUS_OK;
    if (node->ops->start) status = node->ops->start(node->state, network->now, &node->host);
    if (status == CHORUS_OK) continue;
    node->status = EMU_NODE_STOPPED;
    return status;
  }
  return network->failed ? CHORUS_NO_MEMORY : CHORUS_OK;
}

void emu_stop(struct emu_network *network) {
  for (uint32_t i = 0; i < network->node_count; i++) {
    struct emu_node *node = emu_node_at(network, i);
    if (node->status != EMU_NODE_RUNNING) continue;
    node->status = EMU_NODE_STOPPED;
    node->deadline = CHORUS_NEVER;
    if (node->ops->stop) node->ops->stop(node->state, network->now);
  }
}

int emu_command(struct emu_network *network, uint32_t index, const struct chorus_command *command,
                const char **why) {
  const char *ignored;
  if (!why) why = &ignored;
  *why = "there is no such node";
  if (index >= network->node_count) return CHORUS_BAD_ARGUMENT;
  struct emu_node *node = emu_node_at(network, index);
  *why = "the node is not running";
  if (node->status != EMU_NODE_RUNNING) return CHORUS_REFUSED;
  *why = "the node takes no commands";
  if (!node->ops->command) return CHORUS_UNSUPPORTED;
  *why = NULL;
  return node->ops->command(node->state, network->now, command, why);
}

int emu_inject(struct emu_network *network, uint32_t node, const struct chorus_datagram *datagram) {
  if (node >= network->node_count) return CHORUS_BAD_ARGUMENT;
  return emu_send(network, emu_node_at(network, node), datagram);
}

/* Time. */

static unsigned kind_of(const struct emu_event *event) {
  return event->tag & ((1u << EMU_EVENT_KIND_BITS) - 1);
}

static EMU_ALWAYS_INLINE void prefetch_wake(const struct emu_network *network,
                                            const struct emu_event *event) {
  if (kind_of(event) != EMU_EVENT_WAKE) return;
  const struct emu_node *node = emu_node_at(network, event->index);
  emu_prefetch_set(node->state, node->ops->wake_lines);
}

/* What a packet will touch at its receiver. */
static EMU_ALWAYS_INLINE void prefetch_arrival(const struct emu_network *network,
                                               const struct emu_event *event) {
  if (kind_of(event) != EMU_EVENT_UNICAST) return;
  const struct emu_packet *packet = emu_packet_at(network, event->index);
  const struct emu_node *node = emu_node_at(network, packet->receiver);
  if (node->ops->expect && node->status == EMU_NODE_RUNNING)
    node->ops->expect(node->state, &packet->source);
}

/*
 * Asks for the memory that the next events will need. After a wake for the next wakes, after a
 * packet for the next packets: which of both comes next can often not be foretold, and is settled
 * once this way.
 */
static EMU_ALWAYS_INLINE void look_ahead_wakes(struct emu_network *network) {
  const struct emu_event *event;
  while ((event = emu_queue_ahead(&network->queue, 0, AHEAD_NODE)))
    if (kind_of(event) == EMU_EVENT_WAKE) emu_prefetch(emu_node_at(network, event->index), 2);
  while ((event = emu_queue_ahead(&network->queue, 1, AHEAD_STATE))) prefetch_wake(network, event);
}

static EMU_ALWAYS_INLINE void look_ahead_packets(struct emu_network *network) {
  const struct emu_event *event;
  while ((event = emu_queue_stream_ahead(&network->queue, 0, AHEAD_NODE)))
    if (kind_of(event) == EMU_EVENT_UNICAST) emu_prefetch(emu_packet_at(network, event->index), 2);
  while ((event = emu_queue_stream_ahead(&network->queue, 1, AHEAD_STATE)))
    prefetch_arrival(network, event);
}

static void handle(struct emu_network *network, const struct emu_event *event) {
  network->now = event->time;
  network->counters.events++;
  switch ((enum emu_event_kind)kind_of(event)) {
    case EMU_EVENT_WAKE:
      look_ahead_wakes(network);
      emu_wake(network, event->index, event->time);
      break;
    case EMU_EVENT_UNICAST:
      look_ahead_packets(network);
      emu_arrive_unicast(network, event->index);
      break;
    case EMU_EVENT_GROUP: emu_arrive_group(network, event->index); break;
    case EMU_EVENT_FLIGHT: emu_arrive_flight(network, event->index); break;
    case EMU_EVENT_EXPIRY:
      emu_expire(network, event->index, event->tag >> EMU_EVENT_KIND_BITS);
      break;
  }
}

/* Handles the next event, unless it comes after |limit|. */
static bool step(struct emu_network *network, chorus_time limit) {
  struct emu_event event;
  if (!emu_queue_pop(&network->queue, limit, &event)) return false;
  handle(network, &event);
  return true;
}

/* When an event will do something, or CHORUS_NEVER. */
static chorus_time effective_time(void *context, const struct emu_event *event) {
  const struct emu_network *network = context;
  unsigned kind = kind_of(event);
  if (kind == EMU_EVENT_WAKE) return emu_wake_time(emu_node_at(network, event->index), event->time);
  if (kind != EMU_EVENT_EXPIRY) return event->time;
  const struct emu_partial *p = emu_reassembly_at(&network->reassembly, event->index);
  uint32_t mask = UINT32_MAX >> EMU_EVENT_KIND_BITS;
  bool alive = p->body && (p->generation & mask) == event->tag >> EMU_EVENT_KIND_BITS;
  return alive ? event->time : CHORUS_NEVER;
}

chorus_time emu_next(const struct emu_network *network) {
  return emu_queue_next(&network->queue, effective_time, (void *)(uintptr_t)network);
}

void emu_run_until(struct emu_network *network, chorus_time until) {
  while (step(network, until)) continue;
  if (network->now < until) network->now = until;
}

chorus_time emu_run_idle(struct emu_network *network, chorus_time limit) {
  while (step(network, network->counters.in_flight > 0 ? CHORUS_NEVER : limit)) continue;
  return network->now;
}
