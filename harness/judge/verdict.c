/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules say, kept per (rule, node), and the verdicts made of it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "judge/internal.h"
#include "judge/mutation.h"

#define TEXT_BLOCK 65536
#define TEXT_LIMIT 512

/* ---- texts ---- */

const char *text_keep(struct judge *judge, const char *text) {
  size_t size = strlen(text) + 1;
  if (!judge->texts || judge->texts->size - judge->texts->used < size) {
    size_t room = size > TEXT_BLOCK ? size : TEXT_BLOCK;
    struct text_block *block = malloc(sizeof *block + room);
    if (!block) {
      judge->no_memory = true;
      return "";
    }
    *block = (struct text_block){judge->texts, 0, room};
    judge->texts = block;
  }
  char *copy = (char *)(judge->texts + 1) + judge->texts->used;
  memcpy(copy, text, size);
  judge->texts->used += size;
  return copy;
}

/* ---- set-up ---- */

/* How many rows the tables have for check |i|. */
static size_t row_count(const struct judge *judge, size_t i) {
  size_t n = 0;
  while (rule_when_get(judge->checks[i]->id, n)) n++;
  return n + 1;
}

static int list_hooks(struct judge *judge) {
  size_t rows = 0;
  for (size_t i = 0; i < judge->check_count; i++) rows += row_count(judge, i);
  for (unsigned hook = 0; hook < JDG_HOOK_COUNT; hook++) {
    judge->hook_lists[hook] = calloc(rows + 1, sizeof(struct hook_entry));
    if (!judge->hook_lists[hook]) return -1;
  }
  return 0;
}

int verdict_setup(struct judge *judge) {
  size_t n = rule_check_count();
  if (n > 8 * sizeof(struct jdg_marks)) return -1; /* widen struct jdg_marks */
  judge->check_count = n;
  judge->checks = calloc(n + 1, sizeof(*judge->checks));
  judge->check_rules = calloc(n + 1, sizeof(*judge->check_rules));
  judge->enabled = calloc(n + 1, sizeof(*judge->enabled));
  judge->same_as = calloc(n + 1, sizeof(*judge->same_as));
  if (!judge->checks || !judge->check_rules || !judge->enabled || !judge->same_as) return -1;
  /* In catalogue order, so that results come out that way. */
  size_t k = 0;
  for (size_t i = 0; i < rule_count(); i++) {
    const struct rule_check *check = rule_check_of(rule_get(i));
    if (!check) continue;
    judge->checks[k] = check;
    judge->check_rules[k++] = rule_get(i);
  }
  judge->check_count = k;
  return list_hooks(judge);
}

static void list_check(struct judge *judge, size_t i, uint64_t hooks) {
  uint64_t needs = hooks & JDG_NEEDS;
  for (unsigned hook = 0; hook < JDG_HOOK_COUNT; hook++) {
    if (!(hooks & (1u << hook))) continue;
    judge->hook_needs[hook] |= needs & ~JDG_PASSES;
    judge->hook_lists[hook][judge->hook_counts[hook]++] =
        (struct hook_entry){judge->checks[i]->look, i, needs};
  }
}

/* Rows that restate another one: the same function called at the same occasions. */
static bool restates(const struct rule_check *a, const struct rule_check *b) {
  if (a->look != b->look || a->hooks != b->hooks) return false;
  for (size_t n = 0;; n++) {
    uint64_t hooks = rule_when_get(a->id, n);
    if (hooks != rule_when_get(b->id, n)) return false;
    if (!hooks) return true;
  }
}

static size_t first_like(const struct judge *judge, size_t check) {
  for (size_t i = 0; i < check; i++)
    if (judge->enabled[i] && restates(judge->checks[i], judge->checks[check])) return i;
  return check;
}

static void enable(struct judge *judge) {
  for (unsigned hook = 0; hook < JDG_HOOK_COUNT; hook++) {
    judge->hook_counts[hook] = 0;
    judge->hook_needs[hook] = 0;
    for (size_t i = 0; i < CALL_LISTS; i++) judge->call_lists[hook][i].made = false;
  }
  for (size_t i = 0; i < judge->check_count; i++) {
    if (!judge->enabled[i]) continue;
    judge->same_as[i] = first_like(judge, i);
    if (judge->same_as[i] != i) continue;
    list_check(judge, i, judge->checks[i]->hooks);
    uint64_t hooks;
    for (size_t n = 0; (hooks = rule_when_get(judge->checks[i]->id, n)) != 0; n++)
      list_check(judge, i, hooks);
  }
}

static bool listed(const char *id, const char *const *ids, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(ids[i], id) == 0) return true;
  return false;
}

const char *jdg_select(struct judge *judge, const char *const *ids, size_t count) {
  for (size_t i = 0; ids && i < count; i++)
    if (!rule_find(ids[i])) return ids[i];
  for (size_t i = 0; i < judge->check_count; i++) {
    bool applies = judge->checks[i]->levels[judge->config.profile] != JDG_NOT_APPLICABLE;
    judge->enabled[i] = applies && (!ids || listed(judge->checks[i]->id, ids, count));
  }
  enable(judge);
  return NULL;
}

/* ---- what rules say ---- */

static struct cell *cell_of(struct jdg_look *look) {
  struct host *host = (struct host *)look->host;
  struct judge *judge = look->judge;
  if (!host->cells) host->cells = calloc(judge->check_count + 1, sizeof *host->cells);
  if (!host->cells) {
    judge->no_memory = true;
    return NULL;
  }
  return &host->cells[look->check];
}

void jdg_inconclusive(struct jdg_look *look, const char *why) {
  struct cell *cell = cell_of(look);
  if (!cell) return;
  if (cell->inconclusives++ == 0) cell->inconclusive_why = text_keep(look->judge, why);
}

static bool is_remark(const struct jdg_finding *finding) {
  return finding->expected[0] == '\0';
}

static bool make_room(struct cell *cell) {
  if (cell->finding_count == cell->finding_capacity) {
    size_t capacity = cell->finding_capacity ? 2 * cell->finding_capacity : 2;
    struct jdg_finding *more = realloc(cell->findings, capacity * sizeof *more);
    if (!more) return false;
    cell->findings = more;
    cell->finding_capacity = capacity;
  }
  return true;
}

/*
 * A place for a finding, to be filled; NULL: there is none, and its texts need not be kept.
 * Counter-examples stand before remarks, and drive them out where only so many are kept.
 */
static struct jdg_finding *new_finding(struct cell *cell, bool remark) {
  size_t at = cell->finding_count;
  cell->finding_total++;
  if (!remark)
    while (at && is_remark(&cell->findings[at - 1])) at--;
  if (at == JDG_MAX_FINDINGS) return NULL;
  if (cell->finding_count == JDG_MAX_FINDINGS) cell->finding_count--;
  if (!make_room(cell)) return NULL;
  memmove(&cell->findings[at + 1], &cell->findings[at],
          (cell->finding_count - at) * sizeof cell->findings[0]);
  cell->finding_count++;
  return &cell->findings[at];
}

static void add_finding(struct jdg_look *look, struct cell *cell, uint64_t frame,
                        const char *expected, const char *actual, const char *message) {
  struct jdg_finding *finding = new_finding(cell, expected[0] == '\0');
  if (!finding) return;
  *finding = (struct jdg_finding){frame, look->now, text_keep(look->judge, expected),
                                  text_keep(look->judge, actual), text_keep(look->judge, message)};
}

/* The requirement of check |i| as a finding states it. */
static const char *requirement_text(struct judge *judge, size_t i) {
  char message[TEXT_LIMIT];
  const struct rule *rule = judge->check_rules[i];
  bool fact = judge->checks[i]->levels[judge->config.profile] == JDG_FACT;
  snprintf(message, sizeof message, "%s%s (%s, section %s)",
           fact ? "Deviation from the described behaviour: " : "", judge->checks[i]->requirement,
           rule->document, rule->section);
  return text_keep(judge, message);
}

static void state_break(struct jdg_look *look, struct cell *cell, uint64_t frame,
                        const char *expected, const char *actual) {
  add_finding(look, cell, frame, expected, actual, requirement_text(look->judge, look->check));
}

void jdg_break(struct jdg_look *look, uint64_t frame, const char *expected, const char *actual,
               ...) {
  struct cell *cell = cell_of(look);
  if (!cell) return;
  cell->breaks++;
  char text[TEXT_LIMIT];
  va_list arguments;
  va_start(arguments, actual);
  vsnprintf(text, sizeof text, actual, arguments);
  va_end(arguments);
  state_break(look, cell, frame, expected, text);
}

void jdg_warn(struct jdg_look *look, uint64_t frame, const char *expected, const char *actual,
              ...) {
  struct cell *cell = cell_of(look);
  if (!cell) return;
  cell->warnings++;
  char text[TEXT_LIMIT];
  va_list arguments;
  va_start(arguments, actual);
  vsnprintf(text, sizeof text, actual, arguments);
  va_end(arguments);
  state_break(look, cell, frame, expected, text);
}

void jdg_remark(struct jdg_look *look, uint64_t frame, const char *text, ...) {
  struct cell *cell = cell_of(look);
  if (!cell) return;
  char line[TEXT_LIMIT];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(line, sizeof line, text, arguments);
  va_end(arguments);
  add_finding(look, cell, frame, "", "", line);
}

/* ---- what rules keep ---- */

void *jdg_state_new(struct jdg_look *look, size_t size) {
  struct host *host = (struct host *)look->host;
  struct judge *judge = look->judge;
  if (!host->states) host->states = calloc(judge->check_count + 1, sizeof *host->states);
  look->states = host->states;
  void *state = host->states ? calloc(1, size) : NULL;
  if (!state) {
    judge->no_memory = true;
    return NULL;
  }
  host->states[look->check] = state;
  return state;
}

bool jdg_once(struct jdg_look *look, struct jdg_marks *marks) {
  size_t check = look->check;
  uint64_t *word = &marks->bits[check / 64];
  uint64_t mask = UINT64_C(1) << (check % 64);
  if (*word & mask) return false;
  *word |= mask;
  return true;
}

/* ---- results ---- */

static enum jdg_verdict verdict_of(const struct judge *judge, enum jdg_level level,
                                   const struct cell *cell, uint64_t passes) {
  if (!cell) return passes ? JDG_PASS : JDG_NOT_EXERCISED;
  bool hard = level == JDG_MUST || level == JDG_MUST_NOT || level == JDG_MAY;
  bool broken = cell->breaks || cell->warnings;
  if (cell->breaks && hard) return JDG_FAIL;
  if (broken) return judge->config.strict ? JDG_FAIL : JDG_WARN;
  if (passes) return JDG_PASS;
  return cell->inconclusives ? JDG_INCONCLUSIVE : JDG_NOT_EXERCISED;
}

static bool add_result(struct judge *judge, const struct jdg_result *result) {
  if (judge->result_count == judge->result_capacity) {
    size_t capacity = judge->result_capacity ? 2 * judge->result_capacity : 256;
    struct jdg_result *more = realloc(judge->results, capacity * sizeof *more);
    if (!more) return false;
    judge->results = more;
    judge->result_capacity = capacity;
  }
  judge->results[judge->result_count++] = *result;
  return true;
}

static void explain(struct judge *judge, struct cell *cell, enum jdg_verdict verdict) {
  if (verdict != JDG_INCONCLUSIVE || cell->finding_count) return;
  struct jdg_finding *finding = new_finding(cell, true);
  if (finding) *finding = (struct jdg_finding){0, judge->now, "", "", cell->inconclusive_why};
}

/* Gives a restating rule what was found for the other one, as its own text has it. */
static bool restate(struct judge *judge, struct host *host, size_t check) {
  size_t from = judge->same_as[check];
  if (from == check) return true;
  if (host->passes) host->passes[check] = host->passes[from];
  if (!host->cells) return true;
  const struct cell *source = &host->cells[from];
  struct cell *cell = &host->cells[check];
  struct jdg_finding *findings = calloc(source->finding_count + 1, sizeof *findings);
  if (!findings) return false;
  for (size_t i = 0; i < source->finding_count; i++) {
    findings[i] = source->findings[i];
    if (!is_remark(&findings[i])) findings[i].message = requirement_text(judge, check);
  }
  free(cell->findings);
  *cell = *source;
  cell->findings = findings;
  cell->finding_capacity = source->finding_count + 1;
  return true;
}

static void collect(struct judge *judge, struct host *host, size_t check) {
  if (!restate(judge, host, check)) judge->no_memory = true;
  struct cell *cell = host->cells ? &host->cells[check] : NULL;
  const struct rule *rule = judge->check_rules[check];
  uint64_t passes = host->passes ? host->passes[check] : 0;
  MUTATE_TALLY(cell, &passes);
  uint64_t activations = passes;
  if (cell) activations += cell->breaks + cell->warnings + cell->inconclusives;
  if (!activations && !(rule->roles & host->host.roles)) return;
  enum jdg_level level = judge->checks[check]->levels[judge->config.profile];
  enum jdg_verdict verdict = verdict_of(judge, level, cell, passes);
  if (cell) explain(judge, cell, verdict);
  struct jdg_result result = {
      .rule = rule,
      .node = host->host.index,
      .level = level,
      .verdict = verdict,
      .activations = activations,
      .findings = cell ? cell->findings : NULL,
      .finding_count = cell ? cell->finding_count : 0,
      .finding_total = cell ? cell->finding_total : 0,
  };
  MUTATE_RESULT(&result);
  if (!add_result(judge, &result)) judge->no_memory = true;
}

void verdict_collect(struct judge *judge) {
  judge->result_count = 0;
  for (size_t h = 0; h < judge->host_count; h++) {
    if (!judge->hosts[h]->host.judged) continue;
    for (size_t i = 0; i < judge->check_count; i++)
      if (judge->enabled[i]) collect(judge, judge->hosts[h], i);
  }
}

size_t jdg_result_count(const struct judge *judge) {
  return judge->result_count;
}

const struct jdg_result *jdg_result_get(const struct judge *judge, size_t i) {
  return i < judge->result_count ? &judge->results[i] : NULL;
}

void verdict_free(struct judge *judge) {
  for (struct text_block *t = judge->texts, *next; t; t = next) {
    next = t->next;
    free(t);
  }
  judge->texts = NULL;
}

/* ---- names ---- */

static const char *const profile_names[] = {"dijk-03", "rfc7390", "bis-18"};

const char *jdg_profile_name(enum jdg_profile profile) {
  return profile_names[profile];
}

bool jdg_profile_parse(const char *name, enum jdg_profile *profile) {
  for (int i = 0; i < JDG_PROFILE_COUNT; i++) {
    if (strcmp(profile_names[i], name) != 0) continue;
    *profile = (enum jdg_profile)i;
    return true;
  }
  return false;
}

const char *jdg_level_name(enum jdg_level level) {
  static const char *const names[] = {"not applicable",  "fact",       "MAY",
                                      "SHOULD",          "SHOULD NOT", "RECOMMENDED",
                                      "NOT RECOMMENDED", "MUST",       "MUST NOT"};
  return names[level];
}

const char *jdg_verdict_name(enum jdg_verdict verdict) {
  static const char *const names[] = {"not-exercised", "pass",        "warn",   "inconclusive",
                                      "fail",          "unsupported", "waived", "error"};
  return names[verdict];
}
