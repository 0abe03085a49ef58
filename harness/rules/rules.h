/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue as the program knows it: all rows, and for the implemented ones their table row.
 */
#ifndef CHORUS_RULES_H
#define CHORUS_RULES_H

#include <stddef.h>

#include "judge/judge.h"

struct jdg_look;

/* What makes a rule decidable (catalogue, section 1): capture alone, stimulus, adapter, keys,
 * configuration, not at all. */
enum rule_observability { RULE_W, RULE_S, RULE_A, RULE_WK, RULE_SK, RULE_AK, RULE_C, RULE_N };

/* One row of the catalogue; rule_check_of() tells whether it is implemented. */
struct rule {
  const char *id;       /* "GC-2.3.1-02" */
  const char *document; /* "draft-dijk-core-groupcomm-bis-03" */
  const char *section;  /* "2.3.1" */
  enum jdg_level level; /* as written in the document */
  unsigned roles;       /* enum jdg_role */
  enum rule_observability observability;
  const char *title;
};

/* What is added for an implemented rule. */
struct rule_check {
  const char *id;
  enum jdg_level levels[JDG_PROFILE_COUNT]; /* NOT_APPLICABLE: the profile does not judge it */
  const char *requirement;                  /* one sentence, our own words */
  const char *activation;                   /* what makes it look */
  uint64_t hooks;                           /* enum jdg_hook set; see judge/model.h */
  void (*look)(struct jdg_look *look);
};

/* A further document that asks the same of an implemented rule. */
struct rule_also {
  const char *id;
  const char *document;
  const char *section;
  enum jdg_level level;
};

/*
 * Further occasions of an implemented rule. Its rows are alternatives: where several are met it
 * looks once, and where only rows with JDG_PASSES are, it passes without a look.
 */
struct rule_when {
  const char *id;
  uint64_t hooks;
};

size_t rule_count(void);
const struct rule *rule_get(size_t i);        /* in catalogue order */
const struct rule *rule_find(const char *id); /* NULL: no such rule */
const char *rule_nearest(const char *id);     /* the id that was perhaps meant, or NULL */
const struct rule_check *rule_check_of(const struct rule *rule); /* NULL: planned */
size_t rule_check_count(void);
const struct rule_check *rule_check_get(size_t i); /* in table order */
uint64_t rule_when_get(const char *id, size_t n);  /* the |n|th further set of hooks, or 0 */
const struct rule_also *rule_also_get(const char *id,
                                      size_t n); /* the |n|th further document, or NULL */
const char *rule_observability_name(enum rule_observability o); /* "W", "S+K", ... */

#endif
