/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of a scenario for servers whose resources are what they are: where a scenario has one plain
 * resource and the manifest knows an equivalent one (`map`), the scenario is played with that.
 */
#include "sut/internal.h"

enum { OPTION_URI_PATH = 11 };

struct mapping {
  struct scn_arena *arena;
  const char *from;              /* "/light": one segment, nothing percent-encoded */
  const struct ref_resource *to; /* of the manifest */
};

static bool is_one_segment(const char *path) {
  return path[0] == '/' && path[1] && !strpbrk(path + 1, "/%");
}

/* ---- what can be mapped ---- */

static const struct ref_resource *find(const struct sut_part *part, const char *path) {
  for (size_t i = 0; path && i < part->resource_count; i++)
    if (strcmp(part->resources[i].path, path) == 0) return &part->resources[i];
  return NULL;
}

static bool is_plain(const struct ref_resource *r) {
  return !r->suppress && !r->processing && !r->unicast_only && is_one_segment(r->path);
}

static uint32_t method_of(const struct chorus_command *c) {
  static const char *const names[] = {"GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};
  const char *method = chorus_argument_get(c, "method");
  for (unsigned i = 0; method && i < sizeof names / sizeof *names; i++)
    if (strcmp(method, names[i]) == 0) return 2u << i;
  return method || strcmp(c->verb, "request") != 0 ? 0 : REF_GET;
}

/* The methods of all requests in the scenario, as a set of REF_GET | ... */
static uint32_t methods_used(const struct scn_scenario *s) {
  uint32_t used = 0;
  for (size_t i = 0; i < s->step_count; i++) {
    const struct scn_step *step = &s->steps[i];
    uint8_t code = step->kind == SCN_SEND ? step->send.message.code : 0;
    if (code > 0 && code < 8) used |= 1u << code;
    if (step->kind == SCN_COMMAND) used |= method_of(&step->command);
  }
  return used;
}

/* What stands for |wanted|: it allows the same of what is |used|. NULL: nothing. */
static const struct ref_resource *stand_in(const struct sut_part *part,
                                           const struct ref_resource *wanted, uint32_t used) {
  const struct ref_resource *r = find(part, part->map[wanted->kind]);
  bool fits = r && is_plain(wanted) && ((r->methods ^ wanted->methods) & used) == 0;
  return fits ? r : NULL;
}

/* All servers have the same one resource; messages that are given as octets cannot be changed. */
static bool find_mapping(const struct sut_part *part, const struct scn_scenario *s,
                         struct mapping *m) {
  uint32_t used = methods_used(s);
  for (size_t i = 0; i < s->node_count; i++) {
    const struct ref_server_config *c = &s->nodes[i].server;
    if (s->nodes[i].role != SCN_SERVER || c->resource_count == 0) continue;
    if (c->resource_count > 1 || (m->from && strcmp(m->from, c->resources[0].path) != 0))
      return false;
    m->from = c->resources[0].path;
    if (find(part, m->from) || !(m->to = stand_in(part, &c->resources[0], used))) return false;
  }
  for (size_t i = 0; i < s->step_count; i++)
    if (s->steps[i].kind == SCN_SEND && s->steps[i].send.message.raw) return false;
  return m->to != NULL;
}

/* ---- mapping ---- */

static const char *map_path(const struct mapping *m, const char *path) {
  size_t length = strlen(m->from);
  if (!path || strncmp(path, m->from, length) != 0) return path;
  if (path[length] && path[length] != '?') return path;
  return scn_print(m->arena, "%s%s", m->to->path, path + length);
}

static const char *map_uri(const struct mapping *m, const char *uri) {
  const char *host = strstr(uri, "://"), *path = host ? strchr(host + 3, '/') : NULL;
  return path ? scn_print(m->arena, "%.*s%s", (int)(path - uri), uri, map_path(m, path)) : uri;
}

static void map_command(const struct mapping *m, struct chorus_command *c) {
  struct chorus_argument *list = scn_alloc(m->arena, (c->count + 1) * sizeof *list);
  if (!list) return;
  for (size_t i = 0; i < c->count; i++) {
    list[i] = c->arguments[i];
    if (strcmp(list[i].name, "uri") == 0) list[i].value = map_uri(m, list[i].value);
    if (strcmp(list[i].name, "path") == 0) list[i].value = map_path(m, list[i].value);
  }
  c->arguments = list;
}

static void map_message(const struct mapping *m, struct scn_message *message) {
  struct scn_option *options = scn_alloc(m->arena, (message->option_count + 1) * sizeof *options);
  const char *from = m->from + 1, *to = m->to->path + 1;
  size_t segments = 0;
  for (size_t i = 0; options && i < message->option_count; i++) {
    options[i] = message->options[i];
    segments += options[i].number == OPTION_URI_PATH;
  }
  for (size_t i = 0; options && segments == 1 && i < message->option_count; i++) {
    struct scn_option *o = &options[i];
    if (o->number != OPTION_URI_PATH || o->length != strlen(from)) continue;
    if (memcmp(o->value, from, o->length) != 0) continue;
    o->value = (const uint8_t *)to;
    o->length = (uint16_t)strlen(to);
  }
  if (options) message->options = options;
}

static void *copy(struct scn_arena *arena, const void *list, size_t count, size_t size) {
  void *made = scn_alloc(arena, (count + 1) * size);
  if (made && count) memcpy(made, list, count * size);
  return made;
}

static bool map_nodes(const struct mapping *m, struct scn_scenario *s) {
  struct scn_node *nodes = copy(m->arena, s->nodes, s->node_count, sizeof *nodes);
  for (size_t i = 0; nodes && i < s->node_count; i++) {
    if (nodes[i].role != SCN_SERVER || nodes[i].server.resource_count == 0) continue;
    nodes[i].server.resources = m->to;
  }
  s->nodes = nodes;
  return nodes != NULL;
}

static bool map_steps(const struct mapping *m, struct scn_scenario *s) {
  struct scn_step *steps = copy(m->arena, s->steps, s->step_count, sizeof *steps);
  for (size_t i = 0; steps && i < s->step_count; i++) {
    if (steps[i].kind == SCN_COMMAND) map_command(m, &steps[i].command);
    if (steps[i].kind == SCN_SEND) map_message(m, &steps[i].send.message);
  }
  s->steps = steps;
  return steps != NULL;
}

static bool map_expectations(const struct mapping *m, struct scn_scenario *s) {
  struct scn_expectation *list =
      copy(m->arena, s->expectations, s->expectation_count, sizeof *list);
  for (size_t i = 0; list && i < s->expectation_count; i++)
    list[i].path = map_path(m, list[i].path);
  s->expectations = list;
  return list != NULL;
}

const struct scn_scenario *sut_mapped(const struct sut_manifest *manifest,
                                      const struct scn_scenario *scenario,
                                      struct scn_arena *arena) {
  const struct sut_part *part = sut_part_for(manifest, SCN_SERVER);
  struct mapping m = {.arena = arena};
  if (!part || part->any_resource || !find_mapping(part, scenario, &m)) return scenario;
  struct scn_scenario *s = copy(arena, scenario, 1, sizeof *s);
  bool done = s && map_nodes(&m, s) && map_steps(&m, s) && map_expectations(&m, s);
  return done ? s : scenario;
}
