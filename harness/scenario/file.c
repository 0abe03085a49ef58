/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenario files: reading them, and the combinations of their sweep. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenario/document.h"
#include "scenario/units.h"

enum { MAX_FILE = 1 << 20, MAX_VARIANTS = 10000, MAX_AXES = 12 };

struct axis {
  const char *key;
  const char *values[256];
  size_t count;
};

struct sweep {
  struct axis axes[MAX_AXES];
  size_t count;
};

/* ---- the sweep ---- */

/* Two ways of writing one value of what the loader itself knows; of parameters it knows nothing. */
static bool same_value(const char *key, const char *a, const char *b) {
  uint64_t x, y;
  chorus_time s, t;
  if (strcmp(a, b) == 0) return true;
  if (!scn_same_setting(key, "seed") && !scn_same_setting(key, "network.ip") &&
      !scn_same_setting(key, "network.mtu") && !scn_same_setting(key, "network.latency") &&
      !scn_same_setting(key, "end"))
    return false;
  if (scn_integer(a, UINT64_MAX, &x) && scn_integer(b, UINT64_MAX, &y)) return x == y;
  return scn_duration(a, &s) && scn_duration(b, &t) && s == t;
}

/* A value that is there twice makes no second run: what was meant is another one. */
static void check_value(struct scn_document *doc, const scn_value *item, const char *text,
                        const struct axis *axis) {
  for (size_t i = 0; i < axis->count; i++) {
    if (!same_value(axis->key, axis->values[i], text)) continue;
    scn_complain(doc, item, "%s is %s already on this axis: one run, not two", axis->key,
                 axis->values[i]);
    return;
  }
}

static void check_axis(struct scn_document *doc, const scn_value *key, const struct sweep *sweep) {
  const struct axis *last = &sweep->axes[sweep->count - 1];
  for (const struct axis *a = sweep->axes; last->key && a < last; a++)
    if (a->key && scn_same_setting(a->key, last->key))
      scn_complain(doc, key, "%s sets what %s sets: one axis, not two", last->key, a->key);
}

static void read_axis(struct scn_document *doc, const scn_value *key, const scn_value *list,
                      struct axis *axis) {
  const scn_value *item;
  axis->key = scn_text(doc, key);
  axis->count = 0;
  if (!axis->key || !scn_expect_list(doc, list, "a sweep's axis")) return;
  for (size_t i = 0; (item = scn_item(doc, list, i)); i++) {
    const char *text = scn_text(doc, item);
    if (axis->count == 256) scn_complain(doc, item, "more than 256 values on one axis");
    if (axis->count == 256 || !text) return;
    check_value(doc, item, text, axis);
    axis->values[axis->count++] = text;
  }
  if (axis->count == 0) scn_complain(doc, list, "an axis without values");
}

static bool read_sweep(struct scn_document *doc, const scn_value *map, struct sweep *sweep) {
  const scn_value *key, *value;
  size_t before = doc->errors->total;
  sweep->count = 0;
  if (!scn_expect_map(doc, map, "sweep", NULL)) return false;
  for (size_t i = 0; scn_pair(doc, map, i, &key, &value); i++) {
    if (sweep->count == MAX_AXES) {
      scn_complain(doc, key, "more than %d axes", (int)MAX_AXES);
      return false;
    }
    read_axis(doc, key, value, &sweep->axes[sweep->count++]);
    check_axis(doc, key, sweep);
  }
  return doc->errors->total == before;
}

static const char *variant_name(struct scn_arena *arena, const char *id,
                                const struct scn_setting *settings, size_t count) {
  const char *list = "";
  for (size_t i = 0; i < count; i++)
    list = scn_print(arena, "%s%s%s=%s", list, i ? "," : "", settings[i].key, settings[i].value);
  return scn_print(arena, count ? "%s[%s]" : "%s", id, list);
}

static bool name_taken(const struct scn_file *file, const char *name) {
  for (size_t i = 0; i < file->variant_count; i++)
    if (strcmp(file->variants[i].name, name) == 0) return true;
  return false;
}

/* The |n|th combination; the last axis changes fastest. */
static bool add_variant(struct scn_file *file, const struct sweep *sweep, size_t n) {
  struct scn_setting *settings = scn_alloc(file->memory, (sweep->count + 1) * sizeof *settings);
  if (!settings) return false;
  for (size_t i = sweep->count; i-- > 0;) {
    const struct axis *a = &sweep->axes[i];
    settings[i] = (struct scn_setting){.key = a->key, .value = a->values[n % a->count]};
    n /= a->count;
  }
  const char *name = variant_name(file->memory, file->id, settings, sweep->count);
  if (name_taken(file, name)) return true; /* two tables of a sweep may overlap */
  struct scn_variant *v =
      scn_append(file->memory, &file->variants, &file->variant_count, sizeof *v);
  if (!v) return false;
  *v = (struct scn_variant){.name = name, .settings = settings, .setting_count = sweep->count};
  return true;
}

static void add_table(struct scn_document *doc, const scn_value *map, struct scn_file *file) {
  struct sweep sweep;
  size_t total = 1;
  if (!read_sweep(doc, map, &sweep)) return;
  for (size_t i = 0; i < sweep.count && total <= MAX_VARIANTS; i++) total *= sweep.axes[i].count;
  if (total + file->variant_count > MAX_VARIANTS) {
    scn_complain(doc, map, "this sweep makes more than %d runs", (int)MAX_VARIANTS);
    return;
  }
  for (size_t i = 0; i < total; i++)
    if (!add_variant(file, &sweep, i)) return;
}

/* A mapping is one table of axes, all combined; a list holds several tables, one after the other.
 */
static void add_variants(struct scn_document *doc, struct scn_file *file) {
  const scn_value *sweep = scn_get(doc, scn_root(doc), "sweep"), *item;
  struct sweep none = {.count = 0};
  if (!sweep)
    add_variant(file, &none, 0);
  else if (!scn_is_list(sweep))
    add_table(doc, sweep, file);
  else
    for (size_t i = 0; (item = scn_item(doc, sweep, i)); i++) add_table(doc, item, file);
  if (file->variant_count == 0 && doc->errors->total == 0)
    scn_complain(doc, sweep, "an empty sweep");
}

/* ---- the file ---- */

static const char *topic_of(struct scn_arena *arena, const char *path) {
  const char *end = strrchr(path, '/');
  if (!end) return "";
  const char *start = end;
  while (start > path && start[-1] != '/') start--;
  return scn_copy(arena, start, (size_t)(end - start));
}

static const char *const *copy_words(struct scn_arena *arena, const char *const *words,
                                     size_t count) {
  const char **copy = scn_alloc(arena, (count + 1) * sizeof *copy);
  for (size_t i = 0; copy && i < count; i++) copy[i] = scn_print(arena, "%s", words[i]);
  return copy;
}

static void copy_head(struct scn_file *file, const struct scn_scenario *s) {
  struct scn_arena *arena = file->memory;
  file->id = scn_print(arena, "%s", s->id);
  file->title = scn_print(arena, "%s", s->title);
  file->about = scn_print(arena, "%s", s->about ? s->about : "");
  file->covers = copy_words(arena, s->covers, s->cover_count);
  file->cover_count = s->cover_count;
  file->catalogue = copy_words(arena, s->catalogue, s->catalogue_count);
  file->catalogue_count = s->catalogue_count;
}

/* The first value of each axis, by which the file is checked when its parameters have no default.
 */
static size_t first_values(struct scn_document *doc, struct scn_setting *settings) {
  const scn_value *table = scn_get(doc, scn_root(doc), "sweep"), *key, *value;
  size_t count = 0;
  if (scn_is_list(table)) table = scn_item(doc, table, 0);
  for (size_t i = 0; count < MAX_AXES && scn_pair(doc, table, i, &key, &value); i++) {
    const scn_value *first = scn_item(doc, value, 0);
    const char *name = scn_raw_text(key), *text = scn_raw_text(first);
    if (name && text) settings[count++] = (struct scn_setting){.key = name, .value = text};
  }
  return count;
}

static bool check_and_expand(struct scn_document *doc, struct scn_file *file,
                             struct scn_errors *errors) {
  struct scn_setting settings[MAX_AXES];
  size_t count = first_values(doc, settings);
  file->own_resources = true; /* who plays the servers is not known yet */
  struct scn_scenario *s = scn_load(file, NULL, settings, count, errors);
  file->own_resources = false;
  doc->has_names = true;
  if (!s) return false;
  copy_head(file, s);
  scn_free(s);
  add_variants(doc, file);
  return errors->total == 0;
}

struct scn_file *scn_file_parse(const char *path, const char *text, size_t length,
                                struct scn_errors *errors) {
  struct scn_arena *arena = scn_arena_new();
  struct scn_file *file = arena ? scn_alloc(arena, sizeof *file) : NULL;
  struct scn_document doc;
  if (!file) {
    scn_arena_free(arena);
    return NULL;
  }
  file->memory = arena;
  file->path = scn_print(arena, "%s", path);
  file->topic = topic_of(arena, path);
  file->text = scn_copy(arena, text, length);
  file->text_length = length;
  size_t before = errors->total;
  errors->total = 0;
  bool ok = scn_document_load(&doc, file->path, file->text, length, arena, errors);
  if (ok) {
    ok = check_and_expand(&doc, file, errors);
    scn_document_free(&doc);
  }
  errors->total += before;
  if (ok) return file;
  scn_file_free(file);
  return NULL;
}

static char *read_all(const char *path, size_t *length, struct scn_errors *errors) {
  FILE *stream = fopen(path, "rb");
  char *text = stream ? malloc(MAX_FILE + 1) : NULL;
  if (!text) {
    scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
    if (stream) fclose(stream);
    return NULL;
  }
  errno = 0;
  *length = fread(text, 1, MAX_FILE + 1, stream);
  bool failed = ferror(stream) != 0;
  if (failed) scn_errors_add(errors, path, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
  if (*length > MAX_FILE) scn_errors_add(errors, path, NULL, 0, 0, 1, "is larger than 1 MiB");
  fclose(stream);
  if (!failed && *length <= MAX_FILE) return text;
  free(text);
  return NULL;
}

struct scn_file *scn_file_read(const char *path, struct scn_errors *errors) {
  size_t length;
  char *text = read_all(path, &length, errors);
  if (!text) return NULL;
  struct scn_file *file = scn_file_parse(path, text, length, errors);
  free(text);
  return file;
}

/* ---- topologies ---- */

static bool is_set(const struct scn_setting *settings, size_t count, const char *key) {
  for (size_t i = 0; i < count; i++)
    if (scn_same_setting(settings[i].key, key)) return true;
  return false;
}

/* What is set, and the first value of each axis of the sweep that is not. */
static struct scn_setting *add_first_values(struct scn_document *doc,
                                            const struct scn_setting *settings, size_t *count) {
  struct scn_setting axes[MAX_AXES];
  size_t axis_count = first_values(doc, axes), n = 0;
  struct scn_setting *all = scn_alloc(doc->arena, (*count + axis_count + 1) * sizeof *all);
  if (!all) return NULL;
  for (size_t i = 0; i < axis_count; i++)
    if (!is_set(settings, *count, axes[i].key)) all[n++] = axes[i];
  for (size_t i = 0; i < *count; i++) all[n++] = settings[i];
  *count = n;
  return all;
}

struct scn_scenario *scn_topology_read(const char *path, const struct scn_setting *settings,
                                       size_t count, struct scn_errors *errors) {
  struct scn_file file = {.path = path, .topic = "", .is_topology = true, .own_resources = true};
  struct scn_arena *arena = scn_arena_new();
  struct scn_scenario *s = NULL;
  struct scn_document doc;
  char *text = arena ? read_all(path, &file.text_length, errors) : NULL;
  file.text = text ? scn_copy(arena, text, file.text_length) : NULL;
  if (file.text && scn_document_load(&doc, path, file.text, file.text_length, arena, errors)) {
    struct scn_setting *all = add_first_values(&doc, settings, &count);
    if (all) s = scn_load(&file, NULL, all, count, errors);
    scn_document_free(&doc);
  }
  free(text);
  scn_arena_free(arena);
  return s;
}

void scn_file_free(struct scn_file *file) {
  if (file) scn_arena_free(file->memory);
}
