/* SPDX-License-Identifier: BSD-2-Clause */
/* The `nodes` section. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "scenario/decode.h"
#include "scenario/path.h"
#include "scenario/units.h"

#define COMMON_KEYS \
  "role", "count", "link", "link-local", "multicast-loopback", "no-icmp", "addresses", "processing"

enum { MAX_NODES = 100000 };

static const char *const client_keys[] = {COMMON_KEYS,       "port", "token-length", "empty-token",
                                          "group-hop-limit", "msrd", "statement",    NULL};
static const char *const server_keys[] = {COMMON_KEYS,
                                          "groups",
                                          "port",
                                          "leisure",
                                          "dedup",
                                          "filter",
                                          "discovery",
                                          "authorised-relaxation-only",
                                          "response-rate",
                                          "resources",
                                          "multicast-aware",
                                          "statement",
                                          NULL};
static const char *const tester_keys[] = {COMMON_KEYS, "groups", "port", "answers", NULL};
static const char *const host_keys[] = {
    "role",    "count",     "link",   "link-local", "multicast-loopback",
    "no-icmp", "addresses", "groups", NULL}; /* programs have a stack and a time of their own */
static const char *const *const keys_of[] = {client_keys, server_keys, tester_keys, host_keys};
static const char *const role_words[] = {"client", "server", "tester", NULL};
static const char *const topology_role_words[] = {"client", "server", "tester", "host", NULL};

/* ---- resources ---- */

static const char *const resource_keys[] = {
    "kind", "methods",  "payload",     "payload-hex", "content-format",
    "code", "suppress", "no-response", "multicast",   "hidden",
    "rt",   "if",       "attributes",  "processing",  NULL};

static void read_methods(struct scn_decoder *d, const scn_value *map, uint32_t *methods) {
  static const char *const words[] = {"EMPTY", "GET",   "POST",   "PUT", "DELETE",
                                      "FETCH", "PATCH", "iPATCH", NULL};
  const scn_value *list = scn_get(d->document, map, "methods"), *item;
  if (!list || !scn_expect_list(d->document, list, "methods")) return;
  *methods = 0;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++) {
    unsigned method;
    if (!scn_word(d->document, item, "method", words, &method)) continue;
    if (method == 0) scn_complain(d->document, item, "EMPTY is no method");
    *methods |= 1u << method;
  }
}

static void read_suppress(struct scn_decoder *d, const scn_value *map, uint32_t *suppress) {
  static const char *const words[] = {"2xx", "4xx", "5xx", "empty-2.05", NULL};
  const scn_value *list = scn_get(d->document, map, "suppress"), *item;
  if (!list || !scn_expect_list(d->document, list, "suppress")) return;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++) {
    unsigned which;
    if (scn_word(d->document, item, "class of responses", words, &which)) *suppress |= 1u << which;
  }
}

static void read_attributes(struct scn_decoder *d, const scn_value *map, struct ref_resource *r) {
  static const char *const names[] = {"rt", "if"};
  const char *text = NULL, *all = NULL;
  scn_read_text(d->document, map, "attributes", &all);
  for (size_t i = 0; i < 2; i++)
    if (scn_read_text(d->document, map, names[i], &text))
      all = scn_print(d->arena, "%s%s%s=\"%s\"", all ? all : "", all ? ";" : "", names[i], text);
  r->attributes = all;
}

static bool is_response_code(const struct scn_code *code) {
  unsigned class = code->code >> 5;
  return !code->whole_class && (class == 2 || class == 4 || class == 5);
}

static void read_kind(struct scn_decoder *d, const scn_value *map, struct ref_resource *r) {
  static const char *const words[] = {"state", "counter", "fixed", NULL};
  static const uint32_t methods[] = {
      REF_GET | REF_PUT, REF_GET | REF_POST,
      REF_GET | REF_POST | REF_PUT | REF_DELETE | REF_FETCH | REF_PATCH | REF_IPATCH};
  unsigned kind = 0;
  scn_read_word(d->document, map, "kind", words, &kind);
  r->kind = (enum ref_resource_kind)kind;
  r->methods = methods[kind];
  struct scn_code code = {.set = false};
  const scn_value *value = scn_get(d->document, map, "code");
  if (scn_read_code(d, map, "code", &code) && !is_response_code(&code))
    scn_complain(d->document, value, "a resource answers with a Response Code such as 2.05");
  if (value && r->kind != REF_RESOURCE_FIXED)
    scn_complain(d->document, value, "code needs kind: fixed");
  if (r->kind == REF_RESOURCE_FIXED) r->code = code.set ? code.code : 0x45;
}

/* The first representation of a counter is what it counts from; none: 0. */
static void check_count(struct scn_decoder *d, const scn_value *map, const struct ref_resource *r) {
  const scn_value *text = scn_get(d->document, map, "payload");
  const char *octets = (const char *)r->payload;
  if (r->kind != REF_RESOURCE_COUNTER || r->payload_length == 0) return;
  if (!scn_is_count(octets, r->payload_length))
    scn_complain(d->document, text ? text : scn_get(d->document, map, "payload-hex"),
                 "the payload of a counter is a number from 0 to 4294967295");
}

static void read_resource(struct scn_decoder *d, const scn_value *map, struct ref_resource *r) {
  uint64_t format = UINT16_MAX;
  bool no_response = true, multicast = true;
  scn_expect_map(d->document, map, "a resource", resource_keys);
  read_kind(d, map, r);
  read_methods(d, map, &r->methods);
  read_suppress(d, map, &r->suppress);
  read_attributes(d, map, r);
  scn_read_payload(d->document, map, &r->payload, &r->payload_length);
  if (r->payload_length > 1024) scn_complain(d->document, map, "a payload of at most 1024 octets");
  check_count(d, map, r);
  scn_read_integer(d->document, map, "content-format", 0, UINT16_MAX, &format);
  r->content_format = (uint16_t)format;
  scn_read_boolean(d->document, map, "no-response", &no_response);
  r->no_response = no_response;
  scn_read_boolean(d->document, map, "multicast", &multicast);
  r->unicast_only = !multicast;
  scn_read_boolean(d->document, map, "hidden", &r->hidden);
  scn_read_duration(d->document, map, "processing", &r->processing);
}

/* Two ways of writing one path are two resources that no request tells apart. */
static void check_once(struct scn_decoder *d, const scn_value *key,
                       const struct ref_resource *resources, size_t count) {
  const char *path = resources[count - 1].path, *text = scn_raw_text(key);
  for (size_t i = 0; path && i + 1 < count; i++) {
    if (strcmp(resources[i].path, path) != 0) continue;
    scn_complain(d->document, key, "\"%s\": there is a resource %s already", text, path);
    return;
  }
}

void scn_decode_resources(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  struct ref_resource *resources = NULL;
  size_t count = 0;
  const scn_value *key, *value;
  if (!scn_expect_map(d->document, map, "resources", NULL)) return;
  for (size_t i = 0; scn_pair(d->document, map, i, &key, &value); i++) {
    struct ref_resource *r = scn_append(d->arena, &resources, &count, sizeof *r);
    const char *text = scn_text(d->document, key);
    if (!r || !text) return;
    r->path = scn_resource_path(d->document, key, text);
    check_once(d, key, resources, count);
    if (!r->path) r->path = text;
    read_resource(d, value, r);
  }
  node->server.resources = resources;
  node->server.resource_count = count;
}

/* ---- one node ---- */

static const char *const statement_keys[] = {
    "needed-scope", "nstart",   "group-size",  "group-rate", "response-size",
    "6lowpan",      "internet", "constrained", "boundary",   NULL};

static void read_statement(struct scn_decoder *d, const scn_value *map, struct scn_statement *s) {
  const scn_value *part = scn_get(d->document, map, "statement");
  uint64_t scope = 0, nstart = 0, size = 0, response = 0;
  if (!part || !scn_expect_map(d->document, part, "a statement", statement_keys)) return;
  scn_read_integer(d->document, part, "needed-scope", 1, 15, &scope);
  scn_read_integer(d->document, part, "nstart", 1, 1000, &nstart);
  scn_read_integer(d->document, part, "group-size", 1, 1000000, &size);
  scn_read_integer(d->document, part, "response-size", 1, 65535, &response);
  scn_read_integer(d->document, part, "group-rate", 1, UINT64_MAX, &s->group_rate);
  scn_read_boolean(d->document, part, "6lowpan", &s->sixlowpan);
  scn_read_boolean(d->document, part, "internet", &s->internet);
  scn_read_boolean(d->document, part, "constrained", &s->constrained);
  scn_read_boolean(d->document, part, "boundary", &s->boundary);
  s->needed_scope = (unsigned)scope;
  s->nstart = (unsigned)nstart;
  s->group_size = (unsigned)size;
  s->response_size = (unsigned)response;
}

static void read_server(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  struct ref_server_config *c = &node->server;
  bool dedup = true, filter = true, discovery = true, aware = true;
  uint64_t rate = 0;
  c->leisure = 5 * CHORUS_SECOND;
  scn_read_duration(d->document, map, "leisure", &c->leisure);
  if (c->leisure == 0)
    scn_complain(d->document, scn_get(d->document, map, "leisure"),
                 "a Leisure of 0 means the default of 5s to a server; write 1ns for none");
  scn_read_boolean(d->document, map, "dedup", &dedup);
  scn_read_boolean(d->document, map, "filter", &filter);
  scn_read_boolean(d->document, map, "discovery", &discovery);
  scn_read_boolean(d->document, map, "authorised-relaxation-only", &c->authorised_relaxation_only);
  scn_read_boolean(d->document, map, "multicast-aware", &aware);
  c->multicast_unaware = !aware;
  if (scn_read_integer(d->document, map, "response-rate", 1, 1000000, &rate))
    c->response_rate = (uint32_t)rate;
  c->no_dedup = !dedup;
  c->no_filter = !filter;
  c->no_discovery = !discovery;
  const scn_value *resources = scn_get(d->document, map, "resources");
  if (resources) scn_decode_resources(d, resources, node);
}

static void read_client(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  struct ref_client_config *c = &node->client;
  uint64_t length = 8, hops = 0;
  scn_read_integer(d->document, map, "token-length", 0, 8, &length);
  scn_read_boolean(d->document, map, "empty-token", &c->empty_token);
  if (length == 0) c->empty_token = true;
  c->token_length = c->empty_token ? 0 : (uint8_t)length;
  if (scn_read_duration(d->document, map, "msrd", &c->max_server_response_delay) &&
      c->max_server_response_delay && c->max_server_response_delay <= REF_DEFAULT_LEISURE)
    scn_complain(d->document, scn_get(d->document, map, "msrd"),
                 "msrd has to exceed DEFAULT_LEISURE, 5s (RFC 7967, section 3.1)");
  scn_read_integer(d->document, map, "group-hop-limit", 1, 255, &hops);
  c->group_hop_limit = (uint8_t)hops;
}

static void read_link(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  const char *name, *words[64];
  if (!scn_read_text(d->document, map, "link", &name)) return;
  for (size_t i = 0; i < d->link_count; i++)
    if (strcmp(d->links[i].name, name) == 0) {
      node->link = (uint32_t)i + 1;
      return;
    }
  size_t count = d->link_count < 64 ? d->link_count : 64;
  for (size_t i = 0; i < count; i++) words[i] = d->links[i].name;
  const char *near = scn_nearest(name, words, count);
  scn_complain(d->document, scn_get(d->document, map, "link"),
               "no link is called \"%s\" under network.links%s%s%s", name,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* 2001:db8::k or 192.0.2.k (RFC 3849, RFC 5737); large IPv4 networks use 198.18.0.0/15 (RFC 2544).
 */
static void own_address(unsigned ip, uint32_t k, struct chorus_endpoint *e) {
  char text[64];
  if (ip == 6)
    snprintf(text, sizeof text, "2001:db8::%x:%x", (unsigned)(k >> 16), (unsigned)(k & 0xffff));
  else if (k < 255)
    snprintf(text, sizeof text, "192.0.2.%u", (unsigned)k);
  else
    snprintf(text, sizeof text, "198.%u.%u.%u", 18u + (unsigned)(k >> 16),
             (unsigned)(k >> 8 & 0xff), (unsigned)(k & 0xff));
  chorus_address_parse(text, 0, e);
}

static void give_addresses(struct scn_decoder *d, const scn_value *map, struct scn_node *node,
                           uint32_t number) {
  bool link_local = false;
  scn_endpoints(d, map, "addresses", 0, &node->addresses, &node->address_count);
  if (node->address_count > 0) return;
  struct chorus_endpoint *list = scn_alloc(d->arena, 2 * sizeof *list);
  if (!list) return;
  own_address(d->scenario->network.ip, number, &list[0]);
  node->addresses = list;
  node->address_count = 1;
  scn_read_boolean(d->document, map, "link-local", &link_local);
  if (!link_local || d->scenario->network.ip != 6) return;
  list[1] = list[0];
  memcpy(list[1].address, "\xfe\x80\0\0\0\0\0", 8);
  node->address_count = 2;
}

/* A member of a group listens on its port, which 5684 is not (seed section 2.3.2). */
static void check_group(struct scn_decoder *d, const scn_value *at, const struct scn_node *node,
                        const struct chorus_endpoint *group) {
  char text[CHORUS_ENDPOINT_TEXT];
  chorus_endpoint_text(group, text);
  if (!chorus_is_multicast(group))
    scn_complain(d->document, at, "%s is no multicast address (ff00::/8, 224.0.0.0/4)", text);
  else if (node->role == SCN_SERVER && group->port == CHORUS_COAPS_PORT)
    scn_complain(d->document, at, "%s: port 5684 is not for group communication", text);
}

static void read_groups(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  const scn_value *list = scn_get(d->document, map, "groups");
  struct ref_server_config *c = &node->server;
  size_t before = d->document->errors->total;
  scn_endpoints(d, map, "groups", CHORUS_COAP_PORT, &c->groups, &c->group_count);
  if (d->document->errors->total > before) return; /* some of the list are missing */
  for (size_t i = 0; i < c->group_count; i++)
    check_group(d, scn_item(d->document, list, i), node, &c->groups[i]);
}

static void check_client_port(struct scn_decoder *d, const scn_value *map,
                              const struct scn_node *node) {
  if (node->role == SCN_CLIENT && node->client.port == CHORUS_COAPS_PORT)
    scn_complain(d->document, scn_get(d->document, map, "port"),
                 "port 5684 is not for group communication");
}

static void read_common(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  uint64_t port = node->role == SCN_CLIENT ? 40000 : CHORUS_COAP_PORT;
  scn_read_boolean(d->document, map, "multicast-loopback", &node->multicast_loopback);
  scn_read_boolean(d->document, map, "no-icmp", &node->no_icmp);
  scn_read_integer(d->document, map, "port", 1, UINT16_MAX, &port);
  node->server.port = node->client.port = (uint16_t)port;
  node->processing = 2 * CHORUS_SECOND;
  scn_read_duration(d->document, map, "processing", &node->processing);
  read_link(d, map, node);
  read_groups(d, map, node);
  check_client_port(d, map, node);
}

static void read_by_role(struct scn_decoder *d, const scn_value *map, struct scn_node *node) {
  read_common(d, map, node);
  read_statement(d, map, &node->statement);
  if (node->role == SCN_SERVER) read_server(d, map, node);
  if (node->role == SCN_CLIENT) read_client(d, map, node);
}

static void add_members(struct scn_decoder *d, const scn_value *map, const struct scn_node *model,
                        uint64_t count) {
  bool numbered = scn_get(d->document, map, "count") != NULL;
  for (uint64_t i = 1; i <= count; i++) {
    struct scn_node *node = scn_append(d->arena, &d->nodes, &d->node_count, sizeof *node);
    if (!node) return;
    *node = *model;
    if (numbered) node->name = scn_print(d->arena, "%s%llu", model->family, (unsigned long long)i);
    give_addresses(d, map, node, (uint32_t)d->node_count);
    struct scn_name *name = scn_append(d->arena, &d->names, &d->name_count, sizeof *name);
    if (!name) return;
    *name = (struct scn_name){.name = node->name, .endpoint = node->addresses[0]};
    name->endpoint.port = model->server.port;
  }
}

/* The name has to do for patterns, $names, file names and captures. */
static bool good_name(const char *name) {
  if (!((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'))) return false;
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
  return name[length] == '\0' && length <= 40;
}

/* The role, which nodes of a topology need not have. */
static bool read_role(struct scn_decoder *d, const scn_value *key, const scn_value *map,
                      const char *name, unsigned *role) {
  const char *const *words = d->is_topology ? topology_role_words : role_words;
  *role = SCN_HOST;
  if (scn_is_map(map) && scn_get(d->document, map, "role"))
    return scn_read_word(d->document, map, "role", words, role);
  if (d->is_topology) return scn_expect_map(d->document, map, name, NULL);
  scn_complain(d->document, key, "node %s needs a role: client, server or tester", name);
  return false;
}

static void decode_node(struct scn_decoder *d, const scn_value *key, const scn_value *map) {
  struct scn_node node = {.place = scn_place_of(key)};
  const char *name = scn_text(d->document, key);
  unsigned role;
  uint64_t count = 1;
  if (!name) return;
  if (!good_name(name)) {
    scn_complain(d->document, key,
                 "\"%s\": a node's name is a letter followed by letters, digits, - and _", name);
    scn_break(d, name);
    return;
  }
  if (!read_role(d, key, map, name, &role)) {
    scn_break(d, name);
    return;
  }
  node.name = node.family = name;
  node.role = (enum scn_role)role;
  scn_expect_map(d->document, map, "this node", keys_of[role]);
  if (!scn_read_integer(d->document, map, "count", 1, MAX_NODES, &count) &&
      scn_get(d->document, map, "count"))
    scn_break(d, name);
  if (count > 1 && scn_get(d->document, map, "addresses"))
    scn_complain(d->document, map, "addresses and count cannot go together");
  read_by_role(d, map, &node);
  add_members(d, map, &node, count);
}

/* Answers may name any node, so they come when all nodes are known. */
static void decode_answers_of(struct scn_decoder *d, const scn_value *key, const scn_value *map) {
  const scn_value *answers = scn_get(d->document, map, "answers");
  const char *name = scn_raw_text(key);
  struct scn_node tester = {.role = SCN_TESTER};
  if (!answers || !name) return;
  scn_decode_answers(d, answers, &tester);
  for (size_t i = 0; i < d->node_count; i++) {
    if (strcmp(d->nodes[i].family, name) != 0 || d->nodes[i].role != SCN_TESTER) continue;
    d->nodes[i].answers = tester.answers;
    d->nodes[i].answer_count = tester.answer_count;
  }
}

static void check_names(struct scn_decoder *d, const scn_value *at) {
  if (d->node_count > 2000) return; /* a test of scale; its names come from one count */
  for (size_t i = 0; i < d->node_count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(d->nodes[i].name, d->nodes[j].name) == 0)
        scn_complain(d->document, at, "two nodes are called %s", d->nodes[i].name);
}

/* The node before |node| that has this address where it means the same, or NULL. */
static const struct scn_node *owner_before(const struct scn_decoder *d, const struct scn_node *node,
                                           const struct chorus_endpoint *address) {
  for (const struct scn_node *n = d->nodes; n < node; n++) {
    if (chorus_is_link_local(address) && n->link != node->link) continue;
    for (size_t i = 0; i < n->address_count; i++)
      if (chorus_same_address(&n->addresses[i], address)) return n;
  }
  return NULL;
}

/* ::1 and 127.0.0.0/8 never leave their host. */
static bool is_loopback(const struct chorus_endpoint *address) {
  static const uint8_t one[16] = {[15] = 1};
  if (chorus_is_ipv4(address)) return address->address[12] == 127;
  return memcmp(address->address, one, sizeof one) == 0;
}

static bool is_twice(const struct scn_node *node, const struct chorus_endpoint *address) {
  for (const struct chorus_endpoint *a = node->addresses; a < address; a++)
    if (chorus_same_address(a, address)) return true;
  return false;
}

static const char *fault_of(struct scn_decoder *d, const struct scn_node *node,
                            const struct chorus_endpoint *address) {
  bool unicast = !chorus_is_group(address) && !chorus_is_unspecified(address);
  if (!unicast) return "a node has unicast addresses";
  if (is_loopback(address)) return "packets to it never leave their host";
  if (is_twice(node, address)) return "it has it already";
  const struct scn_node *owner = owner_before(d, node, address);
  return owner ? scn_print(d->arena, "%s has it, too", owner->name) : NULL;
}

static void check_address(struct scn_decoder *d, const struct scn_node *node,
                          const struct chorus_endpoint *address) {
  char text[CHORUS_ENDPOINT_TEXT];
  const char *why = fault_of(d, node, address);
  if (!why) return;
  chorus_address_text(address, text);
  scn_errors_add(d->document->errors, d->document->path, d->document->text, node->place.line,
                 node->place.column, 1, "%s cannot have the address %s: %s", node->name, text, why);
}

static void check_addresses(struct scn_decoder *d) {
  if (d->node_count > 2000) return;
  for (size_t i = 0; i < d->node_count; i++)
    for (size_t k = 0; k < d->nodes[i].address_count; k++)
      check_address(d, &d->nodes[i], &d->nodes[i].addresses[k]);
}

void scn_decode_nodes(struct scn_decoder *d, const scn_value *nodes) {
  const scn_value *key, *value;
  if (!scn_expect_map(d->document, nodes, "nodes", NULL)) return;
  for (size_t i = 0; scn_pair(d->document, nodes, i, &key, &value); i++) {
    if (d->node_count >= MAX_NODES) return;
    decode_node(d, key, value);
  }
  for (size_t i = 0; scn_pair(d->document, nodes, i, &key, &value); i++)
    decode_answers_of(d, key, value);
  if (!scn_pair(d->document, nodes, 0, &key, &value))
    scn_complain(d->document, nodes, "there has to be a node");
  check_names(d, nodes);
  check_addresses(d);
}
