/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of a stack: from its manifest, or from what a command prints first. */
#include <stdio.h>

#include "sut/internal.h"
#include "sut/process.h"

#define PATIENCE (20 * CHORUS_SECOND)

static const char *const *argv_of(const struct sut_manifest *m, struct scn_arena *arena) {
  struct sut_places places = {.manifest = m->folder, .stacks = m->stacks, .name = m->name};
  const char **argv = NULL;
  size_t count = 0;
  for (const char *const *word = m->version_command; *word; word++) {
    const char **slot = scn_append(arena, &argv, &count, sizeof *slot);
    if (slot) *slot = sut_fill_in(arena, *word, &places);
  }
  const char **end = scn_append(arena, &argv, &count, sizeof *end);
  return end ? argv : NULL;
}

/* The first line that it says, if it ends well. */
static bool listen_for(struct sut_process *p, char *text, size_t size, char *why, size_t why_size) {
  const char *line;
  size_t length;
  char status[100];
  enum sut_line got = sut_process_line(p, PATIENCE, &line, &length);
  if (got == SUT_LINE) snprintf(text, size, "%.*s", (int)length, line);
  sut_process_close_input(p);
  bool ended = sut_process_wait(p, PATIENCE);
  if (got == SUT_LINE && length > 0 && ended && p->status == 0) return true;
  if (got == SUT_SILENT || !ended)
    snprintf(why, why_size, "the version command said nothing for 20 s");
  else if (p->status != 0)
    snprintf(why, why_size, "the version command %s: %.300s",
             sut_status_text(p->status, status, sizeof status), p->tail->text);
  else
    snprintf(why, why_size, "the version command printed no line");
  return false;
}

static bool run_command(const struct sut_manifest *m, struct scn_arena *arena, char *text,
                        size_t size, char *why, size_t why_size) {
  struct sut_tail tail = {.length = 0};
  struct sut_process p = {.in = -1, .out = -1, .err = -1, .tail = &tail};
  const char *const *argv = argv_of(m, arena);
  const char *const *environment = sut_process_environment(arena, NULL, 0, NULL);
  snprintf(why, why_size, "no memory");
  if (!argv || !environment || !sut_process_start(&p, argv, environment, m->folder, why, why_size))
    return false;
  bool ok = listen_for(&p, text, size, why, why_size);
  sut_process_end(&p);
  return ok;
}

bool sut_version(const struct sut_manifest *manifest, char *text, size_t size, char *why,
                 size_t why_size) {
  if (!manifest->version_command) {
    snprintf(text, size, "%s", manifest->version ? manifest->version : "");
    return true;
  }
  struct scn_arena *arena = scn_arena_new();
  bool ok = arena && run_command(manifest, arena, text, size, why, why_size);
  scn_arena_free(arena);
  return ok;
}
