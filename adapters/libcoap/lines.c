/* SPDX-License-Identifier: BSD-2-Clause */
#include "lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_LINE = 256 * 1024, PIECE = 64 * 1024 };

void complain(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("adapter: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void say(json_t *message) {
  char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
  if (text) {
    puts(text);
    fflush(stdout);
  } else {
    complain("a message could not be made: no memory, or text that is not UTF-8");
  }
  free(text);
  json_decref(message);
}

json_t *event_new(const char *name) {
  return json_pack("{s:s}", "event", name);
}

void event_text(json_t *event, const char *member, const char *value) {
  if (value && *value) json_object_set_new(event, member, json_string(value));
}

void event_hex(json_t *event, const char *member, const uint8_t *octets, size_t length) {
  if (length == 0) return;
  char *text = malloc(2 * length + 1);
  if (!text) return;
  for (size_t i = 0; i < length; i++) snprintf(text + 2 * i, 3, "%02x", octets[i]);
  json_object_set_new(event, member, json_string(text));
  free(text);
}

void say_event(json_t *event) {
  say(json_pack("{s:o}", "event", event));
}

/* ---- input ---- */

static void forget_front(struct lines *l, size_t length) {
  memmove(l->text, l->text + length, l->length - length);
  l->length -= length;
}

void lines_read(struct lines *l) {
  if (l->length + PIECE > l->room) {
    char *more = realloc(l->text, l->length + PIECE);
    if (!more) {
      l->ended = true;
      return;
    }
    l->text = more;
    l->room = l->length + PIECE;
  }
  ssize_t n = read(STDIN_FILENO, l->text + l->length, PIECE);
  if (n <= 0)
    l->ended = true;
  else
    l->length += (size_t)n;
}

static bool is_blank(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!strchr(" \t\r", text[i])) return false;
  return true;
}

/* The message that a line is; NULL with a complaint. */
static json_t *decode(const char *text, size_t length) {
  json_error_t error;
  json_t *message = json_loadb(text, length, JSON_DECODE_ANY, &error);
  if (json_is_object(message)) return message;
  int shown = length < 80 ? (int)length : 80;
  if (message)
    complain("a line is no JSON object: %.*s", shown, text);
  else
    complain("a line is not JSON (%s): %.*s", error.text, shown, text);
  json_decref(message);
  return NULL;
}

static void note_length(struct lines *l) {
  if (!l->skipping) complain("a line of more than %d octets was skipped", LONGEST_LINE);
  l->skipping = true;
}

json_t *lines_next(struct lines *l) {
  char *end;
  while (l->length > 0 && (end = memchr(l->text, '\n', l->length))) {
    size_t length = (size_t)(end - l->text);
    json_t *message = NULL;
    if (length > LONGEST_LINE) note_length(l);
    if (!l->skipping && !is_blank(l->text, length)) message = decode(l->text, length);
    l->skipping = false;
    forget_front(l, length + 1);
    if (message) return message;
  }
  if (l->length > LONGEST_LINE) {
    note_length(l);
    l->length = 0;
  }
  return NULL;
}

void lines_free(struct lines *l) {
  free(l->text);
}
