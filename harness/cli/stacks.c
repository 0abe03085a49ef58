/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/stacks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#ifndef CHORUS_DATA_FOLDER
#define CHORUS_DATA_FOLDER "/usr/local/share/chorus"
#endif

const char *cli_adapters_folder(char *path, size_t size) {
  const char *folder = getenv("CHORUS_ADAPTERS"), *home = getenv("CHORUS_HOME");
  if (folder && *folder) return folder;
  if (home && *home)
    snprintf(path, size, "%s/adapters", home);
  else if (!cli_beside_program("adapters", path, size))
    snprintf(path, size, "%s/adapters", CHORUS_DATA_FOLDER);
  return path;
}

const char *cli_stacks_folder(char *path, size_t size) {
  const char *folder = getenv("CHORUS_STACKS"), *home = getenv("CHORUS_HOME"),
             *user = getenv("HOME");
  if (folder && *folder) return folder;
  if (home && *home)
    snprintf(path, size, "%s/build/stacks", home);
  else
    snprintf(path, size, "%s/.cache/chorus/stacks", user && *user ? user : "/var/tmp");
  return path;
}

static bool is_path(const char *what) {
  return strchr(what, '/') || strstr(what, ".yaml");
}

static void manifest_of(const char *what, char *path, size_t size) {
  char folder[3000];
  if (is_path(what))
    snprintf(path, size, "%s", what);
  else
    snprintf(path, size, "%s/%s/manifest.yaml", cli_adapters_folder(folder, sizeof folder), what);
}

void cli_stack_option(struct txt_buffer *command, const char *option, const char *what) {
  struct txt_buffer path = {0};
  if (is_path(what))
    cli_whole_path(&path, what);
  else
    txt_print(&path, "%s", what);
  txt_print(command, " %s ", option);
  txt_word(command, path.data ? path.data : what);
  txt_free(&path);
}

bool cli_stack_load(struct cli_stack *stack, const char *command, const char *what) {
  char path[4096], folder[3000];
  struct scn_errors errors;
  *stack = (struct cli_stack){.manifest = NULL};
  snprintf(stack->name, sizeof stack->name, "%s", what);
  manifest_of(what, path, sizeof path);
  if (!is_path(what) && access(path, R_OK) != 0) {
    fprintf(stderr,
            "chorus %s: there is no adapter \"%s\" in %s; a manifest is named by its path\n",
            command, what, cli_adapters_folder(folder, sizeof folder));
    return false;
  }
  scn_errors_init(&errors);
  stack->manifest = sut_load(path, cli_stacks_folder(folder, sizeof folder), &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  if (!stack->manifest) return false;
  cli_stack_ask(stack);
  return true;
}

void cli_stack_ask(struct cli_stack *stack) {
  char why[200] = "";
  const struct sut_manifest *m = stack->manifest;
  stack->why[0] = '\0';
  if (sut_version(m, stack->version, sizeof stack->version, why, sizeof why)) return;
  stack->version[0] = '\0';
  snprintf(stack->why, sizeof stack->why, "%s is not installed (%s)%s%.64s", m->name, why,
           m->setup ? "; chorus interop setup " : "", m->setup ? stack->name : "");
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

/* Unmodified programs take part when they are named. */
static bool speaks(const struct cli_stack *stack) {
  for (int role = 0; role < SUT_ROLES; role++)
    if (stack->manifest->parts[role] && stack->manifest->parts[role]->adapter) return true;
  return false;
}

static bool load_ours(struct cli_stack *stacks, size_t limit, size_t *count, const char *command) {
  char base[3000], path[4096];
  struct dirent **entries;
  const char *folder = cli_adapters_folder(base, sizeof base);
  int found = scandir(folder, &entries, NULL, by_name);
  bool ok = found >= 0;
  for (int i = 0; i < found; i++) {
    snprintf(path, sizeof path, "%s/%s/manifest.yaml", folder, entries[i]->d_name);
    bool wanted = ok && *count < limit && entries[i]->d_name[0] != '.' && access(path, R_OK) == 0;
    if (wanted && (ok = cli_stack_load(&stacks[*count], command, entries[i]->d_name))) {
      if (speaks(&stacks[*count]))
        ++*count;
      else
        cli_stack_free(&stacks[*count]);
    }
    free(entries[i]);
  }
  if (found >= 0) free(entries);
  if (ok && *count == 0) fprintf(stderr, "chorus %s: no adapters in %s\n", command, folder);
  return ok && *count > 0;
}

bool cli_stacks_load(struct cli_stack *stacks, size_t limit, size_t *count, const char *command,
                     const char *const *names, size_t named) {
  *count = 0;
  if (named == 0) return load_ours(stacks, limit, count, command);
  for (size_t i = 0; i < named && i < limit; i++) {
    if (!cli_stack_load(&stacks[i], command, names[i])) return false;
    *count = i + 1;
  }
  return true;
}

bool cli_stack_available(const struct cli_stack *stack) {
  return stack->manifest && stack->why[0] == '\0';
}

void cli_stack_free(struct cli_stack *stack) {
  if (stack->manifest) sut_free(stack->manifest);
  stack->manifest = NULL;
}
