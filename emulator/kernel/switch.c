/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the ports of the hosts and the model: frames in, frames out, memberships. */
#include "internal.h"
#include "port.h"
#include "scope.h"
#include "snoop.h"

#define FRAMES_AT_ONCE 64 /* of one host, then the others have their turn */

/* Memberships. The table has those of kernels under port 0. */

static struct chorus_endpoint without_port(const struct chorus_endpoint *group) {
  struct chorus_endpoint key = *group;
  key.port = 0;
  key.zone = 0;
  return key;
}

void krn_switch_change(struct krn_node *node, const struct chorus_endpoint *group, bool member) {
  struct emu_network *model = node->network->model;
  struct chorus_endpoint key = without_port(group);
  enum emu_change change = member ? emu_membership_join(&model->membership, &key, node->index)
                                  : emu_membership_leave(&model->membership, &key, node->index);
  if (change == EMU_NO_MEMORY) model->failed = true;
  const struct emu_observer *observer = &node->network->observer;
  /* The functions of a node with sockets have told themselves what they joined. */
  if (change == EMU_CHANGED && node->presence == KRN_HOST && observer->membership)
    observer->membership(observer->context, model->now, node->index, &key, member);
}

bool krn_switch_has(const struct krn_network *network, uint32_t node,
                    const struct chorus_endpoint *group) {
  struct emu_membership *table = &network->model->membership;
  uint32_t index = emu_membership_find(table, group);
  if (index == EMU_NO_GROUP) return false;
  struct emu_buffer *members = emu_membership_nodes(table, index);
  for (uint32_t i = 0; i < emu_node_count(members); i++)
    if (emu_node_list(members)[i] == node) return true;
  return false;
}

struct check {
  const struct krn_node *node;
  bool complete;
};

static void check_group(void *context, const struct chorus_endpoint *group) {
  struct check *check = context;
  if (emu_is_all_nodes(group) || chorus_multicast_scope(group) < 2) return; /* never reported */
  if (!krn_switch_has(check->node->network, check->node->index, group)) check->complete = false;
}

bool krn_switch_knows_all(struct krn_node *node) {
  struct check check = {.node = node, .complete = true};
  krn_namespace_enter(node->space.fd);
  krn_namespace_groups(check_group, &check);
  krn_namespace_enter(node->network->home);
  return check.complete;
}

static void snooped(void *context, const struct chorus_endpoint *group, bool member) {
  krn_switch_change(context, group, member);
}

/* A report is for the switch: it is seen to leave, and arrives nowhere. */
static void take_report(struct krn_node *node, const struct krn_frame *frame) {
  struct emu_network *model = node->network->model;
  const struct emu_observer *observer = &model->observer;
  model->counters.transmissions++;
  uint64_t id = ++model->last_id;
  if (observer->transmitted)
    observer->transmitted(observer->context, model->now, node->index, id, frame->packet,
                          frame->length);
  node->network->last_report = krn_real_time();
  krn_snoop(frame, snooped, node);
}

/* Frames in. */

static uint8_t packet_kind(const struct krn_frame *frame) {
  if (frame->fragment) return EMU_PACKET_FRAGMENT;
  return frame->kind == KRN_FRAME_ERROR ? EMU_PACKET_ICMP : EMU_PACKET_OTHER;
}

static struct emu_packet *new_packet(const struct krn_node *node, const struct krn_frame *frame) {
  struct emu_network *model = node->network->model;
  struct emu_packet *packet = emu_packet_new(model);
  if (!packet) return NULL;
  packet->octets = emu_buffer_new(&model->pool, frame->length);
  if (!packet->octets) {
    emu_packet_unref(model, packet);
    return NULL;
  }
  memcpy(packet->octets->data, frame->packet, frame->length);
  packet->octets->length = frame->length;
  packet->kind = packet_kind(frame);
  packet->sender = node->index;
  packet->source = frame->source;
  packet->destination = frame->destination;
  packet->hop_limit = frame->hop_limit;
  packet->v4 = frame->v4;
  packet->to_group = chorus_is_group(&frame->destination);
  return packet;
}

static void take_packet(struct krn_node *node, struct krn_frame *frame) {
  struct emu_network *model = node->network->model;
  uint32_t zone = emu_zone(emu_node_at(model, node->index)->link);
  if (chorus_is_link_local(&frame->source)) frame->source.zone = zone;
  if (chorus_is_link_local(&frame->destination)) frame->destination.zone = zone;
  struct emu_packet *packet = new_packet(node, frame);
  if (packet)
    emu_transmit(model, packet);
  else
    model->failed = true;
}

static void take(struct krn_node *node, struct krn_frame *frame) {
  switch (frame->kind) {
    case KRN_FRAME_FOREIGN:
    case KRN_FRAME_UPKEEP: return;
    case KRN_FRAME_REPORT: take_report(node, frame); return;
    case KRN_FRAME_ERROR:
      if (emu_node_at(node->network->model, node->index)->no_icmp) return;
      break;
    case KRN_FRAME_PACKET: break;
  }
  take_packet(node, frame);
}

static void drain(struct krn_node *node, unsigned most) {
  struct krn_network *network = node->network;
  for (unsigned i = 0; i < most; i++) {
    size_t length = krn_port_read(node->space.port, network->frame, sizeof network->frame);
    if (length == 0) return;
    struct krn_frame frame;
    krn_frame_parse(network->frame, length, &frame);
    take(node, &frame);
  }
}

void krn_switch_drain(struct krn_node *node) {
  drain(node, KRN_QUEUE_FRAMES);
}

void krn_switch_ready(struct krn_watch *watch, uint32_t events) {
  (void)events;
  drain((struct krn_node *)(void *)watch, FRAMES_AT_ONCE);
}

/* Frames out. */

static void note_lag(struct krn_network *network) {
  if (!network->running) return;
  chorus_time due = network->epoch + network->model->now / network->config.dilation;
  chorus_time real = krn_real_time();
  krn_lag_add(&network->lags, real > due ? real - due : 0);
}

/* What matters of a packet, as far as a flipped bit left it. */
static void look_at(const struct emu_buffer *octets, struct chorus_endpoint *destination,
                    bool *error) {
  const uint8_t *packet = octets->data;
  bool v4 = packet[0] >> 4 == 4;
  memset(destination, 0, sizeof *destination);
  if (v4) {
    memcpy(destination->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
    memcpy(destination->address + 12, packet + 16, 4);
  } else if (octets->length >= EMU_IPV6_HEADER) {
    memcpy(destination->address, packet + 24, 16);
  }
  *error = v4 ? packet[9] == EMU_PROTOCOL_ICMP : packet[6] == EMU_PROTOCOL_ICMPV6;
}

void krn_switch_arrive(void *context, uint32_t index, uint64_t id,
                       const struct emu_buffer *octets) {
  struct krn_network *network = context;
  struct krn_node *node = network->nodes[index];
  uint8_t header[KRN_ETHERNET_HEADER];
  struct chorus_endpoint destination;
  bool error;
  look_at(octets, &destination, &error);
  krn_frame_header(header, &destination, node->space.mac);
  bool written =
      krn_port_write(node->space.port, header, sizeof header, octets->data, octets->length);
  note_lag(network);
  emu_decide(network->model, id, index, written ? EMU_DELIVERED : EMU_DROPPED_QUEUE, 0);
  if (node->presence == KRN_SOCKETS) krn_sockets_take(node, &destination, error);
}
