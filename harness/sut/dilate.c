/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dilated time for programs: libfaketime makes the clock of a program run as fast as that of its
 * network. It does so for programs that ask the C library for the time, and for no others; so a
 * program has to show that it follows.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "sut/node.h"

/* ---- whether it can work at all ---- */

/* The variant for programs with threads serves those without as well. */
static const char *find_library(struct sut_node *n) {
  static const char *const places[] = {"/usr/lib/*/faketime/libfaketimeMT.so.1",
                                       "/usr/lib*/faketime/libfaketimeMT.so.1",
                                       "/usr/local/lib/faketime/libfaketimeMT.so.1"};
  const char *given = getenv("CHORUS_FAKETIME");
  if (given && *given) return given;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    glob_t found;
    if (glob(places[i], 0, NULL, &found) != 0) continue;
    const char *path = scn_print(n->arena, "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
  }
  return NULL;
}

/* The file of the program: with a / from the manifest's folder, else from PATH. -1: none. */
static int open_program(struct sut_node *n, const char *name) {
  const char *folder = n->config.manifest->folder, *path = getenv("PATH");
  if (name[0] == '/') return open(name, O_RDONLY | O_CLOEXEC);
  if (strchr(name, '/'))
    return open(scn_print(n->arena, "%s/%s", folder, name), O_RDONLY | O_CLOEXEC);
  while (path && *path) {
    size_t length = strcspn(path, ":");
    int fd = open(scn_print(n->arena, "%.*s/%s", (int)length, path, name), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) return fd;
    path += length + (path[length] == ':');
  }
  return -1;
}

/* Whether a 64-bit ELF file names no interpreter: nothing can be loaded before it. */
static bool is_static(int fd) {
  Elf64_Ehdr head;
  if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head) return false;
  if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64)
    return false;
  for (unsigned i = 0; i < head.e_phnum; i++) {
    Elf64_Phdr part;
    off_t at = (off_t)(head.e_phoff + (Elf64_Off)i * head.e_phentsize);
    if (pread(fd, &part, sizeof part, at) != (ssize_t)sizeof part) return false;
    if (part.p_type == PT_INTERP) return false;
  }
  return true;
}

const char *sut_dilation_refused(struct sut_node *n) {
  const char *const *argv = sut_node_argv(n);
  if (!n->config.manifest->faketime)
    return "its clock cannot be dilated: its manifest does not say faketime: true";
  if (!find_library(n))
    return "its clock cannot be dilated: libfaketime is not installed (Debian: libfaketime)";
  int fd = argv ? open_program(n, argv[0]) : -1;
  bool fixed = fd >= 0 && is_static(fd);
  if (fd >= 0) close(fd);
  return fixed ? "its clock cannot be dilated: it is linked statically" : NULL;
}

/* ---- how it is started ---- */

/* With zeros in one half libfaketime's randomness is nothing but zeros. */
static uint64_t random_seed(const struct sut_node *n) {
  uint64_t seed = sut_node_seed(&n->config) * UINT64_C(0x9e3779b97f4a7c15);
  return (seed ^ seed >> 29) | UINT64_C(0x0000000100000001);
}

static const char *preload(struct sut_node *n, const char *const *variables) {
  static const char name[] = "LD_PRELOAD=";
  const char *own = "";
  for (; *variables; variables++)
    if (strncmp(*variables, name, sizeof name - 1) == 0) own = *variables + sizeof name - 1;
  return scn_print(n->arena, "%s%s%s%s", name, find_library(n), *own ? " " : "", own);
}

const char *const *sut_dilation_variables(struct sut_node *n, const char *const *variables) {
  const char **list = NULL;
  size_t count = 0;
  const char *const added[] = {
      preload(n, variables),
      scn_print(n->arena, "FAKETIME=+0 x%u", (unsigned)krn_dilation(n->network)),
      scn_print(n->arena, "FAKERANDOM_SEED=0x%016llX", (unsigned long long)random_seed(n)),
      "FAKETIME_NO_CACHE=1"};
  for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
    const char **slot = scn_append(n->arena, &list, &count, sizeof *slot);
    if (slot) *slot = added[i];
  }
  for (; *variables; variables++) {
    if (strncmp(*variables, "LD_PRELOAD=", 11) == 0) continue;
    const char **slot = scn_append(n->arena, &list, &count, sizeof *slot);
    if (slot) *slot = *variables;
  }
  const char **end = scn_append(n->arena, &list, &count, sizeof *end);
  return end ? list : NULL;
}

/* ---- whether it follows ---- */

#define PROBE_TIME (500 * CHORUS_MILLISECOND) /* real; with a small factor twice that */

static chorus_time probe_time(uint32_t dilation) {
  return dilation < 5 ? 2 * PROBE_TIME : PROBE_TIME;
}

static bool ask(struct sut_node *n, uint32_t dilation) {
  char duration[40];
  chorus_time asked = probe_time(dilation) * dilation;
  snprintf(duration, sizeof duration, "%llums", (unsigned long long)(asked / CHORUS_MILLISECOND));
  struct chorus_argument argument = {"for", duration};
  struct chorus_command wait = {.verb = "wait", .arguments = &argument, .count = 1};
  n->probe.asked = krn_clock(n->network);
  if (!sut_program_ask(n, &wait)) return false;
  n->probe.id = n->commands;
  return true;
}

static bool fail(struct sut_node *n, const char *how, chorus_time taken, uint32_t dilation) {
  sut_trouble_add(
      n, SUT_NO_START, krn_now(n->network),
      "%s does not follow the dilated clock: %llu ms of its time took %s%llu ms of real "
      "time instead of %llu ms",
      n->config.node->name,
      (unsigned long long)(probe_time(dilation) * dilation / CHORUS_MILLISECOND), how,
      (unsigned long long)(taken / CHORUS_MILLISECOND),
      (unsigned long long)(probe_time(dilation) / CHORUS_MILLISECOND));
  n->waiting_count = 0; /* its reply, if one comes, is not missed */
  return n->broken = true;
}

/* One that does not follow takes |dilation| times as long: half-way is where they part. */
bool sut_dilation_probed(struct sut_node *n) {
  uint32_t dilation = krn_dilation(n->network);
  chorus_time real = probe_time(dilation), limit = real * (dilation + 1) / 2;
  if (dilation == 1 || n->probe.known) return true;
  if (!n->probe.id) return !ask(n, dilation);
  if (!n->probe.replied) {
    chorus_time taken = krn_clock(n->network) - n->probe.asked;
    return taken > limit && fail(n, "more than ", taken, dilation);
  }
  chorus_time taken = n->probe.replied - n->probe.asked;
  n->probe.known = true;
  if (n->reply != CHORUS_OK) return n->broken = true; /* and a lie, which was noted */
  return taken > limit || 10 * taken < 8 * real ? fail(n, "", taken, dilation) : true;
}
