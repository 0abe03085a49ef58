/* SPDX-License-Identifier: BSD-2-Clause */
/* Feeding: from packets and events to the conversation, in one pass, and the calls of the rules. */
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

/* ---- rules ---- */

#define BLOCK_OPTIONS (UINT64_C(1) << DIS_BLOCK2 | UINT64_C(1) << DIS_BLOCK1)
#define CONTENT       0x45u /* 2.05 */
#define AMPLE_SIZE    152u  /* nobody minds an answer of so many (RFC 9175, section 2.4) */
#define ASSUMED_SIZE  1152u /* octets that fit where nothing is known (RFC 7252, section 4.6) */

static uint64_t type_conditions(const struct dis_coap *m) {
  switch (m->type) {
    case DIS_CON: return JDG_IF_CON;
    case DIS_NON: return JDG_IF_NON;
    case DIS_ACK: return JDG_IF_ACK | JDG_IF_REPLY;
    default: return JDG_IF_REPLY;
  }
}

/* What is the case with the datagram just read. */
static uint64_t message_conditions(const struct judge *judge) {
  const struct dis_coap *m = &judge->coap;
  const struct dis_frame *f = &judge->frame;
  uint64_t have = type_conditions(m);
  if (m->errors) have |= JDG_IF_BAD;
  if (m->option_count) have |= JDG_IF_OPTIONS;
  if (m->option_mask >> DIS_OBSERVE & 1) have |= JDG_IF_OBSERVE;
  if (m->option_mask & BLOCK_OPTIONS) have |= JDG_IF_BLOCK;
  if (m->odd_options) have |= JDG_IF_ODD;
  if (m->payload) have |= JDG_IF_PAYLOAD;
  if (dis_is_empty(m)) have |= JDG_IF_EMPTY;
  if (!m->token_length || !m->token[0]) have |= JDG_IF_FRAGILE;
  if (m->length > AMPLE_SIZE) have |= JDG_IF_AMPLE;
  if (m->length > ASSUMED_SIZE || f->fragmented) have |= JDG_IF_LARGE;
  if (dis_class(m->code) > 2 || (m->code == CONTENT && !m->payload)) have |= JDG_IF_MEANINGLESS;
  if (judge->to_group || is_group(&f->source)) have |= JDG_IF_ASTRAY;
  if (chorus_is_ipv4(&f->destination)) have |= JDG_IF_IPV4;
  return have;
}

static uint64_t reception_conditions(const struct jdg_reception *r) {
  uint64_t have = ((const struct reception *)r)->conditions;
  const struct jdg_leg *leg = r->leg;
  if (r->copies) have |= JDG_IF_AGAIN;
  if (r->member_known && !r->member) have |= JDG_IF_STRANGER;
  if (!leg || !leg->responses || leg->last_response < r->time) have |= JDG_IF_UNANSWERED;
  return have;
}

static uint64_t arrival_conditions(const struct jdg_arrival *a) {
  uint64_t have = 0;
  if (a->errors || a->culprit) have |= JDG_IF_BAD;
  if (a->type == DIS_CON) have |= JDG_IF_CON;
  if (a->observe != DIS_ABSENT) have |= JDG_IF_OBSERVE;
  if (a->copies) have |= JDG_IF_AGAIN;
  return have;
}

static uint64_t leg_conditions(const struct jdg_leg *leg) {
  uint64_t have = JDG_IF_LEG;
  if (leg->observing) have |= JDG_IF_OBSERVE;
  if (leg->responses == 1) have |= JDG_IF_FIRST;
  if (leg->request->responders > 1) have |= JDG_IF_OTHERS;
  if (leg->request->type == DIS_NON && !leg->request->followups) have |= JDG_IF_TO_NON;
  return have;
}

/* Of a response that was sent. */
static uint64_t answer_conditions(const struct jdg_look *look) {
  if (!jdg_answers_group(look)) return 0;
  const struct chorus_endpoint *group = &look->leg->request->destination;
  bool member = !look->copy && host_member((const struct host *)look->host, group) == JDG_YES;
  return member ? JDG_IF_ANSWER | JDG_IF_MEMBER : JDG_IF_ANSWER;
}

static uint64_t host_conditions(const struct jdg_host *host) {
  uint64_t have = 0;
  if (host->has_events) have |= JDG_IF_EVENTS;
  if (host->ics.declared) have |= JDG_IF_STATED;
  if (host->roles & JDG_CLIENT) have |= JDG_IF_CLIENT;
  if (host->tried) have |= JDG_IF_TRIED;
  return have;
}

/* What is the case, as rules may need it. */
static uint64_t conditions(const struct jdg_look *look) {
  uint64_t have = host_conditions(look->host);
  if (look->group) have |= JDG_IF_GROUP | JDG_IF_TO_GROUP;
  if (look->coap) have |= look->judge->message_conditions;
  if (look->request) {
    have |= ((const struct request *)look->request)->conditions;
    if (look->request->transmissions > 1) have |= JDG_IF_AGAIN;
  }
  if (look->leg) have |= leg_conditions(look->leg);
  if (look->hook == JDG_ON_RESPONSE_SENT) have |= answer_conditions(look);
  if (look->reception) have |= reception_conditions(look->reception);
  if (look->arrival) have |= arrival_conditions(look->arrival);
  if (look->copy) have |= JDG_IF_AGAIN | JDG_IF_COPY;
  if (!(have & JDG_IF_GROUP)) have |= JDG_IF_UNICAST;
  return have | JDG_UNLESS(~have & JDG_NEGATABLE);
}

/* The look has neither message nor request: what its rules need of these is not asked. */
#define BARE JDG_PASSES

static void fill_list(const struct judge *judge, unsigned index, uint64_t lacking,
                      struct call_list *list) {
  uint64_t exact = lacking & ~BARE;
  uint64_t mild = lacking & BARE ? exact & (JDG_IF_EVENTS | JDG_IF_STATED) : exact;
  const struct hook_entry *rows = judge->hook_lists[index];
  struct hook_entry *entry = list->entries;
  uint16_t *pass = list->passes;
  for (size_t i = 0, end; i < judge->hook_counts[index]; i = end) {
    bool called = false, passes = false;
    for (end = i; end < judge->hook_counts[index] && rows[end].check == rows[i].check; end++) {
      bool pass_row = rows[end].needs & JDG_PASSES;
      called |= judge->look_always || (!pass_row && !(rows[end].needs & mild));
      passes |= pass_row && !(rows[end].needs & exact);
    }
    if (called)
      *entry++ = rows[i];
    else if (passes)
      *pass++ = (uint16_t)rows[i].check;
  }
  *list = (struct call_list){lacking, true, list->entries, entry, list->passes, pass};
}

/* Rarely called, and kept out of the way of calls(). */
__attribute__((noinline, cold)) static const struct call_list *make_list(struct judge *judge,
                                                                         unsigned index,
                                                                         uint64_t lacking,
                                                                         struct call_list *list) {
  if (!list->entries) {
    size_t room = judge->check_count + 1;
    list->entries = calloc(room, sizeof *list->entries + sizeof *list->passes);
    list->passes = (uint16_t *)(void *)(list->entries + room);
  }
  if (!list->entries) {
    judge->no_memory = true;
    return NULL;
  }
  fill_list(judge, index, lacking, list);
  return list;
}

/* The rules of hook |index| whose needs are met, or NULL without memory. */
static const struct call_list *calls(struct judge *judge, unsigned index, uint64_t lacking) {
  uint64_t hash = (lacking * UINT64_C(0x9e3779b97f4a7c15)) >> 58;
  struct call_list *list = &judge->call_lists[index][hash & (CALL_LISTS - 1)];
  bool found = list->lacking == lacking && list->made;
  return found ? list : make_list(judge, index, lacking, list);
}

static bool has_passes(struct judge *judge, struct host *host) {
  if (!host->passes) host->passes = calloc(judge->check_count + 1, sizeof *host->passes);
  if (!host->passes) judge->no_memory = true;
  return host->passes;
}

/* Part of both its callers: three times a packet the call itself would count. */
__attribute__((always_inline)) static inline void call_rules(struct judge *judge,
                                                             struct jdg_look *look) {
  unsigned index = (unsigned)__builtin_ctz((unsigned)look->hook);
  uint64_t lacking = ~look->conditions & judge->hook_needs[index];
  if (!look->coap && !look->request) lacking |= BARE;
  const struct call_list *list = calls(judge, index, lacking);
  if (!list) return;
  uint32_t *passes = look->passes;
  for (const uint16_t *check = list->passes, *end = list->passes_end; check < end; check++)
    passes[*check] += passes[*check] != UINT32_MAX;
  for (const struct hook_entry *entry = list->entries, *end = list->entries_end; entry < end;
       entry++) {
    look->check = entry->check;
    entry->look(look);
  }
}

void judge_call(struct judge *judge, struct jdg_look *look, enum jdg_hook hook,
                struct jdg_host *host) {
  if (!host || !host->judged || !has_passes(judge, (struct host *)host)) return;
  look->hook = hook;
  look->host = host;
  look->passes = ((struct host *)host)->passes;
  look->states = ((struct host *)host)->states;
  look->conditions = conditions(look);
  call_rules(judge, look);
}

void judge_call_again(struct judge *judge, struct jdg_look *look, enum jdg_hook hook) {
  if (!look->conditions) {
    judge_call(judge, look, hook, look->host);
    return;
  }
  look->hook = hook;
  call_rules(judge, look);
}

enum jdg_profile jdg_profile_of(const struct jdg_look *look) {
  return look->judge->config.profile;
}
bool jdg_strict_of(const struct jdg_look *look) {
  return look->judge->config.strict;
}

chorus_time jdg_delta(const struct jdg_look *look) {
  const struct jdg_config *config = &look->judge->config;
  if (config->delta) return config->delta;
  return config->real_time ? CHORUS_SECOND : 50 * CHORUS_MILLISECOND;
}

const struct jdg_ics_resource *jdg_resource(const struct jdg_host *host,
                                            const struct jdg_request *request) {
  char path[sizeof request->path];
  if (host->ics.resource_count == 0) return NULL;
  size_t length = strcspn(request->path, "?");
  memcpy(path, request->path, length);
  path[length] = '\0';
  return jdg_ics_find(&host->ics, path);
}

struct jdg_host *jdg_host_of(const struct jdg_look *look, const struct chorus_endpoint *address) {
  struct host *host = host_find(look->judge, address);
  return host ? &host->host : NULL;
}

struct jdg_request *jdg_request_of(const struct jdg_look *look,
                                   const struct chorus_endpoint *source, const uint8_t *token,
                                   size_t token_length) {
  struct request *r = request_find(look->judge, source, token, token_length);
  if (!r) r = request_find_apart(look->judge, source, token, token_length);
  return r ? &r->request : NULL;
}

struct jdg_request *jdg_request_at_other_port(const struct jdg_look *look,
                                              const struct chorus_endpoint *source,
                                              const uint8_t *token, size_t token_length) {
  const struct host *host = host_find(look->judge, source);
  struct jdg_request *latest = NULL;
  for (size_t i = 0; host && i < host->client_port_count; i++) {
    struct chorus_endpoint other = *source;
    other.port = host->client_ports[i];
    if (other.port == source->port) continue;
    struct request *r = request_find(look->judge, &other, token, token_length);
    if (r && (!latest || r->request.last_time > latest->last_time)) latest = &r->request;
  }
  return latest;
}

enum jdg_tristate jdg_member(const struct jdg_look *look, const struct jdg_host *host,
                             const struct chorus_endpoint *group) {
  (void)look;
  return host_member((const struct host *)host, group);
}

const char *jdg_time_text(chorus_time time, char text[32]) {
  snprintf(text, 32, "%llu.%03llu s", (unsigned long long)(time / CHORUS_SECOND),
           (unsigned long long)(time % CHORUS_SECOND / CHORUS_MILLISECOND));
  return text;
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

#define SIGHTING_SPAN (100 * CHORUS_MILLISECOND)
#define LINK_COOKED   113 /* LINKTYPE_LINUX_SLL: "any", without the name of the interface */
#define COOKED_SPAN   (5 * CHORUS_MILLISECOND) /* for a packet to pass the host's interfaces */

/*
 * Whether this is the same transmission seen at another place (a bridge and its ports, "any"). The
 * same place twice is a transmission of its own.
 */
static bool seen_elsewhere(struct judge *judge, const struct cap_packet *packet) {
  const struct dis_frame *f = &judge->frame;
  uint64_t digest = judge->digest;
  digest = jdg_mix(jdg_mix(digest, judge->source_hash), judge->destination_hash);
  enum dis_direction direction = packet->direction ? packet->direction : f->direction;
  uint32_t place = (uint32_t)jdg_mix(jdg_mix(packet->interface, f->interface_index), direction);
  struct sighting *s = &judge->sightings[digest % SIGHTINGS];
  bool recent = s->digest == digest && s->place_count && judge->now - s->time < SIGHTING_SPAN;
  bool again = false;
  if (recent && packet->link_type == LINK_COOKED && judge->now - s->time < COOKED_SPAN) return true;
  for (size_t i = 0; recent && i < s->place_count; i++) again |= s->places[i] == place;
  if (!recent || again || s->place_count == 8) {
    *s = (struct sighting){digest, judge->now, {place}, 1};
    return false;
  }
  s->places[s->place_count++] = place;
  return true;
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
    case DIS_FRAME_DAMAGED: judge->counts.damaged_frames++; return;
    case DIS_FRAME_UNREADABLE: unreadable(judge, packet); return;
    case DIS_FRAME_ICMP: icmp(judge, packet, bound); return;
    case DIS_FRAME_UDP: break;
  }
  /* What reached a node has passed all network cards: in its own view nothing excuses the sum. */
  if (bound && judge->frame.offloaded && packet->direction == DIS_INBOUND) {
    judge->counts.damaged_frames++;
    return;
  }
  judge->counts.datagrams++;
  dis_coap_parse(&judge->coap, judge->frame.payload, judge->frame.length);
  judge->digest = dis_digest_datagram(&judge->coap);
  judge->to_group = is_group(&judge->frame.destination);
  judge->message_conditions = message_conditions(judge);
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

bool jdg_out_of_memory(const struct judge *judge) {
  return judge->no_memory;
}
