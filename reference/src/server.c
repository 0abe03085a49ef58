/* SPDX-License-Identifier: BSD-2-Clause */
/* The server as a node: what comes in, and when. */
#include "server.h"

#include <stdlib.h>

#include "path.h"

struct ref_env ref_server_env(const struct ref_server *s, chorus_time now) {
  return (struct ref_env){.context = s->policy_context, .host = s->agenda->host, .now = now};
}

static struct ref_server *server_of(void *node) {
  const struct ref_agenda *a = node;
  return a->server;
}

void ref_server_process(struct ref_server *s, struct ref_work *w) {
  enum ref_fault fault = ref_request_read(s, w);
  if (fault != REF_FAULT_NONE) {
    ref_reject(s, w, fault);
    return;
  }
  if (w->request.group && w->request.resource && !s->policy->accept_group(&w->env, &w->request))
    return;
  if (!w->is_discovery) {
    ref_execute(s, w);
    ref_respond(s, w);
    return;
  }
  char links[REF_LINKS_MAX];
  if (ref_discover(s, w, links)) ref_respond(s, w);
}

/* Whether the request was seen before. A Confirmable one then gets the same reply again. */
static bool is_duplicate(struct ref_server *s, struct ref_work *w) {
  chorus_time age;
  s->policy->dedup_key(&w->env, &w->request, &w->key_source, &w->key_mid);
  if (w->message.type != REF_CON)
    return ref_dedup_find(&s->dedup, &w->key_source, w->key_mid, w->env.now, &age) &&
           s->policy->duplicate(&w->env, &w->request, age, !s->no_dedup);
  const struct ref_received *r = ref_exchanges_find(&s->exchanges, &w->key_source, w->key_mid);
  if (!r || !s->policy->duplicate(&w->env, &w->request, w->env.now - r->at, true)) return false;
  const struct chorus_datagram *d = w->request.datagram;
  if (r->length) ref_send(s->agenda->host, &d->source, &d->destination, r->reply, r->length);
  return true;
}

/*
 * Remembers a request; a Confirmable one is remembered with its reply. It is the last that is done
 * with it: until the memory for it is there, which comes from far away, everything written later
 * has to wait.
 */
static void remember(struct ref_server *s, const struct ref_work *w) {
  if (w->message.type != REF_CON)
    ref_dedup_add(&s->dedup, &w->key_source, w->key_mid, w->env.now, REF_NON_LIFETIME);
}

static void work_begin(struct ref_server *s, struct ref_work *w, chorus_time now,
                       const struct chorus_datagram *datagram) {
  w->env = ref_server_env(s, now);
  w->resource = NULL;
  w->path[0] = '\0';
  w->accept = w->block_number = w->block_size = -1;
  w->is_discovery = false;
  w->request = (struct ref_request){.datagram = datagram,
                                    .message = &w->message,
                                    .path = w->path,
                                    .group = chorus_is_group(&datagram->destination),
                                    .no_response = -1};
}

/* What is wrong with a well-formed message as a request to a server. */
static enum ref_fault role_fault(const struct ref_work *w) {
  if (w->message.code == 0) return REF_FAULT_EMPTY;
  if (w->message.code >> 5 != 0) return REF_FAULT_ROLE;
  if (w->request.group && w->message.type == REF_CON) return REF_FAULT_TYPE;
  return REF_FAULT_NONE;
}

static void receive_request(struct ref_server *s, struct ref_work *w, enum ref_fault fault) {
  if (fault == REF_FAULT_NONE) fault = role_fault(w);
  if (fault != REF_FAULT_NONE) {
    ref_reject(s, w, fault);
    return;
  }
  if (is_duplicate(s, w)) return;
  chorus_time at = s->policy->execute_at(&w->env, &w->request);
  if (at > w->env.now)
    ref_agenda_defer(s->agenda, w->request.datagram, at);
  else
    ref_server_process(s, w);
  remember(s, w);
}

/* A reply to a group or to nobody would go astray, and port 5684 is not ours (seed 2.3.2). */
static bool is_sane(const struct chorus_datagram *d) {
  if (d->source.port == 0 || chorus_is_group(&d->source) || chorus_is_unspecified(&d->source))
    return false;
  return !(chorus_is_group(&d->destination) && d->destination.port == CHORUS_COAPS_PORT);
}

static void server_datagram(void *node, chorus_time now, const struct chorus_datagram *datagram) {
  struct ref_server *s = server_of(node);
  struct ref_work w;
  ref_dedup_prefetch(&s->dedup);
  if (!is_sane(datagram)) return;
  enum ref_fault fault = ref_decode(datagram->payload, datagram->length, &w.message);
  work_begin(s, &w, now, datagram);
  if (!w.message.has_header || !s->policy->version(&w.env, w.message.version)) return;
  bool answer = w.message.type == REF_ACK || w.message.type == REF_RST;
  if (answer && !w.request.group && fault == REF_FAULT_NONE)
    ref_agenda_acknowledged(s->agenda, &w.env, &datagram->source, w.message.mid);
  if (!answer) receive_request(s, &w, fault);
  ref_agenda_schedule(s->agenda);
}

static void run_deferred(struct ref_server *s, chorus_time now) {
  struct ref_deferred *d;
  while ((d = ref_agenda_take_deferred(s->agenda, now))) {
    struct ref_work w;
    ref_decode(d->octets, d->datagram.length, &w.message);
    work_begin(s, &w, now, &d->datagram);
    ref_server_process(s, &w);
    free(d);
  }
}

static void server_wake(void *node, chorus_time now) {
  struct ref_agenda *a = node;
  a->deadline = CHORUS_NEVER;
  if (a->deferred) run_deferred(a->server, now);
  ref_agenda_send_due(a, now);
  ref_agenda_schedule(a);
}

/* Asks for what a request from anybody will touch. */
static void server_expect(void *node, const struct chorus_endpoint *source) {
  (void)source;
  const struct ref_server *s = server_of(node);
  __builtin_prefetch(&s->policy, 1);
  __builtin_prefetch(&s->period, 1);
  __builtin_prefetch(&s->dedup, 1);
  __builtin_prefetch(s + 1, 1); /* the first resource, which takes more than one line */
  __builtin_prefetch((const uint8_t *)(s + 1) + REF_CACHE_LINE, 1);
}

static int server_start(void *node, chorus_time now, const struct chorus_host *host) {
  struct ref_server *s = server_of(node);
  s->agenda->host = host;
  s->agenda->deadline = CHORUS_NEVER;
  ref_mids_start(&s->mids, now, host->ops->random(host->context, REF_RANDOM_MID));
  int status = host->ops->open(host->context, s->port);
  if (status != CHORUS_OK) return status;
  bool discovery_port = !s->no_discovery && s->port != CHORUS_COAP_PORT;
  if (discovery_port) status = host->ops->open(host->context, CHORUS_COAP_PORT);
  if (status == CHORUS_OK) ref_groups_join(s, now);
  return status;
}

static void server_stop(void *node, chorus_time now) {
  const struct ref_agenda *a = node;
  struct chorus_event event = {.type = CHORUS_EVENT_LEAK};
  if (a->pending && a->pending->due < now) {
    event.detail = "a response that was due";
    event.peer = a->pending->destination;
    ref_emit(a->host, &event);
  }
  if (a->deferred && a->deferred->at < now) {
    event.detail = "a request that was to be executed";
    event.peer = a->deferred->datagram.source;
    ref_emit(a->host, &event);
  }
}

static const struct chorus_node_ops server_ops = {
    .start = server_start,
    .datagram = server_datagram,
    .wake = server_wake,
    .command = ref_server_command,
    .stop = server_stop,
    .wake_lines = 1u << 0 | 1u << offsetof(struct ref_agenda, own.inline_octets) / REF_CACHE_LINE,
    .expect = server_expect};

/* The configuration, checked and cut to one block of memory. */

static const char *config_fault(const struct ref_server_config *c) {
  for (size_t i = 0; i < c->group_count; i++) {
    if (!chorus_is_group(&c->groups[i])) return "a group is not a group address";
    if (c->groups[i].port == CHORUS_COAPS_PORT)
      return "port 5684 is not for groups (draft-dijk-core-groupcomm-bis-03, section 2.3.2)";
  }
  if (c->resource_count > UINT16_MAX) return "there are too many resources";
  for (size_t i = 0; i < c->resource_count; i++) {
    if (!c->resources[i].path || c->resources[i].path[0] != '/')
      return "a path has no leading \"/\"";
    if (!ref_path_is_composed(c->resources[i].path))
      return "a path is not percent-encoded as requests are read (RFC 7252, section 6.5)";
    if (strlen(c->resources[i].path) >= REF_PATH_TEXT) return "a path is too long";
    if (c->resources[i].payload_length > REF_PAYLOAD_MAX) return "a payload exceeds 1024 octets";
    if (c->resources[i].kind > REF_RESOURCE_FIXED) return "a resource is of no known kind";
  }
  return NULL;
}

static size_t text_size(const struct ref_server_config *c) {
  size_t size = 0;
  for (size_t i = 0; i < c->resource_count; i++) {
    const struct ref_resource *r = &c->resources[i];
    size += strlen(r->path) + 1 + r->payload_length;
    if (r->attributes) size += strlen(r->attributes) + 1;
  }
  return size;
}

static const void *keep(uint8_t **at, const void *octets, size_t length) {
  void *copy = *at;
  if (length) memcpy(copy, octets, length);
  *at += length;
  return copy;
}

static uint64_t initial_count(const struct ref_resource *c) {
  uint64_t n = 0;
  for (size_t i = 0; i < c->payload_length; i++) {
    if (c->payload[i] < '0' || c->payload[i] > '9' || n > UINT32_MAX) return 0;
    n = n * 10 + (uint64_t)(c->payload[i] - '0');
  }
  return n;
}

static void copy_resource(struct ref_server_resource *r, const struct ref_resource *c,
                          uint8_t **text) {
  r->traits.suppress = c->suppress;
  r->traits.no_response = c->no_response;
  r->traits.unicast_only = c->unicast_only;
  r->path_length = (uint16_t)strlen(c->path);
  r->path = keep(text, c->path, (size_t)r->path_length + 1);
  if (c->attributes) r->attributes = keep(text, c->attributes, strlen(c->attributes) + 1);
  r->initial = keep(text, c->payload, c->payload_length);
  r->initial_length = (uint16_t)c->payload_length;
  r->initial_counter = c->kind == REF_RESOURCE_COUNTER ? initial_count(c) : 0;
  r->processing = c->processing;
  r->methods = c->methods;
  r->content_format = c->content_format;
  r->kind = (uint8_t)c->kind;
  if (c->kind == REF_RESOURCE_FIXED) r->initial_code = c->code ? c->code : REF_CODE(2, 5);
  r->hidden = c->hidden;
  ref_resource_reset(r);
}

static void fill(struct ref_server *s, const struct ref_server_config *c) {
  s->policy = c->policy ? c->policy : &ref_server_policy_default;
  s->policy_context = c->policy_context;
  s->leisure = c->leisure ? c->leisure : REF_DEFAULT_LEISURE;
  s->port = c->port ? c->port : CHORUS_COAP_PORT;
  s->response_rate = c->response_rate ? c->response_rate : 20;
  s->no_dedup = c->no_dedup;
  s->no_filter = c->no_filter;
  s->no_discovery = c->no_discovery;
  s->only_widen = c->authorised_relaxation_only;
  s->multicast_unaware = c->multicast_unaware;
  s->discovery = (struct ref_resource_traits){
      .suppress = REF_SUPPRESS_EMPTY_205 | REF_SUPPRESS_4XX | REF_SUPPRESS_5XX,
      .no_response = true,
      .discovery = true};
  ref_dedup_init(&s->dedup);
}

static size_t round_up(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

/* The octets of a block; |groups| gets the offset of the groups in it. */
static size_t block_size(const struct ref_server_config *c, size_t *groups) {
  size_t size = sizeof(struct ref_server) + c->resource_count * sizeof(struct ref_server_resource);
  *groups = round_up(size + text_size(c), _Alignof(struct ref_server_group));
  return round_up(*groups + c->group_count * sizeof(struct ref_server_group), REF_CACHE_LINE);
}

static void *from_heap(void *context, size_t size) {
  (void)context;
  return aligned_alloc(REF_CACHE_LINE, size);
}

static void to_heap(void *context, void *memory) {
  (void)context;
  free(memory);
}

static const struct ref_allocator heap = {.allocate = from_heap, .release = to_heap};

/* Cuts the block that begins with |s| into its parts. */
static void divide(struct ref_server *s, const struct ref_server_config *c, size_t group_offset) {
  s->resources = (struct ref_server_resource *)(s + 1);
  s->resource_count = (uint16_t)c->resource_count;
  struct ref_server_group *groups = (void *)((uint8_t *)s + group_offset);
  uint8_t *text = (uint8_t *)(s->resources + c->resource_count);
  for (size_t i = 0; i < c->resource_count; i++)
    copy_resource(&s->resources[i], &c->resources[i], &text);
  ref_groups_configure(s, groups, c->groups, c->group_count);
}

static void give_back(const struct ref_allocator *allocator, void *memory) {
  if (memory && allocator->release) allocator->release(allocator->context, memory);
}

/* A server with its agenda, all zero but for what ties them together; NULL: no memory. */
static struct ref_server *allocate(const struct ref_allocator *allocator, size_t size) {
  struct ref_agenda *a = allocator->allocate(allocator->context, sizeof *a);
  struct ref_server *s = a ? allocator->allocate(allocator->context, size) : NULL;
  if (!s) {
    give_back(allocator, a);
    return NULL;
  }
  memset(s, 0, size);
  memset(a, 0, sizeof *a);
  s->block = size;
  s->allocator = *allocator;
  s->agenda = a;
  a->server = s;
  return s;
}

struct chorus_node ref_server_new(const struct ref_server_config *c, const char **why) {
  const char *fault = config_fault(c);
  size_t group_offset = 0, size = fault ? 0 : block_size(c, &group_offset);
  struct ref_server *s = fault ? NULL : allocate(c->allocator ? c->allocator : &heap, size);
  if (!s) {
    if (why) *why = fault ? fault : "no memory";
    return (struct chorus_node){NULL, NULL};
  }
  fill(s, c);
  divide(s, c, group_offset);
  return (struct chorus_node){&server_ops, s->agenda};
}

void ref_server_free(struct chorus_node node) {
  struct ref_agenda *a = node.state;
  if (!a) return;
  struct ref_server *s = a->server;
  ref_agenda_clear(a);
  ref_dedup_free(&s->dedup);
  ref_exchanges_free(&s->exchanges);
  for (size_t i = 0; i < s->resource_count; i++) free(s->resources[i].changed);
  ref_groups_free(s);
  free(s->periods);
  free(s->sources);
  free(s->why);
  struct ref_allocator allocator = s->allocator;
  give_back(&allocator, s);
  give_back(&allocator, a);
}

size_t ref_server_footprint(const struct chorus_node *node) {
  const struct ref_server *s = server_of(node->state);
  size_t size = ref_agenda_footprint(s->agenda) + s->block + ref_dedup_footprint(&s->dedup) +
                s->period_count * sizeof *s->periods + s->source_count * sizeof *s->sources;
  for (const struct ref_received *r = s->exchanges.first; r; r = r->next)
    size += sizeof *r + r->length;
  for (size_t i = 0; i < s->resource_count; i++)
    if (s->resources[i].changed) size += s->resources[i].length;
  return size + ref_groups_footprint(s);
}
