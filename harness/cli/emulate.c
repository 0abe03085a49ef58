/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus emulate */
#include "emulate/emulate.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "scenario/units.h"

enum { MAX_SETTINGS = 32, SIGNAL_BASE = 128 };

enum { OUT, SEED, DILATE, ATTACH, FLOOD, SET, SETTLE, KEEP };

static const struct cli_option emulate_options_[] = {
    [OUT] = {"--out", "FILE.pcapng", "capture what every node sends and receives"},
    [SEED] = {"--seed", "N", "seed of the impairments (1)"},
    [DILATE] = {"--dilate", "N", "N virtual seconds in a real one; programs by libfaketime (1)"},
    [ATTACH] = {"--attach", "HOW", "auto, tap or packet (auto)"},
    [FLOOD] = {"--flood", NULL, "multicasts reach every node, as without snooping"},
    [SET] = {"--set", "KEY=VALUE",
             "set a parameter or a place of the file (ip=4, nodes.s.count=9)"},
    [SETTLE] = {"--settle", "TIME", "wait for a command's sockets before the next one (2s)"},
    [KEEP] = {"--keep", NULL, "say how to enter the nodes, and stay until Ctrl-C"},
    {NULL, NULL, NULL},
};

struct asked {
  const char *topology;
  struct emulate_options run;
  struct scn_setting settings[MAX_SETTINGS];
  size_t setting_count;
  uint64_t dilation;
  char **words; /* behind the first "--" */
  size_t word_count;
  char preload[256];
};

/* ---- options ---- */

static bool take_attachment(const struct cli_parser *p, enum krn_attachment *attachment) {
  for (int i = KRN_AUTO; i <= KRN_PACKET; i++)
    if (strcmp(p->value, krn_attachment_name((enum krn_attachment)i)) == 0) {
      *attachment = (enum krn_attachment)i;
      return true;
    }
  cli_usage(p, "--attach is auto, tap or packet, not \"%s\"", p->value);
  return false;
}

static bool take_settle(const struct cli_parser *p, chorus_time *settle) {
  if (scn_duration(p->value, settle)) return true;
  cli_usage(p, "--settle wants a time such as 500ms, not \"%s\"", p->value);
  return false;
}

static bool take_topology(const struct cli_parser *p, struct asked *a) {
  if (a->topology)
    cli_usage(p, "\"%s\": one topology only; what is to run stands behind --", p->value);
  else
    a->topology = p->value;
  return a->topology == p->value;
}

static bool take(struct cli_parser *p, int option, struct asked *a) {
  switch (option) {
    case CLI_POSITIONAL: return take_topology(p, a);
    case OUT: a->run.capture = p->value; return true;
    case SEED: return cli_number(p, "--seed", 0, UINT64_MAX, &a->run.seed);
    case DILATE: return cli_number(p, "--dilate", 1, 1000, &a->dilation);
    case ATTACH: return take_attachment(p, &a->run.attachment);
    case FLOOD: return a->run.flood = true;
    case SET: return cli_add_setting(p, a->settings, &a->setting_count, MAX_SETTINGS);
    case SETTLE: return take_settle(p, &a->run.settle);
    case KEEP: return a->run.keep = true;
    default: return false;
  }
}

/* Options end at the first "--"; what follows is not ours. */
static void cut(struct cli_parser *p, struct asked *a) {
  int i = 0;
  while (i < p->count && strcmp(p->arguments[i], "--") != 0) i++;
  a->words = p->arguments + i + 1;
  a->word_count = i < p->count ? (size_t)(p->count - i - 1) : 0;
  p->count = i;
}

static int parse(struct cli_parser *p, struct asked *a) {
  cut(p, a);
  for (int option; (option = cli_next(p)) != CLI_END;) {
    if (option == CLI_HELP) return CLI_HELP;
    if (option == CLI_BAD || !take(p, option, a)) return CLI_BAD;
  }
  if (!a->topology)
    cli_usage(p, "which TOPOLOGY? a YAML file with nodes");
  else if (a->word_count == 0 && !a->run.keep)
    cli_usage(p, "nothing to run: -- COMMAND..., -- @NODE COMMAND..., or --keep");
  else
    return CLI_END;
  return CLI_BAD;
}

/* ---- what has to be there ---- */

/* libfaketime, which makes the clocks of programs faster. */
static bool find_preload(const struct cli_parser *p, struct asked *a) {
  static const char *const places[] = {"/usr/lib/*/faketime/libfaketime.so.1",
                                       "/usr/lib*/faketime/libfaketime.so.1",
                                       "/usr/local/lib/faketime/libfaketime.so.1"};
  a->run.dilation = (uint32_t)a->dilation;
  if (a->dilation < 2 || a->word_count == 0) return true;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    glob_t found;
    if (glob(places[i], 0, NULL, &found) != 0) continue;
    snprintf(a->preload, sizeof a->preload, "%s", found.gl_pathv[0]);
    globfree(&found);
    a->run.preload = a->preload;
    return true;
  }
  cli_usage(p, "--dilate %u: no program would follow, libfaketime is not installed",
            (unsigned)a->dilation);
  return false;
}

static struct scn_scenario *read_topology(const struct asked *a) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  struct scn_scenario *topology =
      scn_topology_read(a->topology, a->settings, a->setting_count, &errors);
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  return topology;
}

static bool enter(struct asked *a) {
  char why[512], before[64] = "", after[64] = "";
  ssize_t length = readlink("/proc/self/ns/user", before, sizeof before - 1);
  if (!krn_enter(why, sizeof why)) {
    fprintf(stderr, "chorus emulate: %s\n", why);
    return false;
  }
  length = length < 0 ? length : readlink("/proc/self/ns/user", after, sizeof after - 1);
  a->run.user_namespace = length > 0 && strcmp(before, after) != 0;
  return true;
}

/* ---- the command ---- */

static int exit_code(int status) {
  return WIFSIGNALED(status) ? SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

static int emulate(struct asked *a) {
  int status;
  if (!enter(a)) return CLI_ERROR;
  struct cli_interrupt *interrupt = cli_interrupt_watch();
  a->run.notes = stderr;
  a->run.interrupted = cli_interrupted;
  a->run.context = interrupt;
  switch (emulate_run(&a->run, &status)) {
    case EMULATE_ENDED: return exit_code(status);
    case EMULATE_INTERRUPTED: return CLI_INTERRUPTED;
    case EMULATE_FAILED: break;
  }
  return CLI_ERROR;
}

static int with_topology(const struct cli_parser *p, struct asked *a,
                         const struct scn_scenario *topology) {
  char why[1000];
  struct emulate_blocks blocks = {0};
  struct scn_arena *arena = scn_arena_new();
  int code = CLI_USAGE;
  a->run.topology = topology;
  a->run.blocks = &blocks;
  if (!arena ||
      !emulate_blocks_read(topology, a->words, a->word_count, arena, &blocks, why, sizeof why))
    cli_usage(p, "%s", arena ? why : "no memory");
  else
    code = emulate(a);
  scn_arena_free(arena);
  return code;
}

int cli_emulate(int count, char **arguments) {
  struct cli_parser p = {
      .command = "emulate",
      .usage = "TOPOLOGY [options] -- [@NODE] COMMAND... [-- @NODE COMMAND...]",
      .about =
          "Runs programs on an emulated network: each node of TOPOLOGY (a YAML file with nodes,\n"
          "and a network if need be; a scenario will do) is a network namespace. {NODE} in\n"
          "arguments is the node's address, {iface} the interface. Without @NODE a command runs\n"
          "in the first node. The exit code is that of the last command; those before are ended\n"
          "with it.",
      .options = emulate_options_,
      .arguments = arguments,
      .count = count};
  struct asked a = {.run = {.seed = 1, .settle = 2 * CHORUS_SECOND}};
  int parsed = parse(&p, &a), code = CLI_USAGE;
  if (parsed == CLI_HELP) code = CLI_OK;
  if (parsed == CLI_END && find_preload(&p, &a)) {
    struct scn_scenario *topology = read_topology(&a);
    if (topology) code = with_topology(&p, &a, topology);
    scn_free(topology);
  }
  for (size_t i = 0; i < a.setting_count; i++) free((char *)(uintptr_t)a.settings[i].key);
  return code;
}
