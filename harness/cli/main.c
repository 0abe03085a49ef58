/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "scenario/units.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

struct command {
  const char *name;
  int (*run)(int count, char **arguments);
  const char *help;
};

static const struct command commands[] = {
    {"run", cli_run, "run scenarios and judge them"},
    {"check", cli_check, "judge captures that were made elsewhere"},
    {"rules", cli_rules, "the catalogue: what each rule asks, and from where"},
    {"scenarios", cli_scenarios, "the scenarios that there are"},
    {"mutants", cli_mutants, "wrong implementations, and the rules that find them"},
    {"interop", cli_interop,
     "third-party stacks: conformance, and every client against every server"},
    {"emulate", cli_emulate, "an emulated network to run anything on"},
    {"sut", cli_sut, "prove the manifest of a stack under test"},
    {"report", cli_report, "results as HTML, JUnit or Markdown"},
    {"diff", cli_diff, "what changed between two results"},
    {"bench", cli_bench, "how fast simulator, judge and switch are"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *stream) {
  fprintf(stream, "usage: chorus COMMAND [...]\n\n");
  for (size_t i = 0; i < COMMANDS; i++)
    fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].help);
  fprintf(stream, "\nchorus COMMAND --help tells more.\n");
}

static int unknown_command(const char *name) {
  const char *words[COMMANDS];
  for (size_t i = 0; i < COMMANDS; i++) words[i] = commands[i].name;
  const char *near = scn_nearest(name, words, COMMANDS);
  fprintf(stderr, "chorus: there is no command \"%s\"%s%s%s\n", name, near ? "; did you mean " : "",
          near ? near : "", near ? "?" : "");
  return CLI_USAGE;
}

static int run_command(int count, char **arguments) {
  const char *name = arguments[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
    print_usage(stdout);
    return CLI_OK;
  }
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
    printf("chorus %s\n", CHORUS_VERSION);
    return CLI_OK;
  }
  for (size_t i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i].name, name) == 0) return commands[i].run(count - 2, arguments + 2);
  return unknown_command(name);
}

/* A verdict of Chorus; other codes say what went wrong already, or are those of a program. */
static bool is_verdict(int code) {
  return code == CLI_OK || code == CLI_FAILED || code == CLI_INCONCLUSIVE;
}

/*
 * What was asked for has to arrive: a list that a full disk cut short is an error, whatever it was
 * about to say. An error weighs more than a failure, as among verdicts (run_worst).
 */
static int finish(int code) {
  bool written = fflush(stdout) == 0 && !ferror(stdout);
  if (written || !is_verdict(code)) return code;
  fprintf(stderr, "chorus: cannot write to standard output%s%s\n", errno ? ": " : "",
          errno ? strerror(errno) : "");
  return CLI_ERROR;
}

int main(int count, char **arguments) {
  if (count >= 2) return finish(run_command(count, arguments));
  print_usage(stderr);
  return CLI_USAGE;
}
