/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/library.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "scenario/units.h"

enum { MAX_DEPTH = 8 };

static bool unique(const struct scn_library *library, const struct scn_file *file,
                   struct scn_errors *errors) {
  for (size_t i = 0; i < library->count; i++)
    if (strcmp(library->files[i]->id, file->id) == 0) {
      scn_errors_add(errors, file->path, NULL, 0, 0, 1, "the id \"%s\" is taken by %s", file->id,
                     library->files[i]->path);
      return false;
    }
  return true;
}

bool scn_library_add(struct scn_library *library, const char *path, struct scn_errors *errors) {
  struct scn_file *file = scn_file_read(path, errors);
  if (!file) return false;
  struct scn_file **grown = realloc(library->files, (library->count + 1) * sizeof *grown);
  if (grown) library->files = grown;
  if (!grown || !unique(library, file, errors)) {
    scn_file_free(file);
    return false;
  }
  grown[library->count++] = file;
  return true;
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name); /* not by locale, as alphasort() would */
}

static bool read_folder(struct scn_library *library, const char *directory, unsigned depth,
                        struct scn_errors *errors);

static bool read_entry(struct scn_library *library, const char *directory, const char *name,
                       unsigned depth, struct scn_errors *errors) {
  char path[4096];
  struct stat status;
  if (name[0] == '.' || strcmp(name, "schema") == 0) return true;
  if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) return true;
  if (stat(path, &status) != 0) return true;
  if (S_ISDIR(status.st_mode))
    return depth == MAX_DEPTH || read_folder(library, path, depth + 1, errors);
  return !ends_with(name, ".yaml") || scn_library_add(library, path, errors);
}

static bool read_folder(struct scn_library *library, const char *directory, unsigned depth,
                        struct scn_errors *errors) {
  struct dirent **entries;
  int count = scandir(directory, &entries, NULL, by_name);
  bool ok = count >= 0;
  if (!ok) scn_errors_add(errors, directory, NULL, 0, 0, 1, "cannot be read: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    ok = read_entry(library, directory, entries[i]->d_name, depth, errors) && ok;
    free(entries[i]);
  }
  if (count >= 0) free(entries);
  return ok;
}

bool scn_library_read(struct scn_library *library, const char *directory,
                      struct scn_errors *errors) {
  return read_folder(library, directory, 0, errors);
}

void scn_library_free(struct scn_library *library) {
  for (size_t i = 0; i < library->count; i++) scn_file_free(library->files[i]);
  free(library->files);
  *library = (struct scn_library){NULL, 0};
}

/* ---- selecting ---- */

static bool is_one(const char *const *words, size_t count, const char *selector) {
  for (size_t i = 0; i < count; i++)
    if (scn_match(selector, words[i])) return true;
  return false;
}

/* Names of combinations hold brackets and commas, which are no patterns here. */
bool scn_selected(const struct scn_file *file, const struct scn_variant *variant,
                  const char *selector) {
  return scn_match(selector, file->id) || scn_match(selector, variant->name) ||
         (file->topic[0] && scn_match(selector, file->topic)) ||
         is_one(file->covers, file->cover_count, selector) ||
         is_one(file->catalogue, file->catalogue_count, selector);
}

const char *scn_library_nearest(const struct scn_library *library, const char *selector) {
  const char *words[512];
  size_t count = 0;
  for (size_t i = 0; i < library->count && count < 400; i++) {
    const struct scn_file *f = library->files[i];
    words[count++] = f->id;
    words[count++] = f->topic;
    for (size_t k = 0; k < f->cover_count && count < 512; k++) words[count++] = f->covers[k];
  }
  return scn_nearest(selector, words, count);
}
