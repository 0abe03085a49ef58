/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is given back as a whole: what a decoded file consists of. Running out of memory ends
 * in NULL from every call, and scn_arena_failed() says so afterwards.
 */
#ifndef CHORUS_SCENARIO_ARENA_H
#define CHORUS_SCENARIO_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct scn_arena;

struct scn_arena *scn_arena_new(void);
void scn_arena_free(struct scn_arena *arena);
/* |size| zeroed octets, aligned for anything. */
void *scn_alloc(struct scn_arena *arena, size_t size);
char *scn_copy(struct scn_arena *arena, const char *text, size_t length);
char *scn_print(struct scn_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes room for one more element of |size| octets at the end of |*list|; returns the element. */
void *scn_append(struct scn_arena *arena, void *list, size_t *count, size_t size);

#endif
