/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol of docs/plugins.md from the program's side: JSON Lines on standard input and output.
 */
#ifndef CHORUS_ADAPTER_LINES_H
#define CHORUS_ADAPTER_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was read of standard input and is not a message yet. Starts as zeros. */
struct lines {
  char *text;
  size_t length, room;
  bool skipping; /* in a line that is too long */
  bool ended;    /* end of file */
};

/* Takes what standard input has; blocks when it has nothing. */
void lines_read(struct lines *lines);
/* The next message, an object that the caller owns; NULL: there is no complete one. */
json_t *lines_next(struct lines *lines);
void lines_free(struct lines *lines);

/* One sentence for people, on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says a message and frees it. */
void say(json_t *message);

/* An event to be filled and said. Members that say nothing are left out. */
json_t *event_new(const char *name);
void event_text(json_t *event, const char *member, const char *value);
void event_hex(json_t *event, const char *member, const uint8_t *octets, size_t length);
void say_event(json_t *event);

#endif
