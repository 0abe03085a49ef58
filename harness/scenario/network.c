/* SPDX-License-Identifier: BSD-2-Clause */
/* The `network` section: addresses, links and impairments. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "scenario/decode.h"
#include "scenario/units.h"

enum { MTU_OF_DEVICES = 65521 }; /* of a TAP: its frames have 14 octets more */

static const char *const network_keys[] = {
    "ip",          "latency", "mtu",       "reassembly-timeout",
    "links",       "groups",  "addresses", "reassembly-limit",
    "impairments", "flood",   NULL};

static void add_name(struct scn_decoder *d, const char *name, const struct chorus_endpoint *e) {
  struct scn_name *n = scn_append(d->arena, &d->names, &d->name_count, sizeof *n);
  if (n) *n = (struct scn_name){.name = name, .endpoint = *e};
}

/* One address, or one for each IP version: {4: ..., 6: ...}. */
static const scn_value *for_version(struct scn_decoder *d, const scn_value *value) {
  static const char *const versions[] = {"4", "6", NULL};
  if (!scn_is_map(value)) return value;
  if (!scn_expect_map(d->document, value, "the addresses of a name", versions)) return NULL;
  const char *version = d->scenario->network.ip == 4 ? "4" : "6";
  const scn_value *found = scn_get(d->document, value, version);
  if (!found && !d->ip_broken)
    scn_complain(d->document, value, "no address for IPv%s here", version);
  return found;
}

static void decode_name(struct scn_decoder *d, const scn_value *key, const scn_value *value,
                        bool group) {
  struct chorus_endpoint e;
  const char *name = scn_raw_text(key);
  if (name[0] != '$' || name[1] == '\0') {
    scn_complain(d->document, key, "\"%s\": names of addresses begin with a $", name);
    scn_break(d, name);
    return;
  }
  value = for_version(d, value);
  if (!value || !scn_endpoint(d, value, group ? CHORUS_COAP_PORT : 0, &e)) {
    scn_break(d, name + 1);
    return;
  }
  if (group && !chorus_is_group(&e))
    scn_complain(d->document, value, "this is no group address (ff00::/8, 224.0.0.0/4)");
  add_name(d, scn_copy(d->arena, name + 1, strlen(name + 1)), &e);
}

static void decode_names(struct scn_decoder *d, const scn_value *map, bool group) {
  const scn_value *key, *value;
  if (!scn_expect_map(d->document, map, group ? "groups" : "addresses", NULL)) return;
  for (size_t i = 0; scn_pair(d->document, map, i, &key, &value); i++) {
    if (scn_raw_text(key)) decode_name(d, key, value, group);
  }
}

static void decode_links(struct scn_decoder *d, const scn_value *map) {
  static const char *const keys[] = {"realm", "admin", "site", "organization", NULL};
  const scn_value *key, *value;
  if (!scn_expect_map(d->document, map, "links", NULL)) return;
  for (size_t i = 0; scn_pair(d->document, map, i, &key, &value); i++) {
    uint64_t zone[4] = {0};
    struct scn_link *link = scn_append(d->arena, &d->links, &d->link_count, sizeof *link);
    if (!link) return;
    link->name = scn_raw_text(key);
    link->name = scn_copy(d->arena, link->name, strlen(link->name));
    if (!scn_expect_map(d->document, value, "a link", keys)) continue;
    for (size_t k = 0; k < 4; k++)
      scn_read_integer(d->document, value, keys[k], 0, UINT32_MAX, &zone[k]);
    link->config = (struct emu_link_config){.realm = (uint32_t)zone[0],
                                            .admin = (uint32_t)zone[1],
                                            .site = (uint32_t)zone[2],
                                            .organization = (uint32_t)zone[3]};
  }
}

static void built_in_names(struct scn_decoder *d) {
  struct chorus_endpoint e;
  const char *all = d->scenario->network.ip == 4 ? "224.0.1.187" : "ff05::fd";
  chorus_address_parse(all, CHORUS_COAP_PORT, &e);
  add_name(d, "all-coap-nodes", &e);
}

static uint64_t read_ip(struct scn_decoder *d, const scn_value *network) {
  const char *text;
  if (!scn_read_text(d->document, network, "ip", &text)) {
    d->ip_broken = scn_get(d->document, network, "ip") != NULL;
    return 6;
  }
  if (strcmp(text, "4") == 0 || strcmp(text, "6") == 0) return (uint64_t)(text[0] - '0');
  scn_complain(d->document, scn_get(d->document, network, "ip"),
               "\"%s\" is no IP version: ip is 4 or 6", text);
  d->ip_broken = true;
  return 6;
}

void scn_decode_network(struct scn_decoder *d, const scn_value *network) {
  struct scn_network *n = &d->scenario->network;
  uint64_t ip = 6, mtu = 1500, limit = 0;
  n->latency = CHORUS_MILLISECOND;
  if (network) {
    scn_expect_map(d->document, network, "network", network_keys);
    ip = read_ip(d, network);
    scn_read_duration(d->document, network, "latency", &n->latency);
    scn_read_duration(d->document, network, "reassembly-timeout", &n->reassembly_timeout);
    uint64_t largest = d->is_topology ? MTU_OF_DEVICES : UINT16_MAX;
    scn_read_integer(d->document, network, "mtu", ip == 4 ? 68 : 1280, largest, &mtu);
    scn_read_integer(d->document, network, "reassembly-limit", 1, 65535, &limit);
    scn_read_boolean(d->document, network, "flood", &n->flood);
  }
  n->ip = (unsigned)ip;
  n->mtu = (uint32_t)mtu;
  n->reassembly_limit = (uint32_t)limit;
  built_in_names(d);
  const scn_value *part;
  if ((part = scn_get(d->document, network, "groups"))) decode_names(d, part, true);
  if ((part = scn_get(d->document, network, "addresses"))) decode_names(d, part, false);
  if ((part = scn_get(d->document, network, "links"))) decode_links(d, part);
}

/* ---- impairments ---- */

static const char *const impairment_keys[] = {"from",
                                              "to",
                                              "name",
                                              "loss",
                                              "drop",
                                              "gemodel",
                                              "delay",
                                              "jitter",
                                              "distribution",
                                              "duplicate",
                                              "duplicate-gap",
                                              "reorder",
                                              "reorder-gap",
                                              "corrupt",
                                              "rate",
                                              "limit",
                                              "during",
                                              "multicast-only",
                                              "unicast-only",
                                              "optional",
                                              NULL};

/* Adds "7" or "3-5" to the drop list. */
static bool add_drops(struct scn_decoder *d, const char *text, uint32_t **list, size_t *count) {
  char low[16];
  uint64_t first, last;
  size_t dash = strcspn(text, "-");
  if (dash >= sizeof low) return false;
  memcpy(low, text, dash);
  low[dash] = '\0';
  if (!scn_integer(low, 1000000, &first) || first == 0) return false;
  last = first;
  if (text[dash] && (!scn_integer(text + dash + 1, 1000000, &last) || last < first)) return false;
  if (last - first > 10000) return false;
  for (uint64_t n = first; n <= last; n++) {
    if (*count && (*list)[*count - 1] >= n) return false;
    uint32_t *slot = scn_append(d->arena, list, count, sizeof *slot);
    if (slot) *slot = (uint32_t)n;
  }
  return true;
}

static void read_drops(struct scn_decoder *d, const scn_value *list, struct emu_impairment *m) {
  uint32_t *numbers = NULL;
  size_t count = 0;
  if (!scn_expect_list(d->document, list, "drop")) return;
  const scn_value *item;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++) {
    const char *text = scn_text(d->document, item);
    if (text && !add_drops(d, text, &numbers, &count))
      scn_complain(d->document, item,
                   "\"%s\" is no packet number; write numbers from 1 on, ascending, or 3-5", text);
  }
  m->drop = numbers;
  m->drop_count = count;
}

static void read_gemodel(struct scn_decoder *d, const scn_value *map, struct emu_impairment *m) {
  static const char *const keys[] = {"p", "r", "1-h", "1-k", NULL};
  if (!scn_expect_map(d->document, map, "gemodel", keys)) return;
  m->gemodel_loss_bad = EMU_ALWAYS;
  m->gemodel_r = EMU_ALWAYS;
  if (!scn_read_percent(d->document, map, "p", &m->gemodel_p))
    scn_complain(d->document, map, "gemodel needs p, the probability of going bad");
  scn_read_percent(d->document, map, "r", &m->gemodel_r);
  scn_read_percent(d->document, map, "1-h", &m->gemodel_loss_bad);
  scn_read_percent(d->document, map, "1-k", &m->gemodel_loss_good);
}

static void read_timing(struct scn_decoder *d, const scn_value *map, struct emu_impairment *m) {
  static const char *const shapes[] = {"uniform", "normal", "pareto", NULL};
  unsigned shape = 0;
  const char *text;
  scn_read_duration(d->document, map, "delay", &m->delay);
  scn_read_duration(d->document, map, "jitter", &m->jitter);
  if (scn_read_word(d->document, map, "distribution", shapes, &shape))
    m->jitter_kind = (enum emu_jitter)shape;
  m->duplicate_gap = CHORUS_MILLISECOND;
  scn_read_duration(d->document, map, "duplicate-gap", &m->duplicate_gap);
  m->reorder_gap = 10 * CHORUS_MILLISECOND;
  scn_read_duration(d->document, map, "reorder-gap", &m->reorder_gap);
  if (!scn_read_text(d->document, map, "during", &text)) return;
  chorus_time to;
  if (!scn_time_range(text, &m->from, &to))
    scn_complain(d->document, scn_get(d->document, map, "during"),
                 "\"%s\" is no span of time; write 3s..9s", text);
  else
    m->to = to == CHORUS_NEVER ? 0 : to;
}

static void read_probabilities(struct scn_decoder *d, const scn_value *map,
                               struct emu_impairment *m) {
  uint64_t limit = 0;
  const char *rate;
  scn_read_percent(d->document, map, "loss", &m->loss);
  scn_read_percent(d->document, map, "duplicate", &m->duplicate);
  scn_read_percent(d->document, map, "reorder", &m->reorder);
  scn_read_percent(d->document, map, "corrupt", &m->corrupt);
  scn_read_boolean(d->document, map, "multicast-only", &m->multicast_only);
  scn_read_boolean(d->document, map, "unicast-only", &m->unicast_only);
  if (m->multicast_only && m->unicast_only)
    scn_complain(d->document, map, "either multicast-only or unicast-only: no packet is both");
  if (scn_read_integer(d->document, map, "limit", 1, 1000000, &limit))
    m->queue_limit = (uint32_t)limit;
  if (scn_read_text(d->document, map, "rate", &rate) && !scn_rate(rate, &m->rate))
    scn_complain(d->document, scn_get(d->document, map, "rate"),
                 "\"%s\" is no rate; write bit, kbit, Mbit or Gbit, such as 250kbit", rate);
}

static bool has_effect(const struct emu_impairment *m) {
  return m->loss || m->gemodel_p || m->gemodel_loss_good || m->drop_count || m->delay ||
         m->jitter || m->duplicate || m->reorder || m->corrupt || m->rate;
}

/* The end of the pair: node numbers, or EMU_ANY alone for "*". */
static bool read_end(struct scn_decoder *d, const scn_value *map, const char *key,
                     const char **text, const uint32_t **nodes, size_t *count) {
  static const uint32_t any[] = {EMU_ANY};
  const scn_value *value = scn_get(d->document, map, key);
  *text = value ? scn_source(d->document, value, 80) : "*";
  *nodes = any;
  *count = 1;
  if (!value || strcmp(*text, "*") == 0 || strcmp(*text, "\"*\"") == 0) return true;
  return scn_decode_pattern(d, value, nodes, count);
}

/* With all effects at zero (a sweep's loss of 0%) there is nothing to put on, and nothing to use.
 */
bool scn_decode_impairment(struct scn_decoder *d, const scn_value *map, bool initial,
                           uint32_t *index) {
  if (!scn_expect_map(d->document, map, "an impairment", impairment_keys)) return false;
  struct scn_impairment i = {.initial = initial, .place = scn_place_of(map)};
  struct emu_impairment *m = &i.impairment;
  m->clause = i.place.line;
  bool from = read_end(d, map, "from", &i.from, &i.senders, &i.sender_count);
  bool to = read_end(d, map, "to", &i.to, &i.receivers, &i.receiver_count);
  if (!from || !to) return false;
  scn_read_text(d->document, map, "name", &i.name);
  scn_read_boolean(d->document, map, "optional", &i.optional);
  read_probabilities(d, map, m);
  read_timing(d, map, m);
  const scn_value *part = scn_get(d->document, map, "drop");
  if (part) read_drops(d, part, m);
  if ((part = scn_get(d->document, map, "gemodel"))) read_gemodel(d, part, m);
  bool zero = scn_get(d->document, map, "loss") || scn_get(d->document, map, "duplicate") ||
              scn_get(d->document, map, "reorder") || scn_get(d->document, map, "corrupt") ||
              scn_get(d->document, map, "delay");
  if (!has_effect(m) && !zero)
    scn_complain(d->document, map,
                 "this impairment does nothing; give it loss, drop, gemodel, delay, jitter, "
                 "duplicate, reorder, corrupt or rate");
  if (!has_effect(m)) i.optional = true;
  struct scn_impairment *slot =
      scn_append(d->arena, &d->impairments, &d->impairment_count, sizeof *slot);
  if (!slot) return false;
  *slot = i;
  *index = (uint32_t)d->impairment_count - 1;
  return true;
}

void scn_decode_impairments(struct scn_decoder *d, const scn_value *list) {
  uint32_t index;
  const scn_value *item;
  if (!scn_expect_list(d->document, list, "impairments")) return;
  for (size_t i = 0; (item = scn_item(d->document, list, i)); i++)
    scn_decode_impairment(d, item, true, &index);
}
