/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program is told at its start: the scenario's configuration of its node. */
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "sut/node.h"

uint64_t sut_node_seed(const struct sut_node_config *config) {
  uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (config->seed * UINT64_C(0x9e3779b97f4a7c15));
  for (const char *p = config->node->name; *p; p++) h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
  h = (h ^ (h >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
  return h >> 11; /* what a JSON number holds in any language */
}

static void set(json_t *object, const char *name, json_t *value) {
  json_object_set_new(object, name, value);
}

static json_t *number(uint64_t value) {
  return json_integer((json_int_t)value);
}

static json_t *hexadecimal(const uint8_t *octets, size_t length) {
  struct txt_buffer text = {0};
  txt_hex(&text, octets, length);
  json_t *value = json_string(text.data ? text.data : "");
  txt_free(&text);
  return value;
}

static json_t *words(uint32_t bits, const char *const *names, unsigned count) {
  json_t *list = json_array();
  for (unsigned i = 0; i < count; i++)
    if (bits & 1u << i) json_array_append_new(list, json_string(names[i]));
  return list;
}

/* The value of |name| in link attributes such as rt="light";if="a"; "" if it is not there. */
static json_t *attribute(const char *attributes, const char *name) {
  char key[16];
  snprintf(key, sizeof key, "%s=\"", name);
  const char *at = attributes ? strstr(attributes, key) : NULL;
  if (at && at != attributes && at[-1] != ';') at = NULL;
  if (!at) return json_string("");
  at += strlen(key);
  return json_stringn(at, strcspn(at, "\""));
}

static json_t *code_text(uint8_t code) {
  return json_sprintf("%u.%02u", (unsigned)code >> 5, (unsigned)code & 31u);
}

static json_t *resource(const struct ref_resource *r, const struct sut_part *part) {
  static const char *const kinds[] = {"state", "counter", "fixed"};
  static const char *const methods[] = {"EMPTY",  "GET",   "POST",  "PUT",
                                        "DELETE", "FETCH", "PATCH", "iPATCH"};
  static const char *const classes[] = {"2xx", "4xx", "5xx", "empty-2.05"};
  json_t *o = json_object();
  set(o, "kind", json_string(kinds[r->kind]));
  set(o, "methods", words(r->methods, methods, 8));
  set(o, "payload", hexadecimal(r->payload, r->payload_length));
  if (r->content_format != UINT16_MAX) set(o, "content_format", number(r->content_format));
  set(o, "rt", attribute(r->attributes, "rt"));
  set(o, "if", attribute(r->attributes, "if"));
  set(o, "attributes", json_string(r->attributes ? r->attributes : ""));
  set(o, "hidden", json_boolean(r->hidden));
  set(o, "suppress", words(r->suppress, classes, 4));
  set(o, "no_response", json_boolean(r->no_response));
  set(o, "multicast", json_boolean(!r->unicast_only));
  set(o, "processing_ns", number(r->processing));
  if (r->kind == REF_RESOURCE_FIXED) set(o, "code", code_text(r->code ? r->code : 0x45));
  set(o, "observable", json_boolean(part->features & SUT_OBSERVE));
  return o;
}

static json_t *endpoints(const struct chorus_endpoint *list, size_t count, bool ports) {
  char text[CHORUS_ENDPOINT_TEXT];
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(array, json_string(ports ? chorus_endpoint_text(&list[i], text)
                                                   : chorus_address_text(&list[i], text)));
  return array;
}

/* The groups of the scenario, and those that servers join to be found (RFC 7252, section 12.8). */
static json_t *groups_of(const struct sut_node_config *config, const struct sut_part *part) {
  const struct ref_server_config *c = &config->node->server;
  struct chorus_endpoint everyone[SUT_ALL_COAP_NODES];
  json_t *list = endpoints(c->groups, c->group_count, true);
  size_t count = sut_all_coap_nodes(config, part, everyone);
  json_t *more = endpoints(everyone, count, true);
  json_array_extend(list, more);
  json_decref(more);
  return list;
}

static void describe_server(json_t *o, const struct sut_node_config *config,
                            const struct sut_part *part) {
  const struct ref_server_config *c = &config->node->server;
  json_t *resources = json_object();
  for (size_t i = 0; i < c->resource_count; i++)
    set(resources, c->resources[i].path, resource(&c->resources[i], part));
  set(o, "port", number(c->port ? c->port : CHORUS_COAP_PORT));
  set(o, "groups", groups_of(config, part));
  set(o, "leisure_ns", number(c->leisure));
  set(o, "dedup", json_boolean(!c->no_dedup));
  set(o, "discovery", json_boolean(!c->no_discovery));
  set(o, "filter", json_boolean(!c->no_filter));
  set(o, "multicast_aware", json_boolean(!c->multicast_unaware));
  set(o, "authorised_relaxation_only", json_boolean(c->authorised_relaxation_only));
  if (c->response_rate) set(o, "response_rate", number(c->response_rate));
  set(o, "resources", resources);
}

static void describe_client(json_t *o, const struct ref_client_config *c) {
  set(o, "port", number(c->port));
  set(o, "token_length", number(c->empty_token ? 0 : c->token_length));
  if (c->max_server_response_delay) set(o, "msrd_ns", number(c->max_server_response_delay));
  if (c->group_hop_limit) set(o, "group_hop_limit", number(c->group_hop_limit));
}

char *sut_start_text(const struct sut_node_config *config, const struct sut_part *part) {
  const struct scn_node *node = config->node;
  json_t *o = json_object();
  set(o, "protocol", number(1));
  set(o, "name", json_string(node->name));
  set(o, "role", json_string(sut_role_names[part->role]));
  set(o, "now", number(0));
  set(o, "seed", number(sut_node_seed(config)));
  set(o, "addresses", endpoints(node->addresses, node->address_count, false));
  if (config->manifest->rung == SUT_PROGRAM) set(o, "interface", json_string(KRN_INTERFACE));
  if (node->role == SCN_CLIENT)
    describe_client(o, &node->client);
  else
    describe_server(o, config, part);
  char *text = json_dumps(o, JSON_COMPACT);
  json_decref(o);
  return text;
}

/* ---- the command ---- */

static const char *port_text(struct sut_node *node, uint16_t port) {
  return scn_print(node->arena, "%u", (unsigned)port);
}

struct sut_places sut_places_of(struct sut_node *node) {
  const struct scn_node *n = node->config.node;
  const struct sut_manifest *m = node->config.manifest;
  char text[CHORUS_ENDPOINT_TEXT];
  struct sut_places places = {.manifest = m->folder, .stacks = m->stacks, .iface = KRN_INTERFACE};
  if (n->address_count > 0)
    places.address = scn_print(node->arena, "%s", chorus_address_text(&n->addresses[0], text));
  places.group = n->server.group_count > 0
                     ? scn_print(node->arena, "%s", chorus_address_text(&n->server.groups[0], text))
                     : "";
  bool four = n->address_count > 0 && chorus_is_ipv4(&n->addresses[0]);
  places.any = four ? "0.0.0.0" : "::";
  places.port = port_text(node, n->role == SCN_CLIENT ? n->client.port
                                : n->server.port      ? n->server.port
                                                      : CHORUS_COAP_PORT);
  places.path = n->server.resource_count > 0 ? n->server.resources[0].path : "/";
  places.name = n->name;
  places.role = sut_role_names[node->part->role];
  return places;
}

const char *const *sut_node_argv(struct sut_node *node) {
  struct sut_places places = sut_places_of(node);
  const char **argv = NULL;
  size_t count = 0;
  for (const char *const *word = node->part->start; word && *word; word++) {
    const char **slot = scn_append(node->arena, &argv, &count, sizeof *slot);
    if (slot) *slot = sut_fill_in(node->arena, *word, &places);
  }
  const char **end = scn_append(node->arena, &argv, &count, sizeof *end);
  return end ? argv : NULL;
}

const char *const *sut_node_variables(struct sut_node *node) {
  struct sut_places places = sut_places_of(node);
  const struct sut_part *p = node->part;
  const char **list = scn_alloc(node->arena, (p->environment_count + 1) * sizeof *list);
  for (size_t i = 0; list && i < p->environment_count; i++)
    list[i] = scn_print(node->arena, "%s=%s", p->environment[i].name,
                        sut_fill_in(node->arena, p->environment[i].value, &places));
  return list;
}
