/* SPDX-License-Identifier: BSD-2-Clause */
/* A manifest as a whole; its roles are read in part.c. */
#include "sut/manifest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "sut/internal.h"
#include "text/text.h"

const char *const sut_role_names[] = {"client", "server", "proxy", NULL};

static const char *const top_keys[] = {"name",  "about",    "version", "setup", "rung",
                                       "roles", "faketime", "waivers", NULL};

/* ---- parts of commands ---- */

static bool add_word(struct sut_reader *r, const scn_value *value, const char ***words,
                     size_t *count) {
  const char *text = scn_text(r->d, value);
  const char **slot = text ? scn_append(r->arena, words, count, sizeof *slot) : NULL;
  if (!slot) return false;
  *slot = text;
  sut_check_placeholders(r, value, text);
  return true;
}

const char *const *sut_read_words(struct sut_reader *r, const scn_value *value, const char *what) {
  const char **words = NULL;
  const scn_value *item;
  size_t count = 0;
  if (!scn_expect_list(r->d, value, what)) return NULL;
  for (size_t i = 0; (item = scn_item(r->d, value, i)); i++)
    if (!add_word(r, item, &words, &count)) return NULL;
  if (count == 0 || !words[0][0]) {
    scn_complain(r->d, value, "%s needs at least the name of a program", what);
    return NULL;
  }
  const char **end = scn_append(r->arena, &words, &count, sizeof *end);
  return end ? words : NULL;
}

static void read_version(struct sut_reader *r, const scn_value *root) {
  const scn_value *value = scn_get(r->d, root, "version");
  if (!value)
    scn_complain(r->d, root, "a manifest needs a version: text, or a command that prints it");
  else if (scn_is_list(value))
    r->manifest->version_command = sut_read_words(r, value, "version");
  else
    r->manifest->version = scn_text(r->d, value);
}

/* ---- the top ---- */

static void read_name(struct sut_reader *r, const scn_value *root) {
  struct sut_manifest *m = r->manifest;
  const scn_value *value = scn_get(r->d, root, "name");
  if (!scn_read_text(r->d, root, "name", &m->name)) {
    scn_complain(r->d, root, "a manifest needs a name");
    return;
  }
  size_t good = strspn(m->name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                       "-_.+");
  if (good == 0 || m->name[good] || strlen(m->name) > 40)
    scn_complain(r->d, value, "\"%s\": a name is made of letters, digits and -_.+, 40 at most",
                 m->name);
}

static void read_rung(struct sut_reader *r, const scn_value *root) {
  static const char *const words[] = {"a", "b", "d", NULL};
  unsigned which = 2;
  if (!scn_get(r->d, root, "rung"))
    scn_complain(r->d, root, "a manifest needs a rung: a, b or d (docs/plugins.md)");
  scn_read_word(r->d, root, "rung", words, &which);
  r->manifest->rung = (enum sut_rung)words[which][0];
}

static void read_setup(struct sut_reader *r, const scn_value *root) {
  const char *setup;
  if (!scn_read_text(r->d, root, "setup", &setup)) return;
  r->manifest->setup =
      setup[0] == '/' ? setup : scn_print(r->arena, "%s/%s", r->manifest->folder, setup);
}

static void read_roles(struct sut_reader *r, const scn_value *root) {
  static const char *const keys[] = {"client", "server", "proxy", NULL};
  const scn_value *roles = scn_get(r->d, root, "roles"), *key, *value;
  if (!roles) {
    scn_complain(r->d, root, "a manifest needs roles: server, client or proxy");
    return;
  }
  scn_expect_map(r->d, roles, "roles", keys);
  size_t known = 0;
  for (size_t i = 0; scn_pair(r->d, roles, i, &key, &value); i++)
    for (int role = 0; role < SUT_ROLES; role++) {
      const char *name = scn_raw_text(key);
      if (!name || strcmp(name, keys[role]) != 0) continue;
      sut_read_part(r, (enum sut_role)role, key, value);
      known++;
    }
  if (known == 0 && scn_is_map(roles)) scn_complain(r->d, roles, "no role at all");
}

static void read_manifest(struct sut_reader *r) {
  const scn_value *root = scn_root(r->d);
  if (!scn_expect_map(r->d, root, "a manifest", top_keys) && !scn_is_map(root)) return;
  read_name(r, root);
  read_version(r, root);
  read_rung(r, root);
  read_setup(r, root);
  scn_read_boolean(r->d, root, "faketime", &r->manifest->faketime);
  read_roles(r, root);
  if (r->manifest->faketime && r->manifest->rung != SUT_PROGRAM)
    scn_complain(r->d, scn_get(r->d, root, "faketime"),
                 "faketime is for rung d; rungs a and b have virtual time");
  const scn_value *waivers = scn_get(r->d, root, "waivers");
  if (waivers) sut_read_waivers(r, waivers);
}

/* The absolute path of the folder that |path| lies in. */
static const char *folder_of(struct scn_arena *arena, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *folder = slash ? scn_copy(arena, path, (size_t)(slash - path)) : ".";
  if (slash == path) folder = "/";
  char *real = folder ? realpath(folder, NULL) : NULL;
  const char *result = scn_print(arena, "%s", real ? real : folder ? folder : ".");
  free(real);
  return result;
}

/* ---- loading ---- */

static struct sut_manifest *begin(const char *path, const char *stacks) {
  struct scn_arena *arena = scn_arena_new();
  struct sut_manifest *m = arena ? scn_alloc(arena, sizeof *m) : NULL;
  struct sut_memory *memory = m ? scn_alloc(arena, sizeof *memory) : NULL;
  if (!memory) {
    scn_arena_free(arena);
    return NULL;
  }
  memory->arena = arena;
  m->memory = memory;
  m->path = scn_print(arena, "%s", path);
  m->folder = folder_of(arena, path);
  m->stacks = stacks ? scn_print(arena, "%s", stacks) : m->folder;
  m->name = "";
  return m;
}

struct sut_manifest *sut_parse(const char *path, const char *text, size_t length,
                               const char *stacks, struct scn_errors *errors) {
  struct sut_manifest *m = begin(path, stacks);
  size_t before = errors->total;
  if (!m) return NULL;
  struct sut_memory *memory = m->memory;
  const char *copy = scn_copy(memory->arena, text, length);
  if (!copy ||
      !scn_document_load(&memory->document, m->path, copy, length, memory->arena, errors)) {
    scn_arena_free(memory->arena);
    return NULL;
  }
  struct sut_reader r = {&memory->document, memory->arena, m, memory};
  read_manifest(&r);
  if (errors->total == before) return m;
  sut_free(m);
  return NULL;
}

struct sut_manifest *sut_load(const char *path, const char *stacks, struct scn_errors *errors) {
  struct txt_buffer text = {0};
  char buffer[4096];
  size_t n;
  FILE *stream = fopen(path, "rb");
  if (!stream) {
    scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
    return NULL;
  }
  while ((n = fread(buffer, 1, sizeof buffer, stream)) > 0) txt_add(&text, buffer, n);
  bool failed = ferror(stream) != 0;
  if (failed) scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
  fclose(stream);
  struct sut_manifest *m =
      failed ? NULL : sut_parse(path, text.data ? text.data : "", text.length, stacks, errors);
  txt_free(&text);
  return m;
}

void sut_free(struct sut_manifest *manifest) {
  if (!manifest) return;
  struct sut_memory *memory = manifest->memory;
  struct scn_arena *arena = memory->arena;
  scn_document_free(&memory->document);
  scn_arena_free(arena);
}

const struct sut_part *sut_part_for(const struct sut_manifest *manifest, enum scn_role role) {
  if (role == SCN_CLIENT) return manifest->parts[SUT_CLIENT];
  if (role == SCN_SERVER) return manifest->parts[SUT_SERVER];
  return NULL;
}

const struct sut_verb *sut_verb_find(const struct sut_part *part, const char *name) {
  for (size_t i = 0; i < part->verb_count; i++)
    if (strcmp(part->verbs[i].name, name) == 0) return &part->verbs[i];
  return NULL;
}

bool sut_verb_takes(const struct sut_verb *verb, const char *argument) {
  for (const char *const *a = verb->arguments; a && *a; a++)
    if (strcmp(*a, argument) == 0) return true;
  return false;
}
