/* SPDX-License-Identifier: BSD-2-Clause */
#include "statement/statement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "scenario/path.h"

static const char *const keys[] = {"leisure",     "processing",
                                   "dedup",       "no-response-policy",
                                   "msrd",        "discovery",
                                   "filter",      "multicast-aware",
                                   "constrained", "6lowpan",
                                   "internet",    "secured",
                                   "boundary",    "needed-scope",
                                   "nstart",      "group-size",
                                   "group-rate",  "response-size",
                                   "groups",      "more-groups",
                                   "resources",   NULL};
static const char *const resource_keys[] = {"suppress",        "no-response", "multicast",
                                            "idempotent-post", "exists",      NULL};

static void tristate(struct scn_document *d, const scn_value *map, const char *key,
                     enum jdg_tristate *to) {
  bool value;
  if (scn_read_boolean(d, map, key, &value)) *to = value ? JDG_YES : JDG_NO;
}

static void read_numbers(struct scn_document *d, const scn_value *map, struct jdg_ics *ics) {
  uint64_t n;
  if (scn_read_integer(d, map, "needed-scope", 1, 15, &n)) ics->needed_scope = (unsigned)n;
  if (scn_read_integer(d, map, "nstart", 1, 1000, &n)) ics->nstart = (unsigned)n;
  if (scn_read_integer(d, map, "group-size", 1, 1000000, &n)) ics->group_size = (unsigned)n;
  if (scn_read_integer(d, map, "response-size", 1, 65535, &n)) ics->response_size = (unsigned)n;
  scn_read_integer(d, map, "group-rate", 1, UINT64_MAX, &ics->group_rate);
}

static void read_flags(struct scn_document *d, const scn_value *map, struct jdg_ics *ics) {
  static const char *const policies[] = {"always", "authorised-only", NULL};
  unsigned policy;
  tristate(d, map, "dedup", &ics->dedup);
  tristate(d, map, "discovery", &ics->discovery);
  tristate(d, map, "filter", &ics->filter);
  tristate(d, map, "multicast-aware", &ics->mcast_aware);
  tristate(d, map, "constrained", &ics->constrained);
  tristate(d, map, "6lowpan", &ics->sixlowpan);
  tristate(d, map, "internet", &ics->internet);
  tristate(d, map, "secured", &ics->secured);
  tristate(d, map, "boundary", &ics->boundary);
  if (scn_read_word(d, map, "no-response-policy", policies, &policy))
    ics->nr_policy = (enum jdg_nr_policy)policy;
}

static void read_times(struct scn_document *d, const scn_value *map, struct jdg_ics *ics) {
  if (scn_read_duration(d, map, "leisure", &ics->leisure)) ics->leisure_declared = JDG_YES;
  scn_read_duration(d, map, "processing", &ics->processing);
  if (scn_read_duration(d, map, "msrd", &ics->msrd)) ics->msrd_declared = true;
}

static void read_groups(struct scn_document *d, const scn_value *map, struct jdg_ics *ics) {
  const scn_value *list = scn_get(d, map, "groups"), *item;
  bool more = false;
  scn_read_boolean(d, map, "more-groups", &more);
  if (!list || !scn_expect_list(d, list, "groups")) return;
  ics->groups_declared = !more;
  for (size_t i = 0; (item = scn_item(d, list, i)); i++) {
    struct chorus_endpoint e;
    const char *text = scn_text(d, item);
    if (!text) continue;
    if (!chorus_endpoint_parse(text, CHORUS_COAP_PORT, &e) || !chorus_is_group(&e))
      scn_complain(d, item, "\"%s\" is no group; write [ff35::1]:5683 or 239.255.0.1:5683", text);
    else if (ics->group_count == JDG_ICS_GROUPS)
      scn_complain(d, item, "more than %d groups", JDG_ICS_GROUPS);
    else
      ics->groups[ics->group_count++] = e;
  }
}

static void read_suppress(struct scn_document *d, const scn_value *map,
                          struct jdg_ics_resource *r) {
  static const char *const classes[] = {"2xx", "4xx", "5xx", "empty-2.05", NULL};
  const scn_value *list = scn_get(d, map, "suppress"), *item;
  if (!list || !scn_expect_list(d, list, "suppress")) return;
  r->suppress_declared = true;
  for (size_t i = 0; (item = scn_item(d, list, i)); i++) {
    unsigned which;
    if (scn_word(d, item, "class of responses", classes, &which)) r->suppress |= 1u << which;
  }
}

static void read_path(struct scn_document *d, const scn_value *key, const struct jdg_ics *ics,
                      struct jdg_ics_resource *r) {
  const char *text = scn_raw_text(key);
  const char *path = strcmp(text, "*") == 0 ? text : scn_resource_path(d, key, text);
  if (!path) return;
  if (strlen(path) >= sizeof r->path)
    scn_complain(d, key, "\"%s\": a path of at most 63 octets, percent-encoded, or *", text);
  for (const struct jdg_ics_resource *other = ics->resources; other < r; other++)
    if (strcmp(other->path, path) == 0)
      scn_complain(d, key, "\"%s\": there is a resource %s already", text, path);
  snprintf(r->path, sizeof r->path, "%s", path);
}

static void read_resources(struct scn_document *d, const scn_value *map, struct jdg_ics *ics) {
  const scn_value *resources = scn_get(d, map, "resources"), *key, *value;
  if (!resources || !scn_expect_map(d, resources, "resources", NULL)) return;
  for (size_t i = 0; scn_pair(d, resources, i, &key, &value); i++) {
    const char *path = scn_raw_text(key);
    if (ics->resource_count == JDG_ICS_RESOURCES) {
      scn_complain(d, key, "more than %d resources", JDG_ICS_RESOURCES);
      return;
    }
    struct jdg_ics_resource *r = &ics->resources[ics->resource_count++];
    read_path(d, key, ics, r);
    if (!scn_expect_map(d, value, "a resource", resource_keys)) continue;
    read_suppress(d, value, r);
    tristate(d, value, "no-response", &r->no_response);
    tristate(d, value, "multicast", &r->multicast);
    tristate(d, value, "idempotent-post", &r->idempotent_post);
    r->exists = path[0] == '*' ? JDG_UNKNOWN : JDG_YES;
    tristate(d, value, "exists", &r->exists);
  }
}

void stm_decode(struct scn_document *d, const scn_value *map, struct jdg_ics *ics) {
  if (!scn_expect_map(d, map, "a statement", keys)) return;
  read_times(d, map, ics);
  read_flags(d, map, ics);
  read_numbers(d, map, ics);
  read_groups(d, map, ics);
  read_resources(d, map, ics);
}

/* "*" is everybody, an address is an address, anything else a name. */
static void read_statement(struct scn_document *d, const scn_value *key, const scn_value *map,
                           struct stm_statement *s) {
  const char *name = scn_raw_text(key);
  jdg_ics_default(&s->ics);
  s->ics.declared = true;
  if (chorus_endpoint_parse(name, 0, &s->address))
    s->has_address = true;
  else if (strlen(name) >= sizeof s->name)
    scn_complain(d, key, "a name of at most 63 octets");
  else if (strcmp(name, "*") != 0)
    snprintf(s->name, sizeof s->name, "%s", name);
  stm_decode(d, map, &s->ics);
}

static void read_all(struct scn_document *d, struct stm_statements *statements) {
  const scn_value *key, *value;
  if (!scn_expect_map(d, scn_root(d), "a file of statements", NULL)) return;
  for (size_t i = 0; scn_pair(d, scn_root(d), i, &key, &value); i++) {
    struct stm_statement *grown =
        realloc(statements->list, (statements->count + 1) * sizeof *grown);
    if (!grown) return;
    statements->list = grown;
    memset(&grown[statements->count], 0, sizeof *grown);
    read_statement(d, key, value, &grown[statements->count++]);
  }
}

bool stm_parse(struct stm_statements *statements, const char *path, const char *text, size_t length,
               struct scn_errors *errors) {
  struct scn_arena *arena = scn_arena_new();
  struct scn_document d;
  size_t before = errors->total;
  *statements = (struct stm_statements){NULL, 0};
  if (!arena) return false;
  if (scn_document_load(&d, path, scn_copy(arena, text, length), length, arena, errors)) {
    read_all(&d, statements);
    scn_document_free(&d);
  }
  scn_arena_free(arena);
  if (errors->total == before) return true;
  stm_free(statements);
  return false;
}

bool stm_read(struct stm_statements *statements, const char *path, struct scn_errors *errors) {
  struct txt_buffer text = {0};
  char buffer[4096];
  size_t n;
  FILE *stream = fopen(path, "rb");
  if (!stream) {
    scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
    return false;
  }
  while ((n = fread(buffer, 1, sizeof buffer, stream)) > 0) txt_add(&text, buffer, n);
  bool failed = ferror(stream) != 0;
  if (failed) scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
  fclose(stream);
  bool ok = !failed && stm_parse(statements, path, text.data ? text.data : "", text.length, errors);
  txt_free(&text);
  return ok;
}

void stm_free(struct stm_statements *statements) {
  free(statements->list);
  *statements = (struct stm_statements){NULL, 0};
}
