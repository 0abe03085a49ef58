/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Declares the function of every implemented rule from the tables:
 *
 *   CHECK(id, level in dijk-03, in rfc7390, in bis-18, hooks, function, requirement, activation)
 *   WHEN(id, hooks)                       further hooks of a rule, with needs of their own
 *   ALSO(id, document, section, level)
 */
#ifndef CHORUS_RULES_CHECKS_H
#define CHORUS_RULES_CHECKS_H

#include "judge/model.h"

#define CHECK(id, d, r, b, hooks, function, requirement, activation) \
  void function(struct jdg_look *look);
#define ALSO(id, document, section, level)
#define WHEN(id, hooks)
#include "rules/all.def"
#undef CHECK
#undef ALSO
#undef WHEN

#endif
