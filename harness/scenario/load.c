/* SPDX-License-Identifier: BSD-2-Clause */
/* From a document to a scenario: settings, parameters, then section by section. */
#include <stdio.h>
#include <stdlib.h>

#include "scenario/decode.h"
#include "scenario/units.h"

static const char *const top_keys[] = {"id",         "title",   "about", "catalogue", "covers",
                                       "parameters", "network", "nodes", "steps",     "expect",
                                       "seed",       "end",     "sweep", NULL};

/* Settings with a short name. */
static const struct {
  const char *name, *path;
} short_names[] = {{"ip", "network.ip"},
                   {"mtu", "network.mtu"},
                   {"latency", "network.latency"},
                   {"seed", "seed"},
                   {"end", "end"}};

static const char *long_name(const char *key) {
  for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
    if (strcmp(short_names[i].name, key) == 0) return short_names[i].path;
  return NULL;
}

bool scn_same_setting(const char *a, const char *b) {
  const char *long_a = long_name(a), *long_b = long_name(b);
  return strcmp(long_a ? long_a : a, long_b ? long_b : b) == 0;
}

static struct scn_parameter *find_parameter(struct scn_document *doc, const char *name) {
  for (size_t i = 0; i < doc->parameter_count; i++)
    if (strcmp(doc->parameters[i].name, name) == 0) return &doc->parameters[i];
  return NULL;
}

static void set_parameter(struct scn_document *doc, const char *name, const char *value) {
  struct scn_parameter *p = find_parameter(doc, name);
  if (!p) p = scn_append(doc->arena, &doc->parameters, &doc->parameter_count, sizeof *p);
  if (!p) return;
  p->name = name;
  p->value = value;
}

static void read_parameters(struct scn_document *doc) {
  const scn_value *map = scn_get(doc, scn_root(doc), "parameters"), *key, *value;
  if (!map || !scn_expect_map(doc, map, "parameters", NULL)) return;
  for (size_t i = 0; scn_pair(doc, map, i, &key, &value); i++) {
    const char *text = scn_text(doc, value);
    if (text) set_parameter(doc, scn_raw_text(key), text);
  }
}

/* The axis of this name in a table of the sweep, or NULL. */
static const scn_value *axis_in(struct scn_document *doc, const scn_value *table,
                                const char *name) {
  const scn_value *key, *value;
  for (size_t i = 0; scn_pair(doc, table, i, &key, &value); i++) {
    const char *text = scn_raw_text(key);
    if (text && strcmp(text, name) == 0) return key;
  }
  return NULL;
}

/* The value of the sweep that a setting comes from, or NULL: it comes from the command line. */
static const scn_value *value_in(struct scn_document *doc, const scn_value *table,
                                 const struct scn_setting *s) {
  const scn_value *key = axis_in(doc, table, s->key), *item;
  const scn_value *list = key ? scn_get(doc, table, s->key) : NULL;
  for (size_t i = 0; (item = scn_item(doc, list, i)); i++) {
    const char *text = scn_raw_text(item);
    if (text && strcmp(text, s->value) == 0) return item;
  }
  return NULL;
}

static const scn_value *swept_value(struct scn_document *doc, const struct scn_setting *s) {
  const scn_value *sweep = scn_get(doc, scn_root(doc), "sweep"), *table;
  const scn_value *found = value_in(doc, sweep, s);
  for (size_t i = 0; !found && (table = scn_item(doc, sweep, i)); i++)
    found = value_in(doc, table, s);
  return found;
}

/* A setting comes from the sweep, which has a place in the file, or from the command line. */
static void complain_setting(struct scn_document *doc, const char *name, const char *message) {
  const scn_value *sweep = scn_get(doc, scn_root(doc), "sweep"), *table, *axis;
  axis = axis_in(doc, sweep, name);
  for (size_t i = 0; !axis && (table = scn_item(doc, sweep, i)); i++)
    axis = axis_in(doc, table, name);
  if (axis)
    scn_complain(doc, axis, "%s", message);
  else
    scn_errors_add(doc->errors, doc->path, NULL, 0, 0, 1, "%s", message);
}

/* A dotted or short name changes the document; any other name is a parameter. */
static void apply_setting(struct scn_document *doc, const struct scn_setting *s) {
  const char *path = long_name(s->key);
  if (!path && strchr(s->key, '.')) path = s->key;
  if (!path) {
    set_parameter(doc, s->key, s->value);
    return;
  }
  if (scn_override(doc, path, s->value, swept_value(doc, s))) return;
  if (strncmp(path, "network.", 8) == 0 && !scn_get(doc, scn_root(doc), "network")) {
    int root = 1, key, map;
    key = yaml_document_add_scalar(&doc->yaml, NULL, (const yaml_char_t *)"network", -1,
                                   YAML_PLAIN_SCALAR_STYLE);
    map = yaml_document_add_mapping(&doc->yaml, NULL, YAML_BLOCK_MAPPING_STYLE);
    if (key && map && yaml_document_append_mapping_pair(&doc->yaml, root, key, map) &&
        scn_override(doc, path, s->value, swept_value(doc, s)))
      return;
  }
  complain_setting(
      doc, s->key,
      scn_print(doc->arena, "cannot set \"%s\": the scenario has no such place", s->key));
}

static void check_settings_used(struct scn_document *doc, const struct scn_setting *settings,
                                size_t count) {
  const char *words[64];
  size_t n = 0;
  for (size_t i = 0; i < doc->parameter_count && n < 64; i++)
    if (doc->parameters[i].used) words[n++] = doc->parameters[i].name;
  for (size_t i = 0; i < 5 && n < 64; i++) words[n++] = short_names[i].name;
  for (size_t i = 0; i < count; i++) {
    const struct scn_parameter *p = find_parameter(doc, settings[i].key);
    if (!p || p->used || long_name(settings[i].key)) continue;
    const char *near = scn_nearest(settings[i].key, words, n);
    const char *message =
        scn_print(doc->arena, "\"%s\" sets nothing: $%s is used nowhere in the scenario%s%s%s",
                  settings[i].key, settings[i].key, near ? "; did you mean \"" : "",
                  near ? near : "", near ? "\"?" : "");
    complain_setting(doc, settings[i].key, message);
  }
}

static void read_words(struct scn_document *doc, const char *key, const char *const **list,
                       size_t *count) {
  const scn_value *value = scn_get(doc, scn_root(doc), key), *item;
  const char **words = NULL;
  size_t n = 0;
  if (!value || !scn_expect_list(doc, value, key)) return;
  for (size_t i = 0; (item = scn_item(doc, value, i)); i++) {
    const char *text = scn_text(doc, item);
    const char **slot = text ? scn_append(doc->arena, &words, &n, sizeof *slot) : NULL;
    if (slot) *slot = text;
  }
  *list = words;
  *count = n;
}

static bool good_id(const char *id) {
  size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return length > 0 && id[length] == '\0' && length <= 80 && id[0] != '-';
}

static void read_head(struct scn_document *doc, struct scn_scenario *s, bool is_topology) {
  const scn_value *root = scn_root(doc);
  bool has_id = scn_read_text(doc, root, "id", &s->id);
  if (!has_id && !is_topology) scn_complain(doc, root, "a scenario needs an id");
  if (has_id && !good_id(s->id))
    scn_complain(doc, scn_get(doc, root, "id"),
                 "\"%s\": an id consists of small letters, digits and -", s->id);
  if (!scn_read_text(doc, root, "title", &s->title) && !is_topology)
    scn_complain(doc, root, "a scenario needs a title");
  scn_read_text(doc, root, "about", &s->about);
  read_words(doc, "catalogue", &s->catalogue, &s->catalogue_count);
  read_words(doc, "covers", &s->covers, &s->cover_count);
  s->has_seed = scn_read_integer(doc, root, "seed", 0, UINT64_MAX, &s->seed);
}

/* One that can neither pass nor fail is no scenario (hole W2 of other suites). */
static void check_purpose(struct scn_decoder *d) {
  const struct scn_scenario *s = d->scenario;
  if (d->is_topology || s->cover_count > 0 || d->expectation_count > 0) return;
  scn_complain(d->document, scn_root(d->document),
               "a scenario needs covers or expect: this one could not fail");
}

/* Last step plus the quiet window of the catalogue: Leisure + PROC + 0.05 s, at least 5 s. */
static chorus_time default_end(const struct scn_decoder *d) {
  chorus_time window = 5 * CHORUS_SECOND;
  for (size_t i = 0; i < d->node_count; i++) {
    const struct scn_node *n = &d->nodes[i];
    if (n->role != SCN_SERVER) continue;
    chorus_time own = n->server.leisure + n->processing + 50 * CHORUS_MILLISECOND;
    if (own > window) window = own;
  }
  return (d->step_count ? d->steps[d->step_count - 1].at : 0) + window;
}

/* What never happens was not tested. Of steps that a loop makes, the first one that is too late. */
static void check_end(struct scn_decoder *d) {
  chorus_time end = d->scenario->end;
  for (size_t i = 0; i < d->step_count && !d->is_topology; i++) {
    const struct scn_step *step = &d->steps[i];
    if (step->at <= end) continue;
    scn_errors_add(d->document->errors, d->document->path, d->document->text, step->place.line,
                   step->place.column, 1, "this step comes at %s, after the end of the run at %s",
                   scn_duration_text(d->arena, step->at), scn_duration_text(d->arena, end));
    return;
  }
}

static void complain_span(struct scn_decoder *d, struct scn_place place, chorus_time from) {
  scn_errors_add(d->document->errors, d->document->path, d->document->text, place.line,
                 place.column, 1, "this begins at %s, after the end of the run at %s",
                 scn_duration_text(d->arena, from), scn_duration_text(d->arena, d->scenario->end));
}

/* A span that begins after the end shows nothing: `never` would hold, whatever happens. */
static void check_spans(struct scn_decoder *d) {
  chorus_time end = d->scenario->end;
  for (size_t i = 0; i < d->impairment_count && !d->is_topology; i++) {
    const struct scn_impairment *m = &d->impairments[i];
    if (m->impairment.from > end && !m->optional) complain_span(d, m->place, m->impairment.from);
  }
  for (size_t i = 0; i < d->expectation_count && !d->is_topology; i++)
    if (d->expectations[i].from_time > end)
      complain_span(d, d->expectations[i].place, d->expectations[i].from_time);
}

static void decode_sections(struct scn_decoder *d) {
  struct scn_document *doc = d->document;
  const scn_value *root = scn_root(doc), *part;
  read_head(doc, d->scenario, d->is_topology);
  scn_decode_network(d, scn_get(doc, root, "network"));
  if ((part = scn_get(doc, root, "nodes")))
    scn_decode_nodes(d, part);
  else
    scn_complain(doc, root, "a %s needs nodes", d->is_topology ? "topology" : "scenario");
  const scn_value *network = scn_get(doc, root, "network");
  if (network && (part = scn_get(doc, network, "impairments"))) scn_decode_impairments(d, part);
  if ((part = scn_get(doc, root, "steps")))
    scn_decode_steps(d, part);
  else if (!d->is_topology)
    scn_complain(doc, root, "a scenario needs steps");
  if ((part = scn_get(doc, root, "expect"))) scn_decode_expectations(d, part);
  check_purpose(d);
  d->scenario->end = default_end(d);
  scn_read_duration(doc, root, "end", &d->scenario->end);
  check_end(d);
  check_spans(d);
}

static void hand_over(struct scn_decoder *d) {
  struct scn_scenario *s = d->scenario;
  s->nodes = d->nodes;
  s->node_count = d->node_count;
  s->names = d->names;
  s->name_count = d->name_count;
  s->steps = d->steps;
  s->step_count = d->step_count;
  s->expectations = d->expectations;
  s->expectation_count = d->expectation_count;
  s->network.links = d->links;
  s->network.link_count = d->link_count;
  s->network.impairments = d->impairments;
  s->network.impairment_count = d->impairment_count;
}

/* FNV-1a over the text and the settings. */
static uint64_t digest(const struct scn_file *file, const struct scn_setting *settings,
                       size_t count) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < file->text_length; i++)
    h = (h ^ (uint8_t)file->text[i]) * UINT64_C(0x100000001b3);
  for (size_t i = 0; i < count; i++) {
    for (const char *p = settings[i].key; *p; p++) h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    for (const char *p = settings[i].value; *p; p++)
      h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
  }
  return h;
}

static void copy_settings(struct scn_scenario *s, struct scn_arena *arena,
                          const struct scn_setting *settings, size_t count) {
  struct scn_setting *copy = scn_alloc(arena, (count + 1) * sizeof *copy);
  for (size_t i = 0; copy && i < count; i++) {
    copy[i].key = scn_print(arena, "%s", settings[i].key);
    copy[i].value = scn_print(arena, "%s", settings[i].value);
  }
  s->settings = copy;
  s->setting_count = copy ? count : 0;
}

static void decode(struct scn_document *doc, struct scn_scenario *s, const struct scn_file *file,
                   const struct scn_setting *settings, size_t count) {
  struct scn_decoder d = {.document = doc,
                          .arena = doc->arena,
                          .scenario = s,
                          .is_topology = file->is_topology,
                          .own_resources = file->own_resources};
  doc->has_names = true;
  scn_expect_map(doc, scn_root(doc), d.is_topology ? "a topology" : "a scenario", top_keys);
  if (!scn_is_map(scn_root(doc))) return;
  read_parameters(doc);
  for (size_t i = 0; i < count; i++) apply_setting(doc, &settings[i]);
  decode_sections(&d);
  if (doc->errors->total == 0) check_settings_used(doc, settings, count);
  hand_over(&d);
}

struct scn_scenario *scn_load(const struct scn_file *file, const char *name,
                              const struct scn_setting *settings, size_t count,
                              struct scn_errors *errors) {
  struct scn_document doc;
  size_t before = errors->total;
  struct scn_arena *arena = scn_arena_new();
  struct scn_scenario *s = arena ? scn_alloc(arena, sizeof *s) : NULL;
  if (!s || !scn_document_load(&doc, file->path, file->text, file->text_length, arena, errors)) {
    scn_arena_free(arena);
    return NULL;
  }
  s->memory = arena;
  s->path = scn_print(arena, "%s", file->path);
  s->topic = scn_print(arena, "%s", file->topic);
  s->digest = digest(file, settings, count);
  copy_settings(s, arena, settings, count);
  decode(&doc, s, file, s->settings, s->setting_count);
  s->name = scn_print(arena, "%s", name ? name : s->id ? s->id : "");
  scn_document_free(&doc);
  if (errors->total == before) return s;
  scn_arena_free(arena);
  return NULL;
}

void scn_free(struct scn_scenario *scenario) {
  if (scenario) scn_arena_free(scenario->memory);
}

bool scn_repairs(const struct scn_network *network, size_t index, size_t other) {
  const char *a = network->impairments[index].name, *b = network->impairments[other].name;
  return index == other || (a && b && strcmp(a, b) == 0);
}

uint32_t scn_node_find(const struct scn_scenario *scenario, const char *name) {
  for (uint32_t i = 0; i < scenario->node_count; i++)
    if (strcmp(scenario->nodes[i].name, name) == 0) return i;
  return UINT32_MAX;
}
