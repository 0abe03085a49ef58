/* SPDX-License-Identifier: BSD-2-Clause */
/* What the judge is told of a stack: the scenario's configuration, as far as the stack follows it,
 * and then what the stack says of itself. */
#include "statement/statement.h"

#include "chorus/endpoint_text.h"
#include "sut/node.h"

static bool is_all_coap_nodes(const struct chorus_endpoint *group) {
  static const uint8_t v4[4] = {224, 0, 1, 187};
  if (chorus_is_ipv4(group)) return memcmp(group->address + 12, v4, 4) == 0;
  struct chorus_endpoint e = *group;
  e.address[1] &= 0xf0u;
  static const uint8_t v6[16] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd};
  return memcmp(e.address, v6, 16) == 0;
}

static bool is_configured(const struct ref_server_config *c, const struct chorus_endpoint *group) {
  for (size_t i = 0; i < c->group_count; i++)
    if (chorus_same_endpoint(&c->groups[i], group)) return true;
  return false;
}

size_t sut_all_coap_nodes(const struct sut_node_config *config, const struct sut_part *part,
                          struct chorus_endpoint groups[SUT_ALL_COAP_NODES]) {
  static const char *const v6[SUT_ALL_COAP_NODES] = {"ff02::fd", "ff03::fd", "ff04::fd",
                                                     "ff05::fd"};
  static const char *const v4[] = {"224.0.1.187"};
  const struct ref_server_config *c = &config->node->server;
  size_t count = 0;
  if (!(part->features & SUT_DISCOVERY) || c->no_discovery) return 0;
  if (c->port && c->port != CHORUS_COAP_PORT) return 0;
  bool four = config->scenario->network.ip == 4;
  const char *const *names = four ? v4 : v6;
  for (size_t i = 0; i < (four ? 1 : SUT_ALL_COAP_NODES); i++)
    if (chorus_address_parse(names[i], CHORUS_COAP_PORT, &groups[count]) &&
        !is_configured(c, &groups[count]))
      count++;
  return count;
}

/* Whether a stack without feature discovery joins these groups is not known. */
static void forget_discovery(struct jdg_ics *ics) {
  size_t kept = 0;
  ics->discovery = ics->filter = JDG_UNKNOWN;
  for (size_t i = 0; i < ics->group_count; i++)
    if (!is_all_coap_nodes(&ics->groups[i])) ics->groups[kept++] = ics->groups[i];
  ics->group_count = kept;
  ics->groups_declared = false;
}

static void forget_resources(const struct sut_part *p, struct jdg_ics *ics) {
  for (size_t i = 0; i < ics->resource_count; i++) {
    struct jdg_ics_resource *r = &ics->resources[i];
    /* Many libraries know the option for all resources or for none. */
    bool off = r->no_response == JDG_NO && !(p->features & SUT_NO_RESPONSE_OFF);
    if (off || !(p->features & SUT_NO_RESPONSE)) r->no_response = JDG_UNKNOWN;
    if (!(p->features & SUT_SUPPRESS)) r->suppress_declared = false;
    if (r->path[0] == '*' && !p->any_resource) r->exists = JDG_UNKNOWN;
  }
}

static void forget(const struct sut_part *p, struct jdg_ics *ics) {
  if (p->role == SUT_CLIENT) {
    if (!(p->features & SUT_MSRD)) ics->msrd_declared = false;
    return;
  }
  if (!(p->features & SUT_LEISURE)) {
    ics->leisure_declared = JDG_UNKNOWN;
    ics->leisure = 5 * CHORUS_SECOND;
  }
  if (!(p->features & SUT_DEDUP)) ics->dedup = JDG_UNKNOWN;
  if (!(p->features & SUT_AWARE)) ics->mcast_aware = JDG_UNKNOWN;
  if (!(p->features & SUT_RELAXATION)) ics->nr_policy = JDG_NR_ALWAYS;
  if (!(p->features & SUT_DISCOVERY)) forget_discovery(ics);
  if (!(p->features & SUT_FILTER)) ics->filter = JDG_UNKNOWN;
  forget_resources(p, ics);
}

static struct jdg_ics_resource *find(struct jdg_ics *ics, const char *path) {
  for (size_t i = 0; i < ics->resource_count; i++)
    if (strcmp(ics->resources[i].path, path) == 0) return &ics->resources[i];
  return NULL;
}

static void add_resource(struct jdg_ics *ics, const struct jdg_ics_resource *stated) {
  struct jdg_ics_resource *r = find(ics, stated->path);
  if (!r && ics->resource_count == JDG_ICS_RESOURCES) return;
  if (!r) r = &ics->resources[ics->resource_count++];
  *r = *stated;
}

/* Lists of a statement: groups take the place of the others, resources that of equal paths. */
static void merge_lists(struct jdg_ics *ics, const struct jdg_ics *scenario, bool groups) {
  struct jdg_ics stated = *ics;
  memcpy(ics->resources, scenario->resources, sizeof ics->resources);
  ics->resource_count = scenario->resource_count;
  for (size_t i = 0; i < stated.resource_count; i++) add_resource(ics, &stated.resources[i]);
  if (groups) return;
  memcpy(ics->groups, scenario->groups, sizeof ics->groups);
  ics->group_count = scenario->group_count;
  ics->groups_declared = scenario->groups_declared;
}

void sut_ics(const struct sut_manifest *manifest, enum scn_role role, struct jdg_ics *ics) {
  const struct sut_part *p = sut_part_for(manifest, role);
  const struct sut_memory *memory = manifest->memory;
  if (!p) return;
  forget(p, ics);
  const scn_value *statement = memory->statements[p->role];
  struct scn_arena *arena = statement ? scn_arena_new() : NULL;
  if (!arena) return;
  struct scn_errors errors;
  struct scn_document document = memory->document; /* the text is shared, its scratch is ours */
  struct jdg_ics scenario = *ics;
  scn_errors_init(&errors);
  document.arena = arena;
  document.errors = &errors;
  ics->resource_count = ics->group_count = 0;
  stm_decode(&document, statement, ics);
  merge_lists(ics, &scenario, scn_get(&document, statement, "groups") != NULL);
  scn_errors_free(&errors);
  scn_arena_free(arena);
}
