/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenarios there are, found by looking into folders, and selectors for them. */
#ifndef CHORUS_SCENARIO_LIBRARY_H
#define CHORUS_SCENARIO_LIBRARY_H

#include "scenario/scenario.h"

struct scn_library {
  struct scn_file **files; /* in order of their paths */
  size_t count;
};

/* Adds all *.yaml below |directory|, but for folders named schema; false: see |errors|. */
bool scn_library_read(struct scn_library *library, const char *directory,
                      struct scn_errors *errors);
/* Adds one file. */
bool scn_library_add(struct scn_library *library, const char *path, struct scn_errors *errors);
void scn_library_free(struct scn_library *library);

/* A selected combination. */
struct scn_choice {
  uint32_t file, variant;
};

/*
 * Whether |selector| (a scenario id or the name of a combination, a topic folder, a rule id that
 * the scenario covers, a scenario of the catalogue, or a glob over these) chooses the combination.
 */
bool scn_selected(const struct scn_file *file, const struct scn_variant *variant,
                  const char *selector);
/* The id, topic or rule that was perhaps meant, or NULL. */
const char *scn_library_nearest(const struct scn_library *library, const char *selector);

#endif
