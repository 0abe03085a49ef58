/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `chorus emulate` behind its first "--": who runs what. */
#ifndef CHORUS_EMULATE_WORDS_H
#define CHORUS_EMULATE_WORDS_H

#include "scenario/arena.h"
#include "scenario/scenario.h"

/* One command, and the nodes that run it, each on its own. */
struct emulate_block {
  uint32_t *nodes;
  size_t node_count;      /* 1 and up */
  const char **arguments; /* with {placeholders} */
  size_t argument_count;  /* 1 and up */
};

struct emulate_blocks {
  struct emulate_block *list;
  size_t count;
};

/*
 * Blocks begin behind "--" and at words "@NODE" (a name, the family of a count, a pattern); without
 * one the first node is meant. "@@word" is the argument "@word". False with a sentence in |why|: no
 * such node, no command, a placeholder that does not exist. Memory is the arena's, words are as
 * given.
 */
bool emulate_blocks_read(const struct scn_scenario *topology, char *const *words, size_t count,
                         struct scn_arena *arena, struct emulate_blocks *blocks, char *why,
                         size_t size);

/*
 * The arguments of a block for one of its nodes, NULL at the end: {NODE} is the first address of a
 * node, {NODE.2} its second, {GROUP} that of a group or address named in the file; {iface},
 * {address}, {address.2} and {name} are those of the node itself. "{{" is a brace. NULL with a
 * sentence in |why|.
 */
const char *const *emulate_fill_in(const struct scn_scenario *topology,
                                   const struct emulate_block *block, uint32_t node,
                                   struct scn_arena *arena, char *why, size_t size);

#endif
