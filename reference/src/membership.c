/* SPDX-License-Identifier: BSD-2-Clause */
/* The groups of a server (seed sections 2.3.2 and 2.4; RFC 7252, sections 8 and 12.8). */
#include <stdlib.h>

#include "server.h"

/* All CoAP Nodes: link-local, realm-local, admin-local and site-local scope, and IPv4. */
static const struct chorus_endpoint all_coap_nodes[] = {
    {.address = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd}, .port = 5683},
    {.address = {0xff, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd}, .port = 5683},
    {.address = {0xff, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd}, .port = 5683},
    {.address = {0xff, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd}, .port = 5683},
    {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224, 0, 1, 187}, .port = 5683},
};
enum { ALL_COAP_NODES = sizeof all_coap_nodes / sizeof *all_coap_nodes };

static void emit(const struct ref_server *s, enum chorus_event_type type,
                 const struct chorus_endpoint *group) {
  struct chorus_event event = {.type = type, .peer = *group, .group = true};
  ref_emit(s->agenda->host, &event);
}

/* A member listens on the group's port (2.3.2): it has to be open to be answered from. */
static bool join(struct ref_server *s, chorus_time now, const struct chorus_endpoint *group,
                 bool discovery) {
  struct ref_env env = ref_server_env(s, now);
  if (!s->policy->join(&env, group, discovery)) return false;
  if (s->agenda->host->ops->open(s->agenda->host->context, group->port) != CHORUS_OK) return false;
  if (s->agenda->host->ops->join(s->agenda->host->context, group) != CHORUS_OK) return false;
  emit(s, CHORUS_EVENT_JOIN, group);
  return true;
}

/* Whether |port| is needed for anything but groups that were left. */
static bool port_needed(const struct ref_server *s, uint16_t port) {
  if (port == s->port || (port == CHORUS_COAP_PORT && !s->no_discovery)) return true;
  for (size_t i = 0; i < s->configured_count; i++)
    if (s->configured[i].joined && s->configured[i].endpoint.port == port) return true;
  for (size_t i = 0; i < s->added_count; i++)
    if (s->added[i].joined && s->added[i].endpoint.port == port) return true;
  return false;
}

/* The group is marked as left already. Its port serves nobody then (seed 2.2.4). */
static void leave(struct ref_server *s, const struct chorus_endpoint *group) {
  s->agenda->host->ops->leave(s->agenda->host->context, group);
  if (!port_needed(s, group->port))
    s->agenda->host->ops->close(s->agenda->host->context, group->port);
  emit(s, CHORUS_EVENT_LEAVE, group);
}

void ref_groups_configure(struct ref_server *s, struct ref_server_group *block,
                          const struct chorus_endpoint *groups, size_t count) {
  s->configured = block;
  s->configured_count = count;
  for (size_t i = 0; i < count; i++) {
    block[i].endpoint = groups[i];
    if (groups[i].port == 0) block[i].endpoint.port = CHORUS_COAP_PORT;
  }
}

/* The host says no to the address family that it lacks; that is no error. */
void ref_groups_join(struct ref_server *s, chorus_time now) {
  for (unsigned i = 0; !s->no_discovery && i < ALL_COAP_NODES; i++)
    if (!(s->discovery_joined & 1u << i) && join(s, now, &all_coap_nodes[i], true))
      s->discovery_joined |= (uint8_t)(1u << i);
  for (size_t i = 0; i < s->configured_count; i++)
    if (!s->configured[i].joined)
      s->configured[i].joined = join(s, now, &s->configured[i].endpoint, false);
}

static bool is(const struct chorus_endpoint *a, const struct chorus_endpoint *b) {
  return a->port == b->port && a->zone == b->zone && chorus_same_address(a, b);
}

/* What is known of |group|: one of the configured or of the added ones. */
static struct ref_server_group *find(struct ref_server *s, const struct chorus_endpoint *group) {
  for (size_t i = 0; i < s->configured_count; i++)
    if (is(&s->configured[i].endpoint, group)) return &s->configured[i];
  for (size_t i = 0; i < s->added_count; i++)
    if (is(&s->added[i].endpoint, group)) return &s->added[i];
  return NULL;
}

static int discovery_index(const struct chorus_endpoint *group) {
  for (int i = 0; i < ALL_COAP_NODES; i++)
    if (is(&all_coap_nodes[i], group)) return i;
  return -1;
}

static struct ref_server_group *add(struct ref_server *s, const struct chorus_endpoint *group) {
  struct ref_server_group *more = realloc(s->added, (s->added_count + 1) * sizeof *s->added);
  if (!more) return NULL;
  s->added = more;
  s->added[s->added_count] = (struct ref_server_group){.endpoint = *group};
  return &s->added[s->added_count++];
}

static int join_now(struct ref_server *s, chorus_time now, const struct chorus_endpoint *group,
                    const char **why) {
  struct ref_server_group *g = find(s, group);
  int index = discovery_index(group);
  if ((g && g->joined) || (index >= 0 && s->discovery_joined & 1u << index)) return CHORUS_OK;
  if (!g && index < 0) g = add(s, group);
  if (!g && index < 0) return CHORUS_NO_MEMORY;
  if (!join(s, now, group, false)) {
    *why = "the host or the policy does not let this group be joined";
    return CHORUS_REFUSED;
  }
  if (g)
    g->joined = true;
  else
    s->discovery_joined |= (uint8_t)(1u << index);
  return CHORUS_OK;
}

static int leave_now(struct ref_server *s, const struct chorus_endpoint *group, const char **why) {
  struct ref_server_group *g = find(s, group);
  int index = discovery_index(group);
  bool discovery = index >= 0 && s->discovery_joined & 1u << index;
  if (!(g && g->joined) && !discovery) {
    *why = "leave: not a member of this group";
    return CHORUS_BAD_ARGUMENT;
  }
  if (g) g->joined = false;
  if (discovery) s->discovery_joined &= (uint8_t) ~(1u << index);
  leave(s, group);
  return CHORUS_OK;
}

int ref_group_change(struct ref_server *s, chorus_time now, const struct chorus_endpoint *group,
                     bool to_join, const char **why) {
  return to_join ? join_now(s, now, group, why) : leave_now(s, group, why);
}

/* After a restart a server is a member of what is configured, and of nothing else. */
void ref_groups_restart(struct ref_server *s, chorus_time now) {
  for (size_t i = 0; i < s->added_count; i++) {
    bool joined = s->added[i].joined;
    s->added[i].joined = false;
    if (joined) leave(s, &s->added[i].endpoint);
  }
  ref_groups_free(s);
  ref_groups_join(s, now);
}

void ref_groups_free(struct ref_server *s) {
  free(s->added);
  s->added = NULL;
  s->added_count = 0;
}

size_t ref_groups_footprint(const struct ref_server *s) {
  return s->added_count * sizeof *s->added;
}
