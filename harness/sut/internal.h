/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the manifest's reader share; private to harness/sut. */
#ifndef CHORUS_SUT_INTERNAL_H
#define CHORUS_SUT_INTERNAL_H

#include "scenario/document.h"
#include "sut/sut.h"

/* What a manifest keeps beside its public part. */
struct sut_memory {
  struct scn_arena *arena;
  struct scn_document document;           /* statements are decoded anew for each node */
  const scn_value *statements[SUT_ROLES]; /* or NULL */
};

struct sut_reader {
  struct scn_document *d;
  struct scn_arena *arena;
  struct sut_manifest *manifest;
  struct sut_memory *memory;
};

/* The declaration of one role. */
void sut_read_part(struct sut_reader *r, enum sut_role role, const scn_value *key,
                   const scn_value *map);
void sut_read_waivers(struct sut_reader *r, const scn_value *list);

/* A list of texts with placeholders, checked; NULL with a complaint. One text stands for a list. */
const char *const *sut_read_words(struct sut_reader *r, const scn_value *value, const char *what);
/* Complains about placeholders that do not exist. */
void sut_check_placeholders(struct sut_reader *r, const scn_value *at, const char *text);

/* What placeholders stand for; NULL members are left as they are. */
struct sut_places {
  const char *manifest, *stacks, *iface, *address, *group, *port, *path, *name, *role, *any;
};
/* |text| filled in, in the arena; NULL without memory. */
const char *sut_fill_in(struct scn_arena *arena, const char *text, const struct sut_places *places);

#endif
