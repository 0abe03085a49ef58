/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus sut check */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/stacks.h"
#include "scenario/units.h"
#include "sut/check.h"

enum { ROLE, SEED, WATCHDOG, JSON };

static const struct cli_option sut_options[] = {
    [ROLE] = {"--role", "ROLE", "only client, server or proxy (may be given several times)"},
    [SEED] = {"--seed", "N", "of all randomness (1)"},
    [WATCHDOG] = {"--watchdog", "DURATION", "silence that counts as hanging, rungs a and b (10s)"},
    [JSON] = {"--json", NULL, "one object instead of lines"},
    {NULL, NULL, NULL},
};

struct wish {
  const char *verb, *manifest;
  unsigned roles;
  uint64_t seed;
  chorus_time watchdog;
  bool json;
};

static const char *const result_names[] = {"ok", "FAILED", "skipped"};

/* ---- output ---- */

static void print_line(void *context, const struct sut_check_line *line) {
  char ip[16] = "";
  (void)context;
  if (line->ip) snprintf(ip, sizeof ip, " v%u", line->ip);
  printf("%-8s %s%s  %s: %s\n", result_names[line->result], sut_role_names[line->role], ip,
         line->name, line->text);
  if (line->at && line->at->last)
    printf("         the last datagram that it was given, at %.3f s: %.200s\n",
           (double)line->at->last_at / 1e9, line->at->last);
  if (line->at && line->at->tail[0])
    printf("         its standard error ends:\n%s\n", line->at->tail);
  fflush(stdout);
}

static json_t *line_json(const struct sut_check_line *line) {
  static const char *const words[] = {"ok", "failed", "skipped"};
  json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "role", sut_role_names[line->role], "check",
                        line->name, "result", words[line->result], "text", line->text);
  if (line->ip) json_object_set_new(o, "ip", json_integer((json_int_t)line->ip));
  if (!line->at) return o;
  json_object_set_new(o, "time_ns", json_integer((json_int_t)line->at->at));
  json_object_set_new(o, "stderr", json_string(line->at->tail));
  if (!line->at->last) return o;
  json_object_set_new(o, "last_datagram", json_string(line->at->last));
  json_object_set_new(o, "last_time_ns", json_integer((json_int_t)line->at->last_at));
  return o;
}

static const char *verdict_of(const struct sut_report *report) {
  return report->failed ? "not proved" : "proved";
}

static void print_json(const struct sut_manifest *m, const struct sut_report *report) {
  json_t *checks = json_array();
  for (size_t i = 0; i < report->count; i++)
    json_array_append_new(checks, line_json(&report->lines[i]));
  json_t *o =
      json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "name", m->name, "version", report->version,
                "verdict", verdict_of(report), "failed", (json_int_t)report->failed, "skipped",
                (json_int_t)report->skipped, "checks", checks);
  json_dumpf(o, stdout, JSON_INDENT(1));
  fputc('\n', stdout);
  json_decref(o);
}

/* ---- checking ---- */

/* What a program did wrong is an error; what it does not do is a failure. */
static int exit_code(const struct sut_report *report) {
  int code = report->count == report->skipped ? CLI_ERROR : CLI_OK;
  for (size_t i = 0; i < report->count; i++) {
    const struct sut_check_line *line = &report->lines[i];
    if (line->result != SUT_CHECK_FAILED) continue;
    bool error = line->at || strcmp(line->name, "start") == 0 || strcmp(line->name, "ready") == 0;
    if (error && !(line->at && line->at->kind == SUT_LIE)) return CLI_ERROR;
    code = CLI_FAILED;
  }
  return code;
}

static bool plays_role(const struct cli_parser *p, const struct sut_manifest *m, unsigned roles) {
  for (int role = 0; role < SUT_ROLES; role++) {
    if (!(roles & 1u << role) || m->parts[role]) continue;
    cli_usage(p, "%s declares no role %s", m->name, sut_role_names[role]);
    return false;
  }
  return true;
}

static int check(const struct cli_parser *p, const struct wish *wish) {
  struct cli_stack stack;
  struct sut_report report;
  if (!cli_stack_load(&stack, "sut", wish->manifest)) return CLI_USAGE;
  struct sut_check_config config = {.roles = wish->roles,
                                    .seed = wish->seed,
                                    .watchdog = wish->watchdog,
                                    .interrupted = cli_interrupted,
                                    .line = wish->json ? NULL : print_line};
  enum net_backend backend = stack.manifest->rung == SUT_PROGRAM ? NET_KERNEL : NET_SIM;
  int code = plays_role(p, stack.manifest, wish->roles) ? CLI_OK : CLI_USAGE;
  if (code == CLI_OK && !cli_batch_enter("sut", backend)) code = CLI_ERROR;
  if (code == CLI_OK) {
    config.interrupted_context = cli_interrupt_watch(); /* a thread: after krn_enter() */
    bool ok = sut_check(stack.manifest, &config, &report);
    code = ok ? exit_code(&report) : CLI_ERROR;
    if (ok && wish->json) print_json(stack.manifest, &report);
    if (ok && !wish->json)
      printf("\n%s %s: %s (%zu checks, %zu failed, %zu skipped)\n", stack.manifest->name,
             report.version, verdict_of(&report), report.count, report.failed, report.skipped);
    sut_report_free(&report);
    if (cli_interrupted(config.interrupted_context)) code = CLI_INTERRUPTED;
  }
  cli_stack_free(&stack);
  return code;
}

/* ---- the command ---- */

static bool take_role(const struct cli_parser *p, struct wish *wish) {
  for (int role = 0; role < SUT_ROLES; role++)
    if (strcmp(p->value, sut_role_names[role]) == 0) {
      wish->roles |= 1u << role;
      return true;
    }
  const char *near = scn_nearest(p->value, sut_role_names, SUT_ROLES);
  cli_usage(p, "there is no role \"%s\"; there are client, server and proxy%s%s%s", p->value,
            near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
  return false;
}

static bool take_word(const struct cli_parser *p, struct wish *wish) {
  const char **slot = wish->verb ? &wish->manifest : &wish->verb;
  if (*slot) {
    cli_usage(p, "one manifest at a time; \"%s\" is too much", p->value);
    return false;
  }
  *slot = p->value;
  return true;
}

static bool take_option(const struct cli_parser *p, int option, struct wish *wish) {
  switch (option) {
    case ROLE: return take_role(p, wish);
    case SEED: return cli_number(p, "--seed", 0, UINT64_MAX, &wish->seed);
    case WATCHDOG:
      if (scn_duration(p->value, &wish->watchdog) && wish->watchdog > 0) return true;
      cli_usage(p, "\"%s\" is no duration such as 10s for --watchdog", p->value);
      return false;
    case JSON: return wish->json = true;
    case CLI_POSITIONAL: return take_word(p, wish);
    default: return false;
  }
}

int cli_sut(int count, char **arguments) {
  struct cli_parser p = {
      .command = "sut",
      .usage = "check MANIFEST [--role ROLE] [--seed N] [--watchdog DURATION] [--json]",
      .about =
          "Proves the manifest of a stack under test: handshake, honesty, readiness, one positive\n"
          "control for each thing that it declares, and its end. MANIFEST is a path, or the name\n"
          "of an adapter of ours. Exit code 1: something declared is not there; 3: the program\n"
          "failed.",
      .options = sut_options,
      .arguments = arguments,
      .count = count};
  struct wish wish = {.seed = 1};
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_OK;
    if (!take_option(&p, option, &wish)) return CLI_USAGE;
  }
  if (!wish.verb || strcmp(wish.verb, "check") != 0)
    return cli_usage(&p, "%s%s%s; see chorus sut --help", wish.verb ? "there is no \"" : "say ",
                     wish.verb ? wish.verb : "check MANIFEST", wish.verb ? "\", only check" : "");
  if (!wish.manifest) return cli_usage(&p, "check needs a manifest; see chorus sut --help");
  return check(&p, &wish);
}
