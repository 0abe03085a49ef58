/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus interop setup: installs stacks by the programs that their manifests name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/interop.h"
#include "cli/stacks.h"
#include "text/text.h"

enum { MAX_STACKS = 64 };

static const struct cli_option setup_options[] = {{NULL, NULL, NULL}};

/* What it says goes to standard error: standard output is the list of stacks. */
static int run_program(const char *program, const char *folder) {
  int status;
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) return -1;
  if (child == 0) {
    if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) _exit(127);
    execl(program, program, folder, (char *)NULL);
    fprintf(stderr, "chorus interop: cannot start %s: %s\n", program, strerror(errno));
    _exit(127);
  }
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs the manifest's setup program; false with the message out. */
static bool run_setup(const struct cli_stack *stack) {
  struct txt_buffer folder = {0};
  char base[3000];
  int status = -1;
  txt_print(&folder, "%s/%s", cli_stacks_folder(base, sizeof base), stack->name);
  bool made = folder.data && cli_make_folder("interop", folder.data);
  if (made) status = run_program(stack->manifest->setup, folder.data);
  txt_free(&folder);
  if (made && status != 0)
    printf("%-12s not installed: its setup ended with status %d\n", stack->name, status);
  return made && status == 0;
}

static bool set_up(struct cli_stack *stack) {
  const char *name = stack->name;
  if (stack->manifest->setup && !run_setup(stack)) return false;
  cli_stack_ask(stack);
  if (cli_stack_available(stack))
    printf("%-12s %s\n", name, stack->version);
  else
    printf("%-12s not usable: %s\n", name, stack->why);
  return cli_stack_available(stack);
}

static bool parse(int count, char **arguments, const char **names, size_t *named, bool *help) {
  struct cli_parser p = {.command = "interop setup",
                         .usage = "[STACK...]",
                         .about =
                             "Installs stacks under test from the package registries, into\n"
                             "build/stacks (or $CHORUS_STACKS), and says what it could not.",
                         .options = setup_options,
                         .arguments = arguments,
                         .count = count};
  for (int option; (option = cli_next(&p)) != CLI_END;) {
    if (option == CLI_HELP) return *help = true;
    if (option != CLI_POSITIONAL || *named == MAX_STACKS) return false;
    names[(*named)++] = p.value;
  }
  return true;
}

int cli_interop_setup(int count, char **arguments) {
  const char *names[MAX_STACKS];
  struct cli_stack stacks[MAX_STACKS];
  size_t named = 0, loaded = 0;
  bool help = false;
  if (!parse(count, arguments, names, &named, &help)) return CLI_USAGE;
  if (help) return CLI_OK;
  bool ok = cli_stacks_load(stacks, MAX_STACKS, &loaded, "interop setup", names, named);
  int code = ok ? CLI_OK : CLI_USAGE;
  for (size_t i = 0; ok && i < loaded; i++)
    if (!set_up(&stacks[i])) code = CLI_ERROR;
  for (size_t i = 0; i < loaded; i++) cli_stack_free(&stacks[i]);
  return code;
}
