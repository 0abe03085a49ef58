/* SPDX-License-Identifier: BSD-2-Clause */
/* Which version of a stack this is: said by the manifest, or by a program that it names. */
#include <stdio.h>

#include "sut/internal.h"
#include "sut/process.h"

#define VERSION_PATIENCE (20 * CHORUS_SECOND)

enum { MAX_WORDS = 64 };

static bool fill_in_words(struct scn_arena *arena, const struct sut_manifest *m,
                          const char *words[MAX_WORDS + 1]) {
  const struct sut_places places = {.manifest = m->folder, .stacks = m->stacks, .name = m->name};
  size_t n = 0;
  for (; m->version_command[n] && n < MAX_WORDS; n++) {
    words[n] = sut_fill_in(arena, m->version_command[n], &places);
    if (!words[n]) return false;
  }
  words[n] = NULL;
  return n > 0;
}

static bool read_version(struct sut_process *p, char *text, size_t size) {
  const char *line;
  size_t length;
  if (sut_process_line(p, VERSION_PATIENCE, &line, &length) != SUT_LINE || length == 0)
    return false;
  snprintf(text, size, "%.*s", (int)length, line);
  return true;
}

static bool ask(struct scn_arena *arena, const struct sut_manifest *m, char *text, size_t size,
                char *why, size_t why_size) {
  const char *words[MAX_WORDS + 1];
  struct sut_tail tail = {.length = 0};
  struct sut_process p = {.in = -1, .out = -1, .err = -1, .tail = &tail};
  snprintf(why, why_size, "no memory");
  if (!fill_in_words(arena, m, words)) return false;
  const char *const *environment = sut_process_environment(arena, NULL, 0, "version");
  if (!sut_process_start(&p, words, environment, m->folder, why, why_size)) return false;
  bool ok = read_version(&p, text, size);
  sut_process_close_input(&p);
  bool ended = sut_process_wait(&p, VERSION_PATIENCE);
  if (ok && ended && p.status == 0) {
    sut_process_end(&p);
    return true;
  }
  char status[80];
  snprintf(why, why_size, "%.60s %.60s", words[0],
           ended ? sut_status_text(p.status, status, sizeof status) : "did not end");
  sut_process_end(&p);
  return false;
}

bool sut_version(const struct sut_manifest *m, char *text, size_t size, char *why,
                 size_t why_size) {
  if (m->version) {
    snprintf(text, size, "%s", m->version);
    return true;
  }
  struct scn_arena *arena = scn_arena_new();
  bool ok = arena && m->version_command && ask(arena, m, text, size, why, why_size);
  scn_arena_free(arena);
  return ok;
}
