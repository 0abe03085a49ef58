/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reference says of itself, from its configuration. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "run/run.h"

static enum jdg_tristate yes_if(bool condition) {
  return condition ? JDG_YES : JDG_NO;
}

static struct jdg_ics_resource *add_resource(struct jdg_ics *ics, const char *path) {
  if (ics->resource_count == JDG_ICS_RESOURCES) return NULL;
  struct jdg_ics_resource *r = &ics->resources[ics->resource_count++];
  snprintf(r->path, sizeof r->path, "%s", path);
  return r;
}

static void state_resource(struct jdg_ics *ics, const struct ref_resource *resource) {
  if (strlen(resource->path) >= sizeof ics->resources[0].path) return;
  struct jdg_ics_resource *r = add_resource(ics, resource->path);
  if (!r) return;
  r->suppress = resource->suppress;
  r->suppress_declared = true;
  r->no_response = yes_if(resource->no_response);
  r->multicast = yes_if(!resource->unicast_only);
  r->exists = JDG_YES;
}

static void add_group(struct jdg_ics *ics, const struct chorus_endpoint *group) {
  if (ics->group_count < JDG_ICS_GROUPS) ics->groups[ics->group_count++] = *group;
}

/* All CoAP Nodes, of the scopes that a node joins by itself (RFC 7252, section 12.8). */
static void add_discovery_groups(struct jdg_ics *ics, unsigned ip) {
  static const char *const groups[] = {"ff02::fd", "ff03::fd", "ff04::fd", "ff05::fd"};
  struct chorus_endpoint e;
  if (ip == 4) {
    chorus_address_parse("224.0.1.187", CHORUS_COAP_PORT, &e);
    add_group(ics, &e);
    return;
  }
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    chorus_address_parse(groups[i], CHORUS_COAP_PORT, &e);
    add_group(ics, &e);
  }
}

static void state_server(const struct scn_scenario *scenario, const struct ref_server_config *c,
                         struct jdg_ics *ics) {
  ics->leisure_declared = JDG_YES;
  ics->leisure = c->leisure ? c->leisure : 5 * CHORUS_SECOND;
  ics->dedup = yes_if(!c->no_dedup);
  ics->nr_policy = c->authorised_relaxation_only ? JDG_NR_AUTHONLY : JDG_NR_ALWAYS;
  ics->discovery = yes_if(!c->no_discovery);
  ics->filter = yes_if(!c->no_filter);
  ics->mcast_aware = yes_if(!c->multicast_unaware);
  for (size_t i = 0; i < c->resource_count; i++) state_resource(ics, &c->resources[i]);
  for (size_t i = 0; i < c->group_count; i++) add_group(ics, &c->groups[i]);
  if (!c->no_discovery) add_discovery_groups(ics, scenario->network.ip);
  ics->groups_declared = true;
  if (c->resource_count >= JDG_ICS_RESOURCES - 1) return;
  struct jdg_ics_resource *core = c->no_discovery ? NULL : add_resource(ics, "/.well-known/core");
  if (core) core->exists = JDG_YES;
  struct jdg_ics_resource *others = add_resource(ics, "*");
  if (others) others->exists = JDG_NO;
}

static void state_more(const struct scn_statement *s, struct jdg_ics *ics) {
  ics->needed_scope = s->needed_scope;
  if (s->nstart) ics->nstart = s->nstart;
  ics->group_size = s->group_size;
  ics->response_size = s->response_size;
  ics->group_rate = s->group_rate;
  if (s->sixlowpan) ics->sixlowpan = JDG_YES;
  if (s->internet) ics->internet = JDG_YES;
  if (s->constrained) ics->constrained = JDG_YES;
  if (s->boundary) ics->boundary = JDG_YES;
}

void run_ics(const struct scn_scenario *scenario, const struct scn_node *node,
             struct jdg_ics *ics) {
  jdg_ics_default(ics);
  ics->declared = true;
  ics->processing = node->processing;
  state_more(&node->statement, ics);
  if (node->role == SCN_SERVER) state_server(scenario, &node->server, ics);
  ics->secured = JDG_NO; /* Group OSCORE is not implemented */
  if (node->role != SCN_CLIENT) return;
  ics->groups_declared = true; /* and none: a pure client serves no group */
  ics->msrd_declared = node->client.max_server_response_delay != 0;
  ics->msrd = node->client.max_server_response_delay;
}
