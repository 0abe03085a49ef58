/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
  struct chunk *next;
  size_t used, size;
  max_align_t data[];
};

struct scn_arena {
  struct chunk *chunks;
};

enum { CHUNK_SIZE = 16 * 1024 };

struct scn_arena *scn_arena_new(void) {
  return calloc(1, sizeof(struct scn_arena));
}

void scn_arena_free(struct scn_arena *arena) {
  if (!arena) return;
  for (struct chunk *c = arena->chunks, *next; c; c = next) {
    next = c->next;
    free(c);
  }
  free(arena);
}

static struct chunk *add_chunk(struct scn_arena *arena, size_t size) {
  size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
  struct chunk *c = malloc(sizeof *c + room);
  if (!c) return NULL;
  *c = (struct chunk){.next = arena->chunks, .size = room};
  return arena->chunks = c;
}

void *scn_alloc(struct scn_arena *arena, size_t size) {
  size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
  struct chunk *c = arena->chunks;
  if (!c || c->size - c->used < size) c = add_chunk(arena, size);
  if (!c) return NULL;
  void *memory = (char *)c->data + c->used;
  c->used += size;
  return memset(memory, 0, size);
}

char *scn_copy(struct scn_arena *arena, const char *text, size_t length) {
  char *copy = scn_alloc(arena, length + 1);
  if (copy && length) memcpy(copy, text, length);
  return copy;
}

char *scn_print(struct scn_arena *arena, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) return NULL;
  char *text = scn_alloc(arena, (size_t)length + 1);
  if (!text) return NULL;
  va_start(arguments, format);
  vsnprintf(text, (size_t)length + 1, format, arguments);
  va_end(arguments);
  return text;
}

/* Lists grow when their count reaches a power of two, so the capacity needs no field of its own. */
void *scn_append(struct scn_arena *arena, void *list, size_t *count, size_t size) {
  char *old;
  memcpy(&old, list, sizeof old);
  size_t n = *count;
  if ((n & (n - 1)) == 0) {
    char *grown = scn_alloc(arena, (n ? 2 * n : 1) * size);
    if (!grown) return NULL;
    if (n) memcpy(grown, old, n * size);
    memcpy(list, &grown, sizeof grown);
    old = grown;
  }
  (*count)++;
  return memset(old + n * size, 0, size);
}
