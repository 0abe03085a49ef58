/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: `chorus COMMAND ...`. Exit codes: 0 all passed (warnings and waived allowed),
 * 1 conformance failure, 2 usage, 3 harness or SUT error, 4 inconclusive under --strict, 130
 * interrupted.
 */
#ifndef CHORUS_CLI_H
#define CHORUS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "judge/judge.h"
#include "scenario/library.h"
#include "text/text.h"

enum cli_exit {
  CLI_OK = 0,
  CLI_FAILED = 1,
  CLI_USAGE = 2,
  CLI_ERROR = 3,
  CLI_INCONCLUSIVE = 4,
  CLI_INTERRUPTED = 130,
};

/* ---- options ---- */

struct cli_option {
  const char *name;  /* "--seed" */
  const char *value; /* "N", or NULL for a flag */
  const char *help;
};

struct cli_parser {
  const char *command;              /* "run" */
  const char *usage;                /* "[SELECTOR...] [options]" */
  const char *about;                /* what it does */
  const struct cli_option *options; /* ends with a NULL name */
  char **arguments;
  int count, next;
  const char *value; /* of the option, or the positional argument */
  bool only_positional;
};

enum { CLI_POSITIONAL = -1, CLI_END = -2, CLI_BAD = -3, CLI_HELP = -4 };

/* The index of the next option, or one of the above. CLI_BAD: the message is out. */
int cli_next(struct cli_parser *parser);
/* One line on stderr: "chorus run: ...". Returns CLI_USAGE. */
int cli_usage(const struct cli_parser *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool cli_number(const struct cli_parser *parser, const char *option, uint64_t min, uint64_t max,
                uint64_t *value);
/* Adds the value to |list|; false with the message out: there are |most| of |what| already. */
bool cli_append(const struct cli_parser *parser, const char *what, const char **list, size_t most,
                size_t *count);
/* Adds KEY=VALUE, with a key to be freed; false with the message out: none, or set already. */
bool cli_add_setting(const struct cli_parser *parser, struct scn_setting *list, size_t *count,
                     size_t most);
/* A time that is longer than 0, such as 90s. */
bool cli_duration(const struct cli_parser *parser, const char *option, chorus_time *value);
bool cli_profile(const struct cli_parser *parser, enum jdg_profile *profile);

/* ---- where things are ---- */

/* A folder of the repository that the program was built in, or of what was installed with it. */
bool cli_beside_program(const char *name, char *path, size_t size);
/* Adds |path| as one that leads to the same file from any folder. */
void cli_whole_path(struct txt_buffer *text, const char *path);
/* The folder with the scenarios: CHORUS_SCENARIOS, CHORUS_HOME, beside the program, installed. */
const char *cli_scenarios_folder(char *path, size_t size);
/* Reads it; false with the messages out. */
bool cli_read_library(struct scn_library *library, const char *folder);

/* ---- interrupts ---- */

struct cli_interrupt;
/* From now on SIGINT and SIGTERM only set a mark; the second one ends the program at once. */
struct cli_interrupt *cli_interrupt_watch(void);
bool cli_interrupted(void *interrupt);

/* ---- commands: what follows the command's name; returns the exit code ---- */

int cli_run(int count, char **arguments);
int cli_check(int count, char **arguments);
int cli_rules(int count, char **arguments);
int cli_scenarios(int count, char **arguments);
int cli_interop(int count, char **arguments);
int cli_mutants(int count, char **arguments);
int cli_bench(int count, char **arguments);
int cli_emulate(int count, char **arguments);
int cli_sut(int count, char **arguments);
int cli_report(int count, char **arguments);
int cli_diff(int count, char **arguments);

#endif
