/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "judge/internal.h"

/* An address or a link-layer address with the host that has it. */
struct address_entry {
  uint8_t octets[16];
  struct host *host;
};

static bool same_octets(const void *object, const void *key) {
  return memcmp(((const struct address_entry *)object)->octets, key, 16) == 0;
}

static uint64_t octets_hash(const uint8_t octets[16]) {
  return jdg_hash16(0, octets);
}

static void add_entry(struct judge *judge, struct jdg_table *table, const uint8_t octets[16],
                      struct host *host) {
  struct address_entry *entry = jdg_pool_take(&judge->address_pool);
  if (!entry) {
    judge->no_memory = true;
    return;
  }
  memcpy(entry->octets, octets, 16);
  entry->host = host;
  if (!jdg_table_add(table, octets_hash(octets), entry)) judge->no_memory = true;
}

struct host *host_find(const struct judge *judge, const struct chorus_endpoint *address) {
  const struct address_entry *entry = jdg_table_find(
      &judge->by_address, address_hash_of(judge, address), same_octets, address->address);
  return entry ? entry->host : NULL;
}

bool host_has(const struct jdg_host *host, const struct chorus_endpoint *address) {
  for (size_t i = 0; i < host->address_count; i++)
    if (chorus_same_address(&host->addresses[i], address)) return true;
  return false;
}

static void apply_expected(struct judge *judge, struct host *host) {
  for (size_t i = 0; i < judge->expected_count; i++) {
    const struct expected_ics *e = &judge->expected[i];
    if (e->has_name && strcmp(e->name, host->host.name) != 0) continue;
    if (e->has_address && !host_has(&host->host, &e->address)) continue;
    if (!e->has_name && !e->has_address && host->host.ics.declared) continue;
    host->host.ics = e->ics;
  }
}

struct host *host_new(struct judge *judge, const char *name) {
  if (judge->host_count == judge->host_capacity) {
    size_t capacity = judge->host_capacity ? 2 * judge->host_capacity : 16;
    struct host **hosts = realloc(judge->hosts, capacity * sizeof(struct host *));
    if (!hosts) return NULL;
    judge->hosts = hosts;
    judge->host_capacity = capacity;
  }
  struct host *host = calloc(1, sizeof *host);
  if (!host) return NULL;
  host->host.index = (uint32_t)judge->host_count;
  snprintf(host->host.name, sizeof host->host.name, "%s", name);
  host->host.judged = true;
  jdg_ics_default(&host->host.ics);
  judge->hosts[judge->host_count++] = host;
  return host;
}

bool host_add_address(struct judge *judge, struct host *host,
                      const struct chorus_endpoint *address) {
  size_t room = sizeof host->host.addresses / sizeof host->host.addresses[0];
  if (host->host.address_count == room || host_find(judge, address)) return false;
  struct chorus_endpoint *own = &host->host.addresses[host->host.address_count++];
  *own = *address;
  own->port = 0;
  own->zone = 0;
  add_entry(judge, &judge->by_address, address->address, host);
  apply_expected(judge, host);
  return true;
}

/* A packet that a router forwarded has a hop limit just below an initial one. */
static bool initial_hop_limit(uint8_t hop_limit) {
  return hop_limit == 255 || (hop_limit & (hop_limit - 1u)) == 0;
}

static bool usable_mac(const uint8_t *mac, size_t length) {
  return length == 6 && !(mac[0] & 1u); /* an individual address */
}

static struct host *host_by_mac(const struct judge *judge, const uint8_t padded[16]) {
  const struct address_entry *entry =
      jdg_table_find(&judge->by_mac, octets_hash(padded), same_octets, padded);
  return entry ? entry->host : NULL;
}

static void learn_mac(struct judge *judge, struct host *host, const uint8_t *padded) {
  if (!padded) return;
  if (!host_by_mac(judge, padded)) add_entry(judge, &judge->by_mac, padded, host);
  host->mac_known = true;
}

/* Named by its address. */
static struct host *host_named(struct judge *judge, const struct chorus_endpoint *address) {
  char text[CHORUS_ENDPOINT_TEXT];
  struct host *host = host_new(judge, chorus_address_text(address, text));
  if (host)
    host_add_address(judge, host, address);
  else
    judge->no_memory = true;
  return host;
}

/* No host has a group's address: who sends from one is known by the link layer, or by that alone.
 */
static struct host *sender_as_group(struct judge *judge, const struct chorus_endpoint *group,
                                    const uint8_t *padded) {
  struct host *host = padded ? host_by_mac(judge, padded) : NULL;
  if (!host) host = host_find(judge, group);
  return host ? host : host_named(judge, group);
}

struct host *host_at(struct judge *judge, const struct chorus_endpoint *address, const uint8_t *mac,
                     size_t mac_length, uint8_t hop_limit) {
  struct host *host = host_find(judge, address);
  if (host && (host->mac_known || !mac)) return host;
  if (chorus_is_unspecified(address)) return NULL;
  uint8_t padded[16] = {0};
  bool trust_mac = mac && usable_mac(mac, mac_length) && initial_hop_limit(hop_limit);
  if (trust_mac) memcpy(padded, mac, mac_length);
  if (chorus_is_group(address)) return sender_as_group(judge, address, trust_mac ? padded : NULL);
  if (host) {
    learn_mac(judge, host, trust_mac ? padded : NULL);
    return host;
  }
  if (trust_mac) host = host_by_mac(judge, padded);
  if (host && host_add_address(judge, host, address)) return host;
  host = host_named(judge, address);
  if (host) learn_mac(judge, host, trust_mac ? padded : NULL);
  return host;
}

static struct membership *find_membership(const struct host *host,
                                          const struct chorus_endpoint *group) {
  for (size_t i = 0; i < host->membership_count; i++)
    if (chorus_same_endpoint(&host->memberships[i].group, group)) return &host->memberships[i];
  return NULL;
}

void host_membership(struct host *host, const struct chorus_endpoint *group, bool joined) {
  host->membership_events = true;
  struct membership *known = find_membership(host, group);
  if (known) {
    known->joined = joined;
    return;
  }
  if (host->membership_count == host->membership_capacity) {
    size_t capacity = host->membership_capacity ? 2 * host->membership_capacity : 8;
    struct membership *more = realloc(host->memberships, capacity * sizeof *more);
    if (!more) return;
    host->memberships = more;
    host->membership_capacity = capacity;
  }
  host->memberships[host->membership_count++] = (struct membership){*group, joined};
}

enum jdg_tristate host_member(const struct host *host, const struct chorus_endpoint *group) {
  const struct membership *known = find_membership(host, group);
  if (known) return known->joined ? JDG_YES : JDG_NO;
  const struct jdg_ics *ics = &host->host.ics;
  for (size_t i = 0; i < ics->group_count; i++)
    if (chorus_same_endpoint(&ics->groups[i], group)) return JDG_YES;
  return host->membership_events || ics->groups_declared ? JDG_NO : JDG_UNKNOWN;
}

void host_free(struct judge *judge, struct host *host) {
  for (size_t i = 0; host->cells && i < judge->check_count; i++) free(host->cells[i].findings);
  for (size_t i = 0; host->states && i < judge->check_count; i++) free(host->states[i]);
  free(host->cells);
  free(host->passes);
  free(host->states);
  free(host->memberships);
  free(host);
}
