/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves a manifest: starts the stack beside the reference, and shows for each thing that it
 * declares that it is there (a positive control), and that it is honest about what is not.
 */
#ifndef CHORUS_SUT_CHECK_H
#define CHORUS_SUT_CHECK_H

#include "network/network.h"
#include "sut/sut.h"

enum sut_check_result { SUT_CHECK_OK = 0, SUT_CHECK_FAILED, SUT_CHECK_SKIPPED };

struct sut_check_line {
  enum sut_role role;
  enum sut_check_result result;
  const char *name;             /* "feature suppress", "verb set", "honesty" */
  const char *text;             /* what was seen, or what is wrong */
  unsigned ip;                  /* 4 or 6; 0: neither */
  const struct sut_trouble *at; /* what the program did wrong, or NULL */
};

struct sut_check_config {
  unsigned roles; /* set of 1u << enum sut_role; 0: all of the manifest */
  uint64_t seed;
  chorus_time watchdog;               /* real ns; 0: 10 s */
  bool (*interrupted)(void *context); /* may be NULL */
  void *interrupted_context;
  /* Called with each line as it is known; may be NULL. */
  void (*line)(void *context, const struct sut_check_line *line);
  void *line_context;
};

struct sut_report {
  struct scn_arena *arena;
  struct sut_check_line *lines;
  size_t count, failed, skipped;
  char version[120];
};

/* False without memory. */
bool sut_check(const struct sut_manifest *manifest, const struct sut_check_config *config,
               struct sut_report *report);
void sut_report_free(struct sut_report *report);

#endif
