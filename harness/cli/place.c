/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the scenarios lie, and interrupts. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#ifndef CHORUS_DATA_FOLDER
#define CHORUS_DATA_FOLDER "/usr/local/share/chorus"
#endif

static bool is_folder(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* build/harness/cli/chorus lies three folders below the repository, an installed one beside share/.
 */
bool cli_beside_program(const char *name, char *path, size_t size) {
  static const char *const tries[] = {"/../../..", "/../share/chorus"};
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return false;
  program[length] = '\0';
  char *slash = strrchr(program, '/');
  if (!slash) return false;
  *slash = '\0';
  for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
    snprintf(path, size, "%s%s/%s", program, tries[i], name);
    if (is_folder(path)) return true;
  }
  return false;
}

void cli_whole_path(struct txt_buffer *text, const char *path) {
  char folder[4096];
  while (strncmp(path, "./", 2) == 0) path += 2;
  if (*path != '/' && getcwd(folder, sizeof folder)) txt_print(text, "%s/", folder);
  txt_print(text, "%s", path);
}

const char *cli_scenarios_folder(char *path, size_t size) {
  const char *folder = getenv("CHORUS_SCENARIOS"), *home = getenv("CHORUS_HOME");
  if (folder && *folder) return folder;
  if (home && *home) {
    snprintf(path, size, "%s/scenarios", home);
    if (is_folder(path)) return path;
  }
  if (cli_beside_program("scenarios", path, size)) return path;
  snprintf(path, size, "%s/scenarios", CHORUS_DATA_FOLDER);
  return path;
}

bool cli_read_library(struct scn_library *library, const char *folder) {
  struct scn_errors errors;
  char path[4096];
  scn_errors_init(&errors);
  if (!folder) folder = cli_scenarios_folder(path, sizeof path);
  if (!is_folder(folder)) {
    fprintf(stderr, "chorus: no scenarios in %s; CHORUS_SCENARIOS can name their folder\n", folder);
    return false;
  }
  bool ok = scn_library_read(library, folder, &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  return ok;
}

/* ---- interrupts ---- */

struct cli_interrupt {
  sigset_t signals;
  atomic_bool seen;
};

/* A thread that waits for the signal needs no handler, and so no global to tell it anything. */
static void *watch(void *argument) {
  struct cli_interrupt *interrupt = argument;
  int number;
  if (sigwait(&interrupt->signals, &number) != 0) return NULL;
  atomic_store(&interrupt->seen, true);
  if (sigwait(&interrupt->signals, &number) == 0) _exit(CLI_INTERRUPTED);
  return NULL;
}

struct cli_interrupt *cli_interrupt_watch(void) {
  struct cli_interrupt *interrupt = calloc(1, sizeof *interrupt);
  pthread_t thread;
  if (!interrupt) return NULL;
  sigemptyset(&interrupt->signals);
  sigaddset(&interrupt->signals, SIGINT);
  sigaddset(&interrupt->signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
  if (pthread_create(&thread, NULL, watch, interrupt) == 0) {
    pthread_detach(thread);
    return interrupt; /* lives as long as the thread, so as long as the program */
  }
  pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
  free(interrupt);
  return NULL;
}

bool cli_interrupted(void *interrupt) {
  struct cli_interrupt *i = interrupt;
  return i && atomic_load(&i->seen);
}
