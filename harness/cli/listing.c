/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/listing.h"

#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"
#include "run/results.h"
#include "text/text.h"

enum { MAX_SHOWN = 25 };

/* What all runs together say of one rule. */
struct line {
  enum jdg_verdict verdict;
  json_int_t activations;
  const char *shown_by; /* the first run with this verdict */
  size_t others;        /* further runs in which it was exercised */
  const char *level;
};

static const char *member(const json_t *object, const char *key) {
  const char *value = json_string_value(json_object_get(object, key));
  return value ? value : "";
}

static const char *run_name(const json_t *run) {
  const char *name = member(run, "scenario");
  return *name ? name : member(run, "capture");
}

/* ---- the listing ---- */

static size_t catalogue_index(const char *id) {
  for (size_t i = 0; i < rule_count(); i++)
    if (strcmp(rule_get(i)->id, id) == 0) return i;
  return rule_count();
}

static void add_entry(struct line *line, const json_t *run, const json_t *entry,
                      const json_t **last_run) {
  enum jdg_verdict v = run_verdict_parse(member(entry, "verdict"));
  json_int_t activations = json_integer_value(json_object_get(entry, "activations"));
  line->level = member(entry, "level");
  bool worse = run_worst(line->verdict, v) != line->verdict;
  if (worse || (line->verdict == JDG_NOT_EXERCISED && v != JDG_NOT_EXERCISED)) {
    if (line->shown_by && *last_run != run) line->others++;
    line->verdict = v;
    line->shown_by = run_name(run);
  } else if (activations > 0 && *last_run != run) {
    line->others++;
  }
  if (activations > 0) *last_run = run;
  line->activations += activations;
}

static struct line *collect(const json_t *runs) {
  struct line *lines = calloc(rule_count() + 1, sizeof *lines);
  const json_t **last = calloc(rule_count() + 1, sizeof *last);
  json_t *run, *entry;
  size_t i, k, index = 0;
  for (i = 0; lines && last && i < json_array_size(runs); i++) {
    run = json_array_get(runs, i);
    json_array_foreach(json_object_get(run, "rules"), k, entry) {
      const char *id = member(entry, "id");
      if (index >= rule_count() || strcmp(rule_get(index)->id, id) != 0)
        index = index + 1 < rule_count() && strcmp(rule_get(index + 1)->id, id) == 0
                    ? index + 1
                    : catalogue_index(id);
      if (index < rule_count()) add_entry(&lines[index], run, entry, &last[index]);
    }
  }
  free(last);
  return lines;
}

static const char *colour_of(enum jdg_verdict v) {
  switch (v) {
    case JDG_PASS: return "\033[32m";
    case JDG_WARN:
    case JDG_INCONCLUSIVE:
    case JDG_WAIVED: return "\033[33m";
    case JDG_FAIL:
    case JDG_ERROR: return "\033[31m";
    default: return "\033[2m";
  }
}

static const char *short_verdict(enum jdg_verdict v) {
  if (v == JDG_NOT_EXERCISED) return "-";
  if (v == JDG_FAIL) return "FAIL";
  if (v == JDG_INCONCLUSIVE) return "unclear";
  return v == JDG_UNSUPPORTED ? "n/a" : jdg_verdict_name(v);
}

static void print_line(const struct rule *rule, const struct line *line, FILE *stream,
                       bool colours) {
  fprintf(stream, "    %s%-7s%s  %-15s  %-15s  %s", colours ? colour_of(line->verdict) : "",
          short_verdict(line->verdict), colours ? "\033[0m" : "", rule->id, line->level,
          rule->title);
  if (line->shown_by && line->activations) {
    fprintf(stream, "%s  [%s", colours ? "\033[2m" : "", line->shown_by);
    if (line->others) fprintf(stream, " +%zu", line->others);
    fprintf(stream, "]%s", colours ? "\033[0m" : "");
  }
  fputc('\n', stream);
}

/* Sections as documents count them: 2.2 before 2.10, and appendices (A.1) after all numbers. */
static int compare_sections(const char *a, const char *b) {
  while (*a && *b) {
    char *after_a, *after_b;
    unsigned long number_a = strtoul(a, &after_a, 10), number_b = strtoul(b, &after_b, 10);
    bool counted = after_a != a && after_b != b;
    if (counted && number_a != number_b) return number_a < number_b ? -1 : 1;
    if (!counted && *a != *b) return *a < *b ? -1 : 1;
    a = counted ? after_a : a + 1;
    b = counted ? after_b : b + 1;
  }
  return (*a != '\0') - (*b != '\0');
}

/* Whether |rule| stands before |other|, a rule of the same document, when the document is read. */
static bool reads_before(const struct rule *rule, const struct rule *other) {
  return strcmp(rule->document, other->document) == 0 &&
         compare_sections(rule->section, other->section) < 0;
}

/* The catalogue's rules as the documents read; it is nearly in that order. NULL: no memory. */
static const struct rule **reading_order(void) {
  size_t count = rule_count();
  const struct rule **order = calloc(count + 1, sizeof *order);
  for (size_t i = 0; order && i < count; i++) {
    const struct rule *rule = rule_get(i);
    size_t k = i;
    for (; k > 0 && reads_before(rule, order[k - 1]); k--) order[k] = order[k - 1];
    order[k] = rule;
  }
  return order;
}

void cli_list_rules(const json_t *runs, FILE *stream, bool colours) {
  struct line *lines = collect(runs);
  const struct rule **order = reading_order();
  const char *document = "", *section = "";
  for (size_t i = 0; lines && order && i < rule_count(); i++) {
    const struct rule *rule = order[i];
    const struct line *line = &lines[catalogue_index(rule->id)];
    if (!line->level) continue;
    bool new_document = strcmp(document, rule->document) != 0;
    if (new_document)
      fprintf(stream, "%s%s%s%s\n", *document ? "\n" : "", colours ? "\033[1m" : "", rule->document,
              colours ? "\033[0m" : "");
    if (new_document || strcmp(section, rule->section) != 0)
      fprintf(stream, "  section %s\n", rule->section);
    document = rule->document;
    section = rule->section;
    print_line(rule, line, stream, colours);
  }
  free(order);
  free(lines);
}

/* ---- findings ---- */

static void print_time(const json_t *finding, FILE *stream) {
  json_int_t frame = json_integer_value(json_object_get(finding, "frame"));
  json_int_t time = json_integer_value(json_object_get(finding, "time_ns"));
  if (frame) fprintf(stream, ", frame %" JSON_INTEGER_FORMAT, frame);
  if (time)
    fprintf(stream, ", at %" JSON_INTEGER_FORMAT ".%06" JSON_INTEGER_FORMAT " s", time / 1000000000,
            time % 1000000000 / 1000);
}

static void print_comparison(const json_t *item, FILE *stream) {
  const char *expected = member(item, "expected"), *actual = member(item, "actual");
  if (*expected) fprintf(stream, "  expected  %s\n", expected);
  if (*actual) fprintf(stream, "  actual    %s\n", actual);
}

/* Real time is allowed to be late: by how much, every finding of such a run says. */
static void print_tolerances(const json_t *run, FILE *stream) {
  json_t *tolerance;
  size_t i;
  json_array_foreach(json_object_get(run, "tolerances"), i, tolerance)
      fprintf(stream, "  tolerance %s = %.3f s (%s)\n", member(tolerance, "name"),
              (double)json_integer_value(json_object_get(tolerance, "value_ns")) / 1e9,
              member(tolerance, "about"));
}

/* Where no shell finds "chorus", the launcher says by which name it was called. */
static void print_command(const char *command, FILE *stream) {
  const char *launcher = getenv("CHORUS_LAUNCHER");
  struct txt_buffer word = {0};
  bool replaced = launcher && *launcher && strncmp(command, "chorus ", 7) == 0;
  if (replaced) txt_word(&word, launcher);
  fprintf(stream, "  again     %s%s\n", word.data ? word.data : "",
          word.data ? command + strlen("chorus") : command);
  txt_free(&word);
}

static void print_again(const json_t *run, FILE *stream) {
  const char *capture = member(run, "capture"), *again = member(run, "reproduce");
  if (*capture) fprintf(stream, "  capture   %s\n", capture);
  if (*again) print_command(again, stream);
}

static void print_rule_finding(const json_t *run, const json_t *entry, const json_t *finding,
                               FILE *stream, bool colours) {
  const struct rule *rule = rule_find(member(entry, "id"));
  const struct rule_check *check = rule ? rule_check_of(rule) : NULL;
  enum jdg_verdict v = run_verdict_parse(member(entry, "verdict"));
  fprintf(stream, "%s%s%s %s in %s, node %s", colours ? colour_of(v) : "", short_verdict(v),
          colours ? "\033[0m" : "", member(entry, "id"), run_name(run), member(entry, "node"));
  print_time(finding, stream);
  fputc('\n', stream);
  const char *asks = check && check->requirement ? check->requirement : rule ? rule->title : "";
  if (rule)
    fprintf(stream, "  rule      %s (%s, section %s, %s)\n", asks, rule->document, rule->section,
            member(entry, "level"));
  print_comparison(finding, stream);
  const char *note = member(finding, "message"); /* often the requirement again */
  if (*note && !(*asks && strstr(note, asks))) fprintf(stream, "  note      %s\n", note);
  print_tolerances(run, stream);
  print_again(run, stream);
  fputc('\n', stream);
}

static void print_item(const json_t *run, const json_t *item, FILE *stream, bool colours) {
  enum jdg_verdict v = run_verdict_parse(member(item, "verdict"));
  json_int_t line = json_integer_value(json_object_get(item, "line"));
  fprintf(stream, "%s%s%s %s in %s", colours ? colour_of(v) : "", short_verdict(v),
          colours ? "\033[0m" : "", member(item, "kind"), run_name(run));
  if (line) fprintf(stream, ", line %" JSON_INTEGER_FORMAT, line);
  print_time(item, stream);
  fprintf(stream, "\n  what      %s\n", member(item, "text"));
  print_comparison(item, stream);
  print_again(run, stream);
  fputc('\n', stream);
}

/* What a program under test did beside the protocol. */
static void print_trouble(const json_t *run, const json_t *trouble, FILE *stream, bool colours) {
  fprintf(stream, "%serror%s %s in %s, node %s\n", colours ? colour_of(JDG_ERROR) : "",
          colours ? "\033[0m" : "", member(trouble, "verdict"), run_name(run),
          member(trouble, "node"));
  fprintf(stream, "  what      %s\n", member(trouble, "text"));
  if (*member(trouble, "datagram"))
    fprintf(stream, "  after     the datagram %s\n", member(trouble, "datagram"));
  if (*member(trouble, "stderr")) fprintf(stream, "  it said   %s\n", member(trouble, "stderr"));
  print_again(run, stream);
  fputc('\n', stream);
}

static void print_gap(const json_t *run, const json_t *gap, FILE *stream) {
  json_int_t line = json_integer_value(json_object_get(gap, "line"));
  fprintf(stream, "unsupported %s", run_name(run));
  if (line) fprintf(stream, ", line %" JSON_INTEGER_FORMAT, line);
  fprintf(stream, ": %s\n\n", member(gap, "why"));
}

/* What was found is shown by its weight, so that what is left out of a long list is the least. */
enum weight { FAILURES, WARNINGS, QUESTIONS, WEIGHTS };

static enum weight weight_of(const json_t *entry) {
  enum jdg_verdict v = run_verdict_parse(member(entry, "verdict"));
  if (v == JDG_FAIL || v == JDG_ERROR) return FAILURES;
  if (v == JDG_WARN) return WARNINGS;
  return v == JDG_INCONCLUSIVE ? QUESTIONS : WEIGHTS;
}

static size_t print_run(const json_t *run, enum weight weight, size_t shown, FILE *stream,
                        bool colours) {
  json_t *entry;
  size_t i;
  json_array_foreach(json_object_get(run, "rules"), i, entry) {
    json_t *findings = json_object_get(entry, "findings");
    if (weight == QUESTIONS || weight_of(entry) != weight || json_array_size(findings) == 0)
      continue;
    if (shown++ < MAX_SHOWN)
      print_rule_finding(run, entry, json_array_get(findings, 0), stream, colours);
  }
  json_array_foreach(json_object_get(run, "expectations"), i, entry) {
    if (weight_of(entry) != weight) continue;
    if (shown++ < MAX_SHOWN) print_item(run, entry, stream, colours);
  }
  if (weight == FAILURES)
    json_array_foreach(json_object_get(run, "sut_verdicts"), i, entry) if (shown++ < MAX_SHOWN)
        print_trouble(run, entry, stream, colours);
  if (weight == QUESTIONS)
    json_array_foreach(json_object_get(run, "unsupported"), i, entry) if (shown++ < MAX_SHOWN)
        print_gap(run, entry, stream);
  return shown;
}

void cli_list_findings(const json_t *runs, FILE *stream, bool colours) {
  size_t shown = 0;
  for (enum weight weight = FAILURES; weight < WEIGHTS; weight++)
    for (size_t i = 0; i < json_array_size(runs); i++)
      shown = print_run(json_array_get(runs, i), weight, shown, stream, colours);
  if (shown > MAX_SHOWN) fprintf(stream, "and %zu more, all in the results\n\n", shown - MAX_SHOWN);
}

/* ---- counts ---- */

static void print_counts(const json_t *counts, FILE *stream) {
  const char *name;
  json_t *value;
  bool first = true;
  json_object_foreach((json_t *)(uintptr_t)counts, name, value) {
    if (json_integer_value(value) == 0) continue;
    fprintf(stream, "%s %" JSON_INTEGER_FORMAT " %s", first ? ":" : ",", json_integer_value(value),
            name);
    first = false;
  }
  fputc('\n', stream);
}

static size_t rules_exercised(const json_t *runs, size_t *implemented) {
  struct line *lines = collect(runs);
  size_t exercised = 0;
  *implemented = 0;
  for (size_t i = 0; lines && i < rule_count(); i++) {
    *implemented += lines[i].level != NULL;
    exercised += lines[i].activations > 0;
  }
  free(lines);
  return exercised;
}

void cli_list_counts(const json_t *results, FILE *stream) {
  const json_t *summary = json_object_get(results, "summary");
  const json_t *runs = json_object_get(results, "runs");
  size_t implemented, exercised = rules_exercised(runs, &implemented);
  fprintf(stream, "%zu run%s", json_array_size(runs), json_array_size(runs) == 1 ? "" : "s");
  print_counts(json_object_get(summary, "runs"), stream);
  if (implemented) {
    fprintf(stream, "%zu of %zu rules exercised; rules by node and run", exercised, implemented);
    print_counts(json_object_get(summary, "rules"), stream);
  }
  json_t *waiver;
  size_t i;
  json_array_foreach(json_object_get(summary, "waivers"), i, waiver) {
    const char *problem = member(waiver, "problem");
    if (*problem)
      fprintf(stream, "FAIL waiver for %s (%s): %s\n", member(waiver, "rule"),
              member(waiver, "sut"), problem);
  }
}
