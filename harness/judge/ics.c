/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge/ics.h"

#include <string.h>

void jdg_ics_default(struct jdg_ics *ics) {
  memset(ics, 0, sizeof *ics);
  ics->leisure = 5 * CHORUS_SECOND;
  ics->processing = 2 * CHORUS_SECOND;
  ics->nstart = 1;
}

const struct jdg_ics_resource *jdg_ics_find(const struct jdg_ics *ics, const char *path) {
  const struct jdg_ics_resource *any = NULL;
  for (size_t i = 0; i < ics->resource_count; i++) {
    if (strcmp(ics->resources[i].path, path) == 0) return &ics->resources[i];
    if (strcmp(ics->resources[i].path, "*") == 0) any = &ics->resources[i];
  }
  return any;
}
