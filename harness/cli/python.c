/* SPDX-License-Identifier: BSD-2-Clause */
/* report and diff are Python programs, which read the JSON only. */
#include "cli/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The launcher's environment has what is needed; without a launcher Python needs Jinja2. */
static const char *interpreter(void) {
  const char *python = getenv("CHORUS_PYTHON");
  return python && *python ? python : "python3";
}

/*
 * The package lies beside the program, if it is not installed. Without it, or what it needs, Python
 * would end with 1, which is what a failure means.
 */
static const char program[] =
    "import os, sys\n"
    "sys.path += filter(None, [os.environ.get('CHORUS_REPORTS')])\n"
    "try:\n"
    "    from chorus_reports.__main__ import main\n"
    "except ImportError as error:\n"
    "    print(f'chorus: {sys.executable} cannot make reports: {error}; CHORUS_PYTHON names the'\n"
    "          ' interpreter that has Jinja2 and chorus-reports', file=sys.stderr)\n"
    "    sys.exit(3)\n"
    "sys.exit(main())\n";

static int replace_process(const char *subcommand, int count, char **arguments) {
  char *words[count + 5], folder[4096];
  if (cli_beside_program("reports", folder, sizeof folder)) setenv("CHORUS_REPORTS", folder, 1);
  const char *head[] = {interpreter(), "-c", program, subcommand};
  for (size_t i = 0; i < 4; i++) words[i] = (char *)(uintptr_t)head[i];
  for (int i = 0; i < count; i++) words[4 + i] = arguments[i];
  words[4 + count] = NULL;
  execvp(words[0], words);
  fprintf(stderr, "chorus %s: cannot start %s: %s\n", subcommand, words[0], strerror(errno));
  return CLI_ERROR;
}

int cli_report(int count, char **arguments) {
  return replace_process("report", count, arguments);
}
int cli_diff(int count, char **arguments) {
  return replace_process("diff", count, arguments);
}

bool cli_write_report(const char *results, const char *folder) {
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    char *words[] = {(char *)(uintptr_t)results, (char *)(uintptr_t) "--html",
                     (char *)(uintptr_t)folder, NULL};
    if (!freopen("/dev/null", "w", stdout)) _exit(CLI_ERROR);
    _exit(replace_process("report", 3, words));
  }
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
