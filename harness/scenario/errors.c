/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void scn_errors_init(struct scn_errors *errors) {
  memset(errors, 0, sizeof *errors);
}

void scn_errors_free(struct scn_errors *errors) {
  for (size_t i = 0; i < errors->count; i++) {
    free(errors->list[i].path);
    free(errors->list[i].message);
    free(errors->list[i].source);
  }
  scn_errors_init(errors);
}

/* A copy of line |line| of |text|, without its end; NULL when there is none. */
static char *copy_line(const char *text, uint32_t line) {
  for (uint32_t i = 1; i < line; i++) {
    text = strchr(text, '\n');
    if (!text) return NULL;
    text++;
  }
  size_t length = strcspn(text, "\r\n");
  return strndup(text, length > 200 ? 200 : length);
}

void scn_errors_add(struct scn_errors *errors, const char *path, const char *text, uint32_t line,
                    uint32_t column, uint32_t width, const char *format, ...) {
  errors->total++;
  if (errors->count == SCN_MAX_ERRORS) return;
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  struct scn_error *e = &errors->list[errors->count++];
  *e = (struct scn_error){.path = strdup(path), .line = line, .column = column};
  e->width = width ? width : 1;
  e->message = strdup(message);
  e->source = text && line ? copy_line(text, line) : NULL;
}

/* Control characters would let a file write to the reader's terminal. */
static void print_clean(const char *text, FILE *stream) {
  for (; *text; text++) fputc((unsigned char)*text < 0x20 ? ' ' : *text, stream);
}

static void print_source(const struct scn_error *error, FILE *stream) {
  fprintf(stream, "%5u | ", error->line);
  print_clean(error->source, stream);
  fprintf(stream, "\n      | %*s^", error->column ? (int)error->column - 1 : 0, "");
  size_t length = strlen(error->source), end = (size_t)error->column - 1 + error->width;
  if (end > length) end = length;
  for (size_t i = error->column; i < end; i++) fputc('~', stream);
  fputc('\n', stream);
}

void scn_error_print(const struct scn_error *error, FILE *stream) {
  print_clean(error->path, stream);
  if (error->line) fprintf(stream, ":%u:%u", error->line, error->column);
  fputs(": ", stream);
  print_clean(error->message, stream);
  fputc('\n', stream);
  if (error->source && error->column) print_source(error, stream);
}

void scn_errors_print(const struct scn_errors *errors, FILE *stream) {
  for (size_t i = 0; i < errors->count; i++) scn_error_print(&errors->list[i], stream);
  if (errors->total > errors->count)
    fprintf(stream, "and %zu more\n", errors->total - errors->count);
}
