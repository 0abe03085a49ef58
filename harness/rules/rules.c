/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/rules.h"

#include <string.h>

#include "rules/checks.h"

/* Short names for the levels, as the tables write them. */
enum {
  LEVEL_NOT_APPLICABLE = JDG_NOT_APPLICABLE,
  LEVEL_FACT = JDG_FACT,
  LEVEL_MAY = JDG_MAY,
  LEVEL_SHOULD = JDG_SHOULD,
  LEVEL_SHOULD_NOT = JDG_SHOULD_NOT,
  LEVEL_RECOMMENDED = JDG_RECOMMENDED,
  LEVEL_NOT_RECOMMENDED = JDG_NOT_RECOMMENDED,
  LEVEL_MUST = JDG_MUST,
  LEVEL_MUST_NOT = JDG_MUST_NOT,
};

#define CHECK(id, d, r, b, hooks, function, requirement, activation)                               \
  {id,          {(enum jdg_level)LEVEL_##d, (enum jdg_level)LEVEL_##r, (enum jdg_level)LEVEL_##b}, \
   requirement, activation,                                                                        \
   (hooks),     function},
#define ALSO(id, document, section, level)
#define WHEN(id, hooks)
static const struct rule_check checks[] = {
#include "rules/all.def"
    {NULL, {0}, NULL, NULL, 0, NULL},
};
#undef CHECK
#undef ALSO

#define CHECK(id, d, r, b, hooks, function, requirement, activation)
#define ALSO(id, document, section, level) {id, document, section, JDG_##level},
static const struct rule_also also[] = {
#include "rules/all.def"
    {NULL, NULL, NULL, JDG_NOT_APPLICABLE},
};
#undef ALSO
#undef WHEN

#define ALSO(id, document, section, level)
#define WHEN(id, hooks) {id, (hooks)},
static const struct rule_when when[] = {
#include "rules/all.def"
    {NULL, 0},
};
#undef CHECK
#undef ALSO
#undef WHEN

#define ROW(id, document, section, level, roles, observability, title) \
  {id, document, section, level, roles, observability, title},
static const struct rule rows[] = {
#include "rules/catalogue.def"
};
#undef ROW

size_t rule_count(void) {
  return sizeof rows / sizeof rows[0];
}

const struct rule *rule_get(size_t i) {
  return i < rule_count() ? &rows[i] : NULL;
}

const struct rule *rule_find(const char *id) {
  for (size_t i = 0; i < rule_count(); i++)
    if (strcmp(rows[i].id, id) == 0) return &rows[i];
  return NULL;
}

const struct rule_check *rule_check_of(const struct rule *rule) {
  for (size_t i = 0; checks[i].id; i++)
    if (strcmp(checks[i].id, rule->id) == 0) return &checks[i];
  return NULL;
}

size_t rule_check_count(void) {
  return sizeof checks / sizeof checks[0] - 1; /* without the end mark */
}

const struct rule_check *rule_check_get(size_t i) {
  return i < rule_check_count() ? &checks[i] : NULL;
}

const struct rule_also *rule_also_get(const char *id, size_t n) {
  for (size_t i = 0; also[i].id; i++)
    if (strcmp(also[i].id, id) == 0 && n-- == 0) return &also[i];
  return NULL;
}

uint64_t rule_when_get(const char *id, size_t n) {
  for (size_t i = 0; when[i].id; i++)
    if (strcmp(when[i].id, id) == 0 && n-- == 0) return when[i].hooks;
  return 0;
}

/* Levenshtein distance of two short strings, at most 63 characters each. */
static size_t distance(const char *a, const char *b) {
  size_t row[64], n = strlen(b);
  if (n > 63) return 64;
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t substitution = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
      row[j] = best < substitution ? best : substitution;
    }
  }
  return row[n];
}

const char *rule_nearest(const char *id) {
  const char *best = NULL;
  size_t least = 4; /* farther away is no misspelling */
  for (size_t i = 0; i < rule_count(); i++) {
    size_t d = distance(id, rows[i].id);
    if (d >= least) continue;
    least = d;
    best = rows[i].id;
  }
  return best;
}

const char *rule_observability_name(enum rule_observability o) {
  static const char *const names[] = {"W", "S", "A", "W+K", "S+K", "A+K", "C", "N"};
  return names[o];
}
