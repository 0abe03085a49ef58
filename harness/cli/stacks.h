/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks under test, as the command line names them. */
#ifndef CHORUS_CLI_STACKS_H
#define CHORUS_CLI_STACKS_H

#include "sut/sut.h"
#include "text/text.h"

struct cli_stack {
  struct sut_manifest *manifest;
  char name[4096];  /* as the command line names it: "libcoap", or the path of a manifest */
  char version[80]; /* "" when it is not available */
  char why[320];    /* why it is not available, in a sentence; else "" */
};

/* The folder of our own adapters, and the one that stacks are installed to. */
const char *cli_adapters_folder(char *path, size_t size);
const char *cli_stacks_folder(char *path, size_t size);

/*
 * Reads a manifest and asks the stack for its version. |what|: the path of a manifest, or the name
 * of a folder of our own adapters. False: the messages are out. A stack that is not installed is
 * read, and says why in |why|.
 */
bool cli_stack_load(struct cli_stack *stack, const char *command, const char *what);
/* Adds " |option| |what|" to a command for a shell, whatever the folder it is given in. */
void cli_stack_option(struct txt_buffer *command, const char *option, const char *what);
/* Several; without names, all of our own adapters in order of name. */
bool cli_stacks_load(struct cli_stack *stacks, size_t limit, size_t *count, const char *command,
                     const char *const *names, size_t named);
/* Asks (again) for the version. */
void cli_stack_ask(struct cli_stack *stack);
void cli_stack_free(struct cli_stack *stack);
bool cli_stack_available(const struct cli_stack *stack);

#endif
