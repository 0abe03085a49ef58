/* SPDX-License-Identifier: BSD-2-Clause */
/* Feeding: from packets and events to the conversation, in one pass. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "judge/internal.h"

/* ---- life ---- */

static void init_queues(struct judge *judge) {
  jdg_timers_init(&judge->timers);
  jdg_pool_init(&judge->request_pool, sizeof(struct request));
  jdg_pool_init(&judge->leg_pool, sizeof(struct leg));
  jdg_pool_init(&judge->reception_pool, sizeof(struct reception));
  jdg_pool_init(&judge->arrival_pool, sizeof(struct arrival));
  jdg_pool_init(&judge->mid_pool, sizeof(struct mid_use));
  jdg_pool_init(&judge->endpoint_pool, sizeof(struct chorus_endpoint));
  jdg_pool_init(&judge->address_pool, 32);
  jdg_pool_init(&judge->group_sight_pool, GROUP_SIGHT_SIZE);
}

static void free_pools(struct judge *judge) {
  jdg_pool_free(&judge->request_pool);
  jdg_pool_free(&judge->leg_pool);
  jdg_pool_free(&judge->reception_pool);
  jdg_pool_free(&judge->arrival_pool);
  jdg_pool_free(&judge->mid_pool);
  jdg_pool_free(&judge->endpoint_pool);
  jdg_pool_free(&judge->address_pool);
  jdg_pool_free(&judge->group_sight_pool);
}

static void free_conversation(struct judge *judge) {
  for (size_t i = 0; i < judge->host_count; i++) host_free(judge, judge->hosts[i]);
  free(judge->hosts);
  free(judge->interface_hosts);
  free(judge->expected);
  struct jdg_table *tables[] = {
      &judge->by_address,  &judge->by_mac,         &judge->requests,     &judge->legs,
      &judge->receptions,  &judge->stimuli,        &judge->arrivals,     &judge->mid_pairs,
      &judge->mid_sources, &judge->coap_endpoints, &judge->group_sights, &judge->apart_requests};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) jdg_table_free(tables[i]);
  jdg_fifo_free(&judge->request_ages);
  jdg_fifo_free(&judge->reception_ages);
  jdg_fifo_free(&judge->arrival_ages);
  jdg_fifo_free(&judge->mid_ages);
  jdg_fifo_free(&judge->group_sight_ages);
  jdg_timers_free(&judge->timers);
  free_pools(judge);
  dis_reassembly_free(judge->reassembly);
  verdict_free(judge);
}

static void free_rules(struct judge *judge) {
  free(judge->checks);
  free(judge->check_rules);
  free(judge->enabled);
  free(judge->same_as);
  for (size_t i = 0; i < JDG_HOOK_COUNT; i++) free(judge->hook_lists[i]);
  for (size_t i = 0; i < JDG_HOOK_COUNT * CALL_LISTS; i++)
    free(judge->call_lists[i / CALL_LISTS][i % CALL_LISTS].entries);
  free(judge->results);
}

struct judge *jdg_new(const struct jdg_config *config) {
  struct judge *judge = calloc(1, sizeof *judge);
  if (!judge) return NULL;
  judge->config = *config;
  init_queues(judge);
  judge->reassembly = dis_reassembly_new();
  if (!judge->reassembly || verdict_setup(judge) != 0) {
    jdg_free(judge);
    return NULL;
  }
  jdg_select(judge, NULL, 0);
  return judge;
}

void jdg_free(struct judge *judge) {
  if (!judge) return;
  free_conversation(judge);
  free_rules(judge);
  free(judge);
}

void jdg_reset(struct judge *judge, const struct jdg_config *config) {
  free_conversation(judge);
  struct judge kept = *judge;
  memset(judge, 0, sizeof *judge);
  judge->config = *config;
  judge->checks = kept.checks;
  judge->check_rules = kept.check_rules;
  judge->enabled = kept.enabled;
  judge->same_as = kept.same_as;
  judge->check_count = kept.check_count;
  judge->look_always = kept.look_always;
  judge->results = kept.results;
  judge->result_capacity = kept.result_capacity;
  memcpy(judge->hook_lists, kept.hook_lists, sizeof judge->hook_lists);
  memcpy(judge->call_lists, kept.call_lists, sizeof judge->call_lists);
  init_queues(judge);
  judge->reassembly = dis_reassembly_new();
  if (!judge->reassembly) judge->no_memory = true;
  jdg_select(judge, NULL, 0);
}

/* ---- nodes ---- */

uint32_t jdg_add_node(struct judge *judge, const char *name,
                      const struct chorus_endpoint *addresses, size_t address_count, bool judged) {
  struct host *host = host_new(judge, name);
  if (!host) return UINT32_MAX;
  host->host.own_view = true;
  host->host.judged = judged;
  for (size_t i = 0; i < address_count; i++) host_add_address(judge, host, &addresses[i]);
  return host->host.index;
}

void jdg_bind_interface(struct judge *judge, uint32_t interface, uint32_t node) {
  if (interface >= judge->interface_count) {
    size_t count = interface + 16u;
    uint32_t *more = realloc(judge->interface_hosts, count * sizeof *more);
    if (!more) {
      judge->no_memory = true;
      return;
    }
    memset(more + judge->interface_count, 0, (count - judge->interface_count) * sizeof *more);
    judge->interface_hosts = more;
    judge->interface_count = count;
  }
  judge->interface_hosts[interface] = node + 1;
}

void jdg_set_ics(struct judge *judge, uint32_t node, const struct jdg_ics *ics) {
  if (node < judge->host_count) judge->hosts[node]->host.ics = *ics;
}

void jdg_set_roles(struct judge *judge, uint32_t node, unsigned roles) {
  if (node < judge->host_count) judge->hosts[node]->host.roles |= roles;
}

static bool expected_fits(const struct expected_ics *e, const struct jdg_host *host) {
  if (e->has_name && strcmp(e->name, host->name) != 0) return false;
  if (e->has_address && !host_has(host, &e->address)) return false;
  return e->has_name || e->has_address || !host->ics.declared;
}

void jdg_expect_ics(struct judge *judge, const char *name, const struct chorus_endpoint *address,
                    const struct jdg_ics *ics) {
  struct expected_ics *more = realloc(judge->expected, (judge->expected_count + 1) * sizeof *more);
  if (!more) {
    judge->no_memory = true;
    return;
  }
  judge->expected = more;
  struct expected_ics *e = &more[judge->expected_count++];
  memset(e, 0, sizeof *e);
  e->ics = *ics;
  e->has_name = name != NULL;
  e->has_address = address != NULL;
  if (name) snprintf(e->name, sizeof e->name, "%s", name);
  if (address) e->address = *address;
  for (size_t i = 0; i < judge->host_count; i++)
    if (expected_fits(e, &judge->hosts[i]->host)) judge->hosts[i]->host.ics = *ics;
}

size_t jdg_node_count(const struct judge *judge) {
  return judge->host_count;
}

const char *jdg_node_name(const struct judge *judge, uint32_t node) {
  return node < judge->host_count ? judge->hosts[node]->host.name : "";
}

unsigned jdg_node_roles(const struct judge *judge, uint32_t node) {
  return node < judge->host_count ? judge->hosts[node]->host.roles : 0;
}

bool jdg_node_judged(const struct judge *judge, uint32_t node) {
  return node < judge->host_count && judge->hosts[node]->host.judged;
}

/* ---- time ---- */

/* Old objects go in batches: looking at the oldest of each kind costs a cache miss. */
static void expire(struct judge *judge) {
  if (judge->now < judge->expire_at) return;
  judge->expire_at = judge->now + CHORUS_SECOND;
  receptions_expire(judge);
  arrivals_expire(judge);
  mids_expire(judge);
  group_sights_expire(judge);
  requests_expire(judge);
}

static void ring(struct judge *judge, const struct jdg_timer *timer) {
  struct jdg_look look;
  zero(&look, sizeof look);
  look.judge = judge;
  look.now = timer->time;
  if (timer->kind == JDG_TIMER_WINDOW) {
    struct jdg_reception *r = timer->object;
    look.reception = r;
    look.leg = r->leg;
    look.request = r->request;
    look.frame = r->frame;
    look.group = r->group;
    look.certain = r->certain;
    judge_call(judge, &look, JDG_ON_WINDOW, r->server);
    return;
  }
  struct arrival *a = timer->object;
  arrival_settle(&a->arrival);
  look.arrival = &a->arrival;
  look.leg = a->arrival.leg;
  look.request = a->arrival.request;
  look.frame = a->arrival.frame;
  look.certain = a->arrival.certain;
  judge_call(judge, &look, JDG_ON_ARRIVAL_DUE, a->arrival.client);
  arrival_unchain((struct host *)a->arrival.client, a);
}

/* Decides everything whose time is over before |time|. */
static void advance(struct judge *judge, chorus_time time) {
  while (judge->timers.next < time) {
    struct jdg_timer due = jdg_timers_take(&judge->timers);
    if (due.time > judge->now) judge->now = due.time;
    ring(judge, &due);
  }
  if (time > judge->now && time != CHORUS_NEVER) judge->now = time;
  expire(judge);
}

/* ---- what is CoAP ---- */

static bool same_endpoint(const void *object, const void *key) {
  return chorus_same_endpoint(object, key);
}

static bool known_endpoint(const struct judge *judge, const struct chorus_endpoint *e) {
  return jdg_table_find(&judge->coap_endpoints, hash_of(judge, e), same_endpoint, e) != NULL;
}

static void learn_endpoint(struct judge *judge, const struct chorus_endpoint *e) {
  if (known_endpoint(judge, e)) return;
  struct chorus_endpoint *entry = jdg_pool_take(&judge->endpoint_pool);
  if (!entry) return;
  *entry = *e;
  entry->zone = 0;
  if (!jdg_table_add(&judge->coap_endpoints, hash_of(judge, e), entry)) judge->no_memory = true;
}

static bool coap_port(uint16_t port) {
  return port == CHORUS_COAP_PORT || port == CHORUS_COAPS_PORT;
}

/* Ports of other protocols whose datagrams could be taken for CoAP by their first octets. */
static bool foreign_port(uint16_t port) {
  static const uint16_t ports[] = {53,  67,  68,  69,   123,  137,  138,  500,
                                   514, 546, 547, 1900, 3702, 4500, 5353, 5355};
  for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
    if (ports[i] == port) return true;
  return false;
}

/* A record on the port of coaps; all DTLS records look like another version of CoAP. */
static bool is_dtls(const struct dis_frame *f, const struct dis_coap *m) {
  bool secure = f->source.port == CHORUS_COAPS_PORT || f->destination.port == CHORUS_COAPS_PORT;
  return secure && !chorus_is_group(&f->destination) && (m->errors & DIS_ERROR_VERSION);
}

/* In a node's own view everything is CoAP; elsewhere ports, known endpoints and the format tell. */
static bool is_coap(struct judge *judge, bool own_view) {
  const struct dis_frame *f = &judge->frame;
  const struct dis_coap *m = &judge->coap;
  if (own_view) return true;
  if (is_dtls(f, m)) return false;
  bool by_port = coap_port(f->source.port) || coap_port(f->destination.port);
  bool learnt = known_endpoint(judge, &f->source) || known_endpoint(judge, &f->destination);
  bool group_request = chorus_is_group(&f->destination) && !m->errors && dis_is_request(m) &&
                       dis_detail(m->code) <= 7 && !foreign_port(f->destination.port);
  if (!by_port && !learnt && !group_request) return false;
  if (m->errors) return true;
  /* Only what is well-formed teaches, and only unicast endpoints: groups are told by their port. */
  if (!chorus_is_group(&f->source)) learn_endpoint(judge, &f->source);
  if (!chorus_is_group(&f->destination)) learn_endpoint(judge, &f->destination);
  return true;
}

/* ---- sightings ---- */

#define SIGHTING_SPAN (20 * CHORUS_SECOND) /* from one place of the network to another */
#define LINK_COOKED   113 /* LINKTYPE_LINUX_SLL: "any", without the name of the interface */
#define COOKED_SPAN   (5 * CHORUS_MILLISECOND) /* for a packet to pass the host's interfaces */

static uint32_t place_of(const struct judge *judge, const struct cap_packet *packet) {
  const struct dis_frame *f = &judge->frame;
  enum dis_direction direction = packet->direction ? packet->direction : f->direction;
  return (uint32_t)jdg_mix(jdg_mix(packet->interface, f->interface_index), direction);
}

/* How often it was seen at |place|, this time with it; 0: too many places. */
static unsigned seen_at(struct sighting *s, uint32_t place) {
  for (size_t i = 0; i < s->place_count; i++)
    if (s->places[i].place == place) return ++s->places[i].seen;
  if (s->place_count == sizeof s->places / sizeof s->places[0]) return 0;
  s->places[s->place_count].place = place;
  return s->places[s->place_count++].seen = 1;
}

/*
 * Whether this is a transmission that was seen at another place already (a bridge and its ports,
 * "any", captures of several hosts merged into one). So often as a datagram was seen at one place
 * it was sent, at least.
 */
static bool seen_elsewhere(struct judge *judge, const struct cap_packet *packet) {
  uint64_t digest = jdg_mix(jdg_mix(judge->digest, judge->source_hash), judge->destination_hash);
  struct sighting *s = &judge->sightings[digest % SIGHTINGS];
  chorus_time age = judge->now - s->time;
  bool known = s->digest == digest && s->place_count && age < SIGHTING_SPAN;
  if (known && packet->link_type == LINK_COOKED && age < COOKED_SPAN) return true;
  if (!known) *s = (struct sighting){.digest = digest};
  unsigned seen = seen_at(s, place_of(judge, packet));
  if (seen <= s->transmissions) return true;
  s->transmissions = seen;
  s->time = judge->now;
  return false;
}

/* ---- messages ---- */

static enum jdg_bad classify(const struct dis_coap *m, bool group) {
  if (m->errors & DIS_ERROR_VERSION) return JDG_BAD_VERSION;
  if (m->errors & DIS_FORMAT_ERRORS) return JDG_BAD_FORMAT;
  if (m->errors & DIS_ERROR_CLASS) return JDG_BAD_CLASS;
  if (dis_is_empty(m)) return JDG_BAD_EMPTY;
  if (m->type == DIS_ACK || m->type == DIS_RST || (group && m->type == DIS_CON))
    return JDG_BAD_TYPE;
  uint16_t culprit;
  return dis_options_reject(m, &culprit) ? JDG_BAD_OPTION : JDG_GOOD;
}

/* A message that a server has to make something of: a request, or what is neither response nor
 * reply. */
static bool is_stimulus(const struct dis_coap *m) {
  if (m->length < 4) return false;
  if (dis_is_response(m) && !(m->errors & DIS_ERROR_VERSION)) return false;
  bool reply = m->type == DIS_ACK || m->type == DIS_RST;
  return !(reply && dis_is_empty(m));
}

static void count_message(struct judge *judge, const struct dis_coap *m, bool group) {
  judge->counts.coap_messages++;
  if (m->errors) judge->counts.malformed_messages++;
  if (dis_is_empty(m)) judge->counts.empty_messages++;
  if (dis_is_request(m)) judge->counts.requests++;
  if (dis_is_request(m) && group) judge->counts.group_requests++;
  if (dis_is_response(m)) judge->counts.responses++;
}

static void note_client_port(struct host *host, uint16_t port) {
  for (size_t i = 0; i < host->client_port_count; i++)
    if (host->client_ports[i] == port) return;
  if (host->client_port_count < CLIENT_PORTS) {
    host->client_ports[host->client_port_count++] = port;
    return;
  }
  memmove(host->client_ports + 1, host->client_ports,
          (CLIENT_PORTS - 1) * sizeof host->client_ports[0]);
  host->client_ports[0] = port;
}

static void sent(struct judge *judge, struct jdg_look *look, struct jdg_host *sender) {
  const struct dis_coap *m = look->coap;
  struct host *receiver = look->group ? NULL : host_find(judge, &look->frame_info->destination);
  look->host = sender;
  look->peer = receiver ? &receiver->host : NULL;
  bool readable = !m->errors;
  if (m->length >= 4 && !(m->errors & DIS_ERROR_VERSION)) mid_note(judge, look);
  bool datagram_copy = look->copy;
  if (readable && dis_is_request(m)) {
    sender->roles |= JDG_CLIENT;
    note_client_port((struct host *)sender, look->frame_info->source.port);
    request_sent(judge, look, sender);
  }
  judge_call(judge, look, JDG_ON_SENT, sender);
  if (readable && dis_is_request(m)) judge_call_again(judge, look, JDG_ON_REQUEST_SENT);
  if (readable && dis_is_response(m)) {
    sender->roles |= JDG_SERVER;
    server_responded(judge, look);
  }
  look->copy = datagram_copy;
  if (readable && dis_is_empty(m)) server_empty_sent(judge, look);
}

static void received(struct judge *judge, struct jdg_look *look, struct jdg_host *receiver) {
  const struct dis_coap *m = look->coap;
  struct host *sender = host_find(judge, &look->frame_info->source);
  look->host = receiver;
  look->peer = sender ? &sender->host : NULL;
  look->mid_clash = NULL;
  look->copy = false;
  if (is_stimulus(m))
    server_received(judge, look, classify(m, look->group));
  else if (dis_is_response(m))
    client_received(judge, look);
  if (look->certain) judge_call_again(judge, look, JDG_ON_RECEIVED);
}

static struct jdg_host *bound_host(const struct judge *judge, uint32_t interface) {
  if (interface >= judge->interface_count || !judge->interface_hosts[interface]) return NULL;
  return &judge->hosts[judge->interface_hosts[interface] - 1]->host;
}

static struct jdg_look new_look(struct judge *judge, const struct cap_packet *packet) {
  struct jdg_look look;
  zero(&look, sizeof look);
  look.judge = judge;
  look.now = judge->now;
  look.frame = packet->frame;
  look.coap = &judge->coap;
  look.frame_info = &judge->frame;
  look.group = judge->to_group;
  return look;
}

static void own_view(struct judge *judge, const struct cap_packet *packet, struct jdg_host *host) {
  bool outbound =
      packet->direction == DIS_OUTBOUND ||
      (packet->direction == DIS_DIRECTION_UNKNOWN && host_has(host, &judge->frame.source));
  struct jdg_look look = new_look(judge, packet);
  look.certain = true;
  if (outbound) {
    count_message(judge, &judge->coap, look.group);
    sent(judge, &look, host);
  } else {
    received(judge, &look, host);
  }
}

/* One sighting of a transmission in between: it was sent, and perhaps received. */
static void medium_view(struct judge *judge, const struct cap_packet *packet) {
  const struct dis_frame *f = &judge->frame;
  if (seen_elsewhere(judge, packet)) return;
  count_message(judge, &judge->coap, judge->to_group);
  struct host *sender = host_at(judge, &f->source, f->source_mac, f->mac_length, f->hop_limit);
  struct jdg_look look = new_look(judge, packet);
  if (sender && !sender->host.own_view) sent(judge, &look, &sender->host);
  if (look.group) {
    if (is_stimulus(&judge->coap)) group_sight_note(judge, &look, classify(&judge->coap, true));
    return;
  }
  struct host *receiver = host_at(judge, &f->destination, NULL, 0, 0);
  look = new_look(judge, packet);
  if (receiver && !receiver->host.own_view) received(judge, &look, &receiver->host);
}

static void icmp(struct judge *judge, const struct cap_packet *packet, struct jdg_host *bound) {
  judge->counts.icmp_errors++;
  struct jdg_host *sender = bound;
  if (bound && packet->direction == DIS_INBOUND) return; /* told at its sender */
  if (!bound) {
    struct host *host = host_at(judge, &judge->frame.source, judge->frame.source_mac,
                                judge->frame.mac_length, judge->frame.hop_limit);
    sender = host ? &host->host : NULL;
  }
  struct jdg_look look = {.judge = judge,
                          .now = judge->now,
                          .frame = packet->frame,
                          .frame_info = &judge->frame,
                          .certain = bound != NULL};
  look.group = chorus_is_group(&judge->frame.quoted_destination);
  judge_call(judge, &look, JDG_ON_ICMP, sender);
}

static void unreadable(struct judge *judge, const struct cap_packet *packet) {
  judge->counts.unreadable_frames++;
  if (judge->unreadable_frame) return;
  judge->unreadable_frame = packet->frame;
  judge->unreadable_why = judge->frame.why;
}

static void damaged(struct judge *judge, const struct cap_packet *packet, const char *why) {
  judge->counts.damaged_frames++;
  if (judge->damaged_frame) return;
  judge->damaged_frame = packet->frame;
  judge->damaged_why = why;
}

static void hash_endpoints(struct judge *judge) {
  const struct dis_frame *f = &judge->frame;
  judge->source_address_hash = address_hash(&f->source);
  judge->destination_address_hash = address_hash(&f->destination);
  judge->source_hash = jdg_mix(judge->source_address_hash, f->source.port);
  judge->destination_hash = jdg_mix(judge->destination_address_hash, f->destination.port);
}

void jdg_packet(struct judge *judge, const struct cap_packet *packet) {
  judge->counts.packets++;
  advance(judge, packet->time);
  dis_frame_read(judge->reassembly, packet->link_type, packet->interface, packet->time,
                 packet->data, packet->length, packet->original_length, &judge->frame);
  struct jdg_host *bound = bound_host(judge, packet->interface);
  switch (judge->frame.kind) {
    case DIS_FRAME_OTHER: return;
    case DIS_FRAME_DAMAGED: damaged(judge, packet, judge->frame.why); return;
    case DIS_FRAME_UNREADABLE: unreadable(judge, packet); return;
    case DIS_FRAME_ICMP: icmp(judge, packet, bound); return;
    case DIS_FRAME_UDP: break;
  }
  /* What reached a node has passed all network cards: in its own view nothing excuses the sum. */
  if (bound && judge->frame.offloaded && packet->direction == DIS_INBOUND) {
    damaged(judge, packet, "UDP checksum is wrong");
    return;
  }
  judge->counts.datagrams++;
  dis_coap_parse(&judge->coap, judge->frame.payload, judge->frame.length);
  judge->digest = dis_digest_datagram(&judge->coap);
  judge->to_group = is_group(&judge->frame.destination);
  judge->message_conditions = judge_message_conditions(judge);
  hash_endpoints(judge);
  if (!is_coap(judge, bound != NULL)) return;
  if (bound)
    own_view(judge, packet, bound);
  else
    medium_view(judge, packet);
}

void jdg_event(struct judge *judge, uint32_t node, chorus_time time,
               const struct chorus_event *event) {
  if (node >= judge->host_count) return;
  advance(judge, time);
  struct jdg_host *host = &judge->hosts[node]->host;
  host->has_events = true;
  struct jdg_look look = {.judge = judge,
                          .now = judge->now,
                          .host = host,
                          .event = event,
                          .certain = host->own_view,
                          .group = event->group};
  server_event(judge, &look);
  client_event(judge, &look);
  judge_call(judge, &look, JDG_ON_EVENT, host);
}

void jdg_finish(struct judge *judge, chorus_time time) {
  advance(judge, time == CHORUS_NEVER ? time : time + 1);
  for (size_t i = 0; i < judge->host_count; i++) {
    struct jdg_look look = {.judge = judge, .now = judge->now};
    look.certain = judge->hosts[i]->host.own_view;
    judge_call(judge, &look, JDG_ON_END, &judge->hosts[i]->host);
  }
  verdict_collect(judge);
}

struct jdg_counts jdg_counts_get(const struct judge *judge) {
  return judge->counts;
}

uint64_t jdg_unreadable(const struct judge *judge, const char **why) {
  if (why) *why = judge->unreadable_why;
  return judge->unreadable_frame;
}

uint64_t jdg_damaged(const struct judge *judge, const char **why) {
  if (why) *why = judge->damaged_why;
  return judge->damaged_frame;
}

bool jdg_out_of_memory(const struct judge *judge) {
  return judge->no_memory;
}
