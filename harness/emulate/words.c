/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate/words.h"

#include <stdio.h>
#include <string.h>

#include "chorus/endpoint_text.h"
#include "chorus/kernel.h"
#include "scenario/units.h"

enum { NAMES_SHOWN = 12, NEAREST_OF = 64 };

struct complaint {
  char *why;
  size_t size;
};

/* ---- names, for messages ---- */

/* Appends to |text| as far as there is room. */
static void add(char *text, size_t size, const char *more) {
  size_t length = strlen(text);
  if (length < size) snprintf(text + length, size - length, "%s", more);
}

static void list_nodes(const struct scn_scenario *topology, char *text, size_t size) {
  text[0] = '\0';
  for (size_t i = 0; i < topology->node_count && i < NAMES_SHOWN; i++) {
    add(text, size, i ? ", " : "");
    add(text, size, topology->nodes[i].name);
  }
  if (topology->node_count > NAMES_SHOWN) add(text, size, ", ...");
}

static const char *nearest(const struct scn_scenario *topology, const char *word) {
  const char *words[NEAREST_OF];
  size_t count = 0;
  for (size_t i = 0; i < topology->name_count && count < NEAREST_OF; i++)
    words[count++] = topology->names[i].name;
  return scn_nearest(word, words, count);
}

static bool no_such_node(const struct scn_scenario *topology, const char *name,
                         const struct complaint *c) {
  char nodes[400];
  const char *near = nearest(topology, name);
  list_nodes(topology, nodes, sizeof nodes);
  snprintf(c->why, c->size, "no node is called \"%s\"%s%s%s; there are %s", name,
           near ? "; did you mean " : "", near ? near : "", near ? "?" : "", nodes);
  return false;
}

static bool no_such_placeholder(const struct scn_scenario *topology, const char *name,
                                const struct complaint *c) {
  char nodes[400];
  const char *near = nearest(topology, name);
  list_nodes(topology, nodes, sizeof nodes);
  snprintf(c->why, c->size,
           "nothing is called {%s}%s%s%s; there are {iface}, {address}, {name}, and the nodes and "
           "groups of the file (%s); {{ is a brace",
           name, near ? "; did you mean {" : "", near ? near : "", near ? "}?" : "", nodes);
  return false;
}

/* ---- placeholders ---- */

/* The length of the name in braces at |text|, which may end in a number; 0: no placeholder. */
static size_t name_length(const char *text) {
  size_t length =
      strspn(text + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
  bool letter = (text[1] >= 'a' && text[1] <= 'z') || (text[1] >= 'A' && text[1] <= 'Z');
  return letter && text[1 + length] == '}' ? length : 0;
}

static const char *address_text(struct scn_arena *arena, const struct chorus_endpoint *endpoint) {
  char text[CHORUS_ENDPOINT_TEXT];
  return scn_print(arena, "%s", chorus_address_text(endpoint, text));
}

static const char *address_of(const struct scn_scenario *topology, struct scn_arena *arena,
                              const char *name, uint64_t number) {
  uint32_t node = scn_node_find(topology, name);
  if (node != UINT32_MAX)
    return number <= topology->nodes[node].address_count
               ? address_text(arena, &topology->nodes[node].addresses[number - 1])
               : NULL;
  for (size_t i = 0; i < topology->name_count && number == 1; i++)
    if (strcmp(topology->names[i].name, name) == 0)
      return address_text(arena, &topology->names[i].endpoint);
  return NULL;
}

/* The value of "NAME" or "NAME.2", or NULL. */
static const char *value_of(const struct scn_scenario *topology, uint32_t node,
                            struct scn_arena *arena, const char *word) {
  const char *dot = strchr(word, '.');
  uint64_t number = 1;
  if (strcmp(word, "iface") == 0) return KRN_INTERFACE;
  if (strcmp(word, "name") == 0) return topology->nodes[node].name;
  if (dot && (!scn_integer(dot + 1, 1000, &number) || number == 0)) return NULL;
  const char *name = dot ? scn_copy(arena, word, (size_t)(dot - word)) : word;
  if (name && strcmp(name, "address") == 0) name = topology->nodes[node].name;
  return name ? address_of(topology, arena, name, number) : NULL;
}

static const char *fill_in(const struct scn_scenario *topology, uint32_t node, const char *text,
                           struct scn_arena *arena, const struct complaint *c) {
  const char *result = "";
  while (result && *text) {
    size_t plain = strcspn(text, "{"), length = text[plain] ? name_length(text + plain) : 0;
    bool doubled = text[plain] && text[plain + 1] == '{';
    const char *value = "";
    if (text[plain] && !length) plain++;
    if (length) {
      const char *word = scn_copy(arena, text + plain + 1, length);
      value = word ? value_of(topology, node, arena, word) : NULL;
      if (!value && word) no_such_placeholder(topology, word, c);
      if (!value) return NULL;
    }
    result = scn_print(arena, "%s%.*s%s", result, (int)plain, text, value);
    text += plain + (length ? length + 2 : doubled);
  }
  return result;
}

const char *const *emulate_fill_in(const struct scn_scenario *topology,
                                   const struct emulate_block *block, uint32_t node,
                                   struct scn_arena *arena, char *why, size_t size) {
  const struct complaint c = {why, size};
  const char **arguments = scn_alloc(arena, (block->argument_count + 1) * sizeof *arguments);
  snprintf(why, size, "no memory");
  for (size_t i = 0; arguments && i < block->argument_count; i++) {
    arguments[i] = fill_in(topology, node, block->arguments[i], arena, &c);
    if (!arguments[i]) return NULL;
  }
  return arguments;
}

/* ---- blocks ---- */

static bool add_nodes(const struct scn_scenario *topology, const char *pattern,
                      struct scn_arena *arena, struct emulate_block *block) {
  for (uint32_t i = 0; i < topology->node_count; i++) {
    const struct scn_node *n = &topology->nodes[i];
    if (strcmp(pattern, n->family) != 0 && !scn_match(pattern, n->name)) continue;
    uint32_t *slot = scn_append(arena, &block->nodes, &block->node_count, sizeof *slot);
    if (slot) *slot = i;
  }
  return block->node_count > 0;
}

static bool starts_block(const char *word) {
  return strcmp(word, "--") == 0 || (word[0] == '@' && word[1] != '@');
}

/* Reads one block from |words|; returns how many words it took, 0 with a complaint. */
static size_t read_block(const struct scn_scenario *topology, char *const *words, size_t count,
                         struct scn_arena *arena, struct emulate_block *block,
                         const struct complaint *c) {
  size_t i = 0;
  while (i < count && strcmp(words[i], "--") == 0) i++;
  const char *name = i < count && starts_block(words[i]) ? words[i++] + 1 : NULL;
  if (!add_nodes(topology, name ? name : topology->nodes[0].name, arena, block)) {
    no_such_node(topology, name ? name : "", c);
    return 0;
  }
  for (; i < count && !starts_block(words[i]); i++) {
    const char **slot = scn_append(arena, &block->arguments, &block->argument_count, sizeof *slot);
    if (slot) *slot = words[i] + (words[i][0] == '@');
  }
  if (block->argument_count > 0) return i;
  snprintf(c->why, c->size, "no command for %s", name ? name : topology->nodes[0].name);
  return 0;
}

/* Fills the block in for each of its nodes, so that nothing starts when something is wrong. */
static bool try_block(const struct scn_scenario *topology, const struct emulate_block *block,
                      struct scn_arena *arena, const struct complaint *c) {
  for (size_t i = 0; i < block->node_count; i++)
    if (!emulate_fill_in(topology, block, block->nodes[i], arena, c->why, c->size)) return false;
  return true;
}

bool emulate_blocks_read(const struct scn_scenario *topology, char *const *words, size_t count,
                         struct scn_arena *arena, struct emulate_blocks *blocks, char *why,
                         size_t size) {
  const struct complaint c = {why, size};
  for (size_t i = 0; i < count;) {
    struct emulate_block *block = scn_append(arena, &blocks->list, &blocks->count, sizeof *block);
    if (!block) {
      snprintf(why, size, "no memory");
      return false;
    }
    *block = (struct emulate_block){0};
    size_t taken = read_block(topology, words + i, count - i, arena, block, &c);
    if (taken == 0 || !try_block(topology, block, arena, &c)) return false;
    i += taken;
  }
  return true;
}
