/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus check */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/listing.h"
#include "cli/plan.h"
#include "events/log.h"
#include "rules/rules.h"
#include "run/offline.h"
#include "run/results.h"
#include "statement/statement.h"
#include "text/text.h"

enum { PROFILE, ICS, KEYS, EVENTS, ANNOTATE, RULE, STRICT, JSON };
/* As many captures as one call of `run` can make. */
enum { MAX_CAPTURES = CLI_RUNS_MOST, MAX_RULES = 64 };

static const struct cli_option check_options[] = {
    [PROFILE] = {"--profile", "P", "dijk-03, rfc7390 or bis-18 (dijk-03)"},
    [ICS] = {"--ics", "FILE",
             "what nodes say of themselves (YAML), in place of what the capture has"},
    [KEYS] = {"--keys", "KEYRING", "(not part of this version yet)"},
    [EVENTS] = {"--events", "FILE", "application events beside one capture (JSON Lines)"},
    [ANNOTATE] = {"--annotate", "OUT", "a copy of one capture with the findings as comments"},
    [RULE] = {"--rule", "ID", "judge by this rule only; may be repeated"},
    [STRICT] = {"--strict", NULL, "a broken SHOULD fails"},
    [JSON] = {"--json", NULL, "results on standard output"},
    {NULL, NULL, NULL},
};

struct check {
  const char *captures[MAX_CAPTURES];
  size_t capture_count;
  const char *rules[MAX_RULES];
  size_t rule_total;
  enum jdg_profile profile;
  const char *ics, *events, *annotate;
  bool strict, json;
  struct stm_statements statements;
  struct evt_log log;
  bool *applied;   /* by statement with a name: some capture has that node */
  bool unreadable; /* a capture could not be read to its end */
};

/* ---- options ---- */

static bool add_rule(const struct cli_parser *p, struct check *c) {
  if (!rule_find(p->value)) {
    const char *near = rule_nearest(p->value);
    cli_usage(p, "there is no rule \"%s\"%s%s%s", p->value, near ? "; did you mean " : "",
              near ? near : "", near ? "?" : "");
    return false;
  }
  return cli_append(p, "rules", c->rules, MAX_RULES, &c->rule_total);
}

static bool add_capture(const struct cli_parser *p, struct check *c) {
  return cli_append(p, "captures", c->captures, MAX_CAPTURES, &c->capture_count);
}

static bool take(struct cli_parser *p, int option, struct check *c) {
  switch (option) {
    case CLI_POSITIONAL: return add_capture(p, c);
    case PROFILE: return cli_profile(p, &c->profile);
    case ICS: c->ics = p->value; return true;
    case KEYS: cli_usage(p, "--keys is not part of this version yet"); return false;
    case EVENTS: c->events = p->value; return true;
    case ANNOTATE: c->annotate = p->value; return true;
    case RULE: return add_rule(p, c);
    case STRICT: return c->strict = true;
    case JSON: return c->json = true;
    default: return false;
  }
}

static int parse(int count, char **arguments, struct check *c) {
  struct cli_parser p = {
      .command = "check",
      .usage = "CAPTURE... [options]",
      .about = "Judges captures (pcap, pcapng; - is standard input) that were made anywhere.",
      .options = check_options,
      .arguments = arguments,
      .count = count};
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD || !take(&p, option, c)) return CLI_BAD;
  }
  if (c->capture_count == 0) {
    cli_usage(&p, "which capture? see chorus check --help");
    return CLI_BAD;
  }
  if (c->capture_count > 1 && (c->events || c->annotate)) {
    cli_usage(&p, "--events and --annotate go with one capture");
    return CLI_BAD;
  }
  return CLI_END;
}

static bool read_companions(struct check *c) {
  struct scn_errors errors;
  char message[300];
  scn_errors_init(&errors);
  bool ok = !c->ics || stm_read(&c->statements, c->ics, &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  if (!ok || !c->events) return ok;
  ok = evt_log_read(&c->log, c->events, message, sizeof message);
  if (!ok) fprintf(stderr, "chorus check: %s\n", message);
  return ok;
}

/* ---- judging ---- */

/* ---- results ---- */

static json_t *item(const char *text, const char *verdict, const char *expected, const char *actual,
                    uint64_t frame) {
  json_t *o = json_object();
  json_object_set_new(o, "kind", json_string("harness"));
  json_object_set_new(o, "verdict", json_string(verdict));
  json_object_set_new(o, "text", json_string(text));
  json_object_set_new(o, "line", json_integer(0));
  json_object_set_new(o, "frame", json_integer((json_int_t)frame));
  json_object_set_new(o, "expected", json_string(expected));
  json_object_set_new(o, "actual", json_string(actual));
  return o;
}

/* What cannot be read is never silently passed over (hole W8 of other suites). */
static json_t *capture_items(struct judge *judge, enum cap_status status, const char *message,
                             bool misstated) {
  json_t *list = json_array();
  struct jdg_counts counts = jdg_counts_get(judge);
  char actual[300];
  const char *why = "";
  uint64_t frame = jdg_unreadable(judge, &why);
  if (status != CAP_END && status != CAP_OK)
    json_array_append_new(
        list, item("the capture can be read to its end", "error", "a whole file", message, 0));
  if (frame) {
    snprintf(actual, sizeof actual, "%llu of %llu cannot, the first is frame %llu: %s",
             (unsigned long long)counts.unreadable_frames, (unsigned long long)counts.packets,
             (unsigned long long)frame, why ? why : "");
    json_array_append_new(
        list, item("every frame can be read", counts.datagrams ? "inconclusive" : "error",
                   "all frames", actual, frame));
  }
  if (misstated)
    json_array_append_new(list, item("the statements in the capture can be read", "error",
                                     "YAML as docs/ics.md has it", "not that", 0));
  if (counts.coap_messages == 0 && status == CAP_END)
    json_array_append_new(
        list, item("the capture holds CoAP", "inconclusive", "1 message or more", "none", 0));
  return list;
}

static json_t *nodes(const struct judge *judge) {
  static const char *const roles[] = {"client", "server", "proxy"};
  json_t *list = json_array();
  for (uint32_t i = 0; i < jdg_node_count(judge); i++) {
    json_t *o = json_object(), *seen = json_array();
    for (size_t k = 0; k < 3; k++)
      if (jdg_node_roles(judge, i) >> k & 1) json_array_append_new(seen, json_string(roles[k]));
    json_object_set_new(o, "name", json_string(jdg_node_name(judge, i)));
    json_object_set_new(o, "roles", seen);
    json_array_append_new(list, o);
  }
  return list;
}

static void add_file(struct txt_buffer *command, const char *option, const char *path) {
  if (!path) return;
  txt_print(command, "%s", option);
  txt_word(command, path);
}

/* The options that decide what is found. */
static void add_reproduction(const struct check *c, const char *path, json_t *run) {
  struct txt_buffer command = {0};
  txt_print(&command, "chorus check ");
  txt_word(&command, path);
  if (c->profile != JDG_DIJK_03) txt_print(&command, " --profile %s", jdg_profile_name(c->profile));
  add_file(&command, " --ics ", c->ics);
  add_file(&command, " --events ", c->events);
  for (size_t i = 0; i < c->rule_total; i++) txt_print(&command, " --rule %s", c->rules[i]);
  if (c->strict) txt_print(&command, " --strict");
  json_object_set_new(run, "reproduce", json_string(command.data));
  txt_free(&command);
}

static json_t *run_of(const struct check *c, struct judge *judge, const char *path, json_t *items) {
  json_t *o = json_object();
  json_object_set_new(o, "scenario", json_null());
  json_object_set_new(o, "seed", json_null());
  json_object_set_new(o, "profile", json_string(jdg_profile_name(c->profile)));
  json_object_set_new(o, "sut", json_null());
  json_object_set_new(o, "verdict", json_null());
  json_object_set_new(o, "capture", json_string(path));
  json_object_set_new(o, "events", c->events ? json_string(c->events) : json_null());
  json_object_set_new(o, "counts", run_counts(judge));
  json_object_set_new(o, "nodes", nodes(judge));
  json_object_set_new(o, "rules", run_rules(judge));
  json_object_set_new(o, "expectations", items);
  json_object_set_new(o, "impairments", json_array());
  json_object_set_new(o, "trace", json_array());
  json_object_set_new(o, "trace_total", json_integer(0));
  add_reproduction(c, path, o);
  run_decide(o);
  return o;
}

/* ---- annotating ---- */

struct notes {
  struct judge *judge;
  struct txt_buffer text;
};

static const char *note_of(void *context, uint64_t frame) {
  struct notes *n = context;
  txt_clear(&n->text);
  for (size_t i = 0; i < jdg_result_count(n->judge); i++) {
    const struct jdg_result *r = jdg_result_get(n->judge, i);
    for (size_t k = 0; k < r->finding_count; k++) {
      const struct jdg_finding *f = &r->findings[k];
      if (f->frame != frame || (r->verdict != JDG_FAIL && r->verdict != JDG_WARN)) continue;
      txt_print(&n->text, "%s%s %s: expected %s; actual %s", n->text.length ? "\n" : "",
                r->rule->id, jdg_verdict_name(r->verdict), f->expected ? f->expected : "",
                f->actual ? f->actual : "");
    }
  }
  return n->text.length ? n->text.data : NULL;
}

static bool annotate(struct check *c, struct judge *judge) {
  struct notes notes = {.judge = judge};
  char message[300] = "";
  enum cap_status status =
      cap_annotate(c->captures[0], c->annotate, note_of, &notes, message, sizeof message);
  txt_free(&notes.text);
  if (status == CAP_OK || status == CAP_END || status == CAP_TRUNCATED) return true;
  fprintf(stderr, "chorus check: cannot write %s: %s\n", c->annotate, message);
  return false;
}

/* ---- names that mean nobody ---- */

static bool has_node(const struct judge *judge, const char *name) {
  for (uint32_t i = 0; i < jdg_node_count(judge); i++)
    if (strcmp(jdg_node_name(judge, i), name) == 0) return true;
  return false;
}

static void note_applied(struct check *c, const struct judge *judge) {
  for (size_t i = 0; c->applied && i < c->statements.count; i++)
    if (has_node(judge, c->statements.list[i].name)) c->applied[i] = true;
}

/* A name that is misspelt would leave rules unasked; that must not go unsaid. */
static void tell_unapplied(const struct check *c) {
  for (size_t i = 0; c->applied && i < c->statements.count; i++) {
    const struct stm_statement *s = &c->statements.list[i];
    if (s->name[0] && !s->has_address && !c->applied[i])
      fprintf(stderr,
              "chorus check: %s: there is no node \"%s\", so what is stated of it was not used\n",
              c->ics, s->name);
  }
}

static void tell_strange_events(const struct check *c, const struct judge *judge) {
  for (size_t i = 0; i < c->log.count; i++) {
    if (has_node(judge, c->log.list[i].node)) continue;
    fprintf(
        stderr,
        "chorus check: %s: there is no node \"%s\" in the capture, so its events were not used\n",
        c->events, c->log.list[i].node);
    return;
  }
}

/* Receivers drop what is damaged, so nothing is judged by it. That is counted, and told here. */
static void tell_damaged(const struct judge *judge, const char *path) {
  struct jdg_counts counts = jdg_counts_get(judge);
  const char *why = "";
  uint64_t frame = jdg_damaged(judge, &why);
  if (!frame) return;
  fprintf(stderr,
          "chorus check: %s: damaged and not judged: %llu of %llu frames, the first is frame %llu: "
          "%s\n",
          path, (unsigned long long)counts.damaged_frames, (unsigned long long)counts.packets,
          (unsigned long long)frame, why ? why : "");
}

/* ---- all captures ---- */

/* A statement in the capture that cannot be read is said, and makes the check an error. */
static enum cap_status judge_one(struct check *c, struct judge *judge, const char *path,
                                 char *message, size_t size, bool *misstated) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct run_companions companions = {
      .log = &c->log, .statements = &c->statements, .errors = &errors};
  enum cap_status status = run_judge_capture(judge, path, &companions, message, size);
  if (errors.total) {
    fprintf(stderr, "chorus check: %s:\n", path);
    scn_errors_print(&errors, stderr);
    *misstated = true;
  }
  scn_errors_free(&errors);
  return status;
}

static json_t *check_one(struct check *c, struct judge *judge, const char *path) {
  char message[300] = "";
  struct jdg_config config = {.profile = c->profile, .strict = c->strict};
  jdg_reset(judge, &config);
  if (c->rule_total) jdg_select(judge, c->rules, c->rule_total);
  bool misstated = false;
  enum cap_status status = judge_one(c, judge, path, message, sizeof message, &misstated);
  if (status != CAP_END && status != CAP_OK) {
    c->unreadable = true;
    bool named = strncmp(message, path, strlen(path)) == 0;
    fprintf(stderr, "chorus check: %s%s%s\n", named ? "" : path, named ? "" : ": ", message);
  }
  note_applied(c, judge);
  tell_strange_events(c, judge);
  tell_damaged(judge, path);
  json_t *run = run_of(c, judge, path, capture_items(judge, status, message, misstated));
  if (c->annotate && status != CAP_NOT_CAPTURE && status != CAP_IO && !annotate(c, judge))
    c->unreadable = true;
  return run;
}

static void print_text(const struct check *c, json_t *runs) {
  bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
  cli_list_rules(runs, stdout, colours);
  fputc('\n', stdout);
  cli_list_findings(runs, stdout, colours);
  json_t *results = run_results(jdg_profile_name(c->profile), NULL, json_incref(runs), NULL, false);
  cli_list_counts(results, stdout);
  json_decref(results);
}

static int exit_code(const struct check *c, json_t *runs) {
  enum jdg_verdict worst = JDG_NOT_EXERCISED;
  json_t *run;
  size_t i;
  json_array_foreach(runs, i, run) worst = run_worst(worst, run_decide(run));
  if (c->unreadable || worst == JDG_ERROR) return CLI_ERROR;
  if (worst == JDG_FAIL) return CLI_FAILED;
  return worst == JDG_INCONCLUSIVE && c->strict ? CLI_INCONCLUSIVE : CLI_OK;
}

static int check_all(struct check *c) {
  struct jdg_config config = {.profile = c->profile, .strict = c->strict};
  struct judge *judge = jdg_new(&config);
  json_t *runs = json_array();
  if (!judge) return CLI_ERROR;
  for (size_t i = 0; i < c->capture_count; i++)
    json_array_append_new(runs, check_one(c, judge, c->captures[i]));
  if (c->json) {
    json_dumpf(runs, stdout, JSON_INDENT(1));
    fputc('\n', stdout);
  } else {
    print_text(c, runs);
  }
  tell_unapplied(c);
  int code = exit_code(c, runs);
  json_decref(runs);
  jdg_free(judge);
  return code;
}

int cli_check(int count, char **arguments) {
  struct check *c = calloc(1, sizeof *c);
  if (!c) return CLI_ERROR;
  int code = CLI_USAGE, parsed = parse(count, arguments, c);
  if (parsed == CLI_HELP) code = CLI_OK;
  if (parsed == CLI_END && read_companions(c)) {
    c->applied = calloc(c->statements.count + 1, sizeof *c->applied);
    code = check_all(c);
  }
  free(c->applied);
  stm_free(&c->statements);
  evt_log_free(&c->log);
  free(c);
  return code;
}
