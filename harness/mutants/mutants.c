/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutants/mutants.h"

#include "mutants/change.h"

#define MUTANT(id, rule, historical, role, scenario, change, breaks) \
  {id, rule, historical, MUT_##role, scenario, mut_##change, breaks},
static const struct mutant mutants[] = {
#include "mutants/mutants.def"
};
#undef MUTANT

size_t mut_count(void) {
  return sizeof mutants / sizeof *mutants;
}

const struct mutant *mut_get(size_t i) {
  return i < mut_count() ? &mutants[i] : NULL;
}

bool mut_selected(const struct mutant *mutant, const char *selector) {
  if (scn_match(selector, mutant->id)) return true;
  if (mutant->rule && scn_match(selector, mutant->rule)) return true;
  return mutant->historical && scn_match(selector, mutant->historical);
}
